"""A look at the headers of files, without loading them: whether their columns keep the contract.

The start of a text file is read, or the footer of a Parquet file. Formats whose files have no header are not looked at.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from pipekit.errors import BadFileError, SourceError, short
from pipekit.files.csv_header import below_separator_line, csv_positions
from pipekit.files.csv_records import CsvReader
from pipekit.files.headers import column_positions, folded
from pipekit.files.local import LocalFiles
from pipekit.files.path_columns import in_files
from pipekit.files.waiting import side_by_side
from pipekit.formats.csv import CsvFormat
from pipekit.source import Source, SourceFile

MOST = 500
"""Files of a source at which one look looks."""
_AT_ONCE = 8


def header_problems(source: Source, files: Sequence[SourceFile]) -> dict[str, SourceError]:
    """What is wrong with the headers of files, by URI; the first ``MOST`` are looked at."""
    import tempfile

    look = _LOOKS.get(source.format.type)
    if look is None or source.format.reader is not None:
        return {}
    with (
        tempfile.TemporaryDirectory(prefix="pipekit_") as folder,
        LocalFiles(Path(folder), source.format) as local,
    ):
        calls = [
            partial(_problem, look, in_files(source), local, file, Path(folder) / str(number))
            for number, file in enumerate(files[:MOST])
        ]
        found = side_by_side(calls, None, _AT_ONCE)
    return {file.uri: error for file, error in zip(files, found, strict=False) if error is not None}


Look = Callable[[Source, LocalFiles, SourceFile, Path], None]


def _problem(look: Look, source: Source, local: LocalFiles, file: SourceFile, place: Path) -> SourceError | None:
    try:
        look(source, local, file, place)
    except SourceError as error:
        return error
    return None


def _look_at_csv(source: Source, local: LocalFiles, file: SourceFile, place: Path) -> None:
    form = source.format
    assert isinstance(form, CsvFormat)
    path = local.start(file, place)
    below = below_separator_line(form, file, path)
    heads = CsvReader(below).heads(path)
    if not heads or (path == place and any(each.problem for each in heads)):
        return  # no record; or one that goes on after the start
    csv_positions(source, below, file, heads)


def _look_at_parquet(source: Source, local: LocalFiles, file: SourceFile, place: Path) -> None:
    import pyarrow as pa
    from pyarrow import parquet

    with local.opened(file) as stream:
        try:
            schema = parquet.read_schema(stream)
        except pa.ArrowException as error:
            text = f"is not a Parquet file that can be read: {short(str(error), 200)}"
            raise BadFileError(text, file=file.uri) from error
    wanted = {folded(column.source_name) for column in source.columns}
    inside = [path for path in _paths(schema) if folded(path) in wanted]
    column_positions(source, file, [*schema.names, *inside], None)


def _paths(fields: Any, above: str = "") -> Iterator[str]:
    """Paths of the fields inside structs."""
    for field in fields:
        if above:
            yield above + field.name
        if hasattr(field.type, "get_field_index"):
            yield from _paths(field.type, f"{above}{field.name}.")


_LOOKS: Mapping[str, Look] = {"csv": _look_at_csv, "parquet": _look_at_parquet}
