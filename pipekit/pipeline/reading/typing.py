"""Columns that a step names outside of its SQL, in keys, audits and checks: are they in the table?"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date
from typing import Any

from pipekit.clock import Moment, holds_clock
from pipekit.errors import TemplateError
from pipekit.materialize.contract import NamesColumns
from pipekit.materialize.into import Into, TableOptions
from pipekit.names import Table, quote_identifier
from pipekit.pipeline.model import PipelineSpec, Step, canonical
from pipekit.pipeline.reading.rendering import Reading
from pipekit.pipeline.reading.tree import Node
from pipekit.quality import custom_sql
from pipekit.quality.conditions import columns_of, compared, parse_text
from pipekit.quality.suite import Expectation, Suite, by_scope
from pipekit.sql.semantics import ColumnTypes
from pipekit.sql.text import literal
from pipekit.suggestions import did_you_mean
from pipekit.warehouses.builtin import TYPING

Path = tuple[str | int, ...]
_SCALARS = (str, int, float, date)
# What these name may be missing: that is what they test.
_ASK_FOR_COLUMNS = ("expect_column_to_exist", "expect_table_columns_to_match_ordered_list")
_COMPARES_VALUES = (
    "expect_column_values_to_be_between",
    "expect_column_values_to_be_in_set",
    "expect_column_values_to_not_be_in_set",
)
_COMPARES_PAIR = re.compile(r"expect_column_pair_values_(a_to_be_greater_than_b|to_be_equal)")
_READS_TEXT = re.compile(
    r"expect_column_values?_(to_(not_)?match_(regex|like_pattern)(_list)?|lengths_to_(be_between|equal))"
)
_COUNTS_WITH_NUMBERS = re.compile(
    r"expect_column_(sum|mean|stdev)_to_be_between|expect_column_value_z_scores_to_be_less_than"
)
_NO_TEXT = re.compile(r"(U?(TINY|SMALL|BIG|HUGE)?INT(EGER)?|DECIMAL|DOUBLE|FLOAT|REAL|BOOLEAN|DATE|TIME(STAMP)?)\b")
_TIMES = ("DATE", "TIME")  # and with it TIMESTAMP


def check_columns(reading: Reading, spec: PipelineSpec, steps: Sequence[tuple[int, Step]]) -> None:
    """Note columns that are not in the tables that they are said of; what is not known is not checked."""
    for index, step in steps:
        made = spec.typed_tables.made_by(step)
        if made is not None and isinstance(step.options, Into):
            for key, name in _named(step.options):
                _note_unknown(reading, ("steps", index, key), name, made, step.options.into)
            for place, name in _in_contract(step.options):
                _note_unknown(reading, ("steps", index, "contract", *place), name, made, step.options.into)
        for key, table in _judged(step, spec):
            types = spec.typed_tables(table)
            for suite, path in _suites(spec, index, key, getattr(step.options, key)):
                _check_suite(reading, spec, suite, (path, ("steps", index, key)), (table, types))


def _named(options: TableOptions) -> Iterator[tuple[str, str]]:
    """Each column that a key of the step or of its materialization names."""
    for keys in (options.choice.keys, options):
        for key, field in type(keys).model_fields.items():
            if any(isinstance(mark, NamesColumns) for mark in field.metadata):
                value = getattr(keys, key)
                yield from ((key, name) for name in ([value] if isinstance(value, str) else value or ()))


def _in_contract(options: Into) -> Iterator[tuple[Path, str]]:
    """Each column that the contract names and no default fills, with its place in it."""
    columns = options.said.columns.items()
    filled = {name.lower() for name, said in columns if said.type is not None and said.default is not None}
    yield from ((("columns", name), name) for name, _ in columns if name.lower() not in filled)
    yield from ((("primary_key",), name) for name in options.said.primary_key if name.lower() not in filled)


def _judged(step: Step, spec: PipelineSpec) -> Iterator[tuple[str, Table]]:
    """The keys of the step that name suites, with the table that each judges."""
    if getattr(step.options, "audit", None) is not None:
        yield "audit", Table.parse(str(getattr(step.options, "into", step.id)))
    tables = list(step.type.judges(step.options, spec))
    if getattr(step.options, "suite", None) is not None and len(tables) == 1:
        yield "suite", Table.parse(tables[0])


def _suites(spec: PipelineSpec, index: int, key: str, reference: Any) -> Iterator[tuple[Suite, Path]]:
    """The suites that a key means, each with the place where it is written."""
    for scope, named in by_scope(reference).items() if key == "audit" else [("", reference)]:
        place: Path = ("steps", index, key)
        if isinstance(reference, dict) and scope in reference:
            place = (*place, scope)
        names = [named] if isinstance(named, str) else named
        if isinstance(names, list) and all(isinstance(name, str) for name in names):
            yield from ((spec.suite_as_written(name), ("suites", name)) for name in names if name in spec.suites)
        elif canonical(named) in spec.inline_suites:
            yield spec.suite_as_written(named), place


def _check_suite(
    reading: Reading,
    spec: PipelineSpec,
    suite: Suite,
    places: tuple[Path, Path],
    judged: tuple[Table, ColumnTypes | None],
) -> None:
    (table, types), (written, used) = judged, places
    for number, expectation in enumerate(suite.expectations):
        if types is not None and suite.engine != "great_expectations":
            at = _place(reading, written, number, expectation.type)
            _check_values(reading, expectation, at, used, types)
            _check_pair(reading, expectation, (*at, "column_B") if at else used, types)
        if types is not None:
            at = _place(reading, written, number, expectation.type)
            _check_kind(reading, expectation, (*at, "column") if at else used, types)
        condition = expectation.kwargs.get("row_condition")
        condition_at = _find(reading.tree.at(written), written, condition) or used if condition is not None else used
        if types is not None and expectation.type not in _ASK_FOR_COLUMNS:
            for name in _columns_named(expectation):
                place = _find(reading.tree.at(written), written, name) or condition_at
                _note_unknown(reading, place, name, types, str(table), f"{expectation.type}: ")
        if types is not None and condition is not None:
            _check_condition(reading, condition, condition_at, types)
        query = expectation.kwargs.get("unexpected_rows_query")
        if isinstance(query, str):
            place = _find(reading.tree.at(written), written, query) or used
            _check_query(reading, spec, query, place, types)


def _columns_named(expectation: Expectation) -> Iterable[str]:
    return dict.fromkeys((*expectation.columns, *columns_of(expectation.kwargs.get("row_condition"))))


def _check_condition(reading: Reading, condition: Any, place: Path, types: ColumnTypes) -> None:
    """Hold what a row condition compares to the rules of SQL: a date cannot be compared with a number."""
    mapping = parse_text(condition) if isinstance(condition, str) else condition
    for name, values in compared(mapping) if mapping is not None else ():
        _check_compared(reading, place, name, values, types)


def _check_compared(reading: Reading, place: Path, name: str, values: Sequence[Any], types: ColumnTypes) -> bool:
    """Note values that cannot be compared with the column; whether there are any."""
    if name.lower() not in types or not all(isinstance(value, _SCALARS) for value in values):
        return False
    listed = ", ".join(literal(value) for value in values)
    condition = f"{quote_identifier(name, str.upper)} in ({listed.replace('{', '{{').replace('}', '}}')})"
    reason = _refused(condition, types)
    if reason:
        reading.note(place, f"{name}: {reason}")
    return bool(reason)


def _refused(condition: str, types: ColumnTypes) -> str:
    """What the rules of SQL say against a condition over rows; empty if nothing."""
    try:
        custom_sql.check(f"select 1 as one from {{batch}} where {condition}", lambda table: types, TYPING)
    except TemplateError as error:
        return "; ".join(part for part in (error.reason, error.hint) if part)
    return ""


def _check_values(reading: Reading, expectation: Expectation, at: Path | None, used: Path, types: ColumnTypes) -> None:
    """The same for the values that an expectation compares its column with: the first that cannot be is noted."""
    name, arguments = str(expectation.kwargs.get("column")), expectation.kwargs
    kind = types.get(name.lower(), "")
    if expectation.type not in _COMPARES_VALUES or not _NO_TEXT.match(kind):
        return
    listed = arguments.get("value_set")
    values = listed if isinstance(listed, list) else []
    given: list[tuple[Path, Any]] = [(("value_set", number), value) for number, value in enumerate(values)]
    given += [((key,), arguments[key]) for key in ("min_value", "max_value") if key in arguments]
    for inside, value in given:
        known = isinstance(value, bool) or holds_clock(value) or isinstance(value, Moment)
        odd = isinstance(value, str) or (isinstance(value, int | float) and kind.startswith(_TIMES))
        if odd and not known and _check_compared(reading, (*at, *inside) if at else used, name, [value], types):
            return


def _check_pair(reading: Reading, expectation: Expectation, place: Path, types: ColumnTypes) -> None:
    """The same for two columns that are compared with each other."""
    pair = [str(expectation.kwargs.get(key)) for key in ("column_A", "column_B")]
    if _COMPARES_PAIR.match(expectation.type) and all(name.lower() in types for name in pair):
        first, second = (quote_identifier(name, str.upper) for name in pair)
        if reason := _refused(f"{first} > {second}", types):
            said = " and ".join(f"{name} is {types[name.lower()]}" for name in pair)
            reading.note(place, f"{said}: {reason.partition(';')[0]}; name two columns of one kind")


def _check_kind(reading: Reading, expectation: Expectation, place: Path, types: ColumnTypes) -> None:
    """Note a column of a type for which there is no such check: Great Expectations' query of it fails on DuckDB."""
    name = str(expectation.kwargs.get("column"))
    kind = types.get(name.lower(), "")
    text = f"{name} is {kind}, and {expectation.type}"
    if _READS_TEXT.fullmatch(expectation.type) and _NO_TEXT.match(kind):
        reading.note(place, f"{text} reads text; declare the column varchar, or use another expectation")
    elif _COUNTS_WITH_NUMBERS.fullmatch(expectation.type) and kind.startswith("VARCHAR"):
        reading.note(place, f"{text} calculates with numbers; declare the column number, or use another expectation")


def _place(reading: Reading, written: Path, number: int, kind: str) -> Path | None:
    """Where an expectation of a suite is written; ``None`` if it is in another file."""
    inside = ("expectations",) if isinstance(reading.tree.at(written).value, dict) else ()
    node = reading.tree.at((*written, *inside))
    return (*written, *inside, number, kind) if isinstance(node.value, list) else None


def _check_query(reading: Reading, spec: PipelineSpec, query: str, place: Path, types: ColumnTypes | None) -> None:
    def columns(table: Table) -> ColumnTypes | None:
        return types if table.parts == (custom_sql.BATCH,) else spec.typed_tables(table)

    try:
        custom_sql.check(query, columns, TYPING)
    except TemplateError as error:
        for each in (error, *error.others):
            reading.note_sql(place, each, None)


def _note_unknown(
    reading: Reading, place: Path, name: str, types: Mapping[str, Any], table: str, before: str = ""
) -> None:
    complete = not any(each.startswith("$") for each in types)
    if complete and name.lower() not in {known.lower() for known in types}:
        reading.note(place, f"{before}{table} has no column {name!r}{did_you_mean(name, types)}")


def _find(node: Node, path: Path, value: Any) -> Path | None:
    """Where a value is below a node."""
    if node.value == value or (isinstance(value, dict) and node.plain() == value):
        return path
    children: Iterable[tuple[str | int, Node]] = ()
    if isinstance(node.value, dict):
        children = node.value.items()
    elif isinstance(node.value, list):
        children = enumerate(node.value)
    found = (_find(child, (*path, key), value) for key, child in children)
    return next((each for each in found if each is not None), None)
