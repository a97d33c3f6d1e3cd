"""What each expectation takes, from a file that ``export_schemas`` writes from Great Expectations' own JSON Schemas.

The file holds the part of JSON Schema that those use: type, enum, anyOf, items, properties, required, and bounds.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from datetime import date, datetime
from functools import cache
from importlib import resources
from typing import Any

from pipekit.quality.arguments import described
from pipekit.quality.conditions import parse_text
from pipekit.suggestions import did_you_mean, nearest

Place = tuple[str | int, ...]
_TYPES: dict[str, tuple[type, ...]] = {
    "string": (str,),
    "number": (int, float),
    "integer": (int,),
    "boolean": (bool,),
    "array": (list, tuple),
    "object": (dict,),
    "null": (type(None),),
}
_ONE = {"string": "a text", "integer": "a whole number", "boolean": "true or false", "array": "a list", "null": "null"}


@cache
def catalogue() -> dict[str, Any]:
    """The shipped file: ``great_expectations`` (its version), ``expectations`` by name, ``schemas`` by number."""
    text = resources.files("pipekit.quality").joinpath("expectations.json").read_text(encoding="utf-8")
    data: dict[str, Any] = json.loads(text)
    return data


def is_custom(kind: str) -> bool:
    """Whether the name is ``module:Class``, an expectation of the project's own."""
    return ":" in kind


KEYS = "unexpected_index_column_names"
_OF_ROWS = ("expect_column_value", "expect_column_pair", "expect_compound", "expect_multicolumn", "expect_select_")


def judges_rows(kind: str) -> bool:
    """Whether the expectation is about single rows, so that it can show which ones did not meet it."""
    return is_custom(kind) or kind.startswith(_OF_ROWS)


def suite_schema() -> dict[str, Any]:
    """A JSON Schema of a suite, for editors: a list of one-key mappings, or the path of an exported suite."""
    known = catalogue()
    items = [_item_schema(name, entry, known["schemas"]) for name, entry in known["expectations"].items()]
    custom = {"patternProperties": {":": {"type": "object"}}, "additionalProperties": False}
    own = [item for item in items if item]
    items_schema = {"type": "object", "minProperties": 1, "maxProperties": 1, "anyOf": [*own, custom]}
    listed = {"type": "array", "minItems": 1, "items": items_schema}
    engine = {"enum": ["auto", "great_expectations"]}
    path = {"type": "string", "pattern": r"\.json$"}
    wrapped = {
        "type": "object",
        "properties": {"expectations": {"anyOf": [listed, path]}, "engine": engine},
        "required": ["expectations"],
        "additionalProperties": False,
    }
    schema: dict[str, Any] = described({"anyOf": [listed, path, wrapped]})
    return schema


def _item_schema(name: str, entry: Mapping[str, Any], schemas: list[Any]) -> dict[str, Any] | None:
    if "refused" in entry:
        return None
    arguments = {key: schemas[number] for key, number in entry["arguments"].items()}
    severity = {"enum": ["critical", "warning", "info"]}
    keys = {KEYS: {"type": "array", "items": {"type": "string"}}} if judges_rows(name) else {}
    body = {
        "type": "object",
        "description": entry["description"],
        "properties": {**arguments, "severity": severity, "name": {"type": "string"}, **keys},
        "required": entry["required"],
        "additionalProperties": False,
    }
    if not entry["required"]:
        body = {"description": entry["description"], "anyOf": [body, {"type": "null"}]}
    return {"properties": {name: body}, "required": [name], "additionalProperties": False}


def check_arguments(kind: str, kwargs: Mapping[str, Any]) -> list[tuple[Place, str]]:
    """Every mistake in an expectation's name and arguments, as (path inside ``kwargs``, message)."""
    if is_custom(kind):
        return []
    if unknown := unknown_kind(kind):
        return [((), unknown)]
    entry = catalogue()["expectations"][kind]
    if "refused" in entry:
        return [((), f"{kind} cannot be used here: {entry['refused']}")]
    return [
        *_names(kind, entry, kwargs),
        *_values(entry, kwargs),
        *_beyond_the_schema(kind, kwargs),
        *_nested(entry, kwargs),
    ]


_LONG = r"^expect_(column_values_to_be|column_values_to|column|table|select)_"


def unknown_kind(kind: str) -> str:
    """What is said of an expectation that there is none of, with the nearest one; empty if there is one.

    A short name (``not_null``) is compared with what is left of the long ones.
    """
    known = catalogue()["expectations"]
    if is_custom(kind) or kind in known:
        return ""
    short = {re.sub(_LONG, "", name): name for name in known}
    near = short.get(kind) or nearest(kind, known) or short.get(str(nearest(kind, short)))
    return f"unknown expectation {kind!r}" + (f"; did you mean {near!r}?" if near else "")


def _names(kind: str, entry: Mapping[str, Any], kwargs: Mapping[str, Any]) -> Iterator[tuple[Place, str]]:
    meant = set()
    for key in kwargs:
        if key not in entry["arguments"]:
            near = nearest(str(key), [*entry["arguments"], "severity", "name", KEYS])
            meant.add(near)
            yield (key,), f"unknown argument {key!r} of {kind}" + (f"; did you mean {near!r}?" if near else "")
    for key in entry["required"]:
        if key not in kwargs and key not in meant:
            yield (), f"{kind} needs the argument {key!r}"


def _values(entry: Mapping[str, Any], kwargs: Mapping[str, Any]) -> Iterator[tuple[Place, str]]:
    for key, value in kwargs.items():
        number = entry["arguments"].get(key)
        if number is None or (value is None and key not in entry["required"]):
            continue
        if key in ("column", "column_A", "column_B") and isinstance(value, list):
            yield (key,), f"[{', '.join(map(str, value))}] is a list, and one column is wanted; write an item for each"
            continue
        for place, text in violations(catalogue()["schemas"][number], _closed(value) if key == _QUANTILES else value):
            yield (key, *place), text


def _closed(ranges: Any) -> Any:
    """Ranges of quantiles with a number in the place of an open end or a date, which the schema does not know."""
    found = ranges.get("value_ranges") if isinstance(ranges, dict) else None
    if not isinstance(found, list) or not all(isinstance(ends, list) for ends in found):
        return ranges
    return {**ranges, "value_ranges": [[0 if end is None or _is_dated(end) else end for end in ends] for ends in found]}


def _is_dated(end: Any) -> bool:
    return isinstance(end, str) and _is_time("date-time", end)


_QUANTILES = "quantile_ranges"
_BOUNDED = ("expect_column_values_to_be_between", "expect_column_value_lengths_to_be_between")


def _beyond_the_schema(kind: str, kwargs: Mapping[str, Any]) -> Iterator[tuple[Place, str]]:
    if isinstance(kwargs.get("regex"), str):
        yield from _regex(kwargs["regex"], ("regex",))
    for number, pattern in enumerate(_list(kwargs.get("regex_list"))):
        yield from _regex(pattern, ("regex_list", number))
    for key in ("regex_list", "like_pattern_list", "column_list"):
        if kwargs.get(key) == []:
            yield (key,), "the list is empty"
    misspelt = kwargs.keys() - catalogue()["expectations"][kind]["arguments"].keys()  # it may be the bound
    if kind in _BOUNDED and not misspelt and kwargs.get("min_value") is None and kwargs.get("max_value") is None:
        yield (), f"{kind} needs min_value, max_value, or both"
    if kind == "expect_compound_columns_to_be_unique" and len(_list(kwargs.get("column_list"))) == 1:
        yield ("column_list",), "it needs two columns; for one there is expect_column_values_to_be_unique"
    yield from _bounds_of_values(kwargs.get("min_value"), kwargs.get("max_value"))
    yield from _impossible(kind, kwargs)
    if isinstance(kwargs.get("unexpected_rows_query"), str):
        yield from _query(kwargs["unexpected_rows_query"])
    if isinstance(kwargs.get("row_condition"), str):
        yield from _text_condition(kwargs)


_MEASURES = (
    (re.compile(r".*_row_count_.*"), "a row count", None),
    (re.compile(r".*_column_count_.*"), "a count of columns", None),
    (re.compile(r".*_value_count_.*"), "a count of values", None),
    (re.compile(r".*_lengths_.*"), "a length", None),
    (re.compile(r".*_stdev_.*"), "a standard deviation", None),
    (re.compile(r".*_proportion_.*"), "a proportion", 1),
)


def _impossible(kind: str, kwargs: Mapping[str, Any]) -> Iterator[tuple[Place, str]]:
    """Bounds that what is measured can never be at: such a check says nothing, or always fails."""
    name, most = next(((name, most) for form, name, most in _MEASURES if form.fullmatch(kind)), ("", None))
    for key in ("value", "min_value", "max_value") if name else ():
        value = kwargs.get(key)
        if not isinstance(value, int | float) or isinstance(value, bool):
            continue
        if value < 0:
            yield (key,), f"{value!r}: {name} is never below 0; write 0 or more"
        elif most is not None and value > most:
            share = f"; {value:g} % is {value / 100:g}" if value <= 100 else ""
            yield (key,), f"{value!r}: {name} is never above {most}{share}"


def _bounds_of_values(low: Any, high: Any) -> Iterator[tuple[Place, str]]:
    """No value can be between bounds of which the first is above the second, so they are exchanged or misspelt."""
    numbers = all(isinstance(bound, (int, float)) and not isinstance(bound, bool) for bound in (low, high))
    if (numbers or (_moment(low) and _moment(high))) and (low > high if numbers else _moment(low) > _moment(high)):
        yield ("min_value",), f"{low!r} is above max_value, {high!r}; exchange them"


def _moment(value: Any) -> tuple[int, ...]:
    """A date, or a time without a zone, as what can be compared; empty for anything else."""
    try:
        found = datetime.fromisoformat(value) if isinstance(value, str) else None
    except ValueError:
        return ()
    return tuple(found.timetuple()[:6]) if found and found.tzinfo is None else ()


def _nested(entry: Mapping[str, Any], kwargs: Mapping[str, Any]) -> Iterator[tuple[Place, str]]:
    condition = kwargs.get("row_condition")
    for number, part in enumerate(_list(condition.get("conditions")) if isinstance(condition, dict) else ()):
        inside = {"row_condition": part}
        for place, text in (*_values(entry, inside), *_nested(entry, inside)):
            yield ("row_condition", "conditions", number, *place[1:]), text


def _regex(pattern: Any, place: Place) -> Iterator[tuple[Place, str]]:
    try:
        re.compile(pattern)
    except re.error as error:
        yield place, f"not a regular expression: {error}"
    except TypeError:
        return  # not a text: the schema has said so


def _query(query: str) -> Iterator[tuple[Place, str]]:
    try:
        query.format(batch="batch")
    except (KeyError, IndexError, ValueError):
        hint = "{batch} stands for the table; any other brace is doubled, {{ and }}"
        yield ("unexpected_rows_query",), f"a brace stands for nothing here; {hint}"


def _text_condition(kwargs: Mapping[str, Any]) -> Iterator[tuple[Place, str]]:
    text, parser = kwargs["row_condition"], "condition_parser: great_expectations"
    missing, meant = kwargs.get("condition_parser") is None, _as_condition(text)
    way_out = f"write row_condition: '{meant}'" if meant else 'write it as in row_condition: \'col("region") == "x"\''
    if parse_text(text) is None:
        also = f", {parser}" if missing else ""
        yield ("row_condition",), f"{text!r} is not a condition that great_expectations can read; {way_out}{also}"
    elif missing:
        yield ("row_condition",), f"a condition that is a text needs {parser} in the same braces"


_COMPARISON = r"""\s*"?(?P<column>\w+)"?\s*(?P<operator>[=!<>]=?|<>)\s*(?P<value>-?[\d.]+|'[^']*'|"[^"]*")\s*"""
_NOT_NULL = re.compile(r"\s*(?P<column>\w+)\s+is\s+not\s+null\s*", re.IGNORECASE)


def _as_condition(text: str) -> str:
    """A condition that is written as in SQL or pandas in the notation that is read; empty for any other."""
    if found := re.fullmatch(_COMPARISON, text):
        operator = {"=": "==", "<>": "!="}.get(found["operator"], found["operator"])
        value = found["value"].replace("'", '"')
        return f'col("{found["column"]}") {operator} {value}'
    if found := _NOT_NULL.fullmatch(text):
        return f'col("{found["column"]}").notnull()'
    return ""


def violations(schema: Mapping[str, Any], value: Any) -> list[tuple[Place, str]]:
    """What in ``value`` does not keep the schema; the nearest alternative speaks for an ``anyOf``."""
    if "anyOf" in schema:
        return _any_of(schema["anyOf"], value)
    if "enum" in schema and value not in schema["enum"]:
        wanted = ", ".join(str(item) for item in schema["enum"])
        return [((), f"{value!r} is not one of {wanted}{did_you_mean(str(value), map(str, schema['enum']))}")]
    if "type" in schema and not _is_a(schema["type"], value):
        listed = f"; write [{value}]" if schema["type"] == "array" and isinstance(value, str | int | float) else ""
        return [((), f"{value!r} is not {_kind(schema)}{listed}{_as_share(schema, value)}")]
    return [*_bounds(schema, value), *_inside(schema, value)]


def _any_of(alternatives: list[Mapping[str, Any]], value: Any) -> list[tuple[Place, str]]:
    found = [violations(alternative, value) for alternative in alternatives]
    if any(not problems for problems in found):
        return []
    deep = [problems for problems in found if problems[0][0]]
    fitting = [problems for alternative, problems in zip(alternatives, found, strict=True) if _fits(alternative, value)]
    if len(deep) == 1 or len(fitting) == 1:
        return (deep or fitting)[0]
    kinds = list(dict.fromkeys(_kind(alternative) for alternative in alternatives))
    return [((), f"{value!r} is not {', '.join(kinds[:-1])}{' or ' if kinds[:-1] else ''}{kinds[-1]}")]


def _fits(schema: Mapping[str, Any], value: Any) -> bool:
    return _is_a(schema.get("type"), value) and "format" not in schema


def _is_a(kind: str | None, value: Any) -> bool:
    if kind is None:
        return True
    if isinstance(value, bool):
        return kind == "boolean"
    if kind == "integer" and isinstance(value, float):
        return value.is_integer()
    return isinstance(value, _TYPES[kind])


def _kind(schema: Mapping[str, Any]) -> str:
    if schema.get("format") == "date":
        return "a date (2024-12-31)"
    if schema.get("format") == "date-time":
        return "a time (2024-12-31T23:59:59)"
    if schema.get("type") == "number":
        low, high = schema.get("minimum"), schema.get("maximum")
        return "a number" if low is None else f"a number from {low:g}" + ("" if high is None else f" to {high:g}")
    if schema.get("type") == "object":
        return f"a mapping with {', '.join(schema['properties'])}" if schema.get("properties") else "a mapping"
    return _ONE.get(schema.get("type", ""), "such a value")


def _bounds(schema: Mapping[str, Any], value: Any) -> Iterator[tuple[Place, str]]:
    if ("minimum" in schema and value < schema["minimum"]) or ("maximum" in schema and value > schema["maximum"]):
        yield (), f"{value!r} is not {_kind(schema)}" + _as_share(schema, value)
    if "format" in schema and not _is_time(schema["format"], value):
        yield (), f"{value!r} is not {_kind(schema)}"
    if isinstance(value, (str, list, tuple)):
        least, most = (schema.get(f"{end}{'Length' if isinstance(value, str) else 'Items'}") for end in ("min", "max"))
        if least is not None and len(value) < least:
            yield (), "must not be empty" if least == 1 else f"it needs {least} values"
        if most is not None and len(value) > most:
            yield (), f"it takes at most {most}"


def _as_share(schema: Mapping[str, Any], value: Any) -> str:
    if isinstance(value, str) and re.fullmatch(r"\d{1,3}(\.\d+)?\s*%", value):
        value = float(value.rstrip("% "))
    if not isinstance(value, int | float):
        return ""
    return f"; {value:g} % is {value / 100:g}" if schema.get("maximum") == 1 and 1 < value <= 100 else ""


def _is_time(kind: str, value: str) -> bool:
    try:
        date.fromisoformat(value) if kind == "date" else datetime.fromisoformat(value)
    except ValueError:
        return False
    return True


def _inside(schema: Mapping[str, Any], value: Any) -> Iterator[tuple[Place, str]]:
    for number, item in enumerate(_list(value) if "items" in schema else ()):
        for place, text in violations(schema["items"], item):
            yield (number, *place), text
    if not isinstance(value, dict):
        return
    for key in schema.get("required", ()):
        if key not in value:
            yield (), f"{key!r} is missing"
    for key, part in schema.get("properties", {}).items():
        for place, text in violations(part, value[key]) if key in value else ():
            yield (key, *place), text


def _list(value: Any) -> list[Any]:
    return list(value) if isinstance(value, (list, tuple)) else []
