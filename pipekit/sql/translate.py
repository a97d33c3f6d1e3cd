"""SQL text: from Snowflake's dialect to the warehouse's, and the tables that a statement reads.

sqlglot costs about 0.4 s to import, so translations are kept in a folder by content and version: a warm run
never imports it.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Any, NamedTuple

from pipekit.errors import TemplateError
from pipekit.names import Table, fold
from pipekit.sql.dialect import PROJECT_SQL, Dialect
from pipekit.sql.reach import refuse_outside
from pipekit.sql.semantics import (
    OWN_TEMPLATE,
    ColumnsOf,
    ColumnTypes,
    KnownColumns,
    Mistake,
    Semantics,
    nothing_known,
    place,
)
from pipekit.versions import tested_sqlglot


class Translated(NamedTuple):
    """A statement in its final dialect.

    Attributes:
        sql: Its text.
        reads: The tables it reads, common table expressions left out.
        unique: Columns by which its rows differ for sure, since it keeps one row of each; empty if that is not known.
        columns: Its columns and their types, in the words of the semantics that typed it, ``None`` for one that is not
            known; ``None`` if the columns themselves are not.
        unproven: Functions whose values are not proven equal on the engine, in upper case.
    """

    sql: str
    reads: frozenset[Table]
    unique: tuple[str, ...] = ()
    columns: KnownColumns | None = None
    unproven: tuple[str, ...] = ()


def translate(
    text: str,
    *,
    read: Dialect = PROJECT_SQL,
    write: Dialect,
    columns_of: ColumnsOf = nothing_known,
    becomes_table: bool = True,
    allowed: Collection[str] = (),
) -> Translated:
    """Put one query into another dialect.

    Args:
        text: One SELECT (or WITH ... SELECT), rendered.
        read: The dialect of ``text``.
        write: The dialect wanted; with semantics of its own it keeps values, else sqlglot's translation is taken.
        columns_of: What is known of the tables that are read.
        becomes_table: Whether each of its columns must have a name of its own.
        allowed: What the target allows a query to reach besides tables; see ``reach``.

    Raises:
        Mistake: Snowflake refuses the query; found where ``write`` has semantics.
        TemplateError: The text is not one query, reaches more than tables, or cannot be said in the dialect;
            with its line where it is known.
        VersionError: sqlglot is another one than was tested.
    """
    tested_sqlglot()
    import sqlglot

    try:
        if write.semantics is None or not read.is_project_sql or write.is_project_sql:
            return _translate(text, read, write, allowed)
        tree = _one_query(write.semantics.parse(text), text, read, allowed)
        return _rewritten(tree, write.semantics, columns_of, becomes_table)
    except sqlglot.errors.UnsupportedError as error:
        reason = f"cannot be put into {write.name}'s dialect: {error}"
        raise TemplateError(reason, hint=OWN_TEMPLATE.format(write.name)) from error
    except sqlglot.errors.SqlglotError as error:
        from pipekit.sql.wording import syntax_error

        raise syntax_error(error, text, read) from error
    except RecursionError as error:
        raise TemplateError("is nested too deep") from error


def _translate(text: str, read: Dialect, write: Dialect, allowed: Collection[str]) -> Translated:
    import sqlglot

    tree = _one_query(sqlglot.parse(text, read=read.name), text, read, allowed)
    reads = _reads(tree)
    unique = _unique(tree) if read.is_project_sql else ()
    if read.name == write.name:
        return Translated(text, reads, unique)
    _unfold(tree)
    sql = str(tree.sql(dialect=write.name, pretty=True, unsupported_level=sqlglot.ErrorLevel.RAISE))
    return Translated(sql, reads, unique)


def _rewritten(tree: Any, semantics: Semantics, columns_of: ColumnsOf, becomes_table: bool) -> Translated:
    reads, unique = _reads(tree), _unique(tree)
    done = semantics.rewrite(tree, _known_tables(reads, columns_of), becomes_table=becomes_table)
    return Translated(done.sql, reads, unique, done.columns, done.unproven)


def place_of_table(text: str, typing: Semantics, table: Table) -> tuple[int | None, int | None]:
    """Line and column where a query that was translated before names a table."""
    from sqlglot import exp

    [tree] = typing.parse(text)
    found = (each for each in tree.find_all(exp.Table) if each.name and _table(each) == table)
    return min((place(each) for each in found), default=(None, None))


def types_of(text: str, typing: Semantics, columns_of: ColumnsOf, *, becomes_table: bool = True) -> KnownColumns | None:
    """The columns of a query of the project's SQL; ``None`` for one whose types cannot be found, and is not checked.

    Raises:
        Mistake: Snowflake refuses the query.
    """
    import sqlglot

    try:
        [tree] = typing.parse(text)
        return typing.typed(tree, _known_tables(_reads(tree), columns_of), becomes_table=becomes_table)
    except Mistake:
        raise
    except (TemplateError, ValueError, RecursionError, sqlglot.errors.SqlglotError):
        return None


def _known_tables(reads: frozenset[Table], columns_of: ColumnsOf) -> dict[str, ColumnTypes]:
    known = {str(table).lower(): columns_of(table) for table in reads}
    return {name: columns for name, columns in known.items() if columns is not None}


def _one_query(statements: list[Any], text: str, read: Dialect, allowed: Collection[str]) -> Any:
    from pipekit.sql.wording import refuse_all_but_one_query, refuse_parameters

    found = refuse_all_but_one_query(statements, text, read)
    refuse_parameters(found)
    refuse_outside(found, text, read, allowed)
    return found


def _reads(tree: Any) -> frozenset[Table]:
    """The tables that are read; a query that names itself reads no table of that name, with RECURSIVE or without."""
    from sqlglot import exp
    from sqlglot.optimizer.scope import traverse_scope

    for cte in tree.find_all(exp.CTE):
        names = {table.name.lower() for table in cte.this.find_all(exp.Table)}
        if isinstance(cte.this, exp.SetOperation) and cte.alias.lower() in names:
            cte.parent.set("recursive", True)
    return frozenset(
        _table(source)
        for scope in traverse_scope(tree)
        for source in scope.sources.values()
        if isinstance(source, exp.Table) and not isinstance(source.this, exp.Func) and source.name
    )


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
        if first and isinstance(window, exp.Window) and _is_row_number(window.this):
            columns = window.args.get("partition_by") or []
            if columns and all(isinstance(column, exp.Column) and column in kept for column in columns):
                return tuple(column.name for column in columns)
    return ()


def _is_row_number(node: Any) -> bool:
    from sqlglot import exp

    return isinstance(node, exp.RowNumber) or (
        isinstance(node, exp.Anonymous) and str(node.this).upper() == "ROW_NUMBER"
    )


def _one_row_each(selected: Any) -> bool:
    """Whether a SELECT list makes one row of one, with names that are all there and differ.

    DuckDB takes functions there that make several, such as ``unnest``, and renames the second column of a name.
    """
    from sqlglot import exp

    several = (exp.UDTF, exp.Explode, exp.Posexplode, exp.Inline)
    names = {each.alias_or_name.lower() for each in selected}
    named = len(names) == len(selected) and not names & {"", "*"}
    return named and not any(each.is_star or each.find(*several) or _may_be_several(each) for each in selected)


def _may_be_several(selected: Any) -> bool:
    """Whether it calls a function that Snowflake does not have, which may be one of DuckDB's that make several rows."""
    from sqlglot import exp
    from sqlglot.dialects.snowflake import Snowflake

    names = (str(call.this).upper() for call in selected.find_all(exp.Anonymous))
    return any(name in ("UNNEST", "EXPLODE") or name not in Snowflake.Parser.FUNCTIONS for name in names)


def _unfold(tree: Any) -> None:
    """Snowflake folds a plain ``name`` to ``"NAME"``, so elsewhere that is the plain name again."""
    from sqlglot import exp

    for identifier in tree.find_all(exp.Identifier):
        if identifier.quoted and identifier.name.isupper():
            identifier.set("this", fold(identifier.name, str.lower))


def _table(source: Any) -> Table:
    return Table(tuple(part.name for part in source.parts))
