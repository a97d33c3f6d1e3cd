"""An expression that was rewritten, with its type, and how new ones are made of those."""

from __future__ import annotations

from typing import Any, NamedTuple, Protocol

from pipekit.warehouses.duckdb.semantics.parsing import template
from pipekit.warehouses.duckdb.semantics.scopes import Scope
from pipekit.warehouses.duckdb.semantics.types import Type


class Typed(NamedTuple):
    """A rewritten expression and what is known of its values."""

    node: Any
    type: Type


class Walker(Protocol):
    """What a rule needs of the walk that called it."""

    @property
    def scope(self) -> Scope: ...

    def visit(self, node: Any) -> Typed:
        """The node rewritten, and its type."""

    def visit_zoned(self, node: Any) -> Typed:
        """The same for a rule that can do with a timestamp with an offset of its own."""

    def inside(self, scope: Scope) -> Any:
        """A context in which another scope is seen."""

    def mistake(self, node: Any, text: str, hint: str) -> None:
        """Note what Snowflake refuses too."""


def make(text: str, result: Type, *parts: Typed) -> Typed:
    """A template over rewritten parts, with its type."""
    return Typed(template(text, *(part.node for part in parts)), result)


DIGITS_OF_64_BITS = 18


def to_fewer_places(value: Typed, kind: Type) -> Typed:
    """A decimal as a number with fewer places, half rounded away from zero.

    DuckDB divides numbers of 128 bits thirty times slower than those of 64, which most values fit.
    """
    scale = value.type.scale
    if value.type.precision <= DIGITS_OF_64_BITS or scale >= DIGITS_OF_64_BITS:
        return make(f"CAST({{0}} AS {kind.duckdb})", kind, value)
    small = f"TRY_CAST({{0}} AS DECIMAL({DIGITS_OF_64_BITS},{scale}))"
    return make(f"coalesce(CAST({small} AS {kind.duckdb}), CAST({{0}} AS {kind.duckdb}))", kind, value)


def constant(node: Any) -> str | int | float | bool | None:
    """The value of a literal; ``None`` if it is none. A number keeps its text unless it is an integer."""
    key = node.key
    if key == "paren":
        return constant(node.this)
    if key == "literal":
        text = str(node.this)
        return text if node.is_string else int(text) if text.isdigit() else float(text)
    if key == "rawstring":
        return str(node.this)
    if key == "neg":
        value = constant(node.this)
        return -value if isinstance(value, (int, float)) else None
    return bool(node.this) if key == "boolean" else None
