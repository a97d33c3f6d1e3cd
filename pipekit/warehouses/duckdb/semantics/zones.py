"""Timestamps with an offset of their own: TIMESTAMP_TZ that is made within a query.

DuckDB holds the instant alone. So such a value is a pair here, the clock at its offset and the instant: a day, a part
or a text takes the clock, a comparison or a difference the instant. Where neither is asked for, as in a column of a
result, only UTC is the same on both engines; another offset is refused, or is an error when its text is read.

https://docs.snowflake.com/en/sql-reference/data-types-datetime#timestamp-ltz-timestamp-ntz-timestamp-tz
"""

from __future__ import annotations

import re
from collections.abc import Callable

from pipekit.warehouses.duckdb.semantics.literals import literal_text
from pipekit.warehouses.duckdb.semantics.nanoseconds import read_exactly
from pipekit.warehouses.duckdb.semantics.refusals import refuse
from pipekit.warehouses.duckdb.semantics.typed import Typed, make
from pipekit.warehouses.duckdb.semantics.types import NTZ, TEXT, TZ, Type

ZONED = Type("zoned")
ELSEWHERE = Type("zoned", elsewhere=True)
_OFFSET = re.compile(r"([+-])(\d{1,2}):?(\d\d)?(?: \d{4})?\s*$")
_WAY_OUT = "Write ::timestamp_ntz for the clock there, or convert_timezone('UTC', ...) for the instant."


def pair(clock: Typed, instant: Typed, kind: Type = ZONED) -> Typed:
    """A timestamp with an offset of its own, by its clock and its instant."""
    return make("{1}", kind, instant, clock)


def clock(value: Typed) -> Typed:
    """The clock of a timestamp with an offset of its own; any other value as it is."""
    return Typed(value.node, NTZ) if value.type.kind == "zoned" else value


def instant(value: Typed) -> Typed:
    """The instant of a timestamp with an offset of its own; any other value as it is."""
    return Typed(value.node.expressions[0], TZ) if value.type.kind == "zoned" else value


def in_zone(moment: Typed, zone: Typed) -> Typed:
    """An instant at the clock of a zone."""
    return make("timezone({1}, {0})", ELSEWHERE, moment, zone)


def of_text(text: Typed, *, safe: bool = False) -> Typed:
    """What a text means as TIMESTAMP_TZ: its offset is kept, and it is UTC if it has none."""
    verb, text = "sf_try_" if safe else "sf_", read_exactly(text)
    moment = make(f"{verb}tz({{0}})", TZ, text)
    known = literal_text(text)
    if known is not None and not _is_elsewhere(known):
        return moment
    kind = ZONED if known is None else ELSEWHERE
    return pair(make(f"{verb}ntz({{0}})", NTZ, text), moment, kind)


def _is_elsewhere(text: str) -> bool:
    found = _OFFSET.search(text) if ":" in text else None
    return found is not None and bool(int(found[2]) or int(found[3] or 0))


def moved(value: Typed, move: Callable[[Typed], Typed]) -> Typed:
    """What a rule makes of a moment: of the clock, with the offset kept, where there is one."""
    if value.type.kind != "zoned":
        return move(value)
    before = clock(value)
    after = move(before)
    if after.type != NTZ:
        return after
    return pair(after, make("({0} + ({2} - {1}))", TZ, instant(value), before, after), value.type)


def settled(value: Typed) -> Typed:
    """The value as one that DuckDB can hold: an instant in UTC.

    Raises:
        Refused: It surely has another offset.
    """
    if value.type.kind != "zoned":
        return value
    if value.type.elsewhere:
        raise refuse(
            value.node, "a timestamp_tz that is kept is kept in UTC, and this one has another offset", _WAY_OUT
        )
    return make("sf_in_utc({0}, {1})", TZ, clock(value), instant(value))


def offset_minutes(value: Typed) -> Typed:
    """How far the clock is before UTC, in minutes."""
    return make("date_diff('minute', CAST({1} AS TIMESTAMP), {0})", Type("int", 4), clock(value), instant(value))


def zoned_text(value: Typed) -> Typed:
    """The text with its offset."""
    return make("sf_zoned_text({0}, {1})", TEXT, clock(value), instant(value))
