"""What a file is by its first bytes, where that is not what the source says."""

from __future__ import annotations

import codecs
import re

from pipekit.errors import BadFileError
from pipekit.formats.base import FileFormat
from pipekit.source import SourceFile

MOST = 512
_UNPACK = "Set `compression: {0}`, or give the file the suffix .{1}."
_UNREAD = "Unpack it first: {} is not read."
_EXCEL = r"PK\x03\x04.{26}(?:\[Content_Types\]\.xml|_rels/|docProps/|xl/)"

# How a file begins, what it is, what to do. https://en.wikipedia.org/wiki/List_of_file_signatures
_SIGNATURES: tuple[tuple[str, str, str], ...] = (
    (r"\x1f\x8b", "gzip data", _UNPACK.format("gzip", "gz")),
    (r"\x28\xb5\x2f\xfd", "zstd data", _UNPACK.format("zstd", "zst")),
    (r"BZh[1-9](?:1AY&SY|\x17rE8P\x90)", "bz2 data", _UNPACK.format("bz2", "bz2")),
    (r"\xfd7zXZ\x00", "xz data", _UNPACK.format("xz", "xz")),
    (r"\x04\x22\x4d\x18", "lz4 data", _UNREAD.format("lz4")),
    (r"\xff\x06\x00\x00sNaPpY", "snappy data", _UNREAD.format("snappy")),
    (r"\x1f[\x9d\xa0]", "data of compress (.Z)", _UNREAD.format("it")),
    (r"7z\xbc\xaf\x27\x1c", "a 7z archive", _UNREAD.format("7z")),
    (r"Rar!\x1a\x07", "a rar archive", _UNREAD.format("rar")),
    (_EXCEL, "an Excel workbook (.xlsx)", "Set `format: {type: excel}`."),
    (r"PK(?:\x03\x04|\x05\x06)", "a zip archive", _UNPACK.format("zip", "zip")),
    (r"\xd0\xcf\x11\xe0", "an Excel workbook of the old kind (.xls)", "Save it as .xlsx or .csv."),
    (r"PAR1[\x00-\x08\x0e-\x1f]", "a Parquet file", "Set `format: {type: parquet}`."),
    (r"Obj\x01", "an Avro file", "Set `format: {type: avro}`."),
    (r"ORC[\x00-\x08\x0e-\x1f]", "an ORC file", "Write it as Parquet."),
    (r"ARROW1\x00\x00", "an Arrow (Feather) file", "Write it as Parquet."),
    (r"SQLite format 3\x00", "an SQLite database", "Export its tables."),
    (r"%PDF-", "a PDF document", "Ask for the data itself."),
    (r"\s*<(?i:!doctype html|html)\b", "an HTML page", "It may be the error page of the place that it came from."),
    (r".{257}ustar", "a tar archive", _UNREAD.format("tar")),
)
_COMPILED = tuple((re.compile(start.encode(), re.DOTALL), kind, remedy) for start, kind, remedy in _SIGNATURES)
_ANY = re.compile("|".join(f"(?:{start})" for start, _, _ in _SIGNATURES).encode(), re.DOTALL)
_MARKS = (
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_NO_MARK = (
    (re.compile(rb"[^\x00]\x00{3}[^\x00]\x00{3}"), "utf-32-le"),
    (re.compile(rb"\x00{3}[^\x00]\x00{3}[^\x00]"), "utf-32-be"),
    (re.compile(rb"(?:[^\x00]\x00){2}"), "utf-16-le"),
    (re.compile(rb"(?:\x00[^\x00]){2}"), "utf-16-be"),
)


_REPLACED = tuple(
    (re.compile(re.sub(r"\\x[89a-f][0-9a-f]", "\ufffd", start), re.DOTALL), kind, remedy)
    for start, kind, remedy in _SIGNATURES
)
_WIDE = re.compile("\ufffd\ufffd.?\x00|\x00|[^\x00]\x00")


def wide_encoding(start: bytes) -> str | None:
    """UTF-16 or UTF-32, by the byte order mark or the zeros between the first characters; else ``None``.

    https://www.rfc-editor.org/rfc/rfc4627#section-3
    """
    marked = next((encoding for mark, encoding in _MARKS if start.startswith(mark)), None)
    return marked or next((encoding for zeros, encoding in _NO_MARK if zeros.match(start)), None)


def kind_of(start: bytes) -> tuple[str, str] | None:
    """What kind of file begins so, and what to do about it; ``None`` for text and what is not known."""
    if not _ANY.match(start):
        return None
    return next(((kind, remedy) for begins, kind, remedy in _COMPILED if begins.match(start)), None)


def refuse_other_text(start: str, file: SourceFile) -> None:
    """The same for the first line of a file, read as UTF-8 with each byte that is none replaced by U+FFFD.

    Raises:
        BadFileError: With what it is and the remedy.
    """
    found = next(((kind, remedy) for begins, kind, remedy in _REPLACED if begins.match(start)), None)
    if found is None and _WIDE.match(start):
        found = ("text in UTF-16 or UTF-32", "Convert it to UTF-8, or say its `encoding` where the format has the key.")
    if found:
        raise BadFileError(f"is {found[0]}, not text in UTF-8", file=file.uri, hint=found[1])


def refuse_other_kind(start: bytes, file: SourceFile, form: FileFormat) -> None:
    """Refuse a file that is to be text, or Parquet, and is something else, as far as its first bytes show.

    Args:
        start: The first ``MOST`` bytes, unpacked as the source says.
        file: For the error.
        form: What the source says.

    Raises:
        BadFileError: With what it is and the remedy.
    """
    encoding = form.text_encoding
    found = kind_of(start)
    if encoding is None:
        if found and found[0] != "a Parquet file" and form.type == "parquet":
            raise BadFileError(f"is {found[0]}, not a Parquet file", file=file.uri, hint=found[1])
        return
    if wide_encoding("a,b".encode(encoding, "replace")):
        return  # any two bytes may be a character
    if found:
        raise BadFileError(f"is {found[0]}, not text", file=file.uri, hint=found[1])
    wide = None if form.finds_encoding else wide_encoding(start)
    if wide:
        known = "encoding" in type(form).model_fields
        hint = f"Set `encoding: {wide}`." if known else "Convert it to UTF-8."
        raise BadFileError(f"is text in {wide.upper()}, not in {encoding}", file=file.uri, hint=hint)
