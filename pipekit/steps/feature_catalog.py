"""The table ``feature_catalog``: a row for each feature, written by the steps that compute features."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from typing import Any

from pipekit.materialize.rows import STAMPS, merge_values
from pipekit.names import Table
from pipekit.own_tables import CATALOG, CATALOG_COLUMNS
from pipekit.scrubbing import scrub
from pipekit.source import Column
from pipekit.sql.dialect import OTHER, Dialect
from pipekit.step import StepContext
from pipekit.steps.feature_options import FeaturesOptions
from pipekit.steps.feature_sql import made_by, tables_of

_STAMPED = {column.name for column in STAMPS}
_COLUMNS: tuple[Column, ...] = tuple(column for column in CATALOG_COLUMNS if column.name not in _STAMPED)
_KEY = ("feature_table", "feature_name")
_Row = Mapping[str, Any]


def write_catalog(options: FeaturesOptions, context: StepContext) -> int:
    """Bring the catalog up to date, with nothing written if it is; how many rows the table of features has."""
    warehouse = context.warehouse
    warehouse.create_table(CATALOG, CATALOG_COLUMNS)
    total, rows = _rows(options, context)
    known = _known(context)
    written = {row["feature_name"]: row for row in known if row["feature_table"] == options.into}
    changed = [row for row in rows if _values(written.get(row["feature_name"], {})) != _values(row)]
    gone = sorted(written.keys() - options.visible.keys())
    moved = sorted({row["feature_table"] for row in known if _is_of_step(row, context)} - {options.into})
    # One MERGE is atomic by itself.
    with warehouse.transaction() if gone or moved or not warehouse.dialect.saves_requests else nullcontext():
        if changed:
            merge_values(context, CATALOG, _COLUMNS, [_values(row) for row in changed], _KEY)
        if gone:
            _forget(context, options.into, gone)
        for table in moved:
            _forget(context, table, [row["feature_name"] for row in known if row["feature_table"] == table])
    for table in moved:
        context.note("WARNING", f"{CATALOG}: the rows of {table} are taken out; this step makes {options.into} now")
    return total


def _values(row: _Row) -> tuple[Any, ...]:
    return tuple(row.get(column.name) for column in _COLUMNS)


def _known(context: StepContext) -> list[_Row]:
    """All rows of the catalog; columns that one of an earlier version lacks are added to it."""
    warehouse, catalog = context.warehouse, context.warehouse.quote(CATALOG)
    found = warehouse.execute(f"SELECT * FROM {catalog}")
    names = [name.lower() for name in found.columns]
    for column in CATALOG_COLUMNS:
        if column.name not in names:
            definition = f"{warehouse.quote(column.name)} {warehouse.type_of(column)}"
            warehouse.execute(f"ALTER TABLE {catalog} ADD COLUMN IF NOT EXISTS {definition}")
    return [dict(zip(names, row, strict=True)) for row in found.rows]


def _is_of_step(row: _Row, context: StepContext) -> bool:
    return (row.get("pipeline"), row.get("step_name")) == (context.pipeline, context.step)


def _forget(context: StepContext, table: str, names: Sequence[str]) -> None:
    """A feature that the file no longer declares has no place in the catalog."""
    quote, marks = context.warehouse.quote, ", ".join("?" * len(names))
    context.warehouse.execute(
        f"DELETE FROM {quote(CATALOG)} WHERE {quote('feature_table')} = ? AND {quote('feature_name')} IN ({marks})",
        [table, *names],
    )


def _rows(options: FeaturesOptions, context: StepContext) -> tuple[int, list[_Row]]:
    table = Table.parse(options.into)
    types = {column.name: column.type for column in context.warehouse.columns(table)}
    total, filled = _filled(options, context, table)
    shares = dict(zip(options.visible, filled, strict=True))
    return total, [
        {
            "feature_table": options.into,
            "feature_name": name,
            "description": scrub(feature.description),
            "data_type": feature.data_type
            or _type_family(types[context.warehouse.fold(name)], context.warehouse.dialect),
            "source_table": tables_of(feature, options, context.project),
            "transformation": made_by(feature),
            "update_frequency": options.update_frequency,
            "quality": feature.quality or shares[name],
            "feature_id": feature.id or f"{options.into}.{name}",
            "pipeline": context.pipeline,
            "step_name": context.step,
        }
        for name, feature in options.visible.items()
    ]


def _filled(options: FeaturesOptions, context: StepContext, table: Table) -> tuple[int, list[str]]:
    """The rows of the table, and for each feature the share of them that have a value."""
    quote = context.warehouse.quote
    counts = ", ".join(f"count({quote(name)})" for name in options.visible)
    total, *filled = context.warehouse.execute(f"SELECT count(*), {counts} FROM {quote(table)}").rows[0]
    return total, [f"{100 * count / total:.2f}% filled" if total else "no rows" for count in filled]


def _type_family(engine_type: str, dialect: Dialect) -> str:
    """The family of a type, the same word on every engine; the engine's own word where it has none."""
    family = dialect.family(engine_type)
    return engine_type.lower() if family == OTHER else family
