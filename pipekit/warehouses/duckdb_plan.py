"""How one file is read by DuckDB: its columns found by name, its dialect told in full, nothing guessed.

What DuckDB's readers get wrong was found by trying (``tests/warehouses/test_duckdb_loading.py`` has the cases);
files that could fall into such a hole are read by ``records`` instead.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pipekit.errors import QueryError, SourceError, short
from pipekit.source import Column, CsvFormat, JsonFormat, Source
from pipekit.warehouses.base import Session, SourceFile, quote_identifier
from pipekit.warehouses.duckdb_convert import Conversion, convert_json, convert_parquet, convert_text, read_as_text
from pipekit.warehouses.json_paths import column_path, pointer
from pipekit.warehouses.records import MOST_BYTES, CsvReader, Record, json_array, json_lines

_SAMPLE = 200
_CHUNK = 1 << 20


@dataclass(frozen=True)
class Plan:
    """How a file is read.

    Attributes:
        file: As listed.
        path: Its plain local text, or the Parquet file.
        select: SQL of the values as read, ``x0`` to ``xn``, of ``broken`` (it is no record at all) and ``raw``
            (its text, where only DuckDB knows it). ``None`` when DuckDB cannot be trusted with the file.
        split: The same for records split in Python, in a relation ``records``; ``None`` for Parquet.
        conversions: From ``x0`` to ``xn`` to the declared types.
        source: The contract.
        width: Fields of a record, in CSV.
        layout: ``lines`` or ``array``, in JSON.
    """

    file: SourceFile
    path: Path
    select: str | None
    split: str | None
    conversions: tuple[Conversion, ...]
    source: Source
    width: int = 0
    layout: str = ""

    @property
    def has_lines(self) -> bool:
        """Whether the lines of the records are those of the file."""
        form = self.source.format
        return not isinstance(form, JsonFormat) or form.root is None

    def records(self) -> Iterator[Record]:
        """The file's records, split in Python."""
        form = self.source.format
        if isinstance(form, CsvFormat):
            return CsvReader(form).records(self.path, self.width)
        return json_array(self.path) if self.layout == "array" else json_lines(self.path)


def plan(warehouse: Session, source: Source, file: SourceFile, path: Path) -> Plan | None:
    """How to read ``path``; ``None`` if there is nothing in it.

    Raises:
        SourceError: A declared column is missing, or an undeclared one is there and must not be.
    """
    if isinstance(source.format, CsvFormat):
        return _plan_csv(source, source.format, file, path)
    if isinstance(source.format, JsonFormat):
        return _plan_json(warehouse, source, source.format, file, path)
    return _plan_parquet(warehouse, source, file, path)


def text(value: str) -> str:
    """A string literal."""
    return "'" + value.replace("'", "''") + "'"


def name(value: str) -> str:
    """A quoted identifier, as it is."""
    return quote_identifier(value, str)


# -- CSV


def _plan_csv(source: Source, form: CsvFormat, file: SourceFile, path: Path) -> Plan | None:
    first = CsvReader(form).header(path)
    if first is None:
        return None
    if first.problem:
        raise SourceError(f"the first record {first.problem}", file=file.uri, line=first.line, value=short(first.raw))
    positions = _csv_positions(source, form, file, first)
    width = len(first.fields)
    trusted = first.line == form.skip_lines + 1 and _plain_start(path, form) and _same_newlines(path, form)
    return Plan(
        file,
        path,
        _csv_select(form, path, positions, width) if trusted else None,
        _selected((f"f{position}" for position in positions), "problem IS NOT NULL", "records", "*"),
        tuple(convert_text(column, f"x{index}", source) for index, column in enumerate(source.columns)),
        source,
        width,
    )


def _csv_positions(source: Source, form: CsvFormat, file: SourceFile, first: Record) -> list[int]:
    if not form.header:
        if len(first.fields) != len(source.columns):
            raise SourceError(
                f"the first record has {len(first.fields)} fields, the source declares {len(source.columns)} columns",
                file=file.uri,
                line=first.line,
                hint="Without a header the columns are taken in their declared order, so all must be declared.",
            )
        return list(range(len(source.columns)))
    names = [field or "" for field in first.fields]
    _no_duplicates(source, file, names, first.line)
    return _positions(source, file, names, first.line)


def _no_duplicates(source: Source, file: SourceFile, names: list[str], line: int) -> None:
    folded = [each.lower() for each in names]
    wanted = {column.source_name.lower() for column in source.columns}
    for each in folded:
        if folded.count(each) > 1 and (each in wanted or source.fails_on_extra):
            raise SourceError(f"the header names {each!r} twice", file=file.uri, line=line, column=each)


def _positions(source: Source, file: SourceFile, names: list[str], line: int | None) -> list[int]:
    at = {each.lower(): index for index, each in enumerate(names)}
    _no_missing(source, file, names, [c for c in source.columns if c.source_name.lower() not in at], line)
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


def _no_missing(
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


def _csv_select(form: CsvFormat, path: Path, positions: list[int], width: int) -> str:
    quote = form.quote or ""
    options: dict[str, str] = {
        "auto_detect": "false",
        "strict_mode": "true",
        "delim": text(form.delimiter),
        "quote": text(quote),
        "escape": text(form.escape or quote),
        "header": str(form.header).lower(),
        "skip": str(form.skip_lines),
        "comment": text(form.comment or ""),
        # Only an unquoted cell can be NULL; DuckDB wants at least one text that means it.
        "nullstr": f"[{', '.join(map(text, form.null_values)) or text(chr(1))}]",
        "allow_quoted_nulls": "false",
        "max_line_size": str(MOST_BYTES),
        "columns": "{" + ", ".join(f"c{index}: 'VARCHAR'" for index in range(width)) + "}",
    }
    given = ", ".join(f"{key} = {value}" for key, value in options.items())
    values = (_csv_value(form, f"c{position}") for position in positions)
    return _selected(values, "false", f"read_csv({text(str(path))}, {given})")


def _csv_value(form: CsvFormat, column: str) -> str:
    if not form.trim:
        return column
    nulls = ", ".join(map(text, form.null_values)) or "NULL"
    trimmed = f"trim({column}, ' ')"
    return f"CASE WHEN {trimmed} <> {column} AND {trimmed} IN ({nulls}) THEN NULL ELSE {trimmed} END"


def _selected(values: Iterable[str], broken: str, relation: str, more: str = "NULL AS raw") -> str:
    listed = ", ".join(f"{value} AS x{index}" for index, value in enumerate(values))
    return f"SELECT {listed}, {broken} AS broken, {more} FROM {relation}"


def _plain_start(path: Path, form: CsvFormat) -> bool:
    """DuckDB takes a quote in the skipped lines for a quoted value, and may skip more."""
    with path.open("rb") as stream:
        skipped = [stream.readline(_CHUNK) for _ in range(form.skip_lines)]
    return not form.quote or not any(form.quote.encode() in line for line in skipped)


def _same_newlines(path: Path, form: CsvFormat) -> bool:
    """DuckDB gives up on a file whose records end differently; line ends within quoted values do not count."""
    if _one_newline(_chunks(path)):
        return True
    if not form.quote or form.escape not in (None, form.quote) or form.comment:
        return False  # then counting quotes does not tell where a quoted value ends
    return _one_newline(_unquoted(_chunks(path), form.quote.encode()))


def _chunks(path: Path) -> Iterator[bytes]:
    with path.open("rb") as stream:
        while chunk := stream.read(_CHUNK):
            yield chunk


def _unquoted(chunks: Iterable[bytes], quote: bytes) -> Iterator[bytes]:
    """What stands outside of quotes; an escaped quote is two, and so changes nothing."""
    inside = False
    for chunk in chunks:
        parts = chunk.split(quote)
        yield (quote if inside else b"") + quote.join(parts[inside::2])  # what was apart stays apart
        inside ^= len(parts) % 2 == 0


def _one_newline(chunks: Iterable[bytes]) -> bool:
    returns = feeds = pairs = 0
    last = b""
    for chunk in chunks:
        feeds += chunk.count(b"\n")
        if b"\r" in chunk or last == b"\r":
            returns += chunk.count(b"\r")
            pairs += chunk.count(b"\r\n") + (last == b"\r" and chunk.startswith(b"\n"))
        last = chunk[-1:]
    return returns == 0 or feeds == 0 or returns == feeds == pairs


# -- JSON


def _plan_json(warehouse: Session, source: Source, form: JsonFormat, file: SourceFile, path: Path) -> Plan | None:
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
    )
    _json_keys(warehouse, found, paths)
    return found


def _ends(path: Path) -> tuple[str, str]:
    """The first and the last character that is not blank; empty if there is none."""
    with path.open("rb") as stream:
        first = b""
        while not first.strip() and (chunk := stream.read(_CHUNK)):
            first = chunk
        stream.seek(max(0, path.stat().st_size - _CHUNK))
        last = stream.read()
    return first.strip()[:1].decode(errors="replace"), last.strip()[-1:].decode(errors="replace")


def _json_reader(path: Path, layout: str, columns: str) -> str:
    form = "array" if layout == "array" else "newline_delimited"
    return (
        f"read_json({text(str(path))}, format = '{form}', auto_detect = false, records = false, "
        f"compression = 'none', maximum_object_size = {MOST_BYTES}, columns = {{{columns}}})"
    )


Wanted = list[tuple[tuple[str | int, ...], bool]]  # paths, and whether their values are read as text


def _json_select(wanted: Wanted, path: Path, layout: str) -> str:
    keys = list(dict.fromkeys(str(steps[0]) for steps, _ in wanted))
    if len({key.lower() for key in keys}) < len(keys):
        # DuckDB's structs have no two fields that differ in case alone.
        values = [_extracted("document", steps, as_text) for steps, as_text in wanted]
        broken = "document IS NULL OR json_type(document) <> 'OBJECT'"
        return _selected(values, broken, _json_reader(path, layout, "document: 'JSON'"))
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
    return _selected(values, "document IS NULL", _json_reader(path, layout, f"document: {text(f'STRUCT({struct})')}"))


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
    return _selected(values, "problem IS NOT NULL", judged, "*")


def _json_keys(warehouse: Session, found: Plan, paths: list[tuple[str | int, ...]]) -> None:
    missing = _never_seen(_documents(found, _SAMPLE), paths)
    if missing and not _any_value(warehouse, found, missing):
        missing = _never_seen(_documents(found), paths)
        lacking = [found.source.columns[index] for index in missing]
        keys = {key: None for document in _documents(found, _SAMPLE) for key in document}
        if keys:  # otherwise there is no document at all, and each record says so itself
            _no_missing(found.source, found.file, keys, lacking, None)
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
                    line=record.line if found.has_lines else None,
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


# -- Parquet


def _plan_parquet(warehouse: Session, source: Source, file: SourceFile, path: Path) -> Plan:
    reader = f"read_parquet({text(str(path))})"
    try:
        rows = warehouse.execute(f"DESCRIBE SELECT * FROM {reader}").rows
    except QueryError as error:
        raise SourceError(
            f"is not a Parquet file that can be read: {short(error.message, 200)}", file=file.uri
        ) from error
    names = [row[0] for row in rows]
    positions = _positions(source, file, names, None)
    conversions = tuple(
        _parquet_conversion(file, column, index, rows[positions[index]][1])
        for index, column in enumerate(source.columns)
    )
    values = (name(names[position]) for position in positions)
    select = _selected(values, "false", f"{reader} AS document", "to_json(document)::VARCHAR AS raw")
    return Plan(file, path, select, None, conversions, source)


def _parquet_conversion(file: SourceFile, column: Column, index: int, found: str) -> Conversion:
    conversion = convert_parquet(column, f"x{index}", found)
    if conversion is None:
        raise SourceError(
            f"the file has the type {found}, declared is {column.type}", file=file.uri, column=column.name
        )
    return conversion
