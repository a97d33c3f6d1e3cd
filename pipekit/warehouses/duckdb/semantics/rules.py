"""The registry of rules: which function of Snowflake becomes what, and how a rule sees its call."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from pipekit.warehouses.duckdb.semantics.casts import to_kind
from pipekit.warehouses.duckdb.semantics.parsing import template
from pipekit.warehouses.duckdb.semantics.refusals import refuse
from pipekit.warehouses.duckdb.semantics.typed import Typed, Walker, constant, make
from pipekit.warehouses.duckdb.semantics.types import NULL, Type

# Functions of dates and times, and conversions: they take the clock of a timestamp with an offset, or its instant.
TAKES_ZONED: set[str] = set()


@dataclass
class Call:
    """A call of a function, as a rule sees it.

    Attributes:
        name: In upper case.
        node: The call as parsed; gives the place in messages.
        raw: Arguments by position, not rewritten.
        named: Arguments given as ``name => value``, by name in lower case, not rewritten.
        distinct: Whether DISTINCT is before the arguments.
        order: ORDER BY of WITHIN GROUP, rewritten.
        windowed: Whether the call has a window.
        known: Arguments that are rewritten already, by position.
    """

    name: str
    node: Any
    raw: list[Any]
    rewriter: Walker
    named: dict[str, Any] = field(default_factory=dict)
    distinct: bool = False
    order: Any = None
    windowed: bool = False
    window: Any = None
    known: dict[int, Typed] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.raw)

    def arg(self, index: int) -> Typed:
        """The argument at ``index``, rewritten; NULL if it is not given."""
        if index >= len(self.raw):
            return Typed(template("NULL"), NULL)
        if index not in self.known:
            visit = self.rewriter.visit_zoned if self.name in TAKES_ZONED else self.rewriter.visit
            self.known[index] = visit(self.raw[index])
        return self.known[index]

    def args(self) -> list[Typed]:
        """All arguments, rewritten."""
        return [self.arg(index) for index in range(len(self.raw))]

    def as_kind(self, index: int, kind: str) -> Typed:
        """The argument converted to one of ``KINDS``."""
        return to_kind(self.arg(index), kind)

    def word(self, index: int) -> str:
        """The argument as a word such as ``day``, in lower case: a plain name or a literal.

        Raises:
            Refused: It is neither.
        """
        value = constant(self.raw[index]) if index < len(self.raw) else None
        if isinstance(value, str):
            return value.lower()
        node = self.raw[index]
        name = getattr(node, "name", "")
        if node.key in ("column", "var", "identifier") and name:
            return str(name).lower()
        raise self.refuse("its meaning is known only if this is a constant")

    def refuse(self, reason: str, way_out: str = "") -> Exception:
        """The error to raise for a call that cannot be made equal."""
        return refuse(self.node, f"{self.name.lower()}: {reason}", way_out)

    def make(self, text: str, result: Type, *parts: Typed) -> Typed:
        """A template over rewritten parts."""
        return make(text, result, *parts)


Rule = Callable[[Call], Typed]
FUNCTIONS: dict[str, Rule] = {}
REFUSED: dict[str, tuple[str, str]] = {}


def function(*names: str, zoned: bool = False) -> Callable[[Rule], Rule]:
    """Register a rule for the functions of these names.

    Args:
        names: In upper case.
        zoned: Whether the rule can do with timestamps with an offset of their own; see ``zones``.
    """

    def register(rule: Rule) -> Rule:
        for name in names:
            FUNCTIONS[name] = rule
            if zoned:
                TAKES_ZONED.add(name)
        return rule

    return register


@dataclass(frozen=True)
class Form:
    """One form of a simple function.

    Attributes:
        kinds: The arguments' kinds, separated by spaces; see ``casts.to_kind``.
        text: DuckDB's SQL, with ``{0}`` for the first argument.
        result: The result's type.
    """

    kinds: str
    text: str
    result: Type


def simple(forms: dict[str, list[tuple[str, str, Type]]]) -> None:
    """Register functions that are one expression of DuckDB's for each number of arguments."""
    for names, rows in forms.items():
        known = {len(row[0].split()): Form(*row) for row in rows}
        for name in names.split():
            FUNCTIONS[name] = _by_count(known)


def _by_count(known: dict[int, Form]) -> Rule:
    def rule(call: Call) -> Typed:
        form = known.get(len(call))
        if form is None:
            counts = " or ".join(str(count) for count in sorted(known))
            raise call.refuse(f"is known with {counts} arguments, and {len(call)} are given")
        parts = [call.as_kind(index, kind) for index, kind in enumerate(form.kinds.split())]
        return call.make(form.text, form.result, *parts)

    return rule


def refused(reason: str, way_out: str, *names: str) -> None:
    """Register functions that are refused."""
    for name in names:
        REFUSED[name] = (reason, way_out)


__all__ = ["Call", "Typed", "constant", "function", "make", "refused", "simple"]
