"""The materializations that come with pipekit."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from pydantic import Field, model_validator

from pipekit.materialize.contract import USES, ColumnName, ColumnNames, Materialization, Move, Use
from pipekit.materialize.replace_where import REPLACE_WHERE
from pipekit.materialize.rows import STAMPS, merge, refuse_bad_keys
from pipekit.materialize.since import insert_since
from pipekit.source import Column
from pipekit.step import StepOptions


class AppendKeys(StepOptions):
    """What finds the rows that ``append`` has added already: a key, a column that grows, or both."""

    key: ColumnNames = Field(default=(), description="The columns that identify a row.")
    since: ColumnName = Field(default=None, description="The column that grows; key decides alone.")

    @model_validator(mode="after")
    def _one_of(self) -> AppendKeys:
        if not (self.key or self.since):
            raise ValueError("materialize: append needs key or since, so that running it again adds nothing")
        return self


class MergeKeys(StepOptions):
    """By what ``merge`` finds the row to change, and whether it keeps the times of rows."""

    key: ColumnNames = Field(min_length=1, description="The columns that identify a row.")
    timestamps: bool = Field(default=False, description="Keep created_at and updated_at for each row.")


def _truncate_and_insert(move: Move[Any]) -> int:
    move.context.warehouse.truncate(move.table)
    return move.insert()


def _insert(move: Move[Any]) -> int:
    return move.insert()


def _insert_unknown(move: Move[AppendKeys]) -> int:
    quote, keys = move.context.warehouse.quote, move.keys
    if not keys.key:
        return insert_since(move, keys.since or "")
    same = " AND ".join(f"old.{quote(name)} = new.{quote(name)}" for name in keys.key)
    return move.insert(f"NOT EXISTS (SELECT 1 FROM {quote(move.table)} AS old WHERE {same})")


def _stamps(keys: MergeKeys) -> Sequence[Column]:
    return STAMPS if keys.timestamps else ()


def _key(keys: AppendKeys | MergeKeys) -> Sequence[str]:
    return keys.key


def _is_one_insert(keys: AppendKeys) -> bool:
    return bool(keys.key)  # by `since` the rows beside the greatest value have an INSERT of their own


def _is_one_merge(keys: MergeKeys) -> bool:
    return True


TABLE: Materialization[Any] = Materialization("table", uses=("materialize",), remade_as="table", replaces="all")
VIEW: Materialization[Any] = Materialization("view", uses=("materialize",), remade_as="view", replaces="all")
TRUNCATE_LOAD: Materialization[Any] = Materialization(
    "truncate_load", _truncate_and_insert, straight="always", replaces="all"
)
APPEND: Materialization[AppendKeys] = Materialization(
    "append",
    _insert_unknown,
    AppendKeys,
    uses=("materialize",),
    check=refuse_bad_keys,
    straight="first",
    unique=_key,
    single=_is_one_insert,
)
APPEND_FILES: Materialization[Any] = Materialization(
    "append", _insert, uses=("strategy",), straight="always", once_per_file=True
)
MERGE: Materialization[MergeKeys] = Materialization(
    "merge",
    merge,
    MergeKeys,
    check=refuse_bad_keys,
    own_columns=_stamps,
    straight="first",
    unique=_key,
    single=_is_one_merge,
)
BUILT_IN: tuple[Materialization[Any], ...] = (TABLE, VIEW, TRUNCATE_LOAD, APPEND, APPEND_FILES, MERGE, REPLACE_WHERE)

Registry = Mapping[Use, Mapping[str, Materialization[Any]]]


def by_use(values: Iterable[Materialization[Any]]) -> Registry:
    """Materializations by what may name them, and by name."""
    found = list(values)
    return {use: {how.name: how for how in found if use in how.uses} for use in USES}
