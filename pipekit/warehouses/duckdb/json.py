"""How a JSON file is read by DuckDB."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from pipekit.errors import QueryError, SourceError
from pipekit.files.headers import refuse_missing
from pipekit.files.json_paths import column_path, pointer
from pipekit.files.json_records import json_array, json_lines
from pipekit.files.records import MOST_BYTES, Record
from pipekit.formats.json import JsonFormat
from pipekit.source import Source, SourceFile
from pipekit.warehouses.contract import Session
from pipekit.warehouses.duckdb.casts import convert_json, read_as_text
from pipekit.warehouses.duckdb.plan import CHUNK, Plan, name, path_text, selected, text

_SAMPLE = 200


def plan_json(warehouse: Session, source: Source, form: JsonFormat, file: SourceFile, path: Path) -> Plan | None:
    """How to read a JSON file; ``None`` if it is blank."""
    start, end = _ends(path)
    if not start:
        return None
    layout = ("array" if start == "[" else "lines") if form.layout == "auto" and form.root is None else form.layout
    layout = "lines" if layout == "auto" else layout
    # Of a file of one byte DuckDB makes no record and no error; an array cut off after a comma passes as whole.
    trusted = path.stat().st_size > 1 and (layout == "lines" or (start == "[" and end == "]"))
    paths = [column_path(column) for column in source.columns]
    wanted = [(path_, read_as_text(column, source)) for path_, column in zip(paths, source.columns, strict=True)]
    found = Plan(
        file,
        path,
        _json_select(wanted, path, layout) if trusted else None,
        _json_split(wanted),
        tuple(convert_json(column, f"x{index}", source) for index, column in enumerate(source.columns)),
        source,
        layout=layout,
        records=lambda: (json_array if layout == "array" else json_lines)(path),
    )
    _json_keys(warehouse, found, paths)
    return found


def _ends(path: Path) -> tuple[str, str]:
    """The first and the last character that is not blank; empty if there is none."""
    with path.open("rb") as stream:
        first = b""
        while not first.strip() and (chunk := stream.read(CHUNK)):
            first = chunk
        stream.seek(max(0, path.stat().st_size - CHUNK))
        last = stream.read()
    return first.strip()[:1].decode(errors="replace"), last.strip()[-1:].decode(errors="replace")


def _json_reader(path: Path, layout: str, columns: str) -> str:
    form = "array" if layout == "array" else "newline_delimited"
    return (
        f"read_json({path_text(path)}, format = '{form}', auto_detect = false, records = false, "
        f"compression = 'none', hive_partitioning = false, maximum_object_size = {MOST_BYTES}, columns = {{{columns}}})"
    )


Wanted = list[tuple[tuple[str | int, ...], bool]]  # paths, and whether their values are read as text


def _json_select(wanted: Wanted, path: Path, layout: str) -> str:
    keys = list(dict.fromkeys(str(steps[0]) for steps, _ in wanted))
    if len({key.lower() for key in keys}) < len(keys):
        # DuckDB's structs have no two fields that differ in case alone.
        values = [_extracted("document", steps, as_text) for steps, as_text in wanted]
        broken = "document IS NULL OR json_type(document) <> 'OBJECT'"
        return selected(values, broken, _json_reader(path, layout, "document: 'JSON'"))
    uses = [str(steps[0]) for steps, _ in wanted]
    texts = {
        str(steps[0]) for steps, as_text in wanted if as_text and len(steps) == 1 and uses.count(str(steps[0])) == 1
    }
    struct = ", ".join(f"{name(key)} {'VARCHAR' if key in texts else 'JSON'}" for key in keys)
    values = [
        f"document.{name(uses[index])}"
        if len(steps) == 1 and as_text == (uses[index] in texts)
        else _extracted(f"document.{name(uses[index])}", steps[1:], as_text)
        for index, (steps, as_text) in enumerate(wanted)
    ]
    return selected(values, "document IS NULL", _json_reader(path, layout, f"document: {text(f'STRUCT({struct})')}"))


def _extracted(document: str, steps: tuple[str | int, ...], as_text: bool) -> str:
    if as_text:
        return f"json_extract_string({document}, {text(pointer(steps))})"
    # read_json makes NULL of a JSON null, json_extract does not. A cast from text to JSON would parse it again.
    value = f"json_extract({document}, {text(pointer(steps))})"
    return f"CASE WHEN {value}::VARCHAR <> 'null' THEN {value} END"


def _json_split(wanted: Wanted) -> str:
    keys = ", ".join(dict.fromkeys(text(str(steps[0])) for steps, _ in wanted))
    problem = f"""CASE WHEN problem IS NOT NULL THEN problem
        WHEN NOT json_valid(raw) THEN 'is not valid JSON'
        WHEN json_type(raw) <> 'OBJECT' THEN 'is not a JSON object'
        WHEN len(list_filter(json_keys(raw), lambda k: k IN ({keys})))
             > len(list_distinct(list_filter(json_keys(raw), lambda k: k IN ({keys})))) THEN 'has a key twice' END"""
    judged = f"(SELECT * REPLACE ({problem} AS problem) FROM records)"
    values = (f"CASE WHEN problem IS NULL THEN {_extracted('raw::JSON', *each)} END" for each in wanted)
    return selected(values, "problem IS NOT NULL", judged, "*")


def _json_keys(warehouse: Session, found: Plan, paths: list[tuple[str | int, ...]]) -> None:
    missing = _never_seen(_documents(found, _SAMPLE), paths)
    if missing and not _any_value(warehouse, found, missing):
        missing = _never_seen(_documents(found), paths)
        lacking = [found.source.columns[index] for index in missing]
        keys = {key: None for document in _documents(found, _SAMPLE) for key in document}
        if keys:  # otherwise there is no document at all, and each record says so itself
            refuse_missing(found.source, found.file, keys, lacking, None)
    if found.source.fails_on_extra:
        _no_extra_keys(warehouse, found, {str(steps[0]) for steps in paths})


def _documents(found: Plan, most: int | None = None) -> Iterator[Mapping[str, Any]]:
    for index, record in enumerate(found.records()):
        if index == most:
            return
        document = _document(record)
        if document is not None:
            yield document


def _document(record: Record) -> Mapping[str, Any] | None:
    try:
        document = json.loads(record.raw)
    except (ValueError, RecursionError):
        return None
    return document if isinstance(document, dict) else None


def _never_seen(documents: Iterable[Mapping[str, Any]], paths: list[tuple[str | int, ...]]) -> list[int]:
    missing = set(range(len(paths)))
    for document in documents:
        missing -= {index for index in missing if _has(document, paths[index])}
        if not missing:
            break
    return sorted(missing)


def _has(value: Any, steps: tuple[str | int, ...]) -> bool:
    for step in steps:
        if isinstance(step, int):
            if not isinstance(value, list) or len(value) <= step:
                return False
        elif not isinstance(value, dict) or step not in value:
            return False
        value = value[step]
    return True


def _any_value(warehouse: Session, found: Plan, indexes: list[int]) -> bool:
    """Whether each of these columns has a value somewhere; sampling may just have missed it."""
    if found.select is None:
        return False
    counts = ", ".join(f"count(x{index})" for index in indexes)
    try:
        return all(warehouse.execute(f"SELECT {counts} FROM ({found.select})").rows[0])
    except QueryError:
        return False  # a broken record somewhere: Python looks further


def _no_extra_keys(warehouse: Session, found: Plan, declared: set[str]) -> None:
    if not _extra_keys(warehouse, found, declared):
        return
    for record in found.records():
        document = _document(record) or {}
        for key in document:
            if key not in declared:
                raise SourceError(
                    f"the key {key!r} is not declared, and the source says `on_extra: fail`",
                    file=found.file.uri,
                    line=record.line if found.source.format.has_lines else None,
                    column=key,
                    hint=f"Declare it under sources.{found.source.name}.columns, or leave `on_extra` out.",
                )


def _extra_keys(warehouse: Session, found: Plan, declared: set[str]) -> bool:
    if found.select is None:
        return True
    reader = _json_reader(found.path, found.layout, "document: 'JSON'")
    try:
        rows = warehouse.execute(f"SELECT DISTINCT unnest(json_keys(document)) FROM {reader}").rows
    except QueryError:
        return True  # a broken record somewhere: Python looks
    return not {key for (key,) in rows} <= declared
