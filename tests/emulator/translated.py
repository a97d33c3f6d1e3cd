"""Translations that are kept: a statement that comes again, but for the names that are drawn for it, is not parsed again.

Parsing a statement, sending fakesnow's functions over its tree and writing it for DuckDB takes longer than DuckDB takes
for the few rows of a test, and nearly all statements of a test are those of another one on other tables.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from rewriting import Named
from sqlglot import exp

# Names that tests and pipekit draw. The second pattern finds what stands for them in what is kept.
_DRAWN = re.compile(r"PIPEKIT_(?:PUT_)?[0-9A-F]{8,32}(?![0-9A-Za-z])|\bT[0-9A-F]{10}\b")
_STANDS = re.compile(r"\x02(\d+)\x03")
# What depends on more than the text, the session's settings and where it is.
_OTHERWISE = re.compile(
    r"INFORMATION_SCHEMA|_FS_|IDENTIFIER\s*\(|NEXTVAL|RESULT_SCAN|RANDOM|SAMPLE|AUTOINCREMENT|IDENTITY|\$[A-Z_]|[\x02\x03]",
    re.IGNORECASE,
)
_KINDS = (exp.Query, exp.Insert, exp.Update, exp.Delete, exp.Merge, exp.TruncateTable)
_ENDS = (exp.Transaction, exp.Commit, exp.Rollback)
_TABLES = (exp.Create, exp.Drop)


@dataclass
class Translation:
    """What a statement became.

    Attributes:
        kind: Of the tree.
        sql: For DuckDB.
        named: The tables and columns in it, as they stand in the statement.
        bound: Whether values are bound.
        about: The table that is created or dropped.
        what: ``TABLE`` of such a statement.
    """

    kind: type[exp.Expression]
    sql: str
    named: Named
    bound: bool
    about: exp.Expression | None = None
    what: str = ""

    def tree(self, renamed: Callable[[str], str]) -> exp.Expression:
        """What fakesnow's cursor needs of the tree, with the drawn names of a statement."""
        made: Any = _written(self.kind)()
        made.text = renamed(self.sql)
        if self.about is not None:
            made.set("kind", self.what)
            made.set("this", self.about.copy())
            for identifier in made.find_all(exp.Identifier):
                identifier.set("this", renamed(identifier.this))
        return made


@cache
def _written(kind: type[exp.Expression]) -> type[exp.Expression]:
    """A kind of node that holds its SQL and nothing else; fakesnow asks for its class and the class's name."""
    return type(kind.__name__, (kind,), {"text": "", "sql": lambda self, *_, **__: self.text})


@dataclass
class Text:
    """A statement with a mark in the place of each drawn name.

    Attributes:
        template: The text.
        drawn: The names.
        keeps: Whether what becomes of it depends on no more than ``Translations`` says.
    """

    template: str
    drawn: list[str] = field(default_factory=list)
    keeps: bool = True

    @classmethod
    def of(cls, sql: str) -> Text:
        """The text of a statement."""
        found = cls("", keeps=_OTHERWISE.search(sql) is None)
        found.template = found.marked(sql)
        return found

    def marked(self, sql: str) -> str:
        """The same names in another text as marks; further names are noted."""

        def mark(match: re.Match[str]) -> str:
            if match[0] not in self.drawn:
                self.drawn.append(match[0])
            return f"\x02{self.drawn.index(match[0])}\x03"

        return _DRAWN.sub(mark, sql)

    def renamed(self, template: str) -> str:
        """A text with these names in the place of its marks."""
        return _STANDS.sub(lambda match: self.drawn[int(match[1])], template) if self.drawn else template


class Translations:
    """By the text, and by what else a translation depends on: where the session is, and its settings."""

    def __init__(self) -> None:
        self._kept: dict[Hashable, Translation] = {}

    def find(self, text: Text, session: Hashable) -> Translation | None:
        """What is kept of a statement."""
        return self._kept.get((text.template, session)) if text.keeps else None

    def keep(self, text: Text, session: Hashable, tree: exp.Expression, named: Named) -> None:
        """Keep what became of a statement, if nothing else of its tree is needed."""
        if not text.keeps or not _is_plain(tree):
            return
        known, table = len(text.drawn), tree.find(exp.Table) if isinstance(tree, _TABLES) else None
        sql = tree.sql(dialect="duckdb")
        if any(name.lower() in sql for name in text.drawn):
            return
        about = None
        if table is not None:
            about = exp.Table(
                **{key: _marked(part, text) for key, part in table.args.items() if key in _PARTS and part}
            )
        made = Translation(
            type(tree),
            text.marked(sql),
            named.renamed(text.marked),
            tree.find(exp.Placeholder) is not None,
            about,
            str(tree.args.get("kind") or ""),
        )
        if len(text.drawn) == known:  # each name in it is one of the statement's
            self._kept[text.template, session] = made


_PARTS = ("this", "db", "catalog")


def _marked(identifier: exp.Expression, text: Text) -> exp.Expression:
    copied = identifier.copy()
    copied.set("this", text.marked(identifier.this))
    return copied


def _is_plain(tree: exp.Expression) -> bool:
    """Whether fakesnow left nothing for itself in the tree, and asks it for no more than ``Translation`` has."""
    if set(tree.args) - set(tree.arg_types):
        return False
    if isinstance(tree, _TABLES):
        fills = isinstance(tree, exp.Create) and isinstance(tree.this, exp.Schema) and tree.expression
        return tree.args.get("kind") == "TABLE" and not fills
    return isinstance(tree, (*_KINDS, *_ENDS)) and not tree.args.get("kind")


class Kinds:
    """Of which kind a statement is, which is asked before it is run."""

    def __init__(self) -> None:
        self._kept: dict[str, exp.Expression] = {}

    def of(self, sql: str, parse: Callable[[str], exp.Expression]) -> tuple[exp.Expression, bool]:
        """A node of the statement's kind, and whether it is its whole tree."""
        template = Text.of(sql).template
        if template in self._kept:
            return self._kept[template], False
        tree = parse(sql)
        if type(tree) is not exp.Command:
            self._kept[template] = type(tree)()
        return tree, True


def settings_of(*given: Sequence[Any]) -> Hashable:
    """Settings as a key."""
    return tuple(tuple(sorted(map(str, each))) for each in given)
