"""What every file format has: a type, and the few facts by which readers tell formats apart."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import BaseModel, ConfigDict

Compression = Literal["auto", "none", "gzip", "zstd", "bz2"]


class Model(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class FileFormat(Model):
    """How the files of a source are written. Each format is a subclass; its fields are the keys of ``format:``.

    The attributes and properties are facts about the format. Code outside the format's own readers asks for these
    and never for the format's name.

    Attributes:
        extra_is_error: Whether a column that is not declared is an error, unless ``on_extra`` says otherwise.
        paths_are_json: Whether ``path`` of a column is a path into a JSON document.
        mark_is_skipped: Whether readers of the text skip a byte order mark.
    """

    type: str

    extra_is_error: ClassVar[bool] = False
    paths_are_json: ClassVar[bool] = False
    mark_is_skipped: ClassVar[bool] = True

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
    def records_at(self) -> str | None:
        """The JSON path to the records within a file; ``None`` if the file as a whole holds records."""
        return None

    @property
    def has_lines(self) -> bool:
        """Whether a bad record is found by its line in the file."""
        return False

    @property
    def has_header(self) -> bool:
        """Whether each file begins with the names of its columns, so that a file of zero bytes is incomplete."""
        return False

    @property
    def skips_comments(self) -> bool:
        """Whether some lines are comments."""
        return False
