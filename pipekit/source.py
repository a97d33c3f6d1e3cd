"""The contract of a source: where its files are, how they are written, which columns they must hold.

These models are part of the pipeline file (their fields are its keys) and are what a warehouse is given to
load from. Column types are Snowflake's: https://docs.snowflake.com/en/sql-reference/intro-summary-data-types
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Annotated, Any, Literal, Self

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PrivateAttr,
    WithJsonSchema,
    field_validator,
    model_validator,
)

from pipekit.clock import at_time, fixed_part, holds_clock
from pipekit.formats.base import Model
from pipekit.formats.builtin import Format
from pipekit.scrubbing import hide_parts, scrub, uri_without_secrets
from pipekit.suggestions import did_you_mean

_KINDS = {
    "integer": "int integer bigint smallint tinyint byteint",
    "number": "number decimal dec numeric",
    "float": "float float4 float8 double real double_precision",
    "varchar": "varchar text string char character nvarchar",
    "boolean": "boolean bool",
    "date": "date",
    "time": "time",
    "timestamp_ntz": "timestamp_ntz timestamp datetime timestampntz",
    "timestamp_tz": "timestamp_tz timestamptz",
    "timestamp_ltz": "timestamp_ltz timestampltz",
    "variant": "variant",
    "object": "object",
    "array": "array",
    "binary": "binary varbinary",
}
_KIND_OF = {alias: kind for kind, aliases in _KINDS.items() for alias in aliases.split()}
_TYPE = re.compile(r"\s*([a-z_0-9 ]+?)\s*(?:\(\s*(\d+)\s*(?:,\s*(\d+)\s*)?\))?\s*", re.IGNORECASE)
_MAX_PRECISION = 38
KINDS = tuple(_KINDS)
_IN_PATH = "file://"
SEMI_STRUCTURED = frozenset({"variant", "object", "array"})


class ColumnType(BaseModel):
    """A column's type, reduced to one of ``KINDS`` and its arguments.

    Attributes:
        kind: ``integer`` is 64 bits on every engine.
        precision: Decimal digits in all, of a ``number``.
        scale: Digits after the point, of a ``number``.
        length: Most characters of a ``varchar``, or bytes of a ``binary``; ``None`` is unbounded.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", defer_build=True)

    kind: str
    precision: int | None = None
    scale: int | None = None
    length: int | None = None

    @classmethod
    def parse(cls, text: str) -> "ColumnType":
        """Read a type as Snowflake writes it, such as ``number(10,2)`` or ``varchar(20)``.

        What it makes is not validated again: pydantic would build a validator for it, which takes 5 ms.

        Raises:
            ValueError: The type is unknown, or its arguments make no sense.
        """
        match = _TYPE.fullmatch(text)
        name = re.sub(r"\s+", "_", match[1].lower()) if match else ""
        kind = _KIND_OF.get(name)
        if match is None or kind is None:
            raise ValueError(_unknown_type(text, name))
        first, second = (int(part) if part else None for part in match.groups()[1:])
        if kind == "number":
            return cls._number(text, first if first is not None else _MAX_PRECISION, second or 0)
        if kind in ("varchar", "binary") and second is None:
            length = 1 if first is None and name in ("char", "character") else first
            if length == 0:
                raise ValueError(f"{text!r} has no room for a character")
            return cls.model_construct(kind=kind, length=length)
        if first is not None:
            most = "at most one argument" if kind in ("varchar", "binary") else "no arguments"
            raise ValueError(f"{text!r}: {kind} takes {most}")
        return cls.model_construct(kind=kind)

    @classmethod
    def _number(cls, text: str, precision: int, scale: int) -> "ColumnType":
        if not 1 <= precision <= _MAX_PRECISION:
            raise ValueError(f"{text!r}: the precision is 1 to {_MAX_PRECISION} digits, not {precision}")
        if scale > precision:
            swapped = f"; did you mean number({scale},{precision})?" if scale <= _MAX_PRECISION else ""
            raise ValueError(f"{text!r}: the scale, {scale}, is above the precision, {precision}{swapped}")
        return cls.model_construct(kind="number", precision=precision, scale=scale)

    def __str__(self) -> str:
        arguments = [value for value in (self.precision, self.scale, self.length) if value is not None]
        return f"{self.kind}({','.join(map(str, arguments))})" if arguments else self.kind


@cache
def _parsed(text: str) -> ColumnType:
    return ColumnType.parse(text)


def type_of_arrow(kind: Any, otherwise: str) -> str:
    """The declared type that takes every value of an Arrow type.

    Args:
        kind: A ``pyarrow.DataType``.
        otherwise: The answer for one that has no counterpart, such as a duration.
    """
    import pyarrow.types as of

    if of.is_dictionary(kind):
        return type_of_arrow(kind.value_type, otherwise)
    if of.is_decimal(kind):
        return f"number({min(kind.precision - min(kind.scale, 0), _MAX_PRECISION)},{max(kind.scale, 0)})"
    if of.is_timestamp(kind):
        return "timestamp_tz" if kind.tz else "timestamp_ntz"
    found = (name for name, tests in _ARROW.items() if any(getattr(of, f"is_{test}")(kind) for test in tests.split()))
    return next(found, otherwise)


_ARROW = {
    "boolean": "boolean",
    "number(20,0)": "uint64",
    "integer": "integer",
    "float": "floating",
    "date": "date",
    "time": "time",
    "binary": "binary large_binary fixed_size_binary binary_view",
    "varchar": "string large_string string_view",
    "variant": "nested",
}


def _unknown_type(text: str, name: str) -> str:
    known, bracket, _ = text.partition("(")
    if bracket and re.sub(r"\s+", "_", known.strip().lower()) in _KIND_OF:
        return f"{text!r}: in brackets are one or two whole numbers, as in number(10,2) or varchar(20)"
    return f"unknown type {text!r}" + did_you_mean(name, _KIND_OF, otherwise=f"; one of {', '.join(KINDS)}")


def _listed(value: Any) -> Any:
    return [value] if isinstance(value, str) else value


_ONE_OR_MORE = {"anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}}]}
Names = Annotated[tuple[str, ...], BeforeValidator(_listed), WithJsonSchema(_ONE_OR_MORE)]
"""One text, or a list of texts."""


class Column(Model):
    """One declared column.

    Attributes:
        name: As the pipeline file spells it; engines fold plain names to their own case.
        type: A Snowflake type.
        nullable: ``false`` makes a NULL a bad record.
        path: Where the value is: another header name in CSV, a dotted path with ``[n]`` in JSON
            (keys match exactly), another column in Parquet; or, as ``file://dt={date}/**``, in the path of the file.
            The column's name if left out.
        format: How the text of its values is written, in place of what the source's ``format`` says for all: a date or
            timestamp format, ``epoch_seconds``, ``epoch_milliseconds`` or ``epoch_microseconds``; or a number format.
        null_values: Texts that stand for NULL in this column, in quotes, too; beside those of the source's ``format``.
        optional: ``true`` lets a file lack the column, which is then NULL in all its rows.
        sensitive: ``true`` masks its values, and those made of them, in every test that ``pipekit test --record``
            writes.
        description: Free text.
    """

    name: str
    type: ColumnType
    nullable: bool = True
    path: str | None = None
    format: str | None = None
    null_values: Names = ()
    optional: bool = False
    sensitive: bool = Field(default=False, exclude=True)  # it changes nothing that a step does, so no hash of one
    description: str = ""

    @field_validator("name")
    @classmethod
    def _name(cls, value: str) -> str:
        if not value or "\x00" in value:
            raise ValueError("a column needs a name")
        return value

    @field_validator("type", mode="before")
    @classmethod
    def _type(cls, value: Any) -> Any:
        return ColumnType.parse(value) if isinstance(value, str) else value

    @classmethod
    def of(cls, name: str, type_text: str, description: str = "") -> "Column":
        """A nullable column, for tables that pipekit itself makes: known to be right, so not validated."""
        return cls.model_construct(name=name, type=_parsed(type_text), description=description)

    @property
    def path_pattern(self) -> str | None:
        """The pattern of the file's path in which the value is; ``None`` if it is in the file."""
        return self.path.removeprefix(_IN_PATH) if self.path and self.path.startswith(_IN_PATH) else None

    @property
    def source_name(self) -> str:
        """The name or path under which the files hold the value."""
        return self.path or self.name


class Source(Model):
    """Files at a place, with a format and declared columns.

    Attributes:
        name: The key under ``sources``.
        uri: A folder or one file: an absolute local path, ``s3://bucket/prefix/``, or what fsspec knows.
        pattern: Which names below ``uri`` belong (shell wildcards; ``**/`` looks into subfolders, ``**`` is all below);
            one pattern, or several of which one must fit.
        exclude: Patterns of names that do not belong although ``pattern`` fits.
        include_hidden: Whether hidden and temporary files and what writers leave beside their data belong, if
            ``pattern`` fits.
        format: The file format; an instance of its model, or a mapping that names a built-in one.
        columns: The contract, matched by name and never by position.
        on_extra: What to do with a JSON key or Parquet column that is not declared. In CSV an undeclared
            column is always an error unless this says ``ignore``.
        stage: An existing Snowflake stage, such as ``@landing``, in place of one that pipekit makes.
        description: Free text.
    """

    name: str
    uri: str = Field(min_length=1)
    pattern: Names = ("*",)
    exclude: Names = ()
    include_hidden: bool = False
    format: Format
    columns: tuple[Column, ...] = Field(min_length=1)
    on_extra: Literal["fail", "ignore"] | None = None
    stage: str | None = None
    description: str = ""
    _fixed: str = PrivateAttr("")

    @field_validator("columns", mode="before")
    @classmethod
    def _columns(cls, value: Any) -> Any:
        if not isinstance(value, dict):
            return value
        if empty := [name for name, spec in value.items() if spec is None]:
            raise ValueError(f"{empty[0]}: needs a type, as in {empty[0]}: varchar")
        return tuple(
            {"name": str(name), **spec} if isinstance(spec, dict) else {"name": str(name), "type": spec}
            for name, spec in value.items()
        )

    @model_validator(mode="after")
    def _hidden(self) -> "Source":
        hide_parts(self.uri)
        return self

    @model_validator(mode="after")
    def _distinct(self) -> "Source":
        seen: set[str] = set()
        for column in self.columns:
            name = column.name
            if name.lower() in seen:
                first = next(other.name for other in self.columns if other.name.lower() == name.lower())
                text = f"is the same column as {first!r} above (case does not count); remove or rename one"
                raise ValueError(f"columns: {name}: {text}")
            seen.add(name.lower())
        return self

    def __repr__(self) -> str:
        return scrub(super().__repr__())

    def at(self, as_of: datetime) -> "Source":
        """The source at a run's clock."""
        moving = {"uri": self.uri, "pattern": self.pattern, "exclude": self.exclude}
        if not holds_clock(moving):
            return self
        found = self.model_copy(update=at_time(moving, as_of))
        found._fixed = fixed_part(self.uri)
        return found

    @property
    def fixed_folder(self) -> str:
        """The part of ``uri`` that is the same at any clock, up to its last folder; ``uri`` if all of it is."""
        return self._fixed.rpartition("/")[0] + "/" if self._fixed and self._fixed != self.uri else self.uri

    @property
    def fails_on_extra(self) -> bool:
        """Whether an undeclared column is an error: ``on_extra``, else the rule of the format."""
        return self.on_extra == "fail" if self.on_extra else self.format.extra_is_error


@dataclass(frozen=True)
class SourceFile:
    """A file: as listed, or as it was read.

    Attributes:
        uri: Its path or URI.
        size_bytes: As the place says; what was read counts where the place does not.
        etag: The store's fingerprint; empty where it has none.
        modified_at: When it was written, where that is known.
        version: Of a local file, what changes whenever the file is written, also if its time is set back.
        digest: Of the content, SHA-256, where the file was read for it.
    """

    uri: str
    size_bytes: int
    etag: str = ""
    modified_at: datetime | None = None
    version: str = ""
    digest: str = ""

    @property
    def shown(self) -> str:
        """Its URI as it may be shown and stored: without passwords and signatures."""
        return uri_without_secrets(self.uri)

    def __repr__(self) -> str:
        return f"SourceFile({self.shown!r}, {self.size_bytes} bytes)"


class Listing(tuple[SourceFile, ...]):
    """The files of a source, in name order.

    Attributes:
        left_out: Names below ``uri`` that the pattern means and that are not read, by the reason.
    """

    left_out: Mapping[str, tuple[str, ...]]

    def __new__(cls, files: Iterable[SourceFile] = (), left_out: Mapping[str, tuple[str, ...]] | None = None) -> Self:
        """See the class."""
        listing = super().__new__(cls, tuple(files))
        listing.left_out = left_out or {}
        return listing
