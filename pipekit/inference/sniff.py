"""What kind of file it is, and how it is written, by its first bytes."""

from __future__ import annotations

import codecs
import json
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import IO, Any

from pipekit.errors import PipekitError
from pipekit.files.signatures import kind_of, wide_encoding
from pipekit.files.unpacking import CORRUPT, NONE, PACKINGS, OtherContent, compression_of
from pipekit.formats.csv import CsvFormat
from pipekit.inference.model import Shape
from pipekit.inference.roots import shape_of_document
from pipekit.inference.sniff_csv import sniff_csv
from pipekit.source import SourceFile

HEAD = 1 << 18
_MOST_DOCUMENT = 64 << 20
Open = Callable[[], AbstractContextManager[IO[bytes]]]
_PACKED = {"gzip data": "gzip", "zstd data": "zstd", "bz2 data": "bz2", "xz data": "xz", "a zip archive": "zip"}
_TYPED = {"a Parquet file": "parquet", "an Avro file": "avro", "an Excel workbook (.xlsx)": "excel"}
_NAMED = {".parquet": "parquet", ".avro": "avro", ".xlsx": "excel", ".xlsm": "excel"}


def sniff(file: SourceFile, start: bytes, again: Open) -> tuple[Shape | None, str]:
    """The shape of a file, or why it is none that pipekit reads.

    Args:
        file: The file.
        start: Its first bytes.
        again: Opens it.
    """
    kind = kind_of(start[:512])
    packing = _PACKED.get(kind[0]) if kind else None
    keys: dict[str, Any] = {}
    if packing:
        if compression_of(file.uri, CsvFormat(type="csv")) != packing:
            keys["compression"] = packing
        try:
            with again() as raw:
                start = _unpacked(raw, packing)
        except OtherContent as error:
            return None, str(error)
        except (*CORRUPT, PipekitError) as error:
            return None, f"the {packing} data is damaged: {error}"
        kind = kind_of(start[:512])
    if kind and kind[0] in _TYPED:
        return Shape({"type": _TYPED[kind[0]]}), "is packed once more, which its format does itself" if packing else ""
    if kind:
        return None, f"is {kind[0]}. {kind[1]}"
    if suffix := _NAMED.get(Path(file.uri).suffix.lower()):
        return None, f"is called {suffix}, but is not one"
    return _text(start, keys, again, packing or NONE)


def _unpacked(raw: IO[bytes], packing: str) -> bytes:
    with PACKINGS[packing].unpacked(raw) as stream:
        return stream.read(HEAD)


def _text(start: bytes, keys: dict[str, Any], again: Open, packing: str) -> tuple[Shape | None, str]:
    encoding, doubt = encoding_of(start)
    if encoding is None:
        return None, "is neither text nor a format that is read"
    text = codecs.getincrementaldecoder(encoding)("strict" if encoding != "cp1252" else "replace").decode(start)
    text = text.removeprefix("\ufeff")
    if not text.strip():
        return None, "holds nothing but blanks"
    if text.lstrip()[:1] in "[{" and (found := _json(text, keys, again, packing, len(start) < HEAD)):
        return found
    said = {} if encoding == "utf-8" else {"encoding": encoding}
    shape = sniff_csv(text, {**keys, **said}, whole=len(start) < HEAD)
    return Shape(shape.format, shape.names, shape.width, (*doubt, *shape.doubts)), ""


def encoding_of(start: bytes) -> tuple[str | None, tuple[str, ...]]:
    """The encoding of a text, and what is doubtful about it; ``None`` if it is not text."""
    if wide := wide_encoding(start):
        return wide, ()
    if b"\x00" in start:
        return None, ()
    try:
        codecs.getincrementaldecoder("utf-8")().decode(start)
    except UnicodeDecodeError:
        return "cp1252", ("the text is not UTF-8: read as cp1252 (Western Europe); look at letters with accents",)
    return "utf-8", ()


def _json(text: str, keys: dict[str, Any], again: Open, packing: str, whole: bool) -> tuple[Shape | None, str] | None:
    if not "".join(text.split()).removeprefix("[]"):
        return Shape({"type": "json", **keys}, empty_at=("",)), ""
    first = _first_value(text)
    if isinstance(first, dict) and _is_one_document(text, first):
        document = first if whole else _document(again, packing)
        return shape_of_document(document, {"type": "json", **keys})
    if isinstance(first, dict):
        return Shape({"type": "json", **keys}, tuple(first)), ""
    return None


def _first_value(text: str) -> Any:
    """The first record: of lines the first one, of an array its first element; ``None`` if it is not JSON."""
    decoder = json.JSONDecoder()
    bare = text.lstrip()
    try:
        return decoder.raw_decode(bare[1:].lstrip())[0] if bare.startswith("[") else decoder.raw_decode(bare)[0]
    except ValueError:
        # A document that is longer than what was read.
        return {} if bare.startswith("{") and '"' in bare[:200] and ":" in bare[:400] else None


def _is_one_document(text: str, first: Any) -> bool:
    bare = text.strip()
    if not bare.startswith("{"):
        return False
    if not first:
        return True
    _, end = json.JSONDecoder().raw_decode(bare)
    return not bare[end:].strip()


def _document(again: Open, packing: str) -> Any:
    with again() as raw, PACKINGS[packing].unpacked(raw) as stream:
        data = stream.read(_MOST_DOCUMENT)
    encoding = wide_encoding(data) or "utf-8-sig"
    try:
        return json.loads(data.decode(encoding))
    except ValueError:
        return {}
