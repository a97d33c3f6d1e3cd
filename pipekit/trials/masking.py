"""Values in place of real ones: of the same type and form, one for each value, and different for different values.

What decides which rows there are is kept: texts that the step's SQL names, and on which side of its numbers and dates a
value is. Which value is put in place of another depends on a key, which is not in the project's files.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import date, datetime, time
from decimal import Decimal, InvalidOperation
from typing import Any

_WORDS = frozenset({"", "true", "false", "yes", "no", "null"})
_NUMBER = re.compile(r"-?(?:0|[1-9]\d*)(?:\.\d+)?")
_MOMENT = re.compile(
    r"(\d{4}-\d\d)-(\d\d)((?:[t ]\d\d:\d\d(?::\d\d(?:\.\d+)?)?(?: ?(?:z|utc|[+-]\d\d(?::?\d\d(?::?\d\d)?)?))?)?)",
    re.ASCII | re.IGNORECASE,
)
_FIELD = re.compile(r"[^\W\d][\w .$-]*")
_CLOCK = re.compile(r"\d\d(?=:)|(?<=:)\d\d|(?<=\.)\d+")
_SCHEME = re.compile(r"[a-z][a-z0-9+.-]*://")
_HEX = re.compile(r"[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}|[0-9a-f]{32,}")
_QUOTED = re.compile(r"'((?:[^'\n]|'')*)'")
_NUMERAL = re.compile(r"(?<![\w.])\d+(?:\.\d+)?(?![\w.])")
_REGEX = re.compile(r"[\\^$*+?\[(|]")  # signs that a text which SQL names has as a regular expression
_TRIES = 500
_LARGEST = 2**63 - 1
_LETTERS, _OTHER_LETTERS, _HEX_DIGITS = "abcdefghijklmnopqrstuvwxyz", "àáâäåçèéêëìíîïñòóôöøùúûü", "0123456789abcdef"


@dataclass(frozen=True)
class Decisive:
    """What SQL compares values with.

    Attributes:
        words: Texts, in lower case.
        parts: Parts of texts that it looks for (``LIKE '%@example.com'``), in lower case, the longest first.
        patterns: What its patterns match, those of LIKE (``'y%'``) as wholes and regular expressions anywhere.
        numbers: Numbers.
        days: Dates, ISO.
    """

    words: frozenset[str] = frozenset()
    parts: tuple[str, ...] = ()
    patterns: tuple[Callable[[str], Any], ...] = ()
    numbers: tuple[Decimal, ...] = ()
    days: tuple[str, ...] = ()

    @classmethod
    def of(cls, texts: Iterable[str], values: Iterable[Any] = ()) -> Decisive:
        """What is in SQL, and in arguments of checks and steps."""
        found = list(texts)
        words = {each.replace("''", "'").lower() for text in found for each in _QUOTED.findall(text)}
        numbers = {Decimal(each) for text in found for each in _NUMERAL.findall(_QUOTED.sub("", text))}
        numbers |= {Decimal(word) for word in words if _NUMBER.fullmatch(word)}
        for value in values:
            if isinstance(value, str):
                words.add(value.lower())
            elif isinstance(value, (int, float, Decimal)) and not isinstance(value, bool):
                numbers.add(Decimal(str(value)))
        parts = {part for word in words for part in word.split("%") if len(part) > 1 and any(map(str.isalnum, part))}
        days = {word[:10] for word in words if _MOMENT.fullmatch(word)}
        longest_first = tuple(sorted(parts, key=lambda each: (-len(each), each)))
        return cls(frozenset(words), longest_first, (*_patterns(words),), (*numbers,), (*days,))

    def matches(self, text: str) -> list[bool]:
        """Which of the patterns a text matches."""
        return [bool(pattern(text)) for pattern in self.patterns]


def _patterns(words: Iterable[str]) -> Iterator[Callable[[str], Any]]:
    for word in sorted(words):
        if re.search("[%_]", word) and word.strip("%_"):
            signs = {"%": ".*", "_": "."}
            yield re.compile("".join(signs.get(sign, re.escape(sign)) for sign in word), re.DOTALL).fullmatch
        elif _REGEX.search(word):
            with suppress(re.error):
                yield re.compile(word).search


class Masker:
    """Gives each value one that stands for it, in all tables alike.

    Args:
        key: What the choice depends on.
        decisive: What the values are compared with.
    """

    def __init__(self, key: bytes, decisive: Decisive) -> None:
        self._key = key
        self._decisive = {False: decisive, True: Decisive()}
        self._given: dict[tuple[str, bool], str] = {}
        self._taken: set[tuple[bool, str]] = set()

    def column(self, values: Sequence[Any], *, secret: bool = False) -> list[Any]:
        """The values of a column, masked.

        Args:
            values: The values; numbers that are only 0 and 1 are a mark, and stay.
            secret: Whether not even a value that the SQL names stays.
        """
        there = {value for value in values if isinstance(value, (int, float, Decimal))}
        if not secret and there <= {0, 1}:
            return [value if value in (0, 1) else self._value(value, secret) for value in values]
        return [self._value(value, secret) for value in values]

    def learn(self, columns: Iterable[tuple[Sequence[Any], bool]]) -> None:
        """Choose for all values at once, in an order that does not depend on that of rows."""
        found = {(secret, str(type(value)), str(value)): value for values, secret in columns for value in values}
        for (secret, *_), value in sorted(found.items(), key=lambda each: each[0]):
            self._value(value, secret)

    def _value(self, value: Any, secret: bool) -> Any:  # noqa: PLR0911 - one line a type
        if value is None or isinstance(value, bool):
            return value
        if isinstance(value, (int, float, Decimal)):
            return self._numeric(value, secret)
        if isinstance(value, (datetime, date)):
            return type(value).fromisoformat(self._one(value.isoformat(), secret))
        if isinstance(value, time):
            return time.fromisoformat(self._clock(value.isoformat(), self._stream(value.isoformat(), 0)))
        if isinstance(value, Mapping):
            return {self._field(name, secret): self._value(each, secret) for name, each in value.items()}
        if isinstance(value, (list, tuple)):
            return [self._value(each, secret) for each in value]
        return self._text(str(value), secret)

    def _field(self, name: Any, secret: bool) -> Any:
        """The name of a field, which SQL reads; what cannot be one, such as an address or a number, is a value."""
        return name if isinstance(name, str) and _FIELD.fullmatch(name) else self._value(name, secret)

    def _numeric(self, value: float | Decimal, secret: bool) -> Any:
        """A number of the same type; 5 and 5.00 stay equal."""
        written = format(Decimal(repr(value)) if isinstance(value, float) else Decimal(value), "f")
        if not _NUMBER.fullmatch(written):
            return value  # NaN, infinity
        short = written.rstrip("0").rstrip(".") if "." in written else written
        return type(value)(self._one(short, secret) + written[len(short) :])

    def _text(self, text: str, secret: bool) -> str:
        if text[:1] in ("[", "{"):
            with suppress(ValueError):
                return json.dumps(self._value(json.loads(text, parse_float=Decimal), secret), default=_plain_number)
        core = text.strip()
        folded = core.lower()
        if len(folded) != len(core):
            folded = core
        masked = self._one(folded, secret)
        if len(masked) == len(core):  # in the case of the original
            pairs = zip(masked, core, strict=True)
            masked = "".join(new.upper() if old.isupper() and len(new.upper()) == 1 else new for new, old in pairs)
        return text.replace(core, masked, 1) if core else text

    def _one(self, text: str, secret: bool) -> str:
        """What stands for a text in lower case, or for a number or time as text."""
        if text in _WORDS or text in self._decisive[secret].words:
            return text
        if (text, secret) not in self._given:
            make, fits = self._way(text, secret)
            self._given[text, secret] = found = self._free(text, secret, make, fits)
            self._taken.add((secret, found))
        return self._given[text, secret]

    def _free(self, text: str, secret: bool, make: Callable[[Stream], str], fits: Callable[[str], bool]) -> str:
        """The first proposal that is free, fits, and is another text; at last the text itself, where there is none."""
        for number in range(_TRIES * 2):
            found = make(self._stream(text, number))
            if (secret, found) not in self._taken and fits(found) and (found != text or number >= _TRIES):
                return found
        return text if not secret else make(self._stream(text, 0))

    def _stream(self, text: str, number: int) -> Stream:
        seed = self._key + number.to_bytes(4, "big") + text.encode(errors="surrogatepass")
        return Stream(hashlib.shake_256(seed).digest(4 * len(text) + 16))

    def _way(self, text: str, secret: bool) -> tuple[Callable[[Stream], str], Callable[[str], bool]]:
        """How a text is masked, and what the result must keep."""
        decisive = self._decisive[secret]
        if _NUMBER.fullmatch(text):
            sides = [_side(text, each) for each in decisive.numbers]
            return (
                lambda stream: _number(text, stream),
                lambda found: _fits_in_64_bits(text, found) and [_side(found, n) for n in decisive.numbers] == sides,
            )
        moment = _MOMENT.fullmatch(text)
        if moment is not None and moment[3]:  # times of one day stay on one day, which may be a group
            day = self._one(moment[0][:10], secret)
            return lambda stream: day + self._clock(moment[3], stream), lambda found: True
        if moment is not None:
            before = [_order(moment[0][:10], day) for day in decisive.days]
            return (
                lambda stream: f"{moment[1]}-{stream.below(28) + 1:02}",
                lambda found: [_order(found[:10], day) for day in decisive.days] == before,
            )
        kept = _kept(text, decisive.parts)
        digits = _HEX_DIGITS if _HEX.fullmatch(text) else None
        matches = decisive.matches(text)
        return (
            lambda stream: _letters(text, kept, stream, digits),
            lambda found: found not in decisive.words and decisive.matches(found) == matches,
        )

    def _clock(self, text: str, stream: Stream) -> str:
        """A time of the day; midnight and the zone stay."""
        zone = re.search(r"(?: ?(?:z|utc|[+-]\d\d(?::?\d\d(?::?\d\d)?)?))$", text, re.IGNORECASE)
        day, rest = (text[: zone.start()], zone[0]) if zone else (text, "")
        most = iter((24, 60, 60))
        if not re.search("[1-9]", day):
            return text

        def other(found: re.Match[str]) -> str:
            if len(found[0]) == 2 and not day[: found.start()].endswith("."):
                return f"{stream.below(next(most, 60)):02}"
            return "".join(str(stream.below(10)) for _ in found[0])

        return _CLOCK.sub(other, day) + rest


class Stream:
    """Numbers that follow from a key and a text."""

    def __init__(self, data: bytes) -> None:
        self._data = iter(data)

    def below(self, most: int) -> int:
        """A number from 0."""
        return int.from_bytes([next(self._data, 7), next(self._data, 13)], "big") % most


def _side(text: str, number: Decimal) -> int:
    value = Decimal(text)
    return (value > number) - (value < number)


def _order(day: str, other: str) -> int:
    return (day > other) - (day < other)


def _fits_in_64_bits(text: str, found: str) -> bool:
    with suppress(InvalidOperation):
        return abs(Decimal(found)) <= _LARGEST or abs(Decimal(text)) > _LARGEST
    return False


def _number(text: str, stream: Stream) -> str:
    """As many digits before and after the point; 0 stays."""
    whole, point, behind = text.partition(".")
    digits = whole.lstrip("-")
    if digits != "0":
        digits = str(stream.below(9) + 1) + "".join(str(stream.below(10)) for _ in digits[1:])
    if behind.strip("0"):
        behind = "".join(str(stream.below(10)) for _ in behind[1:]) + str(stream.below(9) + 1)
    return "-" * whole.startswith("-") + digits + point + behind


def _kept(text: str, parts: Sequence[str]) -> frozenset[int]:
    """The places of a text that stay: what the SQL looks for, and the scheme of a URI."""
    spans = [found.span() for found in [_SCHEME.match(text)] if found]
    spans += [(found.start(), found.end()) for part in parts for found in re.finditer(re.escape(part), text)]
    return frozenset(place for start, end in spans for place in range(start, end))


def _letters(text: str, kept: frozenset[int], stream: Stream, digits: str | None) -> str:
    """Letters become letters, digits digits; other characters stay, and so do zeros at the beginning."""
    made, leading = [], True
    for place, sign in enumerate(text):
        if place in kept or not sign.isalnum() or (sign == "0" and leading and not digits):
            made.append(sign)
            continue
        leading = False
        if digits:
            made.append(digits[stream.below(16)])
        elif sign.isdigit():
            made.append(str(stream.below(9) + 1))
        else:
            letters = _LETTERS if sign.isascii() else _OTHER_LETTERS
            made.append(letters[stream.below(len(letters))])
    return "".join(made)


def _plain_number(value: Any) -> Any:
    return float(value) if isinstance(value, Decimal) else str(value)
