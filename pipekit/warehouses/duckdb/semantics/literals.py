"""Literals: their values at translation, and numbers as DuckDB writes them."""

from __future__ import annotations

import re
from decimal import Context, Decimal, InvalidOperation
from typing import Any

from sqlglot import exp

from pipekit.warehouses.duckdb.semantics.typed import Typed, make
from pipekit.warehouses.duckdb.semantics.types import FLOAT, INT, Type, decimal, integer

EXACT = Context(prec=100)  # Python rounds to 28 digits by default, and numbers have 38
_NUMBER = re.compile(r"\s*[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?\s*")


def literal_text(value: Typed) -> str | None:
    """The value of a text literal."""
    node = value.node
    while node.key == "paren":
        node = node.this
    return str(node.this) if node.key == "literal" and node.is_string else None


def literal_number(value: Typed) -> Decimal | None:
    """The value of a number literal, also after a minus."""
    node, sign = value.node, 1
    while node.key in ("paren", "neg"):
        sign = -sign if node.key == "neg" else sign
        node = node.this
    if node.key == "literal" and not node.is_string:
        number = Decimal(str(node.this))
        return number.copy_negate() if sign < 0 else number
    return None


def number_literal(value: Decimal) -> Typed:
    """A number as it stands in DuckDB's SQL, of the narrowest type; DECFLOAT's and NUMBER's 38 digits hold exactly."""
    value = value.normalize(EXACT)
    sign, digits, exponent = value.as_tuple()
    assert isinstance(exponent, int)
    scale, places = max(-exponent, 0), len(digits) + max(exponent, 0)
    if max(places, scale) > 38:
        return make(f"CAST('{value}' AS DOUBLE)", FLOAT)
    text = f"{value:f}"
    if scale == 0:
        small = value.copy_abs() < 2**31
        kind = Type("int", places, small=True) if small else integer(places)
        if places == 19 and value.copy_abs() < 2**63:
            kind = INT
        node: Any = exp.Literal.number(text.lstrip("-"))
        if sign and value:
            node = exp.Paren(this=exp.Neg(this=node))
        return Typed(node, kind)
    kind = decimal(max(places, scale), scale)
    return make(f"CAST('{text}' AS {kind.duckdb})" if places > 17 else f"({text})" if sign else text, kind)


def parse_number(text: str) -> Decimal | None:
    """The number that a text spells, or ``None``."""
    if not _NUMBER.fullmatch(text):
        return None
    try:
        return Decimal(text.strip())
    except InvalidOperation:
        return None
