"""File formats in Snowflake's words: compression, encoding, and what it cannot read."""

from __future__ import annotations

import codecs
from collections.abc import Iterator, Sequence

from pipekit.errors import BadFileError, SourceError
from pipekit.files.places import local_path
from pipekit.files.unpacking import compression_of
from pipekit.formats.base import FileFormat
from pipekit.source import Source, SourceFile
from pipekit.warehouses.snowflake.dialect import text
from pipekit.warehouses.snowflake.places import unreachable

# Stated, since their defaults would make NULL of a text: https://docs.snowflake.com/en/sql-reference/sql/create-file-format
PLAIN_TEXTS = "NULL_IF = () TRIM_SPACE = FALSE"
PARQUET_FORMAT = f"TYPE = PARQUET {PLAIN_TEXTS} COMPRESSION = AUTO BINARY_AS_TEXT = FALSE USE_LOGICAL_TYPE = TRUE"
# One line of text is one value, whatever it holds.
_RAW_LINES = (
    "TYPE = CSV COMPRESSION = {compression} RECORD_DELIMITER = '\\n' FIELD_DELIMITER = NONE PARSE_HEADER = FALSE "
    "SKIP_HEADER = {above} SKIP_BLANK_LINES = {blank} FIELD_OPTIONALLY_ENCLOSED_BY = NONE ESCAPE = NONE "
    "ESCAPE_UNENCLOSED_FIELD = NONE NULL_IF = () EMPTY_FIELD_AS_NULL = FALSE TRIM_SPACE = FALSE "
    "REPLACE_INVALID_CHARACTERS = {replace} SKIP_BYTE_ORDER_MARK = TRUE ENCODING = {encoding}"
)


def peek_format(form: FileFormat) -> str:
    """The format that reads a file line by line; it is a stage's own, so that a query can read headers."""
    if form.text_encoding is None:
        return "TYPE = PARQUET"
    # Only to look: a byte that does not belong is COPY's to refuse, with its line.
    return raw_lines(form, looks=True)


def raw_lines(form: FileFormat, *, looks: bool = False) -> str:
    """A format in which each line is one text, whatever it holds.

    Args:
        form: The source's format.
        looks: Whether it is only to look at lines: bytes that do not belong are replaced, and a blank line in the place
            of a header is not passed over. Elsewhere blank lines are left out, and those above a header by SKIP_HEADER:
            by the documentation of SKIP_BLANK_LINES they would be errors of their own
            (https://docs.snowflake.com/en/sql-reference/sql/create-file-format#type-csv).
    """
    return _RAW_LINES.format(
        compression=compression_name(form),
        encoding=encoding_option(form),
        above=form.lines_above,
        replace="TRUE" if looks else "FALSE",
        blank="FALSE" if looks and not form.paths_are_json else "TRUE",
    )


def compression_name(form: FileFormat) -> str:
    """COPY's word for the compression."""
    return form.packing.upper()


def encoding_option(form: FileFormat) -> str:
    """COPY's option for the encoding."""
    return text(encoding_name(form.text_encoding or "utf-8"))


# https://docs.snowflake.com/en/sql-reference/sql/create-file-format#type-csv, by Python's names
_ENCODINGS = {
    "utf-8": "UTF8",
    "utf-16": "UTF16",
    "utf-16-le": "UTF16LE",
    "utf-16-be": "UTF16BE",
    "utf-32": "UTF32",
    "ascii": "UTF8",
    "big5": "BIG5",
    "euc_jp": "EUCJP",
    "euc_kr": "EUCKR",
    "gb18030": "GB18030",
    "iso2022_jp": "ISO2022JP",
    "shift_jis": "SHIFTJIS",
    "koi8-r": "KOI8R",
    **{f"iso8859-{number}": f"ISO8859{number}" for number in (1, 2, 5, 6, 7, 8, 9, 15)},
    **{f"cp125{number}": f"WINDOWS125{number}" for number in range(7)},
}


def encoding_name(encoding: str) -> str:
    """Snowflake's name of an encoding.

    Raises:
        SourceError: It has none.
    """
    try:
        return _ENCODINGS[codecs.lookup(encoding).name]
    except (LookupError, KeyError):
        raise SourceError(f"Snowflake cannot read files in the encoding {encoding!r}") from None


def _check_marks(form: FileFormat) -> Iterator[tuple[str, str]]:
    # https://docs.snowflake.com/en/sql-reference/sql/create-file-format#type-csv
    if getattr(form, "quote", None) not in (None, '"', "'"):
        yield "format.quote", "Snowflake takes a single or a double quote and no other; convert the files"
    if not (getattr(form, "escape", None) or "").isascii():
        yield "format.escape", "Snowflake takes an ASCII character only; convert the files"


def check_source(source: Source) -> Iterator[tuple[str, str]]:
    """What a source asks for that Snowflake cannot do: pairs of a key and the reason."""
    form = source.format
    if form.reader is not None:
        if source.stage is not None:
            yield "stage", f"{form.type} files are read on this machine, by `uri`, and not by Snowflake; leave it out"
        return
    if source.stage is None and local_path(source.uri) is None and (wrong := unreachable(source.uri)):
        yield "uri", f"{wrong[0]}. {wrong[1]}"
    yield from _check_marks(form)
    if form.skips_comments:
        yield "format.comment", "Snowflake cannot skip comment lines; leave it out, or remove them from the files"
    if form.compares_checksums:
        yield "format.verify_checksums", "COPY has no option that compares the checksums of pages; leave it out"
    if form.footer_lines:
        yield "format.skip_footer", "Snowflake cannot leave out the last lines; leave it out, or cut them off the files"
    if form.packing in _UNREAD:
        yield "format.compression", _unread(form.packing)
    try:
        encoding_name(form.text_encoding or "utf-8")
    except SourceError as error:
        yield "format.encoding", error.message


# COPY's COMPRESSION has no word for these: .../sql-reference/sql/create-file-format#type-csv
_UNREAD = frozenset({"xz", "zip"})


def _unread(packing: str) -> str:
    return f"Snowflake does not read {packing} files; compress them with gzip, zstd or bz2"


def refuse_packed(form: FileFormat, files: Sequence[SourceFile], *, every: bool) -> None:
    """Refuse files that Snowflake cannot unpack, by their suffix.

    Args:
        form: The source's format.
        files: The files.
        every: Whether the error is to name every such file.

    Raises:
        BadFileError: There is one.
    """
    kinds = ((file, compression_of(file.uri, form)) for file in files)
    found = [BadFileError(_unread(kind), file=file.uri) for file, kind in kinds if kind in _UNREAD]
    if found:
        raise BadFileError.together(found if every else found[:1])
