"""What can be wrong with a source before any file is looked at. Imports no driver, so that validation stays quick."""

from __future__ import annotations

import codecs
import os
from collections.abc import Iterator, Sequence
from itertools import takewhile
from pathlib import PurePosixPath

from pipekit.files.json_paths import parse_path
from pipekit.files.json_roots import Level, check_above, parse_root
from pipekit.files.path_columns import check_path_columns, in_files
from pipekit.files.patterns import check_pattern
from pipekit.files.places import check_place, local_path, scheme_of
from pipekit.files.unpacking import NONE, packing_by_name
from pipekit.files.value_formats import check_formats
from pipekit.source import Source
from pipekit.suggestions import did_you_mean

# Python's own notations and those of domain names. https://docs.python.org/3/library/codecs.html
_NO_FILES = frozenset({"idna", "punycode", "unicode-escape", "raw-unicode-escape", "unicode_escape", "undefined"})

_ENCODINGS = ("utf-8", "utf-16", "latin-1", "cp1252")


def check_source(source: Source, *, read_elsewhere: bool = False) -> Iterator[tuple[str, str]]:
    """Mistakes in the place, the formats, the encoding and the paths: pairs of a key and what is wrong with it.

    Args:
        source: The source.
        read_elsewhere: Whether the warehouse reads the files where they are, so that this machine need not reach them.
    """
    yield from _check_place(source, read_elsewhere)
    yield from check_formats(source)
    yield from _check_encoding(source)
    yield from _check_marks(source)
    yield from _check_paths(in_files(source))
    yield from check_path_columns(source)


def _check_place(source: Source, read_elsewhere: bool) -> Iterator[tuple[str, str]]:
    for key, patterns in (("pattern", source.pattern), ("exclude", source.exclude)):
        yield from ((key, problem) for pattern in patterns if (problem := check_pattern(pattern)))
    if not source.pattern:
        yield "pattern", "the list is empty: no file would be read"
    if not source.stage and (wrong := check_place(source.uri, read_elsewhere=read_elsewhere)):
        yield "uri", wrong


# Names by which files of a format are known; a name that is here under another format only is a doubt.
_SUFFIXES = {
    "csv": (".csv", ".tsv", ".psv", ".tab"),
    "json": (".json", ".jsonl", ".ndjson", ".geojson"),
    "parquet": (".parquet", ".pq"),
    "avro": (".avro",),
    "excel": (".xlsx", ".xlsm"),
}
_WILD = frozenset("*?[")


def doubts(source: Source) -> Iterator[tuple[str, str]]:
    """What is probably a mistake, although it may be meant: pairs of a key and what is doubtful about it.

    Args:
        source: The source as the file has it, with ``uri`` as it is written there.
    """
    for pattern in source.pattern:
        if text := _repeated_folder(source.uri, pattern):
            yield "pattern", text
    names = [("pattern", pattern) for pattern in source.pattern]
    if not source.uri.endswith("/"):
        names.append(("uri", source.uri.partition("?")[0]))
    yield from ((key, text) for key, name in names if (text := _other_format(source, name)))


def absent_place(source: Source) -> str | None:
    """What is said of a folder or file on this machine that is not there, yet perhaps; ``None`` for all others.

    Args:
        source: The source, with an absolute ``uri``.
    """
    local = local_path(source.uri)
    if local is None or os.path.exists(local):
        return None
    there = sorted(os.listdir(local.parent)) if os.access(local.parent, os.R_OK) and local.parent.is_dir() else ()
    text = f"there is no folder or file {local} on this machine{did_you_mean(local.name, there, alike=0.7)}"
    return f"{text}; until there is, a load of it fails; relative paths start at the project's root"


def _repeated_folder(uri: str, pattern: str) -> str | None:
    """For a pattern that begins with the folder of ``uri``, below which it is looked for."""
    folders = uri.partition("://")[2] if scheme_of(uri) else uri
    above = [part for part in folders.split("/") if part not in ("", ".")]
    begins = list(takewhile(lambda part: not _WILD & set(part), pattern.split("/")[:-1]))
    if not begins or above[-len(begins) :] != begins:
        return None
    looked = f"{uri.rstrip('/')}/{'/'.join(begins)}/"
    rest = pattern.removeprefix("/".join(begins) + "/")
    return f'repeats the folder of uri, so files are looked for in {looked}; a pattern begins below uri: write "{rest}"'


def _other_format(source: Source, name: str) -> str | None:
    """For a name whose end says another format, or another compression, than the source."""
    packing, form = packing_by_name(name), source.format
    if packing != NONE and form.packing not in ("auto", packing) and form.type in _SUFFIXES:
        return f"{name!r} is the name of {packing} files, and format says compression: {form.packing}"
    plain = PurePosixPath(name).with_suffix("") if packing != NONE else PurePosixPath(name)
    ending = plain.suffix.lower()
    known = [kind for kind, suffixes in _SUFFIXES.items() if ending in suffixes]
    if not known or form.type in known:
        return None
    return f"{name!r} is the name of {known[0]} files, and format says type: {form.type}; change one of them"


def _check_encoding(source: Source) -> Iterator[tuple[str, str]]:
    encoding = source.format.text_encoding
    if encoding is None:
        return
    try:
        name = codecs.lookup(encoding).name
        "".encode(encoding)  # refuses codecs that are for no text, such as hex
    except LookupError:
        near = did_you_mean(encoding.lower(), _ENCODINGS, alike=0.6)
        yield "format.encoding", f"unknown text encoding {encoding!r}{near}; for example {', '.join(_ENCODINGS)}"
        return
    if name in _NO_FILES:
        yield "format.encoding", f"{encoding!r} is not an encoding of files"


def _check_marks(source: Source) -> Iterator[tuple[str, str]]:
    """Characters of a CSV file that contradict each other."""
    marks = {key: getattr(source.format, key, None) for key in ("delimiter", "quote", "escape", "comment")}
    if marks["escape"] and not marks["quote"]:
        yield "format.escape", "it escapes quotes, and `quote: null` declares that there are none"
    for key, other in (("quote", "delimiter"), ("escape", "delimiter"), ("comment", "delimiter"), ("comment", "quote")):
        mark, beside = marks[key], marks[other] or ""
        if mark and mark in beside:
            yield f"format.{key}", f"{mark!r} is {'the' if mark == beside else 'in the'} {other}, too"
    for key, mark in marks.items():
        if not {"\r", "\n"}.isdisjoint(mark or ""):
            yield f"format.{key}", "a line end cannot be within a record"
    if getattr(source.format, "header_lines", 1) > 1 and not source.format.has_header:
        yield "format.header_lines", "`header: false` declares that there is no header"


def _check_paths(source: Source) -> Iterator[tuple[str, str]]:
    if not source.format.paths_are_json:
        return
    levels: tuple[Level, ...] = ()
    try:
        levels = () if source.format.records_at is None else parse_root(source.format.records_at)
    except ValueError as error:
        yield "format.root", str(error)
        return
    for column in source.columns:
        try:
            problem = None if column.path is None else _path_problem(column.path, levels)
        except ValueError as error:
            problem = str(error)
        if problem:
            yield f"columns.{column.name}.path", problem


def _path_problem(path: str, levels: Sequence[Level]) -> str | None:
    if path.startswith("^"):
        return check_above(path, levels)
    parse_path(path)
    return None
