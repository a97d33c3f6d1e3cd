"""JSON files with a few damages each, what may be loaded from them, and what must be."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from typing import Any, NamedTuple

from pipekit.files.json_text import problem_of

TEXTS = ("x", "a, b", "{x}", "x]}", '], {"id":2}', "é", 'say "hi"', "", "C:\\b", "x\ny", "1,2", "see [1], {x")
LAYOUTS = ("lines", "array", "array_of_lines", "array_pretty", "arrays", "documents", "documents_pretty", "root")
_SIGNS = b'{}[]",:\n'
_NEW = -2


class Span(NamedTuple):
    """Where a record is in the clean file.

    Attributes:
        start: Where it begins.
        end: Where it ends.
        before: Where the last byte of the record before it is, or the start of the file.
        after: Where the first byte of the record behind it is, or the end of the file.
    """

    start: int
    end: int
    before: int
    after: int


class Clean(NamedTuple):
    """A file before it was damaged."""

    layout: str
    data: bytes
    spans: tuple[Span, ...]


class Damaged(NamedTuple):
    """A file with damages.

    Attributes:
        clean: The file before that.
        data: The bytes.
        origins: Where each byte was in the clean file, with -1 before and the length behind them; -2 for a new one.
    """

    clean: Clean
    data: bytes
    origins: tuple[int, ...]


def clean_file(chance: random.Random, layout: str) -> Clean:
    """A file of up to ten records, each with an ``id`` of its own, at any depth."""
    ids = iter(chance.sample(range(100, 999), 60))
    indent = chance.choice([1, 2]) if layout.endswith("pretty") else None
    texts = [json.dumps(_record(chance, ids), indent=indent, ensure_ascii=False) for _ in range(chance.randint(1, 10))]
    comma = chance.choice([",", ", "])
    between, start, end = {
        "lines": ("\n", "", "\n"),
        "array": (comma, "[", "]"),
        "array_of_lines": (",\n", chance.choice(["[", "[\n"]), "\n]\n"),
        "array_pretty": (",\n", "[\n", "\n]\n"),
        "arrays": (comma, "[", "]"),
        "documents": (chance.choice(["", " "]), "", ""),
        "documents_pretty": ("\n", "", "\n"),
        "root": (comma, '{"n": "]", "d": {"rows": [', '], "n": 1}}'),
    }[layout]
    pieces = [start]
    for number, text in enumerate(texts):
        joint = between if layout != "arrays" or chance.random() < 0.7 else "]\n["
        lead = " " * (indent or 0) if layout == "array_pretty" else ""
        pieces += [joint] * bool(number) + [lead + text.replace("\n", "\n" + lead)]
    return _clean(layout, [*pieces, end])


def _clean(layout: str, pieces: list[str]) -> Clean:
    """The file of pieces, of which every other one is a record."""
    bounds, at = [], 0
    for number, piece in enumerate(pieces):
        length = len(piece.encode())
        if number % 2:
            blank = len(piece) - len(piece.lstrip(" "))
            bounds.append((at + blank, at + length))
        at += length
    spans = [
        Span(
            start,
            end,
            bounds[number - 1][1] - 1 if number else -1,
            bounds[number + 1][0] if number + 1 < len(bounds) else at,
        )
        for number, (start, end) in enumerate(bounds)
    ]
    return Clean(layout, "".join(pieces).encode(), tuple(spans))


def _record(chance: random.Random, ids: Iterator[int]) -> dict[str, Any]:
    found: dict[str, Any] = {"id": next(ids), "b": chance.choice(TEXTS)}
    if chance.random() < 0.3:
        key = chance.choice(["id", "c"])
        found["list"] = [{key: next(ids), "b": chance.choice(TEXTS)} for _ in range(chance.randint(0, 3))]
    if chance.random() < 0.2:
        found["o"] = {"k": {"z": [1, [2]]}, "t": chance.choice(TEXTS)}
    if chance.random() < 0.2:
        found["n"] = chance.choice([1.5, None, True, -20])
    return found


def damaged(chance: random.Random, clean: Clean, count: int) -> Damaged:
    """The file with so many damages."""
    data = [(byte, at) for at, byte in enumerate(clean.data)]
    for _ in range(count):
        if len(data) > 2:
            data = _hit(chance, data)
    return Damaged(clean, bytes(byte for byte, _ in data), (-1, *(at for _, at in data), len(clean.data)))


Bytes = list[tuple[int, int]]


def _hit(chance: random.Random, data: Bytes) -> Bytes:
    kind = chance.choice(["drop", "double", "change", "insert", "cut", "join", "end"])
    sign = chance.choice(_SIGNS)
    places = [at for at, (byte, _) in enumerate(data) if byte == sign] if chance.random() < 0.7 else []
    if kind == "join":
        places = [at for at, (byte, _) in enumerate(data) if byte == ord("\n")]
    at = chance.choice(places or range(len(data)))
    new = chance.choice(_SIGNS if chance.random() < 0.7 else b"x \\\xff01'")
    before, hit, behind = data[:at], data[at : at + 1], data[at + 1 :]
    if kind == "end":
        return before
    if kind == "double":
        hit = hit * 2
    elif kind == "change":
        hit = hit if hit[0][0] == new else [(new, _NEW)]
    elif kind == "insert":
        hit = [next((each for each in [*before[-1:], *hit] if each[0] == new), (new, _NEW)), *hit]
    else:
        lost = 1 if kind in ("drop", "join") else chance.choice([2, 3, 8, 20, 60, 200])
        hit, behind = [], behind[lost - 1 :]
    return [*before, *hit, *behind]


def legal(file: Damaged) -> list[dict[str, Any]]:
    """The records that a reader may give: those that begin as one of the clean file, end as one, and are JSON."""
    starts = {span.start for span in file.clean.spans}
    ends = {span.end - 1 for span in file.clean.spans}
    text = file.data.decode("latin-1")  # a character is a byte
    found = [
        document
        for at, origin in enumerate(file.origins[1:-1])
        if origin in starts and (document := _document(file, text, at, ends)) is not None
    ]
    if file.clean.layout == "lines":
        found += [document for line in file.data.split(b"\n") if (document := _parsed(line)) is not None]
    return [*found, *_whole(file)]


def _document(file: Damaged, text: str, start: int, ends: set[int]) -> dict[str, Any] | None:
    try:
        end = json.JSONDecoder().raw_decode(text, start)[1]
    except ValueError:
        return None
    return _parsed(file.data[start:end]) if file.origins[end] in ends else None


def _parsed(data: bytes) -> dict[str, Any] | None:
    try:
        text = data.decode()
        document = json.loads(text)
    except ValueError:
        return None
    return document if isinstance(document, dict) and problem_of(text)[1] is None else None


def _whole(file: Damaged) -> list[dict[str, Any]]:
    """The records of a file that is JSON in spite of all."""
    try:
        text = file.data.decode()
        documents, at = [], 0
        while at < len(text.rstrip()):
            at += len(text[at:]) - len(text[at:].lstrip())
            document, at = json.JSONDecoder().raw_decode(text, at)
            documents += document if isinstance(document, list) else [document]
        if file.clean.layout == "root":
            documents = [each for document in documents for each in document["d"]["rows"]]
    except (ValueError, KeyError, TypeError):
        return []
    return [each for each in documents if isinstance(each, dict)]


def alone(file: Damaged) -> Iterator[tuple[bytes, bool]]:
    """The text of each record that is as it was, and whether the bytes around it are, up to the next record's.

    In a file that is JSON all the same they may be records no more, such as elements that are a list of their own.
    """
    whole = _whole(file)
    for span in file.clean.spans:
        text = file.clean.data[span.start : span.end]
        if _is_held(file.origins, span.start, span.end) and (not whole or json.loads(text) in whole):
            yield text, _is_held(file.origins, span.before, span.after + 1)


def _is_held(origins: tuple[int, ...], start: int, end: int) -> bool:
    kept = tuple(range(start, end))
    return any(origins[at : at + len(kept)] == kept for at, origin in enumerate(origins) if origin == start)
