"""The keys with which a step says where its rows go, and how."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import AfterValidator, model_validator

from pipekit.names import Table
from pipekit.source import Names
from pipekit.step import StepOptions


def _table_name(text: str) -> str:
    Table.parse(text)
    return text


TableName = Annotated[str, AfterValidator(_table_name)]
SuiteReference = str | list[Any] | dict[str, Any]
OnSchemaChange = Literal["fail", "add", "ignore"]
Kind = Literal["table", "temporary", "view"]
Materialization = Literal["table", "view", "truncate_load", "append", "merge"]


class Into(StepOptions):
    """The keys of every step that fills a table from rows it makes.

    Attributes:
        into: The table; the step's id if left out.
        materialize: ``table`` is replaced as a whole; ``truncate_load`` keeps the table and its grants;
            ``append`` adds rows not yet there; ``merge`` updates by ``key`` and never deletes; ``view`` holds no rows.
        key: The columns that identify a row.
        since: With ``append``, the column whose greatest value in the table is where new rows begin; with ``key``, the
            key alone decides.
        audit: A suite that must pass before readers see the new rows.
        on_schema_change: What a change of columns does to a table that is kept.
        timestamps: With ``merge``, keep ``created_at`` and ``updated_at`` for each row.
    """

    into: TableName
    materialize: Materialization = "table"
    key: Names = ()
    since: str | None = None
    audit: SuiteReference | None = None
    on_schema_change: OnSchemaChange = "fail"
    timestamps: bool = False

    @model_validator(mode="after")
    def _consistent(self) -> Into:
        mode = self.materialize
        if mode == "merge" and not self.key:
            raise ValueError("materialize: merge needs a key")
        if mode == "append" and not (self.key or self.since):
            raise ValueError("materialize: append needs key or since, so that running it again adds nothing")
        if self.key and mode not in ("merge", "append"):
            raise ValueError(f"key means nothing with materialize: {mode}")
        if self.since and mode != "append":
            raise ValueError(f"since means nothing with materialize: {mode}")
        if self.timestamps and mode != "merge":
            raise ValueError(f"timestamps needs materialize: merge, not {mode}")
        if mode == "view" and self.audit is not None:
            raise ValueError("a view cannot be audited: it holds no rows; check it with a check step")
        if self.on_schema_change != "fail" and mode in ("table", "view"):
            raise ValueError(f"on_schema_change means nothing with materialize: {mode}, which is made anew each time")
        return self


STAMPS = ("created_at", "updated_at")
