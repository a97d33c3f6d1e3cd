"""The keys with which a step says where its rows go, and how."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, ClassVar, Literal

from pydantic import (
    AfterValidator,
    Field,
    GetCoreSchemaHandler,
    PlainSerializer,
    WithJsonSchema,
    field_validator,
    model_validator,
)
from pydantic_core import CoreSchema, core_schema

from pipekit.materialize.builtin import TABLE
from pipekit.materialize.contract import Choice, EachOnce, Use
from pipekit.names import Table
from pipekit.quality.suite import by_scope
from pipekit.source import ColumnType
from pipekit.step import StepOptions


def _table_name(text: str) -> str:
    Table.parse(text)
    return text


def _written(choice: Choice[Any]) -> dict[str, Any]:
    return {"name": choice.how.name, **choice.keys.model_dump(mode="json", by_alias=True)}


class _Instance:
    """Marks a value that is taken as it is. pydantic's ``InstanceOf`` costs 10 ms: it looks into the class as well."""

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.is_instance_schema(Choice)


TableName = Annotated[str, AfterValidator(_table_name)]
SuiteReference = str | list[Any] | dict[str, Any]
OnSchemaChange = Literal["fail", "add", "ignore", "widen"]
Chosen = Annotated[Choice[Any], _Instance(), PlainSerializer(_written), WithJsonSchema({"type": "string"})]
"""A materialization: in the file its name, its keys beside it; the reader of the file puts the value in their place."""


class TableOptions(StepOptions):
    """The keys of every step that fills a table.

    Attributes:
        into: The table; the step's id if left out.
        audit: A suite that must pass before readers see the new rows; or a mapping: ``table`` is judged on the whole
            table, ``new_rows`` on the rows of this run alone.
        on_schema_change: What a change of columns does to a table that is kept.
    """

    chosen_by: ClassVar[Use]

    into: TableName
    audit: SuiteReference | None = None
    on_schema_change: OnSchemaChange = "fail"

    @property
    def choice(self) -> Choice[Any]:
        """The materialization, with the values of its keys."""
        value: Choice[Any] = getattr(self, self.chosen_by)
        return value

    @classmethod
    def default_choice(cls) -> Choice[Any]:
        """The choice of a step that names no materialization."""
        value: Choice[Any] = cls.model_fields[cls.chosen_by].get_default(call_default_factory=True)
        return value

    @classmethod
    def default_keys(cls, data: Mapping[str, Any]) -> Mapping[str, Any]:
        """Keys of a materialization that follow from other options of the step, for where the file leaves them out."""
        return {}

    @model_validator(mode="after")
    def _fits(self) -> TableOptions:
        how = self.choice.how
        if how.remade_as == "view" and self.audit is not None:
            raise ValueError("audit: a view cannot be audited: it holds no rows; check it with a check step")
        if how.replaces == "all" and "new_rows" in by_scope(self.audit):
            which = f"{self.chosen_by}: {how.name}"
            raise ValueError(f"audit.new_rows means nothing with {which}: its table holds the new rows alone")
        if how.remade_as is not None and self.on_schema_change != "fail":
            which = f"{self.chosen_by}: {how.name}"
            raise ValueError(f"on_schema_change: means nothing with {which}, which is rebuilt each time")
        return self


class OutputColumn(StepOptions):
    """The contract of one column of a table that a step makes.

    Attributes:
        type: A Snowflake type, such as ``number(10,2)``; needed for a column that only its default fills, and where the
            query reads the table that it makes.
        nullable: ``false`` refuses rows in which it is NULL.
        default: Its value in a row that is inserted without it; a text, a number, ``true`` or ``false``.
        description: What it means; the warehouse keeps it as the column's comment.
    """

    type: str | None = None
    nullable: bool = True
    default: bool | int | float | str | None = None
    description: str = ""

    @field_validator("type")
    @classmethod
    def _type(cls, value: str | None) -> str | None:
        if value is not None:
            ColumnType.parse(value)
        return value

    @model_validator(mode="before")
    @classmethod
    def _short(cls, value: Any) -> Any:
        return {"type": value} if isinstance(value, str) else value


class Contract(StepOptions):
    """The contract of the table that a step makes.

    Attributes:
        columns: Its columns by name, each with a type or a mapping.
        primary_key: The columns that identify a row: never NULL, and no two rows with the same values.
    """

    columns: dict[str, OutputColumn] = Field(default_factory=dict)
    primary_key: EachOnce = ()


class Into(TableOptions):
    """The keys of every step that fills a table from rows it makes.

    Attributes:
        materialize: How the rows reach the table: the name of a materialization.
        contract: Its columns and its primary key.
    """

    chosen_by: ClassVar[Use] = "materialize"

    materialize: Chosen = Field(default_factory=lambda: Choice(TABLE))
    contract: Contract | None = None

    @property
    def said(self) -> Contract:
        """The contract of the table; an empty one if there is none."""
        return self.contract or Contract()

    @property
    def is_constrained(self) -> bool:
        """Whether the table is made with more than names and types."""
        return bool(self.said.primary_key or self.said.columns)

    @model_validator(mode="after")
    def _no_view(self) -> Into:
        if self.choice.how.remade_as == "view" and self.is_constrained:
            raise ValueError("contract: means nothing with materialize: view, which holds no rows")
        return self
