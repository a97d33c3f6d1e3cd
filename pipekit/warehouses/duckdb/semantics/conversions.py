"""TO_DATE, TO_TIMESTAMP, TO_TIME and TO_CHAR, with and without formats.

https://docs.snowflake.com/en/sql-reference/functions-conversion
"""

from __future__ import annotations

from pipekit.warehouses.duckdb.semantics import casts, zones
from pipekit.warehouses.duckdb.semantics.formats import pattern_to_read, write_time
from pipekit.warehouses.duckdb.semantics.nanoseconds import microseconds, read_exactly
from pipekit.warehouses.duckdb.semantics.number_formats import number_text
from pipekit.warehouses.duckdb.semantics.rules import Call, Typed, constant, function, make
from pipekit.warehouses.duckdb.semantics.types import DATE, HUGE, INT, NTZ, TEXT, TIME, TZ

_RESULTS = {"date": DATE, "time": TIME, "ntz": NTZ, "tz": TZ, "zoned": TZ}
_NAMES = {
    "TO_DATE": "date",
    "DATE": "date",
    "TO_TIME": "time",
    "TIME": "time",
    "TO_TIMESTAMP": "ntz",
    "TO_TIMESTAMP_NTZ": "ntz",
    "TO_TIMESTAMP_LTZ": "tz",
    "TO_TIMESTAMP_TZ": "zoned",
}


def _format(call: Call, index: int) -> str | None:
    if index >= len(call):
        return None
    value = constant(call.raw[index])
    if not isinstance(value, str):
        raise call.refuse("a format that is not a constant is not known")
    return None if value.upper() == "AUTO" else value


def _conversion(call: Call) -> Typed:
    name = call.name.removeprefix("TRY_")
    kind, safe = _NAMES[name], call.name.startswith("TRY_")
    value = call.arg(0)
    second = constant(call.raw[1]) if len(call) > 1 else None
    if isinstance(second, int):
        return _from_epoch(value, second, kind)
    form = _format(call, 1)
    if form is None:
        if safe and kind == "zoned":
            return zones.of_text(casts.to_text(value), safe=True)
        if safe:
            text = casts.to_text(value)
            return make(f"sf_try_{kind}({{0}})", _RESULTS[kind], text if kind == "date" else read_exactly(text))
        return casts.to_kind(value, kind)
    return _formatted(casts.to_text(value), form, kind, safe)


def _from_epoch(value: Typed, scale: int, kind: str) -> Typed:
    number = casts.to_number(value)
    if scale > 6:
        nanos = number if scale == 9 else make(f"({{0}} * {10 ** (9 - scale)}::HUGEINT)", HUGE, number)
        micros = microseconds(nanos, value.node)
    elif number.type.kind == "int" and scale <= 6:
        micros = make(f"(CAST({{0}} AS BIGINT) * {10 ** (6 - scale)})", INT, number)
    else:
        micros = make(f"sf_of_seconds({{0}} / {10**scale}::BIGINT)" if scale else "sf_of_seconds({0})", INT, number)
    return casts.to_kind(make("make_timestamp({0})", NTZ, micros), kind)


def _formatted(value: Typed, form: str, kind: str, safe: bool) -> Typed:
    pattern = pattern_to_read(form)
    if "%n" in pattern:
        value, pattern = make("sf_micros({0})", TEXT, read_exactly(value)), pattern.replace("%n", "%f")
    name = "try_strptime" if safe else "strptime"
    if "%z" in pattern:
        moment = make(f"{name}({{0}}, '{pattern}')", TZ, value)
        offset = r"regexp_extract({1}, '([+-][0-9][0-9]):?([0-9][0-9])?$'"
        hours, minutes = (f"coalesce(TRY_CAST({offset}, {group}) AS INTEGER), 0)" for group in (1, 2))
        sign = f"CASE WHEN starts_with({offset}, 1), '-') THEN -1 ELSE 1 END"
        shift = f"to_minutes({hours} * 60 + {sign} * {minutes})"
        local = make(f"(CAST({{0}} AS TIMESTAMP) + {shift})", NTZ, moment, value)
        read = moment if kind == "tz" else zones.pair(local, moment)
        return read if kind in ("tz", "zoned") else casts.to_kind(read, kind)
    return casts.to_kind(make(f"CAST({name}({{0}}, '{pattern}') AS TIMESTAMP)", NTZ, value), kind)


for _name in _NAMES:
    function(_name, zoned=True)(_conversion)
    function(f"TRY_{_name}", zoned=True)(_conversion)


@function("TO_CHAR", "TO_VARCHAR", zoned=True)
def to_char(call: Call) -> Typed:
    """https://docs.snowflake.com/en/sql-reference/functions/to_char"""
    value = call.arg(0)
    if len(call) < 2:
        return casts.to_text(value)
    form = _format(call, 1)
    if form is None:
        return casts.to_text(value)
    if value.type.kind == "binary":
        return _binary_text(call, value, form)
    if value.type.is_number or (value.type.kind == "unknown" and set(form.upper()) & set("90")):
        return number_text(call, value, form)
    if value.type.kind == "zoned":
        return write_time(zones.clock(value), form, zones.offset_minutes(value))
    if value.type.kind not in ("date", "ntz", "tz", "time", "unknown"):
        value = casts.to_ntz(value)
    if value.type.kind == "time":
        value = make("(DATE '1970-01-01' + {0})", NTZ, value)
    return write_time(value, form)


def _binary_text(call: Call, value: Typed, form: str) -> Typed:
    text = {"utf-8": "decode({0})", "utf8": "decode({0})", "base64": "to_base64({0})"}.get(form.lower(), "hex({0})")
    return make(text, TEXT, value)
