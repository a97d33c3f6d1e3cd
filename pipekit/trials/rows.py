"""Rows that are expected, held against those that are there; the difference in words, row by row."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import date, datetime, time
from decimal import Decimal, InvalidOperation
from typing import Any

from pipekit.errors import short
from pipekit.suggestions import did_you_mean

Row = Mapping[str, Any]
_MOST = 10


def differences(table: str, expected: Sequence[Row], found: Sequence[Row]) -> Iterator[str]:
    """What is wrong, as lines; none if all rows match.

    Args:
        table: Its name, for the message.
        expected: All rows that should be there; each names the columns that matter.
        found: All rows that are there.
    """
    missing, left = unmatched(expected, found)
    if not missing and not left:
        return
    names = list(dict.fromkeys(name for row in expected for name in row))
    yield f"{table}: {len(missing)} of {len(expected)} expected rows not found, {len(left)} rows not expected"
    yield from (f"  {line}" for line in _not_there(names, found))
    pairs, left = _paired(missing, left)
    for row, other in pairs[:_MOST]:
        yield f"  - {_shown(row, row)}"
        if other is not None:
            yield f"  + {_shown(other, names)}"
            yield from (f"      {line}" for line in _cells(row, other))
    yield from (f"  + {_shown(row, names or row)}" for row in left[:_MOST])
    if (more := max(len(pairs) - _MOST, 0) + max(len(left) - _MOST, 0)) > 0:
        yield f"  and {more} more"


def unmatched(expected: Sequence[Row], found: Sequence[Row]) -> tuple[list[Row], list[Row]]:
    """The expected rows that are not found, and those found that are not expected."""
    left = list(found)
    missing: list[Row] = []
    for row in sorted(expected, key=len, reverse=True):  # those that say most choose first
        match = next((other for other in left if _fits(row, other)), None)
        if match is None:
            missing.append(row)
        else:
            left.remove(match)
    return missing, left


def _paired(missing: Sequence[Row], left: list[Row]) -> tuple[list[tuple[Row, Row | None]], list[Row]]:
    """Each missing row with the one that is most like it, of those that are not expected."""
    rest, pairs = list(left), []
    for row in missing:
        alike = [(sum(_same(value, _cell(other, name)) for name, value in row.items()), other) for other in rest]
        best = max(alike, key=lambda each: each[0], default=(0, None))
        nearest = best[1] if best[0] or len(missing) == len(left) == 1 else None
        if nearest is not None:
            rest.remove(nearest)
        pairs.append((row, nearest))
    return pairs, rest


def _not_there(names: Sequence[str], found: Sequence[Row]) -> Iterator[str]:
    """Columns that are expected, of a table that has rows and none of them."""
    for name in names if found else ():
        if name.lower() not in found[0]:
            yield f"there is no column {name!r}{did_you_mean(name, found[0])}"


def _cells(row: Row, other: Row) -> Iterator[str]:
    for name, value in row.items():
        if name.lower() in other and not _same(value, _cell(other, name)):
            yield f"{name}: expected {_text(value)}, found {_text(_cell(other, name))}"


def _fits(row: Row, other: Row) -> bool:
    return all(name.lower() in other and _same(value, _cell(other, name)) for name, value in row.items())


def _cell(row: Row, name: str) -> Any:
    return row.get(name.lower())


def _same(expected: Any, found: Any) -> bool:
    """Whether a value of the file means the one that was found: YAML has no dates and no decimals."""
    if expected is None or found is None:
        return expected is found
    if isinstance(found, bool) or isinstance(expected, bool):
        return expected is found
    if isinstance(found, (int, float, Decimal)):
        return _number(expected) == _number(found) or _close(expected, found)
    if isinstance(found, (date, datetime, time)):
        return _moment(str(expected)) == _moment(found.isoformat())
    return bool(expected == found or str(expected) == str(found))


def _number(value: Any) -> Decimal | None:
    try:
        return Decimal(str(value))
    except InvalidOperation:
        return None


def _close(expected: Any, found: Any) -> bool:
    """Whether floating-point numbers are the same but for their last digits."""
    if not (isinstance(found, float) and isinstance(expected, (int, float))):
        return False
    return abs(found - expected) <= 1e-9 * max(abs(found), abs(expected))


def _moment(text: str) -> str | datetime:
    """A time without what may be left out: the zone UTC, midnight, the ``T``."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return text
    return moment.replace(tzinfo=None) - (moment.utcoffset() or datetime.min - datetime.min)


def _shown(row: Row, names: Sequence[str] | Row) -> str:
    return short("{" + ", ".join(f"{name}: {_text(_cell_or(row, name))}" for name in names) + "}", 300)


def _cell_or(row: Row, name: str) -> Any:
    return row[name] if name in row else row.get(name.lower())


def _text(value: Any) -> str:
    if value is None:
        return "NULL"
    if isinstance(value, (date, datetime, time)):
        return value.isoformat()
    return repr(value) if isinstance(value, str) else str(value)
