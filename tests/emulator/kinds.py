"""The kinds of nodes that a function of fakesnow changes, read from its source.

Nearly all of them say it in the conditions of their first statements: ``if isinstance(expression, exp.Create) and ...``
and ``return expression`` for all others. A function that is written otherwise is given every node.
"""

from __future__ import annotations

import ast
import inspect
import textwrap
from collections.abc import Callable, Iterator
from functools import cache
from types import CodeType
from typing import Any

import fakesnow.transforms
from sqlglot import exp

Kinds = tuple[type, ...]
# Those that say it in another way; fakesnow is of one version (pyproject).
_BY_HAND: dict[str, Kinds] = {
    "alter_table_strip_cluster_by": (exp.Alter, exp.Command),
    "integer_precision": (exp.DataType,),
    "object_construct": (exp.StarMap, exp.Struct, exp.JSONObject),
    "show_keys": (exp.Show,),
    "update_variables": (exp.Set, exp.Alias),
}


def kinds_of(function: Callable[..., Any]) -> Kinds | None:
    """The kinds of nodes that the function changes; ``None`` if that is not known."""
    declared = getattr(function, "kinds", None)
    return declared or _read(function.__code__, function.__name__)


@cache
def _read(code: CodeType, name: str) -> Kinds | None:
    if name == "<lambda>":  # ``lambda e: transforms.show_tables_etc(e, ...)``
        name = code.co_names[1] if code.co_names[:1] == ("transforms",) else ""
    function = getattr(fakesnow.transforms, name, None)
    if name in _BY_HAND or not inspect.isfunction(function):
        return _BY_HAND.get(name)
    parsed: Any = ast.parse(textwrap.dedent(inspect.getsource(function))).body[0]
    return _Reading(parsed.args.args[0].arg, function.__globals__).of(parsed.body)


class _Reading:
    """The conditions on the function's first parameter."""

    def __init__(self, node: str, names: dict[str, Any]) -> None:
        self._node, self._names = node, names

    def of(self, body: list[ast.stmt]) -> Kinds | None:
        found: Kinds = ()
        for statement in body:
            if isinstance(statement, ast.Assign | ast.AnnAssign | ast.Expr):  # a constant, or the docstring
                continue
            if self._gives_back(statement):
                return found
            if not isinstance(statement, ast.If):
                return None
            if not statement.orelse and self._gives_back(statement.body[0]) and (rest := self._unless(statement.test)):
                return found + rest
            tests = list(_branches(statement))
            kinds = [self._if(test) for test in tests]
            if not all(kinds):
                return None
            found += tuple(kind for some in kinds if some for kind in some)
        return None

    def _gives_back(self, statement: ast.stmt) -> bool:
        value = statement.value if isinstance(statement, ast.Return) else None
        return isinstance(value, ast.Name) and value.id == self._node

    def _if(self, test: ast.expr | None) -> Kinds | None:
        """Of which kinds the node is if the test holds."""
        if isinstance(test, ast.BoolOp):
            parts = [self._if(value) for value in test.values]
            if isinstance(test.op, ast.And):
                return next((part for part in parts if part), None)
            return tuple(kind for part in parts if part for kind in part) if all(parts) else None
        match test:
            case ast.Call(func=ast.Name(id="isinstance"), args=[ast.Name(id=name), kinds]) if name == self._node:
                given = eval(compile(ast.Expression(kinds), "<kinds>", "eval"), self._names)
                return given if isinstance(given, tuple) else (given,)
        return None

    def _unless(self, test: ast.expr) -> Kinds | None:
        """Of which kinds the node is if the test does not hold."""
        if isinstance(test, ast.UnaryOp) and isinstance(test.op, ast.Not):
            return self._if(test.operand)
        if isinstance(test, ast.BoolOp) and isinstance(test.op, ast.Or):
            return next((kinds for kinds in map(self._unless, test.values) if kinds), None)
        return None


def _branches(statement: ast.If) -> Iterator[ast.expr | None]:
    """The conditions of ``if`` and of each ``elif``; ``None`` for an ``else``."""
    yield statement.test
    match statement.orelse:
        case [ast.If() as other]:
            yield from _branches(other)
        case [_, *_]:
            yield None
