"""Every load case on DuckDB, in both modes, and what is special to DuckDB's loading."""

from __future__ import annotations

import json
from typing import Any

import pytest
from contract.load_cases import CASES, LoadCase, parquet_cases

from pipekit.errors import SourceError

ALL = [case for case in (*CASES, *parquet_cases()) if "duckdb" not in case.differs]


def source_of(case: LoadCase) -> dict[str, Any]:
    return {"format": dict(case.format), "columns": dict(case.columns), **case.more}


def comparable(rows: Any, case: LoadCase) -> list[Any]:
    """Rows in an order of their own, JSON columns parsed."""
    kinds = [str(spec if isinstance(spec, str) else spec["type"]) for spec in case.columns.values()]
    parsed = [
        tuple(
            json.loads(value) if kind in ("variant", "object", "array") and isinstance(value, str) and given else value
            for value, kind in zip(row, kinds, strict=True)
        )
        for row, given in ((row, rows is not case.rows) for row in rows)
    ]
    return sorted(parsed, key=repr)


@pytest.mark.parametrize("case", ALL, ids=str)
def test_good_records_are_loaded_and_bad_ones_set_aside(case: LoadCase, load: Any) -> None:
    if case.error:
        with pytest.raises(SourceError) as raised:
            load(case.files, source_of(case), on_error="reject")
        assert all(word in str(raised.value) for word in case.error), str(raised.value)
        return
    loaded = load(case.files, source_of(case), on_error="reject")
    assert comparable(loaded.rows, case) == comparable(case.rows, case)
    assert [(line, column) for line, column, *_ in loaded.rejects] == [(line, column) for line, column, _ in case.rejects]
    for found, (_, _, words) in zip(loaded.rejects, case.rejects, strict=True):
        assert words in found[2]
        assert found[3] or "cut_after" in case.id, "the raw record is kept"
    assert (loaded.records, loaded.rejected) == (len(case.rows) + len(case.rejects), len(case.rejects))
    assert sum(file.rows_loaded + file.rows_rejected for file in loaded.files) == loaded.records


@pytest.mark.parametrize("case", ALL, ids=str)
def test_the_strict_mode_loads_all_or_names_the_first_bad_record(case: LoadCase, load: Any) -> None:
    if not (case.error or case.rejects):
        loaded = load(case.files, source_of(case))
        assert comparable(loaded.rows, case) == comparable(case.rows, case)
        assert loaded.records == len(case.rows)
        return
    with pytest.raises(SourceError) as raised:
        load(case.files, source_of(case))
    error = raised.value
    if case.error:
        assert all(word in str(error) for word in case.error), str(error)
        return
    line, column, words = case.rejects[0]
    assert (error.line, error.column) == (line, column)
    assert error.file.endswith(tuple(case.files))
    assert words in str(error)
