"""SQL text: from Snowflake's dialect to the warehouse's, and the tables that a statement reads.

sqlglot costs about 0.4 s to import, so translations are kept in a folder by content and version: a warm run
never imports it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from pipekit.errors import TemplateError
from pipekit.names import Table, fold
from pipekit.sql.dialect import PROJECT_SQL, Dialect
from pipekit.versions import tested_sqlglot


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


def translate(text: str, *, read: Dialect = PROJECT_SQL, write: Dialect) -> Translated:
    """Put one query into another dialect.

    Args:
        text: One SELECT (or WITH ... SELECT), rendered.
        read: The dialect of ``text``.
        write: The dialect wanted.

    Raises:
        TemplateError: The text is not one query, or cannot be said in the dialect; with its line where it is known.
        VersionError: sqlglot is another one than was tested.
    """
    tested_sqlglot()
    import sqlglot

    try:
        return _translate(text, read, write)
    except sqlglot.errors.UnsupportedError as error:
        raise TemplateError(f"cannot be put into {write.name}'s dialect: {error}", hint=_OWN_TEMPLATE) from error
    except sqlglot.errors.SqlglotError as error:
        raise _syntax_error(error) from error
    except RecursionError as error:
        raise TemplateError("is nested too deep") from error


_OWN_TEMPLATE = "Write templates/<dialect>/<name>.sql for this warehouse; it wins by being there."


def _translate(text: str, read: Dialect, write: Dialect) -> Translated:
    import sqlglot
    from sqlglot import exp
    from sqlglot.optimizer.scope import traverse_scope

    statements = [tree for tree in sqlglot.parse(text, read=read.name) if tree is not None]
    if len(statements) != 1 or not isinstance(statements[0], exp.Query):
        raise TemplateError("exactly one SELECT is wanted here; the engine adds INSERT, MERGE or CREATE itself")
    tree = statements[0]
    reads = {
        _table(source)
        for scope in traverse_scope(tree)
        for source in scope.sources.values()
        if isinstance(source, exp.Table) and source.name
    }
    unique = _unique(tree) if read.is_project_sql else ()
    return Translated(text if read.name == write.name else _written(tree, write), frozenset(reads), unique)


def _written(tree: Any, write: Dialect) -> str:
    """A query of the project's SQL in the dialect: by the dialect's own rules if it has some, else by sqlglot's."""
    import sqlglot

    if write.rewrite is not None:
        return write.rewrite(tree)
    _unfold(tree)
    return str(tree.sql(dialect=write.name, pretty=True, unsupported_level=sqlglot.ErrorLevel.RAISE))


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
