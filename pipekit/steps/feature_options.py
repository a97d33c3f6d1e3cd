"""The keys of ``type: features``."""

from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import Discriminator, Field, Tag, field_validator, model_validator

from pipekit.materialize.into import Into, TableName
from pipekit.step import StepOptions


class Expression(StepOptions):
    """SQL in place of a column's name.

    Attributes:
        sql: An expression over one row.
    """

    sql: str


class NamedExpression(StepOptions):
    """SQL in place of a column's name, and the name that it is given.

    Attributes:
        name: The column's name in the table of features.
        sql: An expression over one row of the spine.
    """

    name: str = Field(min_length=1)
    sql: str


def _kind(value: Any) -> str:
    return "a name" if isinstance(value, str) else "an expression"


_Name = Annotated[str, Tag("a name")]
_Key = Annotated[_Name | Annotated[Expression, Tag("an expression")], Discriminator(_kind)]
_NamedKey = Annotated[_Name | Annotated[NamedExpression, Tag("an expression")], Discriminator(_kind)]


class Feature(StepOptions):
    """One feature.

    Attributes:
        sql: An expression. With ``from_`` an aggregate over that table; without it an expression over the spine
            and the features above it.
        template: A SELECT that returns the entity and a column named like the feature.
        from_: The table to aggregate (``from`` in the file).
        where: A condition over the rows of that table: the aggregate is of those that meet it.
        entity: The column of that table, or of the template's result, that holds the entity; or an expression.
        default: The value in place of NULL.
        hidden: Whether it only helps features below it, and becomes no column.
        id: What the catalog knows it by; the table and the name if left out.
        description: What it means, for the catalog.
        data_type: For the catalog; found out if left out.
        quality: For the catalog; the share of entities that have a value if left out.
    """

    sql: str | None = None
    template: str | None = None
    from_: TableName | None = Field(default=None, alias="from")
    where: str | None = None
    entity: _Key | None = None
    default: bool | int | float | str | None = None
    hidden: bool = False
    id: str | None = None
    description: str = ""
    data_type: str | None = None
    quality: str | None = None

    @field_validator("default", mode="before")
    @classmethod
    def _plain(cls, value: Any) -> Any:
        if value is not None and not isinstance(value, bool | int | float | str):
            raise ValueError("must be a text, a number, true or false")
        return value

    @model_validator(mode="after")
    def _consistent(self) -> "Feature":
        if self.sql is None and self.template is None:
            raise ValueError("give either sql or template; neither is given")
        if self.sql is not None and self.template is not None:
            raise ValueError("template: sql is given, too; keep one of them")
        if self.template and self.from_:
            raise ValueError("from: means nothing with template, which names its tables itself")
        if self.entity and not (self.from_ or self.template):
            raise ValueError("entity: means nothing without from or template")
        if self.where is not None and not self.from_:
            raise ValueError("where: means nothing without from, the table whose rows it chooses")
        for key in ("id", "description", "data_type", "quality") if self.hidden else ():
            if key in self.model_fields_set:
                raise ValueError(f"{key}: means nothing with hidden: the catalog does not have the feature")
        return self

    @property
    def is_own(self) -> bool:
        """Whether it is an expression over the spine and the features above it."""
        return self.sql is not None and self.from_ is None


class FeaturesOptions(Into):
    """The keys of a features step, beside those of ``Into``.

    Attributes:
        from_: The spine: a table with one row per entity (``from`` in the file).
        entity: Its column that identifies the entity; or an expression, with the name of its column.
        features: Name to feature, in the order of the columns.
        update_frequency: For the catalog, such as ``daily``.
    """

    from_: TableName = Field(alias="from")
    entity: _NamedKey
    features: dict[str, Feature] = Field(min_length=1)
    update_frequency: str = "every run"

    @classmethod
    def default_keys(cls, data: Mapping[str, Any]) -> Mapping[str, Any]:
        """The key is the entity, unless the file says otherwise."""
        entity = data.get("entity")
        name = entity.get("name") if isinstance(entity, dict) else entity
        return {"key": name} if name is not None else {}

    @field_validator("features")
    @classmethod
    def _distinct(cls, value: dict[str, Feature]) -> dict[str, Feature]:
        seen: dict[str, str] = {}
        for name in value:
            if (first := seen.setdefault(name.lower(), name)) != name:
                raise ValueError(f"{name}: is the same as {first!r} above (case does not count); remove or rename one")
        if all(feature.hidden for feature in value.values()):
            raise ValueError("every feature is hidden; one at least must become a column")
        return value

    @property
    def entity_name(self) -> str:
        """The column of the table of features that identifies the entity."""
        return self.entity.name if isinstance(self.entity, NamedExpression) else self.entity

    @property
    def visible(self) -> dict[str, Feature]:
        """The features that become columns."""
        return {name: feature for name, feature in self.features.items() if not feature.hidden}
