"""What a column looks like that stays text, and the key of the contract that would type it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime

from pipekit.formats.base import FileFormat
from pipekit.inference.ladder import NULL_WORDS, NUMBER, WRITTEN, shape_of
from pipekit.inference.model import Draft

_DIRECTIVES = {"YY": "%y", "MON": "%b", "MM": "%m", "DD": "%d", "HH24": "%H", "MI": "%M", "SS": "%S"}
_DAYS = ("DD.MM.YY", "DD/MM/YY", "MM/DD/YY", "DD-MM-YY", "MM-DD-YY", "YY-MM-DD", "YY/MM/DD", "DD-MON-YY", "DD MON YY")
_TIMES = ("", " HH24:MI", " HH24:MI:SS")
_SIGN = "(?:[$€£¥₹]|(?:USD|EUR|GBP|CHF|JPY|CAD|AUD)\\b)"
_NUMBER = r"[0-9][0-9.,' \u00a0]*"
_MONEY = re.compile(rf"\(?[+-]?(?:{_SIGN} ?[+-]?{_NUMBER}|{_NUMBER} ?{_SIGN})\)?")
_MOST_WAYS = 2
_PLAIN = {"decimal_separator": "."}


def doubt_texts(draft: Draft, values: Sequence[Sequence[str | None]], styles: Sequence[Mapping[str, str]]) -> None:
    """Note for each column that stays text, and of which nothing is said yet, what its first values look like.

    Args:
        draft: The columns, in the order of ``values``.
        values: The first values of each column.
        styles: Ways to write numbers, as keys of a format.
    """
    form = draft.source().format
    for proposal, column in zip(draft.columns, values, strict=True):
        texts = sorted({text for text in column if text and text not in NULL_WORDS})
        if proposal.type == "varchar" and not proposal.doubts and texts and any(map(str.isdigit, "".join(texts))):
            said = _looks(texts, form, styles)
            proposal.doubts += [f"all look like {texts[0]!r}: kept varchar; {said}"] if said else []


def _looks(texts: Sequence[str], form: FileFormat, styles: Sequence[Mapping[str, str]]) -> str:
    """The way to a type for values that all look alike; empty if they do not."""
    if all(map(_MONEY.fullmatch, texts)):
        return (
            "no key reads a sign of currency; take it out in SQL, as in"
            " replace(replace(amount, '$'), ',')::number(38,2)"
        )
    if found := [each for each in _dates() if all(_is_time(text, each) for text in texts)]:
        ways = (f"`{{type: {'timestamp_ntz' if ':' in each else 'date'}, format: {each}}}`" for each in found)
        return f"{' or '.join(ways)} would take them; of the years only two digits are there"
    fitting = [keys for each in styles if _are_numbers(texts, form, keys := each or _PLAIN)]
    signs = "".join(texts)
    fitting = [keys for keys in fitting if any(sign in signs for sign in keys.values())]
    if not fitting:
        return ""
    ways = (", ".join(f'`{key}: "{sign}"`' for key, sign in keys.items()) for keys in fitting[:_MOST_WAYS])
    return f"numbers, if `format` said {', or '.join(ways)}, which is then so in every column"


def _dates() -> Iterator[str]:
    return (day + time for day in _DAYS for time in _TIMES)


def _is_time(text: str, written: str) -> bool:
    try:
        datetime.strptime(text, re.sub("|".join(_DIRECTIVES), lambda found: _DIRECTIVES[found[0]], written))
    except ValueError:
        return False
    return True


def _are_numbers(texts: Sequence[str], form: FileFormat, keys: Mapping[str, str]) -> bool:
    plain = {"decimal_separator": ".", "thousands_separator": None}
    styled = form.model_copy(update={**plain, **keys})
    return any(all(map(shape_of(each, styled), texts)) for each in (NUMBER, *WRITTEN))
