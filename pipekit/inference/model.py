"""What is found out about files, and what is proposed for them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from pipekit.formats.base import FileFormat
from pipekit.source import Column, ColumnType, Source, SourceFile


@dataclass(frozen=True)
class Shape:
    """How a file is written, by its first bytes.

    Attributes:
        format: The keys of ``format:`` that such files need.
        names: The columns or keys that it begins with; empty where the file does not name them.
        width: How many columns it has, if it does not name them.
        doubts: What could be otherwise.
        document: The keys of the one JSON object that the file is; empty if it is none.
        is_record: Whether that object is one record, of which other files hold others.
        empty_at: Where the file holds an empty list, as a page of an API without records does; ``""`` if it is one.
    """

    format: Mapping[str, Any]
    names: tuple[str, ...] = ()
    width: int = 0
    doubts: tuple[str, ...] = ()
    document: tuple[str, ...] = ()
    is_record: bool = False
    empty_at: tuple[str, ...] = ()


@dataclass(frozen=True)
class Found:
    """A file and its shape.

    Attributes:
        file: As it is read: where it is, or its copy on this machine.
        place: The folder, or the file, that it was found in, as the pipeline file names it.
        below: Its path below the place; empty if the place is the file itself.
        root: The folder, or the file, below which ``below`` is on this machine.
        shape: How it is written.
    """

    file: SourceFile
    place: str
    below: str
    root: str
    shape: Shape


@dataclass
class Proposal:
    """A column that is proposed.

    Attributes:
        name: In the table.
        type: As the pipeline file writes it.
        path: Where the value is, if not under the name.
        format: How values are written, if not as the source says.
        null_values: Texts that stand for NULL in this column alone.
        nullable: Whether a value may be missing.
        optional: Whether a file may lack the column.
        notes: What is behind the proposal, for a comment.
        doubts: What a person should look at.
        description: What is known of it.
        distinct: About how many values differ, where that was counted with the types.
        stats: What was counted, for the suite.
        maybe_no_number: Whether a doubt proposes a type that no number can be compared with.
    """

    name: str
    type: str = "varchar"
    path: str | None = None
    format: str | None = None
    null_values: tuple[str, ...] = ()
    nullable: bool = True
    optional: bool = False
    description: str = ""
    notes: list[str] = field(default_factory=list)
    doubts: list[str] = field(default_factory=list)
    distinct: int | None = None
    stats: Stats | None = None
    maybe_no_number: bool = False

    def widen(self, to: str, why: str) -> None:
        """Take a wider type, and say why."""
        self.type, self.format, self.null_values = to, None, ()
        self.doubts.append(why)

    def column(self) -> Column:
        """The column of a contract."""
        return Column(
            name=self.name,
            type=ColumnType.parse(self.type),
            nullable=self.nullable,
            path=self.path,
            format=self.format,
            null_values=self.null_values,
            optional=self.optional,
        )


@dataclass(frozen=True)
class Stats:
    """What was counted in a column.

    Attributes:
        rows: Records.
        values: Those with a value.
        distinct: Different values, where they were counted.
        low, high: The smallest and the largest value, as text.
        values_seen: All values, if they are few.
    """

    rows: int
    values: int
    distinct: int | None = None
    low: str | None = None
    high: str | None = None
    values_seen: tuple[str, ...] = ()


@dataclass
class Draft:
    """A source that is proposed.

    Attributes:
        name: Of the source.
        files: The files that were looked at.
        all_files: How many belong to it.
        all_bytes: Their size.
        uri: Where they are, as the pipeline file says it.
        pattern: Which files there; empty if ``uri`` is one file.
        local: The place of the files that were looked at, on this machine.
        format: The keys of ``format:``.
        columns: What is proposed.
        rows: Records in the files that were looked at.
        doubts: About the source as a whole.
        notes: What a reader should know.
        key: Columns that identify a record.
        likely_key: Where no name says so: columns that identify each of the records that were looked at.
        rejected: Records that are broken, whatever the types.
        broken: How many these are and why, in words.
        on_extra: What to do with columns that cannot be declared.
    """

    name: str
    files: Sequence[Found]
    uri: str
    pattern: tuple[str, ...]
    local: str
    format: dict[str, Any]
    all_files: int = 0
    all_bytes: int = 0
    columns: list[Proposal] = field(default_factory=list)
    rows: int = 0
    doubts: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    key: tuple[str, ...] = ()
    likely_key: tuple[str, ...] = ()
    rejected: int = 0
    broken: str = ""
    on_extra: str | None = None

    def source(
        self, columns: Sequence[Column] | None = None, form: Mapping[str, Any] | FileFormat | None = None
    ) -> Source:
        """The contract as proposed, over the files on this machine; or with other columns, or another format."""
        return Source(
            name=self.name,
            uri=self.local,
            pattern=self.pattern or ("*",),
            format=form or self.format,  # type: ignore[arg-type]  # validated by the model
            columns=tuple(columns or (each.column() for each in self.columns)),
            on_extra="ignore" if columns else self.on_extra,  # type: ignore[arg-type]
        )

    @property
    def source_files(self) -> tuple[SourceFile, ...]:
        """The files that were looked at."""
        return tuple(each.file for each in self.files)
