"""What can be wrong with a source before any file is looked at. Imports no driver, so that validation stays quick."""

from __future__ import annotations

import codecs

from pipekit.files.json_paths import parse_path
from pipekit.files.patterns import check_pattern
from pipekit.files.places import check_place
from pipekit.files.time_formats import check_formats
from pipekit.source import Source


def check_source(source: Source) -> str | None:
    """The first mistake in the formats, encoding or paths, as ``key: what is wrong``; ``None`` if there is none."""
    return _check_place(source) or check_formats(source) or _check_encoding(source) or _check_paths(source)


def _check_place(source: Source) -> str | None:
    if problem := check_pattern(source.pattern):
        return f"pattern: {problem}"
    problem = None if source.stage else check_place(source.uri)
    return f"uri: {problem}" if problem else None


def _check_encoding(source: Source) -> str | None:
    encoding = source.format.text_encoding
    if encoding is None:
        return None
    try:
        codecs.lookup(encoding)
    except LookupError:
        return f"format.encoding: {encoding!r} is no encoding that Python knows"
    return None


def _check_paths(source: Source) -> str | None:
    if not source.format.paths_are_json:
        return None
    paths = {f"columns.{column.name}.path": column.path for column in source.columns if column.path is not None}
    for key, path in {**paths, "format.root": source.format.records_at}.items():
        try:
            if path is not None:
                parse_path(path)
        except ValueError as error:
            return f"{key}: {error}"
    return None
