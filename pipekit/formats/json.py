"""``type: json``."""

from typing import ClassVar, Literal

from pipekit.formats.base import Compression, FileFormat, FormatType


class JsonFormat(FileFormat):
    """How JSON files are written: one document per line, or one array of documents.

    Attributes:
        layout: ``lines`` (a document on each line) or ``array`` (one array of documents); ``auto`` looks.
        root: Where the records are in each document, such as ``data.items``, ``orders[*]`` or ``users.*``.
        lenient: Whether ``"5"`` fits an ``integer``, ``5`` a ``varchar``, and the like.
        date_format: How dates are written, such as ``DD.MM.YYYY``; ``AUTO`` is ISO.
        timestamp_format: How timestamps are written, such as ``YYYY-MM-DD HH24:MI:SS``, or ``epoch_seconds``; ``AUTO``
            is ISO.
        compression: ``auto`` goes by the suffix of the file.
    """

    type: Literal["json"]
    layout: Literal["auto", "lines", "array"] = "auto"
    root: str | None = None
    lenient: bool = False
    date_format: str = "AUTO"
    timestamp_format: str = "AUTO"
    compression: Compression = "auto"

    paths_are_json: ClassVar[bool] = True
    mark_is_skipped: ClassVar[bool] = False
    times_are_text: ClassVar[bool] = True
    finds_encoding: ClassVar[bool] = True

    @property
    def text_encoding(self) -> str:
        """JSON is UTF-8, unless its first bytes show another one."""
        return "utf-8"

    @property
    def records_at(self) -> str | None:
        """``root``, as declared."""
        return self.root

    @property
    def is_lenient(self) -> bool:
        """The key ``lenient``."""
        return self.lenient

    @property
    def has_lines(self) -> bool:
        """Records below a root are counted, since they may be anywhere in the text."""
        return self.root is None


FORMAT = FormatType("json", JsonFormat)
