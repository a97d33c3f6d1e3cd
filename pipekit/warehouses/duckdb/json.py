"""How a JSON file is read by DuckDB."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import partial
from pathlib import Path

from pipekit.errors import BadFileError
from pipekit.files.json_paths import column_path
from pipekit.files.json_records import json_documents, json_lines, layout_of
from pipekit.files.json_roots import paths_above
from pipekit.files.json_text import with_values
from pipekit.files.local import Fetched
from pipekit.files.records import Record
from pipekit.formats.json import JsonFormat
from pipekit.source import Source
from pipekit.warehouses.contract import Session
from pipekit.warehouses.duckdb.casts import conversions, convert_json, read_as_text
from pipekit.warehouses.duckdb.json_below import plan_below
from pipekit.warehouses.duckdb.json_keys import check_keys
from pipekit.warehouses.duckdb.json_select import is_strict, json_select, json_split
from pipekit.warehouses.duckdb.plan import CHUNK, Plan, Planner

_READERS: Mapping[str, Callable[[Path], Iterator[Record]]] = {
    "lines": json_lines,
    "array": json_documents,
    "documents": json_documents,
}


def json_planner(warehouse: Session, source: Source, form: JsonFormat) -> Planner:
    """How to read the JSON files of a source; a file that is blank has no plan."""
    return partial(_plan, warehouse, source, form)


def _plan(warehouse: Session, source: Source, form: JsonFormat, each: Fetched) -> Plan | None:
    file, path = each.file, each.path
    start, end = _ends(path)
    if not start:
        return None
    if paths_above(source.columns):
        return plan_below(source, file, path)
    layout = form.layout if form.layout != "auto" else layout_of(start) if form.root is None else "lines"
    if form.layout == "lines" and form.root is None and start.startswith("[") and start.endswith(("[", ",")):
        hint = "Leave out `layout: lines`, or set `layout: array`."
        raise BadFileError("is an array over several lines, not a document on each line", file=file.uri, hint=hint)
    paths = [column_path(column) for column in source.columns]
    wanted = [(path_, read_as_text(column, source)) for path_, column in zip(paths, source.columns, strict=True)]
    trusted = _is_trusted(path, layout, start, end) and is_strict(warehouse, source, path, layout)
    found = Plan(
        file,
        path,
        partial(json_select, wanted, layout) if trusted else None,
        json_split(wanted),
        conversions(convert_json, source),
        source,
        len(wanted),
        layout=layout,
        records=lambda: (with_values(record, wanted) for record in _records(layout, each)),
        shape=layout,
    )
    check_keys(warehouse, found, paths)
    return found


def _records(layout: str, each: Fetched) -> Iterator[Record]:
    try:
        yield from _READERS[layout](each.path)
    except BadFileError as error:
        error.place(each.file.uri)
        raise


def _is_trusted(path: Path, layout: str, start: str, end: str) -> bool:
    # Of a file of one byte DuckDB makes no record and no error; an array cut off after a comma passes as whole, and so
    # does one with a comma before its end.
    # Of arrays one after another it refuses the second.
    if layout == "array":
        if start.endswith("]") and path.stat().st_size > len(start.encode()) + _END:
            return False
        return start.startswith("[") and end.endswith("]") and not end[:-1].rstrip().endswith(",")
    return layout == "lines" and path.stat().st_size > 1


_END = 1000


def _ends(path: Path) -> tuple[str, str]:
    """The first line that is not blank, and the end of the file; empty if there is none."""
    with path.open("rb") as stream:
        first = b""
        while not first.strip() and (line := stream.readline(CHUNK)):
            first = line
        stream.seek(max(0, path.stat().st_size - CHUNK))
        last = stream.read()
    return first.strip().decode(errors="replace"), last.strip()[-_END:].decode(errors="replace")
