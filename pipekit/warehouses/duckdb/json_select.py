"""SQL over the records of a JSON file, as DuckDB's own reader sees them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from pipekit.errors import QueryError
from pipekit.files.json_paths import pointer
from pipekit.files.json_text import Path as Steps
from pipekit.files.json_text import Wanted, problem_of
from pipekit.files.records import MOST_BYTES
from pipekit.source import SEMI_STRUCTURED, Source
from pipekit.sql.text import quoted
from pipekit.warehouses.contract import Session
from pipekit.warehouses.duckdb.json_strict import BLANK, has_doubtful_keys
from pipekit.warehouses.duckdb.plan import PLACE, name, paths_text, selected


def _options(paths: Sequence[Path], layout: str) -> str:
    form = "array" if layout == "array" else "newline_delimited"
    return (
        f"{paths_text(paths)}, format = '{form}', compression = 'none', hive_partitioning = false, "
        f"maximum_object_size = {MOST_BYTES}"
    )


def json_reader(paths: Sequence[Path], layout: str, columns: str) -> str:
    """A relation of the records with these columns; numbers in it are floats, unless they are integers."""
    return f"read_json({_options(paths, layout)}, auto_detect = false, records = false, columns = {{{columns}}})"


def written_reader(paths: Sequence[Path], layout: str) -> str:
    """A relation of the records as they are written, in a column ``document``."""
    place = f", {PLACE}" if len(paths) > 1 else ""
    return f"(SELECT json AS document{place} FROM read_json_objects({_options(paths, layout)}))"


def json_select(wanted: Wanted, layout: str, paths: Sequence[Path]) -> str:
    """The values of all records, of columns ``x0`` to ``xn``, and whether a record is broken."""
    several = len(paths) > 1
    if any(not steps for steps, _ in wanted):
        values = ["document" if not steps else _extracted("document", steps, as_text) for steps, as_text in wanted]
        others = any(steps for steps, _ in wanted)
        broken = "document IS NULL OR json_type(document) <> 'OBJECT'" if others else "false"
        broken += _odd_ways([("document", *each) for each in wanted])
        values = [
            f"CASE WHEN json_type({value}) <> 'NULL' THEN {value} END" if value == "document" else value
            for value in values
        ]
        return selected(values, broken, written_reader(paths, layout), several=several)
    keys = list(dict.fromkeys(str(steps[0]) for steps, _ in wanted))
    if len({key.lower() for key in keys}) < len(keys):
        # DuckDB's structs have no two fields that differ in case alone.
        values = [_extracted("document", steps, as_text) for steps, as_text in wanted]
        broken = "document IS NULL OR json_type(document) <> 'OBJECT'"
        broken += _odd_ways([("document", *each) for each in wanted])
        return selected(values, broken, json_reader(paths, layout, "document: 'JSON'"), several=several)
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
    reader = json_reader(paths, layout, f"document: {quoted(f'STRUCT({struct})')}")
    ways = [(f"document.{name(key)}", steps[1:], text) for key, (steps, text) in zip(uses, wanted, strict=True)]
    return selected(values, f"document IS NULL{_odd_ways(ways)}", reader, several=several)


def _odd_ways(ways: Sequence[tuple[str, Steps, bool]]) -> str:
    """SQL that is true where a value is in the way of a path, as ``odd_way`` of ``json_text`` has it.

    Args:
        ways: SQL of the value at which a path begins, the path, and whether its value is wanted as text.
    """
    guarded: dict[str, list[str]] = {}  # what is in the way of one value is in the way of those beside it
    for start, steps, as_text in ways:
        first = 1 if start == "document" else 0  # what the record itself is was looked at
        tests = " OR ".join(_is_odd(start, steps[:at], steps[at]) for at in range(first, len(steps)))
        # DuckDB takes "0" for a place in a list, and 0 for a key of an object.
        always = any(str(step).isdigit() for step in steps)
        guard = "true" if always else f"{_at(start, steps, as_text)} IS NULL"
        if len(steps) == 1 and first == 0 and not always:
            guard += f" AND {start}::VARCHAR NOT LIKE '{{%'"  # an object is never in the way of a key, and is seen soon
        guarded.setdefault(tests, []).append(guard)
    return "".join(
        f" OR CASE WHEN {' AND '.join(guards)} THEN {tests} ELSE false END"
        for tests, guards in guarded.items()
        if tests
    )


def _is_odd(start: str, above: Steps, step: str | int) -> str:
    at = _at(start, above)
    tests = {
        "OBJECT": f"len(json_keys({at})) > 0",
        "ARRAY": f"json_array_length({at}) > 0",
        "VARCHAR": f"json_extract_string({at}, '$') <> ''",
        "NULL": "false",
    }
    tests["ARRAY" if isinstance(step, int) else "OBJECT"] = "false"
    cases = " ".join(f"WHEN '{kind}' THEN {test}" for kind, test in tests.items())
    return f"CASE json_type({at}) {cases} ELSE json_type({at}) IS NOT NULL END"


def _at(document: str, steps: Steps, as_text: bool = False) -> str:
    if not steps and not as_text:
        return document
    return f"json_extract{'_string' if as_text else ''}({document}, {quoted(pointer(steps))})"


def _extracted(document: str, steps: Steps, as_text: bool) -> str:
    if as_text:
        return _at(document, steps, as_text)
    # read_json makes NULL of a JSON null, json_extract does not. A cast from text to JSON would parse it again.
    value = _at(document, steps)
    return f"CASE WHEN {value}::VARCHAR <> 'null' THEN {value} END"


def json_split(wanted: Wanted) -> str:
    """The same of records split in Python, which come with the JSON text of each value."""
    values = (f"f{index}" if as_text else f"f{index}::JSON" for index, (_, as_text) in enumerate(wanted))
    return selected(values, "problem IS NOT NULL", "records", "*")


_SMALL = 1 << 20
_COMMA = rf",{BLANK}[\]}}]"
_NAN = rf"(?:^|[:\[,]){BLANK}-?(?i:nan|inf)"
_NUMBER = rf"[:\[,]{BLANK}-?"
# A float of 64 bits gives back 15 digits, and writes neither zeros at the end nor an exponent as they were.
_LONG = "|".join([rf"[0-9]{{{n}}}\.[0-9]{{{16 - n},}}" for n in range(1, 16)] + [r"[0-9]{16,}\.[0-9]"])
_ENDED = rf"{BLANK}[,\]}}]"
_OTHERWISE = rf"[:\[,]{BLANK}-0{_ENDED}|{_NUMBER}(?:[0-9]+(?:\.[0-9]+)?[eE]|0\.000|[0-9]+\.[0-9]*0{_ENDED}|{_LONG})"


def is_strict(warehouse: Session, source: Source, path: Path, layout: str) -> bool:
    """Whether DuckDB's lenient reader gives what RFC 8259 and the text say.

    That is looked at where digits and documents are kept (``number``, ``variant``, ``object``, ``array``) and in small
    files, where it costs nothing. Elsewhere a declared value is judged by its own text, and the rest is not loaded.
    """
    kinds = {column.type.kind for column in source.columns}
    keeps = bool(kinds & {"number", *SEMI_STRUCTURED, *(("varchar",) if source.format.is_lenient else ())})
    if not keeps and path.stat().st_size > _SMALL:
        return True
    pattern = "|".join([_COMMA, _NAN, *([_OTHERWISE] if keeps else [])])
    reader = written_reader([path], layout)
    try:
        if warehouse.execute(
            f"SELECT 1 FROM {reader} WHERE regexp_matches(document::VARCHAR, {quoted(pattern)}) LIMIT 1"
        ).rows:
            return False
        doubtful = warehouse.read_arrow(
            f"SELECT document::VARCHAR AS document FROM {reader} WHERE {has_doubtful_keys('document::VARCHAR')}"
        )
    except QueryError:
        # A broken record somewhere, which the reader itself refuses; of an array it may be another array behind it.
        return layout != "array"
    return not any(problem_of(each["document"])[1] for batch in doubtful.to_batches() for each in batch.to_pylist())
