"""A plugin from outside: the materialization ``versions``, which keeps each version of a row and when it held."""

from __future__ import annotations

from collections.abc import Sequence

import pipekit


class VersionKeys(pipekit.StepOptions):
    """The keys of ``versions``."""

    key: pipekit.ColumnNames
    from_column: str = "valid_from"
    to_column: str = "valid_to"


def _own_columns(keys: VersionKeys) -> Sequence[pipekit.Column]:
    return [pipekit.Column.of(name, "timestamp_tz") for name in (keys.from_column, keys.to_column)]


def _move(move: pipekit.Move[VersionKeys]) -> int:
    """End the versions that changed, and begin a new one for each row that has no open version."""
    warehouse, keys, now = move.context.warehouse, move.keys, move.context.as_of
    quote = warehouse.quote
    table, begin, end = quote(move.table), quote(keys.from_column), quote(keys.to_column)
    same = " AND ".join(f"{table}.{quote(name)} = new.{quote(name)}" for name in keys.key)
    differs = " OR ".join(f"{table}.{quote(name)} IS DISTINCT FROM new.{quote(name)}" for name in move.columns)
    warehouse.execute(
        f"UPDATE {table} SET {end} = ? FROM {quote(move.new)} AS new WHERE {end} IS NULL AND {same} AND ({differs})",
        (now,),
    )
    open_ = f"SELECT 1 FROM {table} WHERE {end} IS NULL AND {same}"
    rows = move.insert(f"NOT EXISTS ({open_})")
    warehouse.execute(f"UPDATE {table} SET {begin} = ? WHERE {begin} IS NULL", (now,))
    return rows


@pipekit.hookimpl
def pipekit_materializations() -> Sequence[pipekit.Materialization[VersionKeys]]:
    return [
        pipekit.Materialization("versions", _move, VersionKeys, check=pipekit.refuse_bad_keys, own_columns=_own_columns)
    ]
