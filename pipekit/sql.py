"""SQL text: from Snowflake's dialect to the warehouse's, and the tables that a statement reads.

sqlglot costs about 0.4 s to import, so translations are kept in a folder by content and version: a warm run
never imports it.
"""

from __future__ import annotations

import hashlib
import json
import math
import os
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from functools import cache
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import Any

from pipekit.errors import TemplateError
from pipekit.versions import tested_sqlglot
from pipekit.warehouses.base import Table, fold

DIALECT = "snowflake"


class SqlText(str):
    """Text that is SQL already; every other string in a template becomes a literal."""

    __slots__ = ()


@dataclass(frozen=True)
class Translated:
    """A statement in its final dialect.

    Attributes:
        sql: Its text.
        reads: The tables it reads, common table expressions left out.
        unique: Columns by which its rows differ for sure, since it keeps one row of each; empty if that is not known.
    """

    sql: str
    reads: frozenset[Table]
    unique: tuple[str, ...] = ()


class Translations:
    """Translations already made: those of earlier runs, in a folder, and those of this process.

    Looking one up writes nothing; ``keep`` does, so that a mere validation leaves no trace.

    Args:
        folder: Where they are kept, made when needed.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._known: dict[str, Translated] = {}
        self._new: set[str] = set()

    def translate(self, text: str, *, read: str = DIALECT, write: str) -> Translated:
        """See ``translate``."""
        key = _key(text, read, write)
        found = self._known.get(key) or _load(self._path(key))
        if found is None:
            found = translate(text, read=read, write=write)
            self._new.add(key)
        self._known[key] = found
        return found

    def keep(self) -> None:
        """Write what is new into the folder. One that cannot be written only costs time."""
        while self._new:
            key = self._new.pop()
            _save(self._path(key), self._known[key])

    def _path(self, key: str) -> Path:
        return self._folder / f"{key}.json"


def translate(text: str, *, read: str = DIALECT, write: str) -> Translated:
    """Put one query into another dialect.

    Args:
        text: One SELECT (or WITH ... SELECT), rendered.
        read: sqlglot's name of the dialect of ``text``.
        write: sqlglot's name of the dialect wanted.

    Raises:
        TemplateError: The text is not one query, or cannot be said in the dialect; with its line where it is known.
        VersionError: sqlglot is another one than was tested.
    """
    tested_sqlglot()
    import sqlglot

    try:
        return _translate(text, read, write)
    except sqlglot.errors.UnsupportedError as error:
        raise TemplateError(f"cannot be put into {write}'s dialect: {error}", hint=_OWN_TEMPLATE) from error
    except sqlglot.errors.SqlglotError as error:
        raise _syntax_error(error) from error
    except RecursionError as error:
        raise TemplateError("is nested too deep") from error


_OWN_TEMPLATE = "Write templates/<dialect>/<name>.sql for this warehouse; it wins by being there."


def literal(value: Any, dialect: str = DIALECT) -> SqlText:  # noqa: PLR0911 - one line a type
    """A Python value as SQL: text is quoted, lists become ``(a, b)``, times become typed literals.

    Raises:
        TypeError: There is no literal for such a value.
    """
    if isinstance(value, SqlText):
        return value
    if value is None:
        return SqlText("NULL")
    if isinstance(value, bool):
        return SqlText("TRUE" if value else "FALSE")
    if isinstance(value, (int, float, Decimal)):
        return _number_literal(value)
    if isinstance(value, (datetime, date)):
        return _time_literal(value)
    if isinstance(value, str):
        return SqlText(quote_text(value, dialect))
    if isinstance(value, (list, tuple)) and value:
        return SqlText("(" + ", ".join(literal(item, dialect) for item in value) + ")")
    raise TypeError(f"a {type(value).__name__} cannot stand in SQL; write its parts one by one")


def quote_text(value: str, dialect: str = DIALECT) -> str:
    """A string literal. Snowflake reads backslashes as escapes:
    https://docs.snowflake.com/en/sql-reference/data-types-text
    """
    escaped = value.replace("\\", "\\\\") if dialect == DIALECT else value
    return "'" + escaped.replace("'", "''") + "'"


def _number_literal(value: float | Decimal) -> SqlText:
    text = str(value)
    if not math.isfinite(value):
        return SqlText(f"CAST('{text}' AS DOUBLE)")
    # Parentheses: after a minus sign, a bare -1 would begin a comment.
    return SqlText(f"({text})" if text.startswith("-") else text)


def _time_literal(value: date) -> SqlText:
    """DATETIME and TIMESTAMPTZ are names that Snowflake and DuckDB both know."""
    if not isinstance(value, datetime):
        return SqlText(f"CAST('{value.isoformat()}' AS DATE)")
    if value.tzinfo is None:
        return SqlText(f"CAST('{value.isoformat(sep=' ')}' AS DATETIME)")
    return SqlText(f"CAST('{value.astimezone(UTC).isoformat(sep=' ')}' AS TIMESTAMPTZ)")


def _translate(text: str, read: str, write: str) -> Translated:
    import sqlglot
    from sqlglot import exp
    from sqlglot.optimizer.scope import traverse_scope

    statements = [tree for tree in sqlglot.parse(text, read=read) if tree is not None]
    if len(statements) != 1 or not isinstance(statements[0], exp.Query):
        raise TemplateError("exactly one SELECT is wanted here; the engine adds INSERT, MERGE or CREATE itself")
    tree = statements[0]
    reads = {
        _table(source)
        for scope in traverse_scope(tree)
        for source in scope.sources.values()
        if isinstance(source, exp.Table) and source.name
    }
    unique = _unique(tree) if read == DIALECT else ()
    if read == DIALECT != write:
        _unfold(tree)
    sql = text if read == write else tree.sql(dialect=write, pretty=True, unsupported_level=sqlglot.ErrorLevel.RAISE)
    return Translated(sql, frozenset(reads), unique)


def _unique(tree: Any) -> tuple[str, ...]:
    """The columns of ``QUALIFY row_number() OVER (PARTITION BY ...) = 1``, if they are selected by their own names."""
    from sqlglot import exp

    qualify = tree.args.get("qualify")
    if not isinstance(tree, exp.Select) or qualify is None or not _one_row_each(tree.selects):
        return ()
    # Under another name it might be that name of which the window speaks.
    kept = [each.unalias() for each in tree.selects if each.alias_or_name == each.unalias().name]
    for condition in qualify.this.flatten() if isinstance(qualify.this, exp.And) else [qualify.this]:
        window = condition.this
        first = isinstance(condition, exp.EQ) and condition.expression == exp.Literal.number(1)
        if first and isinstance(window, exp.Window) and isinstance(window.this, exp.RowNumber):
            columns = window.args.get("partition_by") or []
            if columns and all(isinstance(column, exp.Column) and column in kept for column in columns):
                return tuple(column.name for column in columns)
    return ()


def _one_row_each(selected: Any) -> bool:
    """Whether a SELECT list makes one row of one, with names that are all there and differ.

    DuckDB takes functions there that make several, such as ``unnest``, and renames the second column of a name.
    """
    from sqlglot import exp

    several = (exp.Anonymous, exp.UDTF, exp.Explode, exp.Posexplode, exp.Inline)
    names = {each.alias_or_name.lower() for each in selected}
    named = len(names) == len(selected) and not names & {"", "*"}
    return named and not any(each.is_star or each.find(*several) for each in selected)


def _unfold(tree: Any) -> None:
    """Snowflake folds a plain ``name`` to ``"NAME"``, so elsewhere that is the plain name again."""
    from sqlglot import exp

    for identifier in tree.find_all(exp.Identifier):
        if identifier.quoted and identifier.name.isupper():
            identifier.set("this", fold(identifier.name, str.lower))


def _table(source: Any) -> Table:
    return Table(tuple(part.name for part in source.parts))


def _syntax_error(error: Any) -> TemplateError:
    details = (getattr(error, "errors", None) or [{}])[0]
    text = details.get("description") or str(error).splitlines()[0]
    near = details.get("highlight")
    return TemplateError(text.rstrip(".") + (f", near {near!r}" if near else ""), line=details.get("line"))


@cache
def _versions() -> str:
    from importlib.metadata import version

    return f"pipekit {version('pipekit')} sqlglot {tested_sqlglot()}"


def _key(text: str, read: str, write: str) -> str:
    return hashlib.sha256("\0".join((_versions(), read, write, text)).encode()).hexdigest()


def _load(path: Path) -> Translated | None:
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
        reads = frozenset(Table(tuple(parts)) for parts in data["reads"])
        return Translated(data["sql"], reads, tuple(data["unique"]))
    except (OSError, ValueError, KeyError, TypeError):
        return None  # not kept yet, or damaged: translate again


def _save(path: Path, translated: Translated) -> None:
    reads = sorted(table.parts for table in translated.reads)
    data = {"sql": translated.sql, "reads": reads, "unique": translated.unique}
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with NamedTemporaryFile("w", encoding="utf-8", dir=path.parent, suffix=".tmp", delete=False) as file:
            json.dump(data, file)
        os.replace(file.name, path)
    except OSError:
        return  # a store that cannot be written only costs time
