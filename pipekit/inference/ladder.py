"""Which types the values of a column fit: counted by the very expressions with which a load judges a value."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from pipekit.files.shapes import FALSE, FLOAT, INTEGER, ISO, TRUE, number_shape
from pipekit.files.time_formats import time_format
from pipekit.files.value_formats import number_text
from pipekit.formats.base import FileFormat
from pipekit.source import Column, ColumnType, Source
from pipekit.sql.text import quoted
from pipekit.warehouses.duckdb.casts import Conversion

NULL_WORDS = (
    *("", "NA", "N/A", "n/a", "na", "NULL", "null", "Null", "None", "none", "NaN", "nan"),
    *("\\N", "-", "--", "?", ".", "*", "**", "***", "#N/A", "n.a.", "nil"),
)
"""Words that often stand for NULL. None of them is taken for it without a doubt that is reported."""

_CLOCKS = ("HH24:MI", "HH24:MI:SS", "HH24:MI:SS.FF", "HH12:MI AM", "HH12:MI:SS AM")
_DAYS = ("YYYY/MM/DD", "YYYY.MM.DD", "DD.MM.YYYY", "DD/MM/YYYY", "MM/DD/YYYY", "DD-MM-YYYY", "MM-DD-YYYY")
_NAMED_DAYS = (
    *("DD-MON-YYYY", "DD MON YYYY", "DD/MON/YYYY", "MON DD, YYYY", "MON DD YYYY", "MON-DD-YYYY", "YYYY-MON-DD"),
    *("DD MMMM YYYY", "DD-MMMM-YYYY", "MMMM DD, YYYY", "MMMM DD YYYY", "DY, DD MON YYYY", "DY MON DD YYYY"),
    "YYYYMMDD",
)
_PAIRS = (("DD/MM/YYYY", "MM/DD/YYYY"), ("DD-MM-YYYY", "MM-DD-YYYY"))
AMBIGUOUS = dict((*_PAIRS, *((other, one) for one, other in _PAIRS)))


@dataclass(frozen=True)
class Candidate:
    """A type that a column may have.

    Attributes:
        type: As the pipeline file writes it.
        format: How its values are written, if not in pipekit's way.
    """

    type: str
    format: str | None = None

    def __str__(self) -> str:
        return f"{self.type} ({self.format})" if self.format else self.type

    @property
    def column(self) -> Column:
        """A column of this type."""
        return Column(name="x", type=ColumnType.parse(self.type), format=self.format)


_FEW = 50  # what fits none of so many values does not fit half of all

BOOLEAN, INTEGER_, WHOLE = Candidate("boolean"), Candidate("integer"), Candidate("number(38,0)")
NUMBER, FLOAT_ = Candidate("number(38,12)"), Candidate("float")
DATE, TIME, NTZ, TZ = map(Candidate, ("date", "time", "timestamp_ntz", "timestamp_tz"))
NUMBERS = (INTEGER_, WHOLE, NUMBER, FLOAT_)
WRITTEN = tuple(Candidate("number(38,12)", each) for each in ("percent", "accounting", "trailing_minus"))
COMPACT_DATE = Candidate("date", "YYYYMMDD")
_DATES = tuple(Candidate("date", each) for each in (*_DAYS, *_NAMED_DAYS))
_TIMES = tuple(Candidate("timestamp_ntz", f"{day} {clock}") for day in _DAYS for clock in _CLOCKS)
_ZONED = tuple(Candidate("timestamp_tz", f"{day} {clock} TZHTZM") for day in _DAYS for clock in _CLOCKS[:2])
IN_JSON_TEXT = (DATE, TIME, NTZ, TZ, *_DATES, *_TIMES, *_ZONED)
IN_TEXT = (BOOLEAN, *NUMBERS, *WRITTEN, *IN_JSON_TEXT)

# What else is counted beside a type that fits the first records: another reading of all, or one that is tighter.
_BESIDE = {INTEGER_: (BOOLEAN, COMPACT_DATE), WHOLE: (INTEGER_,), NUMBER: (INTEGER_,), NTZ: (DATE,)}

# What only one reading of a value explains, by the types for which it matters.
_COMMAS = {
    "comma_decimals": r"regexp_matches({t}, '^[^,]*,([0-9]{{1,2}}|[0-9]{{4,}})[^0-9]*$|[.][0-9]{{3}},[0-9]')",
    "point_decimals": r"regexp_matches({t}, '^[^.]*[.]([0-9]{{1,2}}|[0-9]{{4,}})[^0-9]*$|,[0-9]{{3}}[.][0-9]')",
    "comma_groups": r"regexp_matches({t}, '^[^0-9]*[0-9]{{1,3}}(,[0-9]{{3}})+([.][0-9]+)?[^0-9,.]*$')",
    "point_groups": r"regexp_matches({t}, '^[^0-9]*[0-9]{{1,3}}([.][0-9]{{3}})+(,[0-9]+)?[^0-9,.]*$')",
}
_SIGNS = {"plus": "starts_with({t}, '+')", "minus": "starts_with({t}, '-')"}
_EXTRA: Mapping[Candidate, Mapping[str, str]] = {
    BOOLEAN: {"true_false": "lower({t}) IN ('true', 'false')"},
    INTEGER_: _SIGNS,
    WHOLE: _SIGNS,
    FLOAT_: {"float_marks": r"regexp_matches({t}, '[.]|[eE]-')"},
    TZ: {"zoned": r"regexp_matches({t}, '(Z| UTC|[+-][0-9]{{2}}:?([0-9]{{2}})?)$')"},
}


@dataclass
class Counts:
    """What was counted in a column.

    Attributes:
        rows: Records.
        values: Those with a value.
        words: Values that often stand for NULL.
        fits: For each candidate the values, beside such words, that it takes.
        zeros: Numbers that begin with a needless zero.
        exponents: Numbers with an exponent.
        scale: The most and the fewest digits after the point.
        digits: The most digits before it.
        distinct: About how many values differ.
        other: Further counts, by name.
        words_seen: The words that often stand for NULL, each once.
    """

    rows: int = 0
    values: int = 0
    words: int = 0
    fits: dict[Candidate, int] = field(default_factory=dict)
    zeros: int = 0
    exponents: int = 0
    scale: tuple[int, int] = (0, 0)
    digits: int = 0
    distinct: int = 0
    other: dict[str, int] = field(default_factory=dict)
    words_seen: tuple[str, ...] = ()

    @property
    def real(self) -> int:
        """Values that are no such words."""
        return self.values - self.words

    def fit(self, candidate: Candidate) -> bool:
        """Whether every value is good for the candidate."""
        return self.real > 0 and self.fits.get(candidate) == self.real

    def best(self, candidates: Sequence[Candidate]) -> Candidate | None:
        """The first that takes all values."""
        return next((each for each in candidates if self.fit(each)), None)


@dataclass(frozen=True)
class Question:
    """What is asked of a column.

    Attributes:
        value: SQL of the value, as the conversion takes it.
        text: SQL of its text.
        candidates: What may be its type.
        commas: Whether its numbers may hold separators.
    """

    value: str
    text: str
    candidates: Sequence[Candidate]
    commas: bool = False

    @property
    def extra(self) -> Mapping[str, str]:
        """Further counts: a name, and SQL of a condition in which ``{t}`` stands for the text."""
        found = dict(_COMMAS) if self.commas else {}
        for candidate in self.candidates:
            found.update(_EXTRA.get(candidate, {}))
        return found

    @property
    def is_numeric(self) -> bool:
        """Whether one of the candidates is a number."""
        return any(each in NUMBERS or each in WRITTEN for each in self.candidates)


Convert = Callable[[Column, Question, Source], Conversion]


def real_value(text: str) -> str:
    """SQL of whether a text is there, and none of the words for NULL."""
    longest = max(map(len, NULL_WORDS))
    return f"coalesce(strlen({text}) > {longest} OR {text} NOT IN ({', '.join(map(quoted, NULL_WORDS))}), false)"


def expressions(question: Question, contract: Source, convert: Convert, real: str) -> list[str]:
    """Aggregates over a relation; ``counts_of`` reads their values.

    Args:
        question: What is asked.
        contract: The format of the files counts.
        convert: What judges a value.
        real: SQL of ``real_value``.
    """
    text = question.text
    point = f"strpos({text}, {quoted(getattr(contract.format, 'decimal_separator', '.'))})"
    digits = f"rtrim({text}, ' )%-')"
    behind, before = f"strlen({digits}) - {point}", f"{point} - 1"
    zero = f"starts_with(ltrim({text}, '+-'), '0') AND regexp_matches({text}, '^[+-]?0[0-9]')"
    numeric = [
        f"count(*) FILTER ({real} AND {zero})",
        f"count(*) FILTER ({real} AND (contains({text}, 'e') OR contains({text}, 'E')))",
        f"max(CASE WHEN {point} > 0 THEN {behind} ELSE 0 END) FILTER ({real})",
        f"min(CASE WHEN {point} > 0 THEN {behind} ELSE 0 END) FILTER ({real})",
        f"max(CASE WHEN {point} > 0 THEN {before} ELSE strlen({text}) END) FILTER ({real})",
    ]
    found = ["count(*)", f"count({text})", f"count(*) FILTER ({real})", f"approx_count_distinct({text})"]
    found += numeric if question.is_numeric else ["0"] * len(numeric)
    found += [f"count(*) FILTER ({real} AND {condition.format(t=text)})" for condition in question.extra.values()]
    for candidate in question.candidates:
        conversion = convert(candidate.column, question, contract)
        found.append(f"count(*) FILTER ({real} AND {conversion.right} AND ({conversion.value}) IS NOT NULL)")
    return [*found, f"list(DISTINCT {text}) FILTER (NOT {real} AND {text} IS NOT NULL)"]


def counts_of(question: Question, values: Sequence[Any]) -> Counts:
    """The counts, from the values of ``expressions``."""
    *values, words = values
    rows, there, real, distinct, zeros, exponents, most, fewest, digits = (int(each or 0) for each in values[:9])
    behind = 9 + len(question.extra)
    others = dict(zip(question.extra, map(int, values[9:behind]), strict=True))
    fits = dict(zip(question.candidates, map(int, values[behind:]), strict=True))
    seen = tuple(sorted(words or ()))
    return Counts(rows, there, there - real, fits, zeros, exponents, (most, fewest), digits, distinct, others, seen)


def first_look(values: Sequence[str | None], candidates: Sequence[Candidate], form: FileFormat) -> Counts:
    """The same for a few values, by the shape of their texts alone."""
    there = Counter(value for value in values if value is not None)
    real = {value: count for value, count in there.items() if value not in NULL_WORDS}
    few = [*real][:_FEW]
    fits = dict.fromkeys(candidates, 0)
    for each in candidates:
        shape = shape_of(each, form)
        if any(map(shape, few)):
            fits[each] = sum(count for value, count in real.items() if shape(value))
    total = there.total()
    return Counts(len(values), total, total - sum(real.values()), fits)


@cache
def shape_of(candidate: Candidate, form: FileFormat) -> Callable[[str], Any]:
    """Whether a text has the shape of a type's values, as a format writes them."""
    column = candidate.column
    if candidate is BOOLEAN:
        return lambda text: text.lower() in (*TRUE, *FALSE)
    if written := number_text(column, form):
        return re.compile(written.shape).fullmatch
    if candidate.format:
        return re.compile(time_format(candidate.format, column.type.kind).regex).fullmatch
    shapes = {INTEGER_: f"(?:{INTEGER})(?<![0-9]{{20}})", WHOLE: INTEGER, NUMBER: number_shape(12), FLOAT_: FLOAT}
    return re.compile(shapes.get(candidate) or ISO[column.type.kind]).fullmatch


def possible(counts: Counts, candidates: Sequence[Candidate]) -> tuple[Candidate, ...]:
    """Those that may take all or most records, by what a first part of them shows."""
    return tuple(each for each in candidates if not counts.real or counts.fits[each] >= counts.real * 0.5)


def narrowed(counts: Counts, candidates: Sequence[Candidate]) -> tuple[Candidate, ...]:
    """Of these the one that takes all of the first part, and other readings of it; all of them if there is none."""
    best = counts.best(NUMBERS) or counts.best((DATE, TIME, NTZ, TZ))
    if best is None:
        return tuple(candidates)
    beside = (each for each in _BESIDE.get(best, ()) if best is not INTEGER_ or counts.fit(each))
    return (best, *beside)
