"""Each statement is parsed once at most: fakesnow parses it to know its type, and again to run it."""

from __future__ import annotations

from contextvars import ContextVar

import fakesnow.cursor
import fakesnow.server
from fakesnow.dialect import parse_one
from sqlglot import Expr
from translated import Kinds

_PARSED: ContextVar[list[tuple[str, Expr]]] = ContextVar("parsed")
_KINDS = Kinds()


def parse_once() -> None:
    """Let the tree of which the type was read be the one that is run, in the thread that does so too."""
    fakesnow.server.parse_one, fakesnow.cursor.parse_one = _first, _second


def _first(sql: str) -> Expr:
    tree, whole = _KINDS.of(sql, parse_one)
    _PARSED.set([(sql, tree)] if whole else [])
    return tree


def _second(sql: str) -> Expr:
    kept = _PARSED.get([])
    # Running it changes the tree, so that it serves once.
    return kept.pop()[1] if kept and kept[0][0] == sql else parse_one(sql)
