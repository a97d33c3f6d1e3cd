"""The run's clock in values of a pipeline file: ``{{ as_of | minus('1d') | date('YYYY-MM-DD') }}``.

A file is read before a run has its clock, and a step's definition must not change with it. So a mark is in the
value until the step is run: ``at_time`` puts the time in its place.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, NoReturn

# Noncharacters of Unicode, so text does not contain them.
_OPEN, _CLOSE = "\ufdd6", "\ufdd7"
_MARK = re.compile(f"{_OPEN}(-?\\d+)\\|([^{_CLOSE}]*){_CLOSE}")
_LENGTH = re.compile(r"\s*(\d+)\s*([smhdw])\s*")
_LONGEST = 1000 * 366 * 86400  # a thousand years, in seconds
_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400, "w": 7 * 86400}
_MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
_PARTS: Mapping[str, Callable[[datetime], str]] = {
    "YYYY": lambda at: f"{at:%Y}".zfill(4),
    "YY": lambda at: f"{at.year % 100:02d}",
    "MON": lambda at: _MONTHS[at.month - 1],
    "MM": lambda at: f"{at.month:02d}",
    "DD": lambda at: f"{at.day:02d}",
    "HH24": lambda at: f"{at.hour:02d}",
    "MI": lambda at: f"{at.minute:02d}",
    "SS": lambda at: f"{at.second:02d}",
}
_PART = re.compile(r'"([^"]*)"|(' + "|".join(_PARTS) + r")|([^A-Za-z\"])")
_USE = "it is alone in its braces, with | date('YYYY-MM-DD'), | plus('1d') and | minus('1d')"


class Moment(str):
    """A time as text, with its offset: what ``{{ as_of }}`` is in a value that is nothing else."""

    __slots__ = ()

    def without_zone(self) -> str:
        """The same time in UTC, as a column without a zone holds it."""
        return datetime.fromisoformat(self).astimezone(UTC).replace(tzinfo=None).isoformat()


@dataclass(frozen=True, eq=False)
class Clock:
    """What ``as_of`` is in the values of a file. It takes three filters; everything else is an error."""

    _seconds: int = 0
    _form: str = ""

    def marked(self) -> str:
        """The mark that stands for it in a text."""
        return f"{_OPEN}{self._seconds}|{self._form}{_CLOSE}"

    def dated(self, form: str) -> Clock:
        """The filter ``date``: as text in Snowflake's notation."""
        if not isinstance(form, str) or not form or _PART.sub("", form):
            parts = ", ".join(_PARTS)
            raise ValueError(f"date({form!r}): a format is made of {parts}, signs, and text in double quotes")
        return Clock(self._seconds, form)

    def moved(self, length: str, sign: int) -> Clock:
        """The filters ``plus`` and ``minus``."""
        match = _LENGTH.fullmatch(length) if isinstance(length, str) else None
        if match is None:
            raise ValueError(f"{length!r} is not a length of time; write 30m, 12h, 1d or 2w")
        if self._form:
            raise ValueError("plus and minus come before date: as_of | minus('1d') | date('YYYY-MM-DD')")
        if len(match[1]) > len(str(_LONGEST)) or int(match[1]) * _SECONDS[match[2]] > _LONGEST:
            raise ValueError(f"{length!r} is too long; the clock is moved by a thousand years at most")
        return Clock(self._seconds + sign * int(match[1]) * _SECONDS[match[2]], "")

    def __getattr__(self, name: str) -> NoReturn:
        if name.startswith("__"):  # what Python itself looks for
            raise AttributeError(name)
        self._refuse()

    def _refuse(self, *_: object) -> NoReturn:
        raise TypeError(f"as_of is the clock of a run that has none yet: {_USE}")

    __str__ = __bool__ = __eq__ = __hash__ = __iter__ = _refuse


def _clock(value: Any, name: str) -> Clock:
    if not isinstance(value, Clock):
        raise TypeError(f"the filter {name} is for the run's clock: as_of | {name}(...)")
    return value


FILTERS: Mapping[str, Callable[..., Any]] = {
    "date": lambda value, form="": _clock(value, "date").dated(form),
    "plus": lambda value, length="": _clock(value, "plus").moved(length, 1),
    "minus": lambda value, length="": _clock(value, "minus").moved(length, -1),
}


def holds_clock(value: Any) -> bool:
    """Whether the run's clock is somewhere in a value."""
    if isinstance(value, Mapping):
        return any(map(holds_clock, value.values()))
    if isinstance(value, (list, tuple)):
        return any(map(holds_clock, value))
    return isinstance(value, str) and _OPEN in value


def holds_bare_clock(text: str) -> bool:
    """Whether the clock is in a text without ``date``, so that it is written with colons and an offset."""
    return any(not form for _, form in _MARK.findall(text))


def at_time(value: Any, as_of: datetime) -> Any:
    """The value with the run's clock in the place of its marks."""
    if isinstance(value, Mapping):
        return {key: at_time(item, as_of) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return type(value)(at_time(item, as_of) for item in value)
    if not isinstance(value, str) or _OPEN not in value:
        return value
    whole = _MARK.fullmatch(value)
    text = _MARK.sub(lambda found: _text(found, as_of), value)
    return Moment(text) if whole and not whole[2] else text


def fixed_part(text: str) -> str:
    """What is before the clock in a text."""
    return text.partition(_OPEN)[0]


def _text(found: re.Match[str], as_of: datetime) -> str:
    at = as_of.astimezone(UTC) + timedelta(seconds=int(found[1]))
    if not found[2]:
        return at.isoformat()
    return _PART.sub(lambda part: _PARTS[part[2]](at) if part[2] else part[1] or part[3] or "", found[2])
