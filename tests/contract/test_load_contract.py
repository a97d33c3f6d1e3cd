"""Every load case on every warehouse, in both modes: from local files with ``fail``, and with ``reject``."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from contract.conftest import Engine
from contract.format_cases import AVRO_CASES, EXCEL_CASES, FIXED_CASES
from contract.load_cases import CASES, LoadCase, parquet_cases
from contract.path_cases import path_cases
from pipekit.errors import SourceError
from pipekit.names import Table
from pipekit.source import Source
from pipekit.warehouses.contract import REJECT_COLUMNS, FileLoad, LoadedFile, Warehouse

ALL = (*CASES, *parquet_cases(), *path_cases(), *FIXED_CASES, *EXCEL_CASES, *AVRO_CASES)
LOADED_AT = dt.datetime(2024, 6, 1, 12, tzinfo=dt.UTC)

# What Snowflake does otherwise, and why. The cases are skipped there.
DIFFERENCES = {
    "csv_comments": "Snowflake's CSV has no comment lines; validate refuses the key",
    "csv_comments_are_whole_lines": "Snowflake's CSV has no comment lines; validate refuses the key",
    "csv_null_values": "NULL_IF cannot tell a quoted value from an unquoted one: a quoted NULL is NULL too",
    "csv_bad_line_after_quoted_newlines": "METADATA$FILE_ROW_NUMBER counts records, not the lines of a quoted newline",
}
# What the emulator cannot do, and Snowflake can.
EMULATOR = {
    "csv_values_number(38,0)_": "fakesnow keeps NUMBER(38,0) in 64 bits",
    "csv_two_digit_years": "DuckDB, in which the emulator computes, has another first year",
}
# Snowflake tells that fields are missing or too many, not how many there are.
WORDS = {"1 field": "fewer fields", "3 fields": "more fields", "4 fields": "more fields"}


@dataclass
class Outcome:
    rows: list[tuple[Any, ...]]
    rejects: list[tuple[Any, ...]]
    files: tuple[LoadedFile, ...]
    records: int
    rejected: int


def load(warehouse: Warehouse, folder: Path, case: LoadCase, on_error: str) -> Outcome:
    """Load the case's files as a `load` step does, into tables of their own."""
    for name, data in case.files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(data)
    keys: Mapping[str, Any] = {"format": dict(case.format), "columns": dict(case.columns), **case.more}
    source = Source.model_validate({"name": "given", "uri": str(folder), **keys})
    table, rejects = warehouse.scratch(Table(("loaded",))), warehouse.scratch(Table(("rejects",)))
    warehouse.create_table(table, source.columns)
    if on_error == "reject":
        warehouse.create_table(rejects, REJECT_COLUMNS)
    order = FileLoad(source, warehouse.list_files(source), on_error, False, "run-1", LOADED_AT)  # type: ignore[arg-type]
    with warehouse.prepare_load(order) as prepared:
        known = (prepared.records, prepared.rejected)
        with warehouse.transaction():
            warehouse.truncate(table)
            files = prepared.copy_into(table)
            if on_error == "reject":
                prepared.write_rejects(rejects)
        if on_error == "reject":
            assert known == (prepared.records, prepared.rejected), "known before the transaction"
    found = _rejects(warehouse, rejects) if on_error == "reject" else []
    rows = warehouse.execute(f"SELECT * FROM {warehouse.quote(table)}").rows
    return Outcome(rows, found, files, prepared.records, prepared.rejected)


def _rejects(warehouse: Warehouse, table: Table) -> list[tuple[Any, ...]]:
    return warehouse.execute(
        f"SELECT source_line, column_name, reason, raw_record, source_file FROM {warehouse.quote(table)} "
        "ORDER BY source_file, source_line"
    ).rows


def comparable(rows: Any, case: LoadCase, *, given: bool = False) -> list[Any]:
    """Rows in an order of their own, JSON columns parsed."""
    kinds = [str(spec if isinstance(spec, str) else spec["type"]) for spec in case.columns.values()]
    semi = ("variant", "object", "array")
    parse = [kind in semi and not given for kind in kinds]
    return sorted(
        (
            tuple(json.loads(v) if p and isinstance(v, str) else v for v, p in zip(row, parse, strict=True))
            for row in rows
        ),
        key=repr,
    )


def skip_differences(engine: Engine, case: LoadCase) -> None:
    """Skip what is declared to differ, with its cause."""
    cause = case.differs.get("snowflake" if engine.is_snowflake else engine.name)
    if engine.is_snowflake:
        cause = cause or DIFFERENCES.get(case.id)
    if engine.name == "snowflake":
        cause = cause or EMULATOR.get(case.id)
    if cause:
        pytest.skip(cause)


def refusal_of(engine: Engine, case: LoadCase) -> tuple[str, ...]:
    """Words of the error with which the warehouse refuses the file in both modes."""
    return case.error or case.refuses.get("snowflake" if engine.is_snowflake else engine.name, ())


def says(engine: Engine, text: str, words: str) -> bool:
    """Whether the text holds the words, or those that the engine has for them."""
    return words in text or (engine.is_snowflake and WORDS.get(words, words) in text)


@pytest.mark.parametrize("case", ALL, ids=str)
def test_good_records_are_loaded_and_bad_ones_set_aside(engine: Engine, case: LoadCase, tmp_path: Path) -> None:
    skip_differences(engine, case)
    if refusal := refusal_of(engine, case):
        with pytest.raises(SourceError) as raised:
            load(engine.warehouse, tmp_path, case, "reject")
        assert all(says(engine, str(raised.value), words) for words in refusal), str(raised.value)
        return
    found = load(engine.warehouse, tmp_path, case, "reject")
    assert comparable(found.rows, case) == comparable(case.rows, case, given=True)
    assert [(line, column) for line, column, *_ in found.rejects] == [(ln, column) for ln, column, _ in case.rejects]
    for reject, (_, _, said) in zip(found.rejects, case.rejects, strict=True):
        assert says(engine, reject[2], said)
        assert reject[3] or "cut_after" in case.id, "the raw record is kept"
        assert reject[4].endswith(tuple(case.files))
    assert (found.records, found.rejected) == (len(case.rows) + len(case.rejects), len(case.rejects))
    assert sum(file.rows_loaded + file.rows_rejected for file in found.files) == found.records


@pytest.mark.parametrize("case", ALL, ids=str)
def test_the_strict_mode_loads_all_or_names_the_first_bad_record(
    engine: Engine, case: LoadCase, tmp_path: Path
) -> None:
    skip_differences(engine, case)
    refusal = refusal_of(engine, case)
    if not (refusal or case.rejects):
        found = load(engine.warehouse, tmp_path, case, "fail")
        assert comparable(found.rows, case) == comparable(case.rows, case, given=True)
        return
    with pytest.raises(SourceError) as raised:
        load(engine.warehouse, tmp_path, case, "fail")
    error = raised.value
    if refusal:
        assert all(says(engine, str(error), words) for words in refusal), str(error)
        return
    line, column, said = case.rejects[0]
    assert (error.line, error.column) == (line, column)
    assert error.file
    assert error.file.endswith(tuple(case.files))
    assert says(engine, str(error), said)
