"""Columns whose value is in the path of a file: ``path: file://dt={date}/**``.

The pattern after ``file://`` fits the whole path below the source's ``uri``, with the wildcards of ``pattern``, and one
part in braces, which is the value. Nothing is taken from a path unless a column asks for it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import NamedTuple
from urllib.parse import unquote

from pipekit.errors import BadFileError
from pipekit.files.patterns import check_pattern, pattern_regex
from pipekit.files.places import local_path
from pipekit.source import Column, Source, SourceFile

_VALUE = re.compile(r"\{[^{}/]*\}")
_MARK = "\ue000"
# As Hive and Spark write partitions: https://spark.apache.org/docs/latest/sql-data-sources-parquet.html
_PARTITION = re.compile(r"(?:^|/)[^/{}]+=\{[^{}/]*\}(?:/|$)")
NO_VALUE = "__HIVE_DEFAULT_PARTITION__"
"""What Hive and Spark name the folder of records whose value is NULL."""


def path_columns(source: Source) -> tuple[Column, ...]:
    """The columns whose value is in the path."""
    return tuple(column for column in source.columns if column.path_pattern is not None)


def path_columns_last(source: Source) -> Source:
    """The same source with these columns after the others."""
    last = path_columns(source)
    return in_files(source).model_copy(update={"columns": (*in_files(source).columns, *last)}) if last else source


def in_files(source: Source) -> Source:
    """The same source with those columns only that are in the files."""
    if not path_columns(source):
        return source
    columns = tuple(column for column in source.columns if column.path_pattern is None)
    return source.model_copy(update={"columns": columns})


def path_texts(source: Source, file: SourceFile) -> list[str | None]:
    """For each of the ``path_columns`` its text in the path of a file; ``None`` is NULL.

    Raises:
        BadFileError: The path does not fit a column's pattern, or fits it in two ways.
    """
    below = _below(source, file) if path_columns(source) else ""
    return [_text(source, file, column, below) for column in path_columns(source)]


def _text(source: Source, file: SourceFile, column: Column, below: str) -> str | None:
    pattern = _pattern(column.path_pattern or "")
    found = pattern.longest.fullmatch(below)
    if found is None:
        if column.optional:
            return None
        raise BadFileError(
            f"the path {below!r} does not fit {column.path!r}",
            file=file.uri,
            column=column.name,
            hint="Correct the column's `path`, leave the file out by `pattern` or `exclude`, or set `optional: true`.",
        )
    other = pattern.shortest.fullmatch(below)
    if other is None or other["value"] != found["value"]:
        also = "" if other is None else f" or {other['value']!r}"
        raise BadFileError(
            f"the path {below!r} does not determine whether the value is {found['value']!r}{also}",
            file=file.uri,
            column=column.name,
            hint="Write more of the path in the column's `path`.",
        )
    text = _unquoted(found["value"], file, column) if pattern.is_partition else found["value"]
    nothing = (NO_VALUE,) if pattern.is_partition else ()
    return None if text in (*nothing, *getattr(source.format, "null_values", ())) else text


def _unquoted(value: str, file: SourceFile, column: Column) -> str:
    try:
        return unquote(value, errors="strict")
    except UnicodeDecodeError as error:
        hint = "Give the folder another name, or leave it out by `exclude`."
        raise BadFileError(
            f"{value!r} in the path is not UTF-8 behind its %", file=file.uri, column=column.name, hint=hint
        ) from error


def _below(source: Source, file: SourceFile) -> str:
    """The path below ``uri``; the name of the file that ``uri`` itself names."""
    root, path = local_path(source.uri), local_path(file.uri)
    if root is not None and path is not None:
        return path.name if path == root else path.relative_to(root).as_posix()
    folder = f"{source.uri.rstrip('/')}/"
    return file.uri.removeprefix(folder) if file.uri.startswith(folder) else Path(file.uri.partition("?")[0]).name


class _Pattern(NamedTuple):
    """A pattern, read so that the wildcards take as much as they can, and as little."""

    longest: re.Pattern[str]
    shortest: re.Pattern[str]
    is_partition: bool


@cache
def _pattern(text: str) -> _Pattern:
    whole = f"{text.removesuffix('...')}**" if text.endswith(("/", "/...")) else text
    regex = pattern_regex(_VALUE.sub(_MARK, whole, count=1))
    lazy = re.sub(r"(?<=[)\].])\*", "*?", regex)
    return _Pattern(
        re.compile(regex.replace(_MARK, "(?P<value>[^/]+)"), re.DOTALL),
        re.compile(lazy.replace(_MARK, "(?P<value>[^/]+?)"), re.DOTALL),
        _PARTITION.search(text) is not None,
    )


def check_path_columns(source: Source) -> Iterator[tuple[str, str]]:
    """Mistakes in the patterns: pairs of a key and what is wrong with it."""
    for column in path_columns(source):
        if problem := _wrong(column.path_pattern or ""):
            yield f"columns.{column.name}.path", problem
    if not in_files(source).columns:
        yield "columns", "all of them are taken from the path; at least one must be in the files"


def _wrong(pattern: str) -> str | None:
    count = len(_VALUE.findall(pattern))
    if count != 1:
        return f"{pattern!r} must hold one part in braces, such as dt={{date}}/**, and holds {count}"
    around = _VALUE.sub("x", pattern)
    return check_pattern(around.removesuffix("...") + "**" if around.endswith(("/", "/...")) else around)
