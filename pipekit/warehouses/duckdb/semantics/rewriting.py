"""The walk over expressions: each part is rewritten from the inside out, with what is known of its type."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from sqlglot import exp

from pipekit.sql.semantics import Mistake, place
from pipekit.warehouses.duckdb.semantics import mistakes, refusals
from pipekit.warehouses.duckdb.semantics.parsing import Template
from pipekit.warehouses.duckdb.semantics.rules import FUNCTIONS, REFUSED, Call, Typed
from pipekit.warehouses.duckdb.semantics.scopes import Columns, Scope
from pipekit.warehouses.duckdb.semantics.types import UNKNOWN
from pipekit.warehouses.duckdb.semantics.zones import settled

Visitor = Callable[["Rewriter", Any], Typed]
QueryRule = Callable[["Rewriter", Any, Scope | None], Columns | None]
VISITORS: dict[type[Any], Visitor] = {}


def visits(*kinds: type[Any]) -> Callable[[Visitor], Visitor]:
    """Register the rule for nodes of these classes."""

    def register(rule: Visitor) -> Visitor:
        for kind in kinds:
            VISITORS[kind] = rule
        return rule

    return register


class Rewriter:
    """One translation: the types that are given, the scope it is in, and what it found on the way.

    Args:
        tables: The columns' DuckDB types of each table that is known, by its lower-case name.
        query: Rewrites a query in place and gives its columns, if all are known.
    """

    def __init__(self, tables: Mapping[str, Columns], query: QueryRule) -> None:
        self._query = query
        self.tables = dict(tables)
        self.scope = Scope()
        self.ctes: dict[str, Columns | None] = {}
        self.unproven: set[str] = set()
        self.mistakes: list[Mistake] = []
        self._unsure = 0

    def query(self, node: Any, parent: Scope | None) -> Columns | None:
        """A query inside another, rewritten in place; its columns, if all are known."""
        return self._query(self, node, parent)

    def visit(self, node: Any) -> Typed:
        """The node rewritten, and its type; a timestamp is one that DuckDB can hold."""
        return settled(self.visit_zoned(node))

    def visit_zoned(self, node: Any) -> Typed:
        """The same for a rule that can do with a timestamp with an offset of its own; see ``zones``."""
        rule = VISITORS.get(type(node))
        if rule is not None:
            return rule(self, node)
        with self.unsure():
            self.visit_parts(node)
        return Typed(node, UNKNOWN)

    def mistake(self, node: Any, text: str, hint: str) -> None:
        """Note what Snowflake refuses too, at the place of the construct."""
        if self._unsure:
            return
        line, column = place(node)
        found = Mistake(text, line=line, column=column, hint=hint)
        if all(other.message != found.message for other in self.mistakes):
            self.mistakes.append(found)

    @contextmanager
    def unsure(self) -> Iterator[None]:
        """Note no mistakes for a while: a name may be a word here, and no column."""
        self._unsure += 1
        try:
            yield
        finally:
            self._unsure -= 1

    def visit_parts(self, node: Any) -> None:
        """Rewrite the parts of a node that has no rule of its own."""
        for key, value in list(node.args.items()):
            if isinstance(value, exp.Expression):
                node.set(key, self.visit(value).node)
            elif isinstance(value, list):
                parts = [self.visit(part).node if isinstance(part, exp.Expression) else part for part in value]
                node.set(key, parts)

    @contextmanager
    def inside(self, scope: Scope) -> Iterator[None]:
        """Rewrite in another scope for a while."""
        before = self.scope
        self.scope = scope
        try:
            yield
        finally:
            self.scope = before

    def call(self, call: Call) -> Typed:
        """A function by its rule; without one it goes as it is, and is noted as not proven."""
        if call.name in REFUSED:
            reason, way_out = REFUSED[call.name]
            raise refusals.refuse(call.node, f"{call.name.lower()}: {reason}", way_out)
        rule = FUNCTIONS.get(call.name)
        if call.name == "IDENTIFIER" and len(call) == 1 and isinstance(call.raw[0], exp.Literal):
            return self.visit(exp.column(*reversed(str(call.raw[0].this).lower().split("."))))
        if rule is not None:
            mistakes.call(call)
            result = rule(call)
            if not call.windowed:
                _close(result.node)
            return result
        self.unproven.add(call.name)
        with self.unsure():
            parts = [part.node for part in call.args()]
        node = exp.Anonymous(this=call.name.lower(), expressions=parts)
        return Typed(node, UNKNOWN)


def _close(node: Any) -> None:
    """An aggregate without a window has none, also where it is inside one that has."""
    for part in node.find_all(Template):
        text = str(part.this)
        if "{over}" in text and part.args.get("over") is None:
            part.set("this", text.replace(" {over}", "").replace("{over}", "").replace("{nulls}", ""))


def call_of(rewriter: Rewriter, node: Any) -> Call:
    """The call at a node of class Anonymous."""
    raw = list(node.expressions)
    distinct = bool(raw) and isinstance(raw[0], exp.Distinct)
    if distinct:
        raw = list(raw[0].expressions) + raw[1:]
    named = {part.this.name.lower(): part.expression for part in raw if isinstance(part, exp.Kwarg)}
    raw = [part for part in raw if not isinstance(part, exp.Kwarg)]
    return Call(str(node.this).upper(), node, raw, rewriter, named=named, distinct=distinct)
