"""The header of a file, held against the declared columns. The rules are the same on every engine.

Names are compared without case (``casefold``) and without blanks around them, and are never NULL, whatever
``null_values`` says. A name may appear twice only if it is not declared and undeclared columns are ignored.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from pipekit.errors import BadFileError, SourceError
from pipekit.files.shapes import BLANKS
from pipekit.files.verdicts import missing_columns, undeclared_columns
from pipekit.formats.base import FileFormat
from pipekit.source import Source, SourceFile


def folded(name: str) -> str:
    """A name as it is compared."""
    return name.strip(BLANKS).casefold()


_HINTS = {  # of a name that is there twice, by whether it is declared
    False: "Set `on_extra: ignore` if the column is not needed, or correct the file.",
    True: "It cannot be known which of them is meant: correct the file.",
}


def column_positions(source: Source, file: SourceFile, names: Sequence[str], line: int | None) -> list[int | None]:
    """Where each declared column is among the names of a file; ``None`` for an optional one that it lacks.

    Raises:
        SourceError: A column is missing, appears twice or, where that is an error, is not declared.
    """
    keys = [folded(name) for name in names]
    wanted = {folded(column.source_name) for column in source.columns}
    counts = Counter(keys)
    for key, name in zip(keys, names, strict=True):
        if counts[key] > 1 and (key in wanted or source.fails_on_extra):
            text = f"the header names {name.strip(BLANKS)!r} twice"
            raise SourceError(text, file=file.uri, line=line, column=name, hint=_HINTS[key in wanted])
    at = {key: index for index, key in enumerate(keys)}
    lacking = [column for column in source.columns if folded(column.source_name) not in at]
    # A file with none of them is another file, such as the error of a service, even if each may be missing.
    none = len(lacking) == len(source.columns)
    if missing := [column for column in lacking if none or not column.optional]:
        raise missing_columns(source, file, missing, names, line)
    extra = [name for name, key in zip(names, keys, strict=True) if key not in wanted]
    if extra and source.fails_on_extra:
        raise undeclared_columns(source, file, extra, line)
    return [at.get(folded(column.source_name)) for column in source.columns]


def refuse_headless(form: FileFormat, file: SourceFile, on_empty: str) -> None:
    """Refuse a file without a first record that should have a header. One of zero bytes is the caller's to refuse.

    Raises:
        BadFileError: It should, and an empty source is an error.
    """
    if not form.has_header or on_empty == "allow" or not file.size_bytes:
        return
    above = f" below the lines that `skip_lines: {form.lines_above}` leaves out" if form.lines_above else ""
    way = "Correct `skip_lines`, or ask" if above else "Ask"
    hint = f"{way} for a complete file. If an empty source is fine, set on_empty: allow."
    raise BadFileError(f"is empty{above}: not even a header", file=file.uri, hint=hint)


def refuse_names(source: Source, file: SourceFile, first: Sequence[str | None], line: int | None) -> None:
    """Refuse a first record that is the declared names, where a file should have no header, and all are texts.

    Elsewhere a name is a bad value. One column may hold its own name.

    Args:
        source: The contract.
        file: The file.
        first: The fields of its first record.
        line: Where that is.

    Raises:
        SourceError: It is, in whatever order the names are.
    """
    names = sorted(folded(name or "") for name in first)
    texts = all(column.type.kind == "varchar" for column in source.columns)
    if len(names) > 1 and texts and names == sorted(folded(column.source_name) for column in source.columns):
        raise SourceError(
            "the first record is the declared names, and the source says that there is no header",
            file=file.uri,
            line=line,
            hint=f"Take header: false out of sources.{source.name}.format. If these are values, give a column another "
            "`path`, or another name.",
        )
