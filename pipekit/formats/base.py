"""What a file format is: a name, a model of its keys and, unless every warehouse reads it itself, a function."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Literal, NamedTuple, TypeVar

from pydantic import BaseModel, ConfigDict, PrivateAttr

if TYPE_CHECKING:
    import pyarrow as pa

Compression = Literal["auto", "none", "gzip", "zstd", "bz2", "xz", "zip"]


_BATCH = 20_000
ItemT = TypeVar("ItemT")


class Model(BaseModel):
    # A model that a run does not use is never built: most of them are not.
    model_config = ConfigDict(extra="forbid", frozen=True, defer_build=True)


@dataclass(frozen=True)
class Records:
    """Some records of a file, in file order, as a format's function gives them.

    Attributes:
        values: Columns by the names that the file has for them. A column whose values differ in type is a dense
            union; its child ``error`` holds the texts of values that no column may take.
        lines: The 1-based line (or row of a sheet) of each record; ``None`` where the format has no lines.
        texts: Each record as it stands in the file, for rejects; ``None`` gives the values as JSON.
        problems: What is wrong with a record as a whole ("has 3 characters, not 9"), or NULL for a good one.
        cut: By row, the column whose value is cut off, and why that shows; a column of texts takes it all the same.
    """

    values: pa.RecordBatch
    lines: pa.Array | None = None
    texts: pa.Array | None = None
    problems: pa.Array | None = None
    cut: Mapping[int, tuple[str, str]] = field(default_factory=dict)


NO_UTF8 = "is not UTF-8"
"""What is wrong with a record whose bytes are not the text that they are to be."""
REPEATED = "repeats the header: here another file or table was appended"
"""What is wrong with a record whose values are the names of all columns."""

_NAME = r"[^\W\d][\w .%()/#-]{0,63}"
_NO_NAMES = frozenset(("na", "n/a", "nan", "nil", "none", "null", "unknown", "true", "false", "yes", "no"))


def are_names(fields: Sequence[Any]) -> bool:
    """Whether the fields of a record could be the names of as many columns."""
    texts = [field for field in fields if isinstance(field, str) and re.fullmatch(_NAME, field)]
    names = {text.casefold() for text in texts}
    return len(texts) == len(fields) > 1 and len(names) == len(texts) and not names & _NO_NAMES


ReadRecords = Callable[[Any, Path], Iterable[Records]]


class FileFormat(Model):
    """How the files of a source are written. Each format is a subclass; its fields are the keys of ``format:``.

    The attributes and properties are facts about the format. Code outside the format's own readers asks for these
    and never for the format's name.

    Attributes:
        extra_is_error: Whether a column that is not declared is an error, unless ``on_extra`` says otherwise.
        values_are_text: Whether the values are text that is read as in CSV, and not values that have a type.
        is_plain_text: Whether values are texts that pipekit itself decodes and splits, as the keys of the format say.
        paths_are_json: Whether ``path`` of a column is a path into a JSON document.
        mark_is_skipped: Whether readers of the text skip a byte order mark.
        numbers_are_text: Whether columns of numbers can say how these are written.
        times_are_text: Whether columns of dates and timestamps can say how these are written.
        numbers_are_floats: Whether every number is a floating-point one in the file, whole ones too.
        finds_encoding: Whether a file in UTF-16 or UTF-32 is known by its first bytes, and read as such.
    """

    type: str

    extra_is_error: ClassVar[bool] = False
    values_are_text: ClassVar[bool] = False
    is_plain_text: ClassVar[bool] = False
    paths_are_json: ClassVar[bool] = False
    mark_is_skipped: ClassVar[bool] = True
    numbers_are_text: ClassVar[bool] = False
    times_are_text: ClassVar[bool] = False
    numbers_are_floats: ClassVar[bool] = False
    finds_encoding: ClassVar[bool] = False
    _read: ReadRecords | None = PrivateAttr(default=None)

    @property
    def reader(self) -> ReadRecords | None:
        """The function of its ``FormatType``."""
        return self._read

    @property
    def text_encoding(self) -> str | None:
        """The encoding of the text, by any of Python's names; ``None`` if files are bytes and not text."""
        return None

    @property
    def packing(self) -> Compression:
        """How files are compressed as a whole: the key ``compression``; ``none`` for a format that has no such key."""
        packing: Compression = getattr(self, "compression", "none")
        return packing

    @property
    def lines_above(self) -> int:
        """How many lines at the top are not records: the key ``skip_lines``; 0 for a format that has no such key."""
        lines: int = getattr(self, "skip_lines", 0)
        return lines

    @property
    def footer_lines(self) -> int:
        """How many lines at the end are not records: the key ``skip_footer``; 0 for a format that has no such key."""
        lines: int = getattr(self, "skip_footer", 0)
        return lines

    @property
    def records_at(self) -> str | None:
        """The JSON path to the records within a file; ``None`` if the file as a whole holds records."""
        return None

    @property
    def is_lenient(self) -> bool:
        """Whether a value of another type is taken as what its text says in CSV: ``"5"`` is a number."""
        return False

    @property
    def has_lines(self) -> bool:
        """Whether a bad record is found by its line in the file."""
        return False

    @property
    def has_header(self) -> bool:
        """Whether each file begins with the names of its columns, so that a file of zero bytes is incomplete."""
        return False

    @property
    def unquoted_nulls(self) -> tuple[str, ...]:
        """Texts that stand for NULL, but not within quotes."""
        return ()

    @property
    def skips_comments(self) -> bool:
        """Whether some lines are comments."""
        return False

    @property
    def compares_checksums(self) -> bool:
        """Whether parts of the file are compared with their checksums."""
        return False


class FormatType(NamedTuple):
    """A file format, as a plugin brings it.

    Attributes:
        name: What ``type:`` says in ``format:``.
        options: The model of the other keys.
        read: Gives the records of one file on the local disk, for a warehouse that has no reader of its own for the
            format. It raises ``SourceError`` or ``ValueError`` for a file that it cannot read. A file without records
            still gives one empty batch, so that its columns are checked. ``None``: only warehouses read it.
    """

    name: str
    options: type[FileFormat]
    read: ReadRecords | None = None

    def bound(self, form: FileFormat) -> FileFormat:
        """``form``, which knows its function from now on."""
        form._read = self.read
        return form


def batched(items: Iterable[ItemT]) -> Iterator[list[ItemT]]:
    """The items in lists that are small enough to be held in memory."""
    rest = iter(items)
    while batch := list(islice(rest, _BATCH)):
        yield batch
