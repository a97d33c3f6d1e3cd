"""The header of a file, held against the declared columns. The rules are the same on every engine."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from pipekit.errors import SourceError, short
from pipekit.source import Column, Source, SourceFile
from pipekit.suggestions import nearest


def refuse_duplicates(source: Source, file: SourceFile, names: list[str], line: int) -> None:
    folded = [each.lower() for each in names]
    wanted = {column.source_name.lower() for column in source.columns}
    for each in folded:
        if folded.count(each) > 1 and (each in wanted or source.fails_on_extra):
            raise SourceError(f"the header names {each!r} twice", file=file.uri, line=line, column=each)


def column_positions(source: Source, file: SourceFile, names: list[str], line: int | None) -> list[int]:
    at = {each.lower(): index for index, each in enumerate(names)}
    refuse_missing(source, file, names, [c for c in source.columns if c.source_name.lower() not in at], line)
    declared = {column.source_name.lower() for column in source.columns}
    extra = [each for each in names if each.lower() not in declared]
    if extra and source.fails_on_extra:
        raise SourceError(
            f"the column {extra[0]!r} is not declared" if len(extra) == 1 else f"columns {extra} are not declared",
            file=file.uri,
            line=line,
            column=extra[0],
            hint=f"Declare it under sources.{source.name}.columns, or set `on_extra: ignore`.",
        )
    return [at[column.source_name.lower()] for column in source.columns]


def refuse_missing(
    source: Source, file: SourceFile, found: Iterable[str], missing: list[Column], line: int | None
) -> None:
    if not missing:
        return
    wanted = ", ".join(repr(column.source_name) for column in missing)
    there = short(", ".join(repr(each) for each in found), 300)
    raise SourceError(
        f"the declared column {wanted} is missing" if len(missing) == 1 else f"declared columns are missing: {wanted}",
        file=file.uri,
        line=line,
        column=missing[0].name,
        hint=f"The file has {there}. Correct sources.{source.name}.columns, or ask for a complete file.",
    )


def check_columns(source: Source, names: Sequence[str], place: dict[str, object]) -> None:
    """Hold the names of a file's columns against the contract; case does not count.

    Raises:
        SourceError: A column is missing or, where that is an error, undeclared.
    """
    has = {name.casefold() for name in names}
    declared = {column.source_name.casefold() for column in source.columns}
    missing = [column for column in source.columns if column.source_name.casefold() not in has]
    extra = [name for name in names if name.casefold() not in declared]
    if missing:
        raise _missing(missing[0], names, place)
    if extra and source.fails_on_extra:
        shown = ", ".join(repr(name) for name in extra)
        raise SourceError(
            f"{shown} is in the file, but not declared",
            hint="Declare it, or say on_extra: ignore.",
            **place,  # type: ignore[arg-type]
        )


def _missing(column: Column, names: Sequence[str], place: dict[str, object]) -> SourceError:
    near = nearest(column.source_name, names)
    also = f"; the file has {near!r}" if near else ""
    return SourceError(
        f"the column {column.source_name!r} is missing{also}",
        hint=f"The file has: {', '.join(names) or 'no columns'}. `path:` says under which name a file has a column.",
        **place,  # type: ignore[arg-type]
    )
