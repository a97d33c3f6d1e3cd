"""``type: csv``."""

from typing import ClassVar, Literal

from pydantic import Field, field_validator

from pipekit.formats.base import Compression, FormatType
from pipekit.formats.numbers import WrittenNumbers

_BY_NAME = {"tab": "\\t", "\\t": "\\t", "comma": ",", "semicolon": ";", "pipe": "|", "space": " "}


class CsvFormat(WrittenNumbers):
    """How CSV files are written. Date formats are in Snowflake's notation (``YYYY-MM-DD``, ``AUTO``).

    Attributes:
        header: Whether the first line names the columns; without a header they are taken in the declared order.
        header_lines: Lines of the header; of several, the parts above each other are one name.
        delimiter: What is between values.
        quote: The character around values that hold delimiters or newlines; doubled inside.
        escape: A character that escapes a quote, or itself, inside quotes.
        encoding: Of the text; a byte order mark is skipped.
        skip_lines: Lines before the header to leave out.
        skip_footer: Lines at the end to leave out; empty ones do not count.
        null_values: Unquoted texts that stand for NULL.
        trim: Whether to take blanks off both ends of values.
        comment: A character; lines that begin with it are left out.
        quote_in_unquoted: ``allow`` takes a quote inside an unquoted value as text.
        quoted_nulls: Whether ``null_values`` stand for NULL in quotes, too.
        date_format: How dates are written, such as ``DD.MM.YYYY``; ``AUTO`` is ISO.
        timestamp_format: How timestamps are written, such as ``YYYY-MM-DD HH24:MI:SS``, or ``epoch_seconds``; ``AUTO``
            is ISO.
        compression: ``auto`` goes by the suffix of the file.
    """

    type: Literal["csv"]
    header: bool = True
    header_lines: int = Field(default=1, ge=1)
    delimiter: str = Field(default=",", min_length=1, max_length=20)
    quote: str | None = Field(default='"', max_length=1)
    escape: str | None = Field(default=None, max_length=1)
    encoding: str = "utf-8"
    skip_lines: int = Field(default=0, ge=0)
    skip_footer: int = Field(default=0, ge=0)
    null_values: tuple[str, ...] = ("",)
    trim: bool = False
    comment: str | None = Field(default=None, max_length=1)
    quote_in_unquoted: Literal["fail", "allow"] = "fail"
    quoted_nulls: bool = False
    date_format: str = "AUTO"
    timestamp_format: str = "AUTO"
    compression: Compression = "auto"

    @field_validator("delimiter")
    @classmethod
    def _not_by_name(cls, value: str) -> str:
        if meant := _BY_NAME.get(value.lower()):
            raise ValueError(f'{value!r} is not a delimiter; write "{meant}"')
        return value

    @field_validator("quote")
    @classmethod
    def _is_a_character(cls, value: str | None) -> str | None:
        if value == "":
            raise ValueError("'' is not a character; write null for a file in which a quote is text")
        return value

    extra_is_error: ClassVar[bool] = True
    is_plain_text: ClassVar[bool] = True

    @property
    def heads(self) -> int:
        """Records of the header."""
        return self.header_lines if self.header else 0

    @property
    def text_encoding(self) -> str:
        """The key ``encoding``."""
        return self.encoding

    @property
    def has_lines(self) -> bool:
        """A record begins on a line."""
        return True

    @property
    def has_header(self) -> bool:
        """The key ``header``."""
        return self.header

    @property
    def unquoted_nulls(self) -> tuple[str, ...]:
        """``null_values``, unless they mean NULL in quotes, too."""
        return () if self.quoted_nulls else self.null_values

    @property
    def skips_comments(self) -> bool:
        """If a comment mark is declared."""
        return self.comment is not None


FORMAT = FormatType("csv", CsvFormat)
