"""How numbers are written in text files: separators, and where the sign or a percent sign stands."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, ClassVar, NamedTuple

from pydantic import AfterValidator, WithJsonSchema, model_validator

from pipekit.formats.base import FileFormat
from pipekit.suggestions import did_you_mean

_BLANKS = " \u00a0\u2009\u202f"
DECIMAL_SEPARATORS = (".", ",")
THOUSANDS_SEPARATORS = (".", ",", "'", "\u2019", "_", *_BLANKS)


class NumberFormat(NamedTuple):
    """A way to write a number, around its digits.

    Attributes:
        shape: A pattern of the whole text, in which ``{n}`` stands for the digits with their separators.
        example: A text like it.
        rewrite: A pattern, and what is put in its place, that make the text a plain number; the separators are gone
            by then, and a point is before the decimals.
        shift: By how many places the point then moves to the left.
    """

    shape: str
    example: str
    rewrite: tuple[str, str] | None = None
    shift: int = 0


PLAIN = "plain"
NUMBER_FORMATS: Mapping[str, NumberFormat] = {
    PLAIN: NumberFormat("[+-]?{n}", "{n}"),
    "percent": NumberFormat(f"[+-]?{{n}}[{_BLANKS}]?%", "{n}%", (f"^(.*[0-9.])[{_BLANKS}]?%$", r"\1"), 2),
    "accounting": NumberFormat("(?:[+-]?{n}|[(]{n}[)])", "({n})", ("^[(](.*)[)]$", r"-\1")),
    "trailing_minus": NumberFormat("(?:[+-]?{n}|{n}-)", "{n}-", ("^(.*)-$", r"-\1")),
}


def _known(name: str) -> str:
    if name not in NUMBER_FORMATS:
        raise ValueError(f"{name!r} is not one of {', '.join(NUMBER_FORMATS)}{did_you_mean(name, NUMBER_FORMATS)}")
    return name


NumberFormatName = Annotated[str, AfterValidator(_known), WithJsonSchema({"enum": [*NUMBER_FORMATS]})]


class WrittenNumbers(FileFormat):
    """A format whose numbers and times are text: the keys that say how numbers are written.

    Attributes:
        decimal_separator: What is before the decimals, ``.`` or ``,``.
        thousands_separator: What is before every three digits, or nowhere in a number.
        number_format: How numbers are written around their digits: ``plain``, ``percent`` (12.5% is 0.125),
            ``accounting`` ((5) is -5) or ``trailing_minus`` (5- is -5).
    """

    numbers_are_text: ClassVar[bool] = True
    times_are_text: ClassVar[bool] = True

    decimal_separator: str = "."
    thousands_separator: str | None = None
    number_format: NumberFormatName = PLAIN

    @model_validator(mode="after")
    def _separators(self) -> WrittenNumbers:
        decimal, thousands = self.decimal_separator, self.thousands_separator
        if decimal not in DECIMAL_SEPARATORS:
            raise ValueError(f"decimal_separator: {decimal!r} is not one of {', '.join(map(repr, DECIMAL_SEPARATORS))}")
        if thousands is not None and thousands not in THOUSANDS_SEPARATORS:
            listed = ", ".join(map(repr, THOUSANDS_SEPARATORS))
            raise ValueError(f"thousands_separator: {thousands!r} is not one of {listed}")
        if thousands == decimal:
            raise ValueError(f"thousands_separator: {thousands!r} is the decimal separator, too")
        return self
