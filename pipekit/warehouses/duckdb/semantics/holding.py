"""Calls inside calls: an argument that a macro writes out often, and that is long itself, is held once.

DuckDB writes a macro's argument out at each use before it plans, so macros inside macros multiply: three
``array_append`` around each other were planned for half a minute. A lambda over a list of one element holds its
element once. Short arguments stay as they are, since a lambda costs a little for each row.
"""

from __future__ import annotations

import re
from functools import cache
from typing import Any

from sqlglot import exp

from pipekit.warehouses.duckdb.semantics.parsing import Template
from pipekit.warehouses.duckdb.semantics.session import ALL

_LIMIT = 1500  # words of a written-out argument; planning takes some 0.1 ms each
_PLACE = re.compile(r"\{(\d+)\}")
_WORD = re.compile(r"\w+")
_LETTERS = "abcdefghijklmnopqrstuvwxyz"


def hold_long_arguments(tree: Any) -> None:
    """Put what would be written out too often into a lambda; the tree is changed in place."""
    _visit(tree, {})


def _visit(node: Any, given: dict[str, int]) -> tuple[int, int]:
    """The words of a node as DuckDB writes it out, and how deep lambdas made here are nested in it.

    Args:
        node: Of a tree.
        given: The words of what the names mean that the SELECT around gives, which DuckDB writes out as well.
    """
    if isinstance(node, exp.Column) and not node.table:
        return given.get(node.name.lower(), 1), 0
    if isinstance(node, exp.Select):
        given = {}
    parts = sorted(node.iter_expressions(), key=lambda part: part.arg_key != "expressions")  # names are given there
    inner = {id(part): _visit(part, given) for part in parts}
    if isinstance(node, exp.Alias):
        given[node.alias.lower()] = inner[id(node.this)][0]
    depth = max((level for _, level in inner.values()), default=0)
    if not isinstance(node, Template):
        return 1 + sum(words for words, _ in inner.values()), depth
    sizes = [inner[id(part)][0] if id(part) in inner else 1 for part in node.expressions]
    own, uses = _weight(str(node.this), tuple(f"{{{place}}}" for place in range(len(sizes))))
    long = any(use > 1 and use * size > _LIMIT for use, size in zip(uses, sizes, strict=True))
    if not long or "{over}" in str(node.this) or not _hold(node, depth + 1):
        return own + sum(use * size for use, size in zip(uses, sizes, strict=True)), depth
    return own + sum(uses) + sum(sizes), depth + 1


def _hold(node: Any, depth: int) -> bool:
    """Hold all arguments but constants in one lambda; not those that a lambda of the template's own reads."""
    text = str(node.this)
    in_lambda = {int(place) for place in _PLACE.findall(text.partition("lambda ")[2])}
    held = [
        place
        for place, part in enumerate(node.expressions)
        if place not in in_lambda and place < len(_LETTERS) and not isinstance(part, (exp.Literal, exp.Boolean))
    ]
    if not held:
        return False
    fields = ", ".join(f"'{_LETTERS[place]}': {{{place}}}" for place in held)
    name = f"sf_held{depth}"

    def field(match: re.Match[str]) -> str:
        place = int(match[1])
        return f"{name}.{_LETTERS[place]}" if place in held else match[0]

    node.set("this", f"list_transform([{{{fields}}}], lambda {name}: {_PLACE.sub(field, text)})[1]")
    return True


@cache
def _weight(text: str, names: tuple[str, ...]) -> tuple[int, tuple[int, ...]]:
    """How many words a text has when its macros are written out, and how often each name is written.

    Args:
        text: DuckDB's SQL.
        names: Parameters of the macro whose text it is, or the places of a template.
    """
    words, uses, start = 0, [0] * len(names), 0
    for match in _pattern(names).finditer(text):
        if match.start() < start:
            continue  # inside the arguments of a call that was counted
        words += len(_WORD.findall(text[start : match.start()]))
        start = match.end()
        if match[1] in ALL:
            arguments, start = _arguments(text, match.end())
            more, often = _macro(match[1], len(arguments))
            words += more
            for use, argument in zip(often, arguments, strict=True):
                inner, inside = _weight(argument, names)
                words += use * inner
                uses = [have + use * other for have, other in zip(uses, inside, strict=True)]
        elif match[0] in names:
            uses[names.index(match[0])] += 1
        else:
            words += 1
    return words + len(_WORD.findall(text[start:])), tuple(uses)


@cache
def _pattern(names: tuple[str, ...]) -> re.Pattern[str]:
    either = "|".join(re.escape(name) if name.startswith("{") else rf"(?<![.\w]){name}(?!\w)" for name in names)
    return re.compile(rf"\b(sf_[a-z0-9_]+)\s*(?=\()|'(?:[^']|'')*'{'|' if either else ''}{either}")


@cache
def _macro(name: str, count: int) -> tuple[int, tuple[int, ...]]:
    forms = [(tuple(part.strip() for part in parameters.split(",")), body) for parameters, body in ALL[name]]
    parameters, body = next((form for form in forms if len(form[0]) == count), forms[0])
    words, uses = _weight(body, parameters)
    return words, (*uses, *[1] * count)[:count]


def _arguments(text: str, opening: int) -> tuple[list[str], int]:
    """The arguments in the parentheses that open at ``opening``, and where these end."""
    found: list[str] = []
    depth, quoted, start = 0, False, opening + 1
    for place in range(opening, len(text)):
        letter = text[place]
        if letter == "'":
            quoted = not quoted
        elif not quoted and letter in "([{":
            depth += 1
        elif not quoted and letter in ")]}":
            depth -= 1
            if depth == 0:
                return [*found, text[start:place]], place + 1
        elif not quoted and letter == "," and depth == 1:
            found.append(text[start:place])
            start = place + 1
    return [*found, text[start:]], len(text)
