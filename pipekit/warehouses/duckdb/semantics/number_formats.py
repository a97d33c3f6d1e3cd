"""Numbers as text of a format. https://docs.snowflake.com/en/sql-reference/sql-format-models

The format is a constant, so it is taken apart here, and a macro puts the digits together.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from pipekit.sql.text import quoted
from pipekit.warehouses.duckdb.semantics import casts
from pipekit.warehouses.duckdb.semantics.rules import Call, Typed, make
from pipekit.warehouses.duckdb.semantics.types import INT, TEXT, decimal

_LITERAL = r'((?:"(?:[^"]|"")*"|[:;=/()\- ])*)'
_WHOLE = re.compile(f"{_LITERAL}(.*?){_LITERAL}", re.DOTALL)
_MODEL = re.compile(
    r"(?P<fill>FM)?(?P<before>S|MI)?(?P<dollar>\$)?(?P<blank>B)?"
    r"(?:(?P<minimal>TM9|TME)|(?P<hex>0*X+)|(?P<whole>[09,]*)(?:\.(?P<fraction>[09]*))?)(?P<after>S|MI)?"
)


class _Model(NamedTuple):
    """What a format says: literals around it, and its elements by name."""

    prefix: str
    suffix: str
    parts: dict[str, str]


def number_text(call: Call, value: Typed, form: str) -> Typed:
    """A number in a format."""
    model = _read(form)
    if model is None:
        raise call.refuse(f"the number format {form!r} is not known")
    parts = model.parts
    if parts["minimal"]:
        text = _minimal(value, parts["minimal"])
    elif parts["hex"]:
        text = _hexadecimal(value, parts)
    else:
        text = _fixed(value, parts)
    if parts["fill"]:
        text = make("replace({0}, ' ', '')", TEXT, text)
    if not model.prefix and not model.suffix:
        return text
    return make(f"({quoted(model.prefix)} || {{0}} || {quoted(model.suffix)})", TEXT, text)


def _read(form: str) -> _Model | None:
    whole = _WHOLE.fullmatch(form)
    assert whole is not None  # literals may be empty, and what is between is anything
    found = _MODEL.fullmatch(whole[2].upper().replace("D", ".").replace("G", ","))
    if found is None or (found["before"] and found["after"]) or not whole[2]:
        return None
    return _Model(
        _unquoted(whole[1]), _unquoted(whole[3]), {name: part or "" for name, part in found.groupdict().items()}
    )


def _unquoted(text: str) -> str:
    return re.sub(r'"((?:[^"]|"")*)"', lambda match: match[1].replace('""', '"'), text)


def _exact(value: Typed, scale: int) -> Typed:
    """The digits of the number rounded to a scale."""
    kind = decimal(38, scale)
    return make(f"CAST(CAST({{0}} AS {kind.duckdb}) AS VARCHAR)", TEXT, casts.to_number(value))


def _fixed(value: Typed, parts: dict[str, str]) -> Typed:
    whole, fraction = parts["whole"], parts["fraction"]
    digits = whole.replace(",", "")
    zeros = len(digits) - digits.index("0") if "0" in digits else 0
    kept = fraction.rindex("0") + 1 if "0" in fraction else 0
    sign = f"{parts['before']}-" if parts["before"] else f"-{parts['after']}" if parts["after"] else ""
    options = (
        len(whole),
        len(digits),
        zeros,
        str("," in whole).lower(),
        kept if fraction else -1,
        str(bool(parts["blank"])).lower(),
        quoted(sign),
        quoted(parts["dollar"]),
    )
    return make(f"sf_fixed({{0}}, {', '.join(map(str, options))})", TEXT, _exact(value, len(fraction)))


def _minimal(value: Typed, form: str) -> Typed:
    text = casts.to_text(casts.to_number(value))
    return text if form == "TM9" else make("sf_scientific({0})", TEXT, text)


def _hexadecimal(value: Typed, parts: dict[str, str]) -> Typed:
    places = len(parts["hex"])
    zeros = places if parts["hex"].startswith("0") else 0
    number = make("CAST(trunc({0}) AS BIGINT)", INT, casts.to_number(value))
    sign = quoted(parts["before"])
    return make(f"sf_hexadecimal({{0}}, {places}, {zeros}, {sign})", TEXT, number)
