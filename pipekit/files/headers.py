"""The header of a file, held against the declared columns. The rules are the same on every engine.

Names are compared without case (``casefold``) and without blanks around them, and are never NULL, whatever
``null_values`` says. A name may stand twice only if it is not declared and undeclared columns are ignored.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from pipekit.errors import SourceError, short
from pipekit.files.shapes import BLANKS
from pipekit.source import Column, Source, SourceFile
from pipekit.suggestions import nearest


def folded(name: str) -> str:
    """A name as it is compared."""
    return name.strip(BLANKS).casefold()


REPEATED = "repeats the header: here another file or table was appended"


def may_repeat_header(source: Source) -> bool:
    """Whether a record that holds the columns' names has to be looked for: elsewhere a name is a bad value already."""
    texts = all(column.type.kind == "varchar" for column in source.columns)
    return source.format.has_header and len(source.columns) > 1 and texts


def column_positions(source: Source, file: SourceFile, names: Sequence[str], line: int | None) -> list[int | None]:
    """Where each declared column stands among the names of a file; ``None`` for an optional one that it lacks.

    Raises:
        SourceError: A column is missing, stands twice or, where that is an error, is not declared.
    """
    keys = [folded(name) for name in names]
    wanted = {folded(column.source_name) for column in source.columns}
    for key, name in zip(keys, names, strict=True):
        if keys.count(key) > 1 and (key in wanted or source.fails_on_extra):
            raise SourceError(f"the header names {name.strip(BLANKS)!r} twice", file=file.uri, line=line, column=name)
    at = {key: index for index, key in enumerate(keys)}
    lacking = [column for column in source.columns if folded(column.source_name) not in at]
    refuse_missing(source, file, names, [column for column in lacking if not column.optional], line)
    if source.fails_on_extra:
        _refuse_extra(source, file, [name for name, key in zip(names, keys, strict=True) if key not in wanted], line)
    return [at.get(folded(column.source_name)) for column in source.columns]


def refuse_missing(
    source: Source, file: SourceFile, found: Iterable[str], missing: Sequence[Column], line: int | None
) -> None:
    """Refuse a file that lacks declared columns.

    Raises:
        SourceError: ``missing`` is not empty.
    """
    if not missing:
        return
    names = list(found)
    wanted = ", ".join(repr(column.source_name) for column in missing)
    near = nearest(missing[0].source_name, names)
    also = f"; the file has {near!r}" if near else ""
    there = short(", ".join(repr(each) for each in names), 300) or "no columns"
    raise SourceError(
        (f"the declared column {wanted} is missing" if len(missing) == 1 else f"declared columns are missing: {wanted}")
        + also,
        file=file.uri,
        line=line,
        column=missing[0].name,
        hint=f"The file has {there}. Correct sources.{source.name}.columns (`path:` gives another name, "
        "`optional: true` lets files lack the column), or ask for a complete file.",
    )


def _refuse_extra(source: Source, file: SourceFile, extra: Sequence[str], line: int | None) -> None:
    if extra:
        raise SourceError(
            f"the column {extra[0]!r} is not declared"
            if len(extra) == 1
            else f"the columns {', '.join(map(repr, extra))} are not declared",
            file=file.uri,
            line=line,
            column=extra[0],
            hint=f"Declare it under sources.{source.name}.columns, or set `on_extra: ignore`.",
        )
