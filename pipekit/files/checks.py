"""What can be wrong with a source before any file is looked at. Imports no driver, so that validation stays quick."""

from __future__ import annotations

import codecs
from collections.abc import Iterator

from pipekit.files.json_paths import parse_path
from pipekit.files.patterns import check_pattern
from pipekit.files.places import check_place
from pipekit.files.time_formats import check_formats
from pipekit.source import Source


def check_source(source: Source) -> Iterator[tuple[str, str]]:
    """Mistakes in the place, the formats, the encoding and the paths: pairs of a key and what is wrong with it."""
    yield from _check_place(source)
    yield from check_formats(source)
    yield from _check_encoding(source)
    yield from _check_paths(source)


def _check_place(source: Source) -> Iterator[tuple[str, str]]:
    if problem := check_pattern(source.pattern):
        yield "pattern", problem
    if not source.stage and (problem := check_place(source.uri)):
        yield "uri", problem


def _check_encoding(source: Source) -> Iterator[tuple[str, str]]:
    encoding = source.format.text_encoding
    if encoding is None:
        return
    try:
        codecs.lookup(encoding)
    except LookupError:
        yield "format.encoding", f"{encoding!r} is not an encoding that Python knows"


def _check_paths(source: Source) -> Iterator[tuple[str, str]]:
    if not source.format.paths_are_json:
        return
    paths = {f"columns.{column.name}.path": column.path for column in source.columns if column.path is not None}
    for key, path in {**paths, "format.root": source.format.records_at}.items():
        try:
            if path is not None:
                parse_path(path)
        except ValueError as error:
            yield key, str(error)
