"""What a file is by its first bytes, where that is not what the source says."""

from __future__ import annotations

import codecs
import re
from typing import NamedTuple

from pipekit.errors import SKIP_FILE, BadFileError
from pipekit.files.unpacking import NONE, compression_of
from pipekit.formats.base import FileFormat
from pipekit.source import SourceFile

MOST = 512
_UNPACK = "Set `compression: {0}`, or give the file the suffix .{1}."
_UNREAD = "Unpack it first: {} is not read."


class _Signature(NamedTuple):
    """How files of a kind begin.

    Attributes:
        begins: The first bytes; compared first, since that costs nothing.
        kind: What such a file is.
        remedy: What to do.
        then: A pattern of the bytes after them.
        at: Where they are; ``None`` is after blanks.
    """

    begins: bytes
    kind: str
    remedy: str
    then: str = ""
    at: int | None = 0


# https://en.wikipedia.org/wiki/List_of_file_signatures
_SIGNATURES = (
    _Signature(b"\x1f\x8b", "gzip data", _UNPACK.format("gzip", "gz")),
    _Signature(b"\x28\xb5\x2f\xfd", "zstd data", _UNPACK.format("zstd", "zst")),
    _Signature(b"BZh", "bz2 data", _UNPACK.format("bz2", "bz2"), r"[1-9](?:1AY&SY|\x17rE8P\x90)"),
    _Signature(b"\xfd7zXZ\x00", "xz data", _UNPACK.format("xz", "xz")),
    _Signature(b"\x04\x22\x4d\x18", "lz4 data", _UNREAD.format("lz4")),
    _Signature(b"\xff\x06\x00\x00sNaPpY", "snappy data", _UNREAD.format("snappy")),
    _Signature(b"\x1f", "data of compress (.Z)", _UNREAD.format("it"), r"[\x9d\xa0]"),
    _Signature(b"7z\xbc\xaf\x27\x1c", "a 7z archive", _UNREAD.format("7z")),
    _Signature(b"Rar!\x1a\x07", "a rar archive", _UNREAD.format("rar")),
    _Signature(
        b"PK\x03\x04",
        "an Excel workbook (.xlsx)",
        "Set `format: {type: excel}`.",
        r".{26}(?:\[Content_Types\]\.xml|_rels/|docProps/|xl/)",
    ),
    _Signature(b"PK\x03\x04", "a zip archive", _UNPACK.format("zip", "zip")),
    _Signature(b"PK\x05\x06", "a zip archive", _UNPACK.format("zip", "zip")),
    _Signature(
        b"\xd0\xcf\x11\xe0",
        "an old Excel workbook (.xls), or one with a password",
        "Save it as .xlsx, without a password, or as .csv.",
    ),
    _Signature(b"PAR1", "a Parquet file", "Set `format: {type: parquet}`.", r"[\x00-\x08\x0e-\x1f]"),
    _Signature(b"Obj\x01", "an Avro file", "Set `format: {type: avro}`."),
    _Signature(b"ORC", "an ORC file", "Write it as Parquet.", r"[\x00-\x08\x0e-\x1f]"),
    _Signature(b"ARROW1\x00\x00", "an Arrow (Feather) file", "Write it as Parquet."),
    _Signature(b"SQLite format 3\x00", "an SQLite database", "Export its tables."),
    _Signature(b"%PDF-", "a PDF document", "Ask for the data itself."),
    _Signature(
        b"<",
        "an HTML page",
        "It may be the error page of the place that it came from.",
        r"(?i:!doctype html|html)\b",
        None,
    ),
    _Signature(
        b"<?xml",
        "a workbook in XML of Excel 2003",
        "Save it as .xlsx or .csv.",
        r"(?i:[^>]*\?>\s*<(?:\?mso-application\b|workbook\b))",
        None,
    ),
    _Signature(
        b"<?xml",
        "an error or a page in XML",
        "It may be the error of the place that it came from.",
        r"(?i:[^>]*\?>\s*<(?:error|html|!doctype html)\b)",
        None,
    ),
    _Signature(
        b"version https://git-lfs.github.com/spec/",
        "a pointer of Git LFS to a file",
        "Fetch the file itself: git lfs pull.",
    ),
    _Signature(  # https://www.elastic.co/docs/api/doc/elasticsearch/operation/operation-bulk
        b"{",
        "a bulk request of Elasticsearch, with an action line above each document",
        "Leave the action lines out, or export the documents alone.",
        # An action may be empty; then the line below it is looked at, where it is there, and is none itself.
        r'\s*"(?:index|create|update|delete)"\s*:\s*\{\s*(?:"_(?:index|id|type)"[^{}]*\}\s*\}[ \t\r]*(?:\n|$)'
        r'|\}\s*\}[ \t\r]*(?:\Z|\n\s*\{\s*"(?!(?:index|create|update|delete)")))',
        None,
    ),
    _Signature(b"ustar", "a tar archive", _UNREAD.format("tar"), at=257),
)
_FIRST = re.compile(  # what most files do not begin with, so that they need not be compared with each
    b"|".join(b".{%d}%s" % (each.at or 0, re.escape(each.begins)) for each in _SIGNATURES), re.DOTALL
)
_BINARY = {  # formats that are bytes: what a file of it is called, and what its first bytes say that it is
    "parquet": ("a Parquet file", ("a Parquet file",)),
    "avro": ("an Avro file", ("an Avro file",)),
    "excel": ("an .xlsx workbook", ("an Excel workbook (.xlsx)", "a zip archive")),
}
_MARKS = (
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_OTHER_ORDER = {
    "utf-16-le": codecs.BOM_UTF16_BE,
    "utf-16-be": codecs.BOM_UTF16_LE,
    "utf-32-le": codecs.BOM_UTF32_BE,
    "utf-32-be": codecs.BOM_UTF32_LE,
}
_NO_MARK = (
    (rb"[^\x00]\x00{3}[^\x00]\x00{3}", "utf-32-le"),
    (rb"\x00{3}[^\x00]\x00{3}[^\x00]", "utf-32-be"),
    (rb"(?:[^\x00]\x00){2}", "utf-16-le"),
    (rb"(?:\x00[^\x00]){2}", "utf-16-be"),
)
_WIDE = "\ufffd\ufffd.?\x00|\x00|[^\x00]\x00"


def wide_encoding(start: bytes) -> str | None:
    """UTF-16 or UTF-32, by the byte order mark or the zeros between the first characters; else ``None``.

    https://www.rfc-editor.org/rfc/rfc4627#section-3
    """
    marked = next((encoding for mark, encoding in _MARKS if start.startswith(mark)), None)
    if marked or b"\x00" not in start[:8]:
        return marked
    return next((encoding for zeros, encoding in _NO_MARK if re.match(zeros, start)), None)


def kind_of(start: bytes) -> tuple[str, str] | None:
    """What kind of file begins so, and what to do about it; ``None`` for text and what is not known."""
    bare = start.lstrip()
    if not _FIRST.match(start) and not _FIRST.match(bare):
        return None
    for each in _SIGNATURES:
        text, at = (bare, 0) if each.at is None else (start, each.at)
        if text.startswith(each.begins, at) and re.match(each.then.encode(), text[at + len(each.begins) :], re.DOTALL):
            return each.kind, each.remedy
    return None


def refuse_other_text(start: str, file: SourceFile) -> None:
    """The same for the first line of a file, read as UTF-8 with each byte that is none replaced by U+FFFD.

    Raises:
        BadFileError: With what it is and the remedy.
    """
    found = next(
        ((each.kind, each.remedy) for each in _SIGNATURES if re.match(_replaced(each), start, re.DOTALL)), None
    )
    if found is None and re.match(_WIDE, start):
        found = ("text in UTF-16 or UTF-32", "Convert it to UTF-8, or set `encoding` where the format has the key.")
    if found:
        raise BadFileError(f"is {found[0]}, not text in UTF-8", file=file.uri, hint=found[1])


def _not_text(kind: str, remedy: str, file: SourceFile, form: FileFormat) -> BadFileError:
    packing = compression_of(file.uri, form)
    if packing != NONE and remedy.startswith("Set `compression"):
        reason = f"is {kind} within {packing} data: it was compressed twice"
        return BadFileError(reason, file=file.uri, hint=f"Unpack it once, or ask for it compressed once. {SKIP_FILE}")
    return BadFileError(f"is {kind}, not text", file=file.uri, hint=remedy)


def _for_bytes(remedy: str, form: FileFormat) -> str:
    """What to do about a file under a format of bytes: such formats may have no key for packed files."""
    packed = remedy.startswith("Set `compression") and "compression" not in type(form).model_fields
    return f"Unpack it first: {form.type} files are not read packed." if packed else remedy


def _replaced(signature: _Signature) -> str:
    """A pattern of the signature in such a text."""
    begins = "".join(re.escape(chr(byte)) if byte < 0x80 else "\ufffd" for byte in signature.begins)
    above = r"\s*" if signature.at is None else f".{{{signature.at}}}"
    return above + begins + re.sub(r"\\x[89a-f][0-9a-f]", "\ufffd", signature.then)


def _refuse_other_order(start: bytes, file: SourceFile, encoding: str) -> None:
    known = codecs.lookup(encoding).name
    mark = _OTHER_ORDER.get(known)
    if mark and start.startswith(mark):
        reason = f"is not text in {encoding}: its byte order mark says the other order"
        raise BadFileError(reason, file=file.uri, hint=f"Set `encoding: {known[:6]}`.")


def refuse_other_kind(start: bytes, file: SourceFile, form: FileFormat) -> None:
    """Refuse a file that is something else than its source says, as far as its first bytes show.

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
        wanted, kinds = _BINARY.get(form.type, ("", ()))
        if found and wanted and found[0] not in kinds:
            raise BadFileError(
                f"is {found[0]}, not {wanted}", file=file.uri, hint=f"{_for_bytes(found[1], form)} {SKIP_FILE}"
            )
        return
    if wide_encoding("a,b".encode(encoding, "replace")):
        _refuse_other_order(start, file, encoding)
        return  # any two bytes may be a character
    if found:
        raise _not_text(*found, file, form)
    wide = None if form.finds_encoding else wide_encoding(start)
    if wide:
        known = "encoding" in type(form).model_fields
        hint = f"Set `encoding: {wide}`." if known else "Convert it to UTF-8."
        raise BadFileError(f"is text in {wide.upper()}, not in {encoding}", file=file.uri, hint=hint)
