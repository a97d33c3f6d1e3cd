"""What loading files does on every warehouse: every case, in both modes."""

from __future__ import annotations

import datetime as dt
import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar, Literal

import pytest

from pipekit.errors import SourceError
from pipekit.names import Table
from pipekit.source import Source
from pipekit.testing.contract.base import Contract
from pipekit.testing.contract.cases import CASES, LoadCase
from pipekit.warehouses.contract import REJECT_COLUMNS, FileLoad, LoadedFile, Warehouse

LOADED_AT = dt.datetime(2024, 6, 1, 12, tzinfo=dt.UTC)


@dataclass(frozen=True)
class Variations:
    """What the contract leaves to a warehouse.

    Attributes:
        words: Its words in reasons and errors, by the contract's words.
        refuses: Cases whose file it refuses in both modes, since it cannot read it or cannot set its bad records aside:
            the case's id, and words of the error.
    """

    words: Mapping[str, str] = field(default_factory=dict)
    refuses: Mapping[str, Sequence[str]] = field(default_factory=dict)

    def holds(self, text: str, words: str) -> bool:
        """Whether the text holds the words, or those that the warehouse has for them."""
        return words in text or self.words.get(words, words) in text

    def refusal_of(self, case: LoadCase) -> Sequence[str]:
        """Words of the error with which the file is refused in both modes; empty if it is not."""
        return case.error or self.refuses.get(case.id, ())


class LoadContract(Contract):
    """Good records are loaded, bad ones set aside or named.

    Attributes:
        cases: What is loaded.
        variations: What the contract leaves to this warehouse.
    """

    cases: ClassVar[Sequence[LoadCase]] = CASES
    variations: ClassVar[Variations] = Variations()

    def pytest_generate_tests(self, metafunc: pytest.Metafunc) -> None:
        """Every test of a case, for each case.

        Raises:
            ValueError: Two cases have the same id, by which differences and the limits of a warehouse name them.
        """
        if "case" in metafunc.fixturenames:
            if twice := [name for name, number in Counter(case.id for case in self.cases).items() if number > 1]:
                raise ValueError(f"several cases have the id {', '.join(map(repr, twice))}")
            metafunc.parametrize("case", self.cases, ids=str)

    @pytest.fixture
    def varied(self) -> Variations:
        """``variations``; to be overridden where it depends on another fixture."""
        return self.variations

    def test_good_records_are_loaded_and_bad_ones_set_aside(
        self, warehouse: Warehouse, varied: Variations, case: LoadCase, tmp_path: Path
    ) -> None:
        if refusal := varied.refusal_of(case):
            with pytest.raises(SourceError) as raised:
                load(warehouse, tmp_path, case, "reject")
            assert all(varied.holds(str(raised.value), words) for words in refusal), str(raised.value)
            return
        found = load(warehouse, tmp_path, case, "reject")
        assert comparable(found.rows, case) == comparable(case.rows, case, given=True)
        assert [(ln, column) for ln, column, *_ in found.rejects] == [(ln, column) for ln, column, _ in case.rejects]
        for reject, (_, _, said) in zip(found.rejects, case.rejects, strict=True):
            assert varied.holds(reject[2], said)
            assert reject[3] or "cut_after" in case.id, "the raw record is kept"
            assert reject[4].endswith(tuple(case.files))
        assert (found.records, found.rejected) == (len(case.rows) + len(case.rejects), len(case.rejects))
        assert sum(file.rows_loaded + file.rows_rejected for file in found.files) == found.records

    def test_the_strict_mode_loads_all_or_names_the_first_bad_record(
        self, warehouse: Warehouse, varied: Variations, case: LoadCase, tmp_path: Path
    ) -> None:
        refusal = varied.refusal_of(case)
        if not (refusal or case.rejects):
            found = load(warehouse, tmp_path, case, "fail")
            assert comparable(found.rows, case) == comparable(case.rows, case, given=True)
            assert sum(file.rows_loaded for file in found.files) == len(case.rows)
            return
        with pytest.raises(SourceError) as raised:
            load(warehouse, tmp_path, case, "fail")
        error = raised.value
        if refusal:
            assert all(varied.holds(str(error), words) for words in refusal), str(error)
            return
        line, column, said = case.rejects[0]
        assert (error.line, error.column) == (line, column)
        assert error.file
        assert error.file.endswith(tuple(case.files))
        assert varied.holds(str(error), said)
        if column is not None:  # all records were judged, so their number is known
            assert ("bad records in all" in str(error)) == (len(case.rejects) > 1)
            assert f"{len(case.rejects)} bad records in all" in str(error) or len(case.rejects) == 1
            assert "set `on_error: reject` to set bad records aside" in str(error)


@dataclass
class Outcome:
    """What a load left in its tables, and what it reported."""

    rows: list[tuple[Any, ...]]
    rejects: list[tuple[Any, ...]]
    files: tuple[LoadedFile, ...]
    records: int
    rejected: int


def load(warehouse: Warehouse, folder: Path, case: LoadCase, on_error: Literal["fail", "reject"]) -> Outcome:
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
    order = FileLoad(source, warehouse.list_files(source), on_error, False, "run-1", LOADED_AT)
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
