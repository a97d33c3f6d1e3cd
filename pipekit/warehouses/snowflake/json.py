"""How JSON files are loaded on Snowflake."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from pipekit.errors import SKIP_FILE, BadFileError, SourceError
from pipekit.files.json_paths import column_path, off_the_way
from pipekit.files.json_records import layout_of
from pipekit.files.json_roots import NO_ROOT, Level, parse_above, parse_root
from pipekit.formats.json import JsonFormat
from pipekit.source import Column
from pipekit.warehouses.contract import FileLoad
from pipekit.warehouses.snowflake.dialect import text
from pipekit.warehouses.snowflake.errors import CopyRefused, LineTooLong
from pipekit.warehouses.snowflake.formats import PLAIN_TEXTS, compression_name, raw_lines
from pipekit.warehouses.snowflake.landing import (
    DOC,
    NUMBER,
    PLACE,
    PLACE_SELECT,
    PLACE_TYPES,
    CopyOptions,
    Landing,
    Unreadable,
    copy,
    create_landing,
    document_select,
    first_lines,
    get_path,
    named_format,
    on_error_option,
    unreadable_records,
)
from pipekit.warehouses.snowflake.stages import StagedFiles

if TYPE_CHECKING:
    from pipekit.warehouses.snowflake.session import SnowflakeSession


def json_format(form: JsonFormat) -> str:
    """How COPY reads a source's JSON into VARIANT: documents, and each element of one that is an array."""
    return (
        f"TYPE = JSON {PLAIN_TEXTS} COMPRESSION = {compression_name(form)} STRIP_OUTER_ARRAY = TRUE "
        "STRIP_NULL_VALUES = FALSE ALLOW_DUPLICATE = FALSE ENABLE_OCTAL = FALSE IGNORE_UTF8_ERRORS = FALSE "
        "REPLACE_INVALID_CHARACTERS = FALSE SKIP_BYTE_ORDER_MARK = TRUE"
    )


def land_json(warehouse: SnowflakeSession, load: FileLoad, files: StagedFiles) -> Landing:
    """Land JSON files: lines as text, arrays as documents."""
    form = load.source.format
    assert isinstance(form, JsonFormat)
    landed = create_landing(warehouse, f'"DOC" VARIANT, "RAW" VARCHAR, {PLACE_TYPES}')
    lines = _line_files(warehouse, load, files, form)
    documents = [name for name in files.names if name not in lines]
    select, on_error = f"SELECT $1, {PLACE_SELECT}", on_error_option(load)
    # COPY gives up the rest of a file at its first bad document, so where each line is one it lands as text.
    unreadable = _land_documents(
        warehouse, (landed, '"RAW"'), files, lines, CopyOptions(raw_lines(form), select, on_error)
    )
    options = CopyOptions(json_format(form), select, on_error)
    try:
        broken = _land_documents(warehouse, (landed, '"DOC"'), files, documents, options)
    except SourceError as error:
        if isinstance(error, (BadFileError, LineTooLong)) or not isinstance(error.__cause__, CopyRefused):
            raise
        raise _broken(error.reason, error.file, error.line) from error
    if broken:
        first = {bad.file: bad for bad in reversed(broken)}
        raise BadFileError.together([_broken(bad.reason, file.uri, bad.line) for file, bad in first.items()])
    query = f'SELECT {PLACE}, "RAW", COALESCE("DOC", TRY_PARSE_JSON("RAW")) AS "DOC" FROM {landed}'
    query += " WHERE \"DOC\" IS NOT NULL OR TRIM(\"RAW\", ' \\t\\r') <> ''"
    levels = parse_root(form.root) if form.root else ()
    if load.on_empty == "fail" and levels and levels[0].steps:
        _require_root(warehouse, files, query, levels[0], form.root or "")
    _check_levels(warehouse, files, query, levels)
    places = [_place(column) for column in load.source.columns]
    odd = dict(reversed([each for place in places for each in _odd_ways(*place)]))  # the first path names it
    landing = document_select(
        load, _below(query, levels), [get_path(*place) for place in places], odd=[*odd.items()][::-1]
    )
    parts, part = (_PARTS, _PART) if lines else ("", "")
    landing = dataclasses.replace(landing, unreadable=tuple(unreadable), has_keys=True, parts=parts, part=part)
    return dataclasses.replace(landing, line="NULL", place=NUMBER) if levels else landing


def _broken(reason: str, uri: str | None, line: int | None) -> BadFileError:
    """The error of a file with a broken document, since COPY has not read the later ones."""
    return BadFileError(
        f"a document {reason}, and what is behind it in the file was not read",
        file=uri,
        line=line,
        hint="Snowflake reads an array, and documents over several lines, up to the first mistake. Correct the file, "
        f"or write a document on each line: then a bad one costs itself alone. {SKIP_FILE}",
    )


def _land_documents(
    warehouse: SnowflakeSession,
    place: tuple[str, str],
    files: StagedFiles,
    names: Sequence[str],
    options: CopyOptions,
) -> list[Unreadable]:
    """Copy documents into a column of a landing table; returns those that could not be read."""
    table, column = place
    copied = copy(warehouse, f"{table} ({column}, {PLACE})", files, names, options)
    return unreadable_records(warehouse, f"{table} ({column})", files, copied, options.form)


_OPENS, _CLOSES = ".*[{[,][ \t\r]*", "[ \t]*[]}][]}, \t\r]*"
_BEGINS, _ENDS = "[ \t]*[[].*[[,][ \t\r]*|[ \t]*[[][ \t\r]*", ".*[]][ \t\r]*"  # an array with an element on each line
_PARTS = " OR ".join(
    f'COUNT_IF(REGEXP_LIKE("RAW", {text(first)})) > 0 AND COUNT_IF(REGEXP_LIKE("RAW", {text(last)})) > 0'
    for first, last in ((_OPENS, _CLOSES), (_BEGINS, _ENDS))
)
_PART = " OR ".join(
    [
        *(
            f'REGEXP_LIKE("RAW", {text(pattern)})'
            for pattern in (
                "[ \t]*[]}][]}, \t\r]*",  # brackets alone
                ".*[]}][ \t]*[[{].*",  # one record behind another
                "[ \t]*[{][^{}]*[}][ \t]*,[ \t]*[[{].*",
                '[ \t]*([^{ \t].*|[{][ \t]*[^" \t].*),[ \t]*[[{].*',
            )
        ),
        """(TRIM("RAW", ' \t') LIKE '{%' AND TRY_PARSE_JSON('[' || RTRIM("RAW", '], \t\r') || ']') IS NOT NULL)""",
    ]
)
_MOST_OF_LINE = 1 << 16  # a first line longer than that is taken for one document, or the beginning of one


def _line_files(warehouse: SnowflakeSession, load: FileLoad, files: StagedFiles, form: JsonFormat) -> list[str]:
    if form.root or form.layout == "array":
        return []
    if form.layout == "lines" or not files.names:
        return list(files.names)
    try:
        starts = first_lines(warehouse, named_format(warehouse, load), files, most=_MOST_OF_LINE)
    except LineTooLong as error:
        hint = "If the file is one array, or one document, set `layout: array`: then its lines are not looked at."
        raise SourceError(error.reason, file=error.file, line=error.line, hint=hint) from error
    others = {file for file, start in starts.items() if layout_of(start) != "lines"}
    return [name for name, file in files.names.items() if file not in others]


def _below(query: str, levels: Sequence[Level]) -> str:
    """The records at the last level; ``UPn``, ``KEYn`` and ``INDEXn`` are what is n records above each."""
    for number, level in enumerate(levels):
        records = get_path('D."DOC"', level.steps)
        records = f"IFF(TYPEOF({records}) = 'NULL_VALUE', NULL, {records})"  # a JSON null is not a record
        listed = f"TO_ARRAY({records})"
        if level.is_map:
            listed = f"IFF(TYPEOF({records}) = 'OBJECT', {records}, {listed})"
        higher = "".join(
            f', D."{name}{up}" AS "{name}{up + 1}"' for up in range(1, number + 1) for name in ("UP", "KEY", "INDEX")
        )
        query = (
            'SELECT D."FILE", D."RAW", ROW_NUMBER() OVER (PARTITION BY D."FILE" ORDER BY D."ROWNO", F.INDEX, F.KEY) '
            'AS "ROWNO", F.VALUE AS "DOC", D."DOC" AS "UP1", TO_VARIANT(F.KEY) AS "KEY1", '
            f'TO_VARIANT(F.INDEX) AS "INDEX1"{higher} FROM ({query}) AS D, LATERAL FLATTEN(INPUT => {listed}) AS F'
        )
    return query


def _require_root(warehouse: SnowflakeSession, files: StagedFiles, query: str, first: Level, root: str) -> None:
    """Refuse a file in which no document has the root.

    Raises:
        BadFileError: With the file.
    """
    held = f"{get_path(DOC, first.steps)} IS NOT NULL"
    grouped = f'SELECT "FILE" FROM ({query}) WHERE "DOC" IS NOT NULL GROUP BY "FILE" HAVING COUNT_IF({held}) = 0'
    for (reported,) in warehouse.execute(f"{grouped} ORDER BY 1 LIMIT 1").rows:
        raise BadFileError(NO_ROOT.format(root), file=files.find(reported).uri, value=root)


def _check_levels(warehouse: SnowflakeSession, files: StagedFiles, query: str, levels: Sequence[Level]) -> None:
    """Refuse documents that have nothing on the way to the root; FLATTEN would pass over them.

    Raises:
        BadFileError: With the file.
    """
    for number, level in enumerate(levels):
        if not level.steps:
            continue
        way = get_path('"DOC"', level.steps[:-1])
        odd = "TYPEOF(\"DOC\") <> 'OBJECT'" + (f" OR {way} IS NULL" if level.steps[:-1] else "")
        held = _below(query, levels[:number])
        rows = warehouse.execute(f'SELECT "FILE" FROM ({held}) WHERE {odd} ORDER BY "FILE" LIMIT 1').rows
        for (reported,) in rows:
            reason = "has something that is not a JSON object, or nothing, on the way to the root"
            raise BadFileError(reason, file=files.find(reported).uri)


def _place(column: Column) -> tuple[str, tuple[str | int, ...]]:
    """SQL of the document in which a column's value is, and the path there."""
    above = parse_above(column.path or "")
    if above is None:
        return DOC, column_path(column)
    name = (above.place or "up").upper()
    return f'"{name}{above.up}"', above.steps


def _odd_ways(document: str, steps: tuple[str | int, ...]) -> Iterator[tuple[str, str]]:
    """SQL that is true where a value is in the way of a path, as ``odd_way`` of ``json_text`` has it, and why."""
    for at in range(1, len(steps)):
        value = get_path(document, steps[:at])
        kind = "ARRAY" if isinstance(steps[at], int) else "OBJECT"
        odd = f"TYPEOF({value}) NOT IN ('{kind}', 'NULL_VALUE') AND TO_JSON({value}) NOT IN ('\"\"', '[]', '{{}}')"
        yield odd, off_the_way(steps, at)
