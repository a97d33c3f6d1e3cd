"""Verdicts, from measured values, by the rules of Great Expectations.

The rules follow its ``expectation.py`` (``_mostly_success``, ``_validate_metric_value_between``) and its
``expect_*`` modules; ``tests/quality/test_parity.py`` holds the two against each other.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from datetime import date, datetime
from decimal import Decimal
from typing import Any, NamedTuple

from pipekit.errors import short

MAX_SAMPLES = 5
MAX_KEYS = 20
"""Most rows that are shown by their keys."""


class UnevaluableError(Exception):
    """The expectation cannot be judged; the text says why."""


class Verdict(NamedTuple):
    """What came of one expectation.

    Attributes:
        success: Whether it was met.
        observed: What was seen, as Great Expectations reports it; ``None`` for row by row expectations.
        unexpected_count: Values or rows that did not meet it.
        element_count: Rows looked at.
        message: One sentence on a failure.
        samples: A few of the offending values, as text.
        error: Why it could not be judged, if so.
    """

    success: bool
    observed: Any = None
    unexpected_count: int | None = None
    element_count: int | None = None
    message: str | None = None
    samples: tuple[str, ...] = ()
    error: str | None = None


def failed_to_judge(reason: str) -> Verdict:
    """The verdict on an expectation that could not be evaluated."""
    return Verdict(False, error=reason)


def refused_by_engine(message: str) -> Verdict:
    """The same, when a statement failed: the engine's message without its excerpts and lists of candidates."""
    lines = [line for line in message.splitlines() if line.strip() and not line.startswith(("\t", " ", "LINE ", "^"))]
    return failed_to_judge(short(" ".join(line.strip() for line in lines[:2]) or message, 400))


def by_share(rows: int, considered: int, unexpected: int, mostly: float) -> Verdict:
    """Judge a row by row expectation.

    Args:
        rows: Rows looked at.
        considered: Those of them that count: without the NULLs, mostly.
        unexpected: Those that do not meet it.
        mostly: The share of ``considered`` that has to meet it.
    """
    success = considered == 0 or (float(considered) - float(unexpected)) / float(considered) >= mostly
    message = None if success else _share_message(considered, unexpected, mostly)
    return Verdict(success, None, unexpected, rows, message)


def _share_message(considered: int, unexpected: int, mostly: float) -> str:
    share = f"{unexpected:,} of {considered:,} values are unexpected ({100 * unexpected / considered:.4g}%)"
    return share if mostly == 1 else f"{share}; at least {100 * mostly:g}% must be as expected"


def by_range(value: Any, kwargs: Mapping[str, Any]) -> Verdict:
    """Judge an observed value against ``min_value`` and ``max_value``, strictly or not.

    Raises:
        UnevaluableError: The value cannot be compared with the bounds.
    """
    value = plain(value)
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return Verdict(False, None, message="there is no value to compare")
    low, high = limit(kwargs.get("min_value")), limit(kwargs.get("max_value"))
    try:
        value = _like_the_limits(value, low, high)
        success = _within(value, low, high, bool(kwargs.get("strict_min")), bool(kwargs.get("strict_max")))
    except (TypeError, ValueError) as error:
        raise UnevaluableError(f"{value!r} cannot be compared with {_wanted(kwargs)}: {error}") from error
    return Verdict(
        success, plain(value), message=None if success else f"observed {plain(value)}, not {_wanted(kwargs)}"
    )


def limit(value: Any) -> Any:
    """A bound as Great Expectations reads it: a number as a float, a text as a date or, with a time, a datetime.

    Raises:
        UnevaluableError: The text is neither a date nor a time.
    """
    if isinstance(value, str):
        try:
            return date.fromisoformat(value) if len(value) <= 10 else datetime.fromisoformat(value)
        except ValueError as error:
            raise UnevaluableError(f"{value!r} is neither a date nor a time") from error
    return float(value) if isinstance(value, int) else value


def _like_the_limits(value: Any, low: Any, high: Any) -> Any:
    if any(isinstance(end, datetime) for end in (low, high)):
        value = _moment(value)
    if any(isinstance(end, date) for end in (low, high)) and not isinstance(value, date):
        value = _moment(value).date()
    return value


def _moment(value: Any) -> datetime:
    from dateutil.parser import parse  # type: ignore[import-untyped] # what Great Expectations reads texts with

    parsed: datetime = parse(value)
    return parsed


def _within(value: Any, low: Any, high: Any, strict_low: bool, strict_high: bool) -> bool:
    above = low is None or (value > low if strict_low else value >= low)
    below = high is None or (value < high if strict_high else value <= high)
    return bool(above and below)


def _wanted(kwargs: Mapping[str, Any]) -> str:
    low, high = kwargs.get("min_value"), kwargs.get("max_value")
    parts = [
        f"{'more than' if kwargs.get('strict_min') else 'at least'} {low}" if low is not None else "",
        f"{'less than' if kwargs.get('strict_max') else 'at most'} {high}" if high is not None else "",
    ]
    return " and ".join(part for part in parts if part)


def by_quantiles(values: list[Any], ranges: Mapping[str, Any]) -> Verdict:
    """Judge quantiles, each against its own range, with the tolerance that Great Expectations allows.

    Raises:
        UnevaluableError: A quantile is not a number.
    """
    observed = {"quantiles": ranges["quantiles"], "values": [plain(value) for value in values]}
    try:
        success = all(_near(*pair) for pair in zip(values, ranges["value_ranges"], strict=True))
    except (TypeError, ValueError) as error:
        raise UnevaluableError(f"the quantiles cannot be compared: {error}") from error
    wanted = f"quantiles {observed['values']} are not within {ranges['value_ranges']}"
    return Verdict(success, observed, message=None if success else wanted)


def is_dated(ranges: Mapping[str, Any]) -> bool:
    """Whether a bound of the ranges is a date or a time."""
    return any(isinstance(end, str) for ends in ranges["value_ranges"] for end in ends)


def by_dated_quantiles(values: list[Any], ranges: Mapping[str, Any]) -> Verdict:
    """Judge quantiles of dates or times, each against its own range, to the letter.

    Raises:
        UnevaluableError: A quantile cannot be compared with its range.
    """
    pairs = zip(values, ranges["value_ranges"], strict=True)
    judged = [by_range(value, dict(zip(_ENDS, ends, strict=True))) for value, ends in pairs]
    observed = {"quantiles": ranges["quantiles"], "values": [plain(value) for value in values]}
    wanted = f"quantiles {observed['values']} are not within {ranges['value_ranges']}"
    success = all(verdict.success for verdict in judged)
    return Verdict(success, observed, message=None if success else wanted)


_ENDS = ("min_value", "max_value")


def _near(value: Any, ends: list[Any]) -> bool:
    if value is None:
        return False
    low, high = -math.inf if ends[0] is None else ends[0], math.inf if ends[1] is None else ends[1]
    return _is_close(value, low) or _is_close(value, high) or bool(low <= value <= high)


def _is_close(value: Any, end: float) -> bool:
    if not (math.isfinite(value) and math.isfinite(end)):
        return float(value) == end
    return abs(float(value) - float(end)) <= 1e-8 + 1e-4 * abs(float(end))


def plain(value: Any) -> Any:
    """The value as Great Expectations reports it in JSON: decimals as floats, dates and times as ISO text."""
    if isinstance(value, Decimal):
        return float(value)
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, (list, tuple, set)):
        return [plain(item) for item in value]
    if isinstance(value, dict):
        return {key: plain(item) for key, item in value.items()}
    return value


def as_text(value: Any) -> str | None:
    """An observed value as one text, for the log tables."""
    value = plain(value)
    if value is None or isinstance(value, str):
        return value
    return json.dumps(value, ensure_ascii=False, default=str)
