"""SQL text: from Snowflake's dialect to the warehouse's, and the tables that a statement reads.

sqlglot costs about 0.4 s to import, so translations are kept in a folder by content and version: a warm run
never imports it.
"""

from __future__ import annotations

import hashlib
import json
import os
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from functools import cache
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import Any

from pipekit.errors import TemplateError
from pipekit.warehouses.base import Table, fold

DIALECT = "snowflake"


class SqlText(str):
    """Text that is SQL already; every other string in a template becomes a literal."""

    __slots__ = ()


@dataclass(frozen=True)
class Translated:
    """A statement in its final dialect, and the tables it reads (common table expressions left out)."""

    sql: str
    reads: frozenset[Table]


def translate(text: str, *, read: str = DIALECT, write: str, store: Path | None = None) -> Translated:
    """Put one query into another dialect.

    Args:
        text: One SELECT (or WITH ... SELECT), rendered.
        read: sqlglot's name of the dialect of ``text``.
        write: sqlglot's name of the dialect wanted.
        store: Folder in which translations are kept, made when needed; ``None`` keeps nothing.

    Raises:
        TemplateError: The text is not one query; with its line.
    """
    path = store / f"{_key(text, read, write)}.json" if store else None
    kept = _load(path) if path else None
    if kept is not None:
        return kept
    translated = _translate(text, read, write)
    if path:
        _save(path, translated)
    return translated


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
        return SqlText(value)
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

    try:
        statements = [tree for tree in sqlglot.parse(text, read=read) if tree is not None]
    except sqlglot.errors.SqlglotError as error:
        raise _syntax_error(error) from error
    if len(statements) != 1 or not isinstance(statements[0], exp.Query):
        raise TemplateError("exactly one SELECT is wanted here; the engine adds INSERT, MERGE or CREATE itself")
    tree = statements[0]
    reads = {
        _table(source)
        for scope in traverse_scope(tree)
        for source in scope.sources.values()
        if isinstance(source, exp.Table) and source.name
    }
    if read == DIALECT != write:
        _unfold(tree)
    sql = text if read == write else tree.sql(dialect=write, pretty=True, unsupported_level=sqlglot.ErrorLevel.RAISE)
    return Translated(sql, frozenset(reads))


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

    return f"pipekit {version('pipekit')} sqlglot {version('sqlglot')}"


def _key(text: str, read: str, write: str) -> str:
    return hashlib.sha256("\0".join((_versions(), read, write, text)).encode()).hexdigest()


def _load(path: Path) -> Translated | None:
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
        return Translated(data["sql"], frozenset(Table(tuple(parts)) for parts in data["reads"]))
    except (OSError, ValueError, KeyError, TypeError):
        return None  # not kept yet, or damaged: translate again


def _save(path: Path, translated: Translated) -> None:
    data = {"sql": translated.sql, "reads": sorted(table.parts for table in translated.reads)}
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with NamedTemporaryFile("w", encoding="utf-8", dir=path.parent, suffix=".tmp", delete=False) as file:
            json.dump(data, file)
        os.replace(file.name, path)
    except OSError:
        return  # a store that cannot be written only costs time
