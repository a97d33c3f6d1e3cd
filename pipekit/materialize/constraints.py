"""What a step says of its output columns: types, descriptions, NOT NULL, defaults, and the primary key.

Snowflake enforces NOT NULL and no primary key (https://docs.snowflake.com/en/sql-reference/constraints-overview). So
that a file means the same on every engine, both are judged here beside the audit, and the tables are made with NOT NULL
and DEFAULT, which all engines know. The key is declared where it is information alone (``Dialect.declares_keys``): an
index that enforces it would refuse to replace a row within one transaction.
"""

from __future__ import annotations

from collections.abc import Sequence

from pipekit.errors import QueryError
from pipekit.materialize.into import Into
from pipekit.names import Table
from pipekit.quality.suite import Expectation, Suite
from pipekit.source import Column
from pipekit.sql.text import literal, quote_text
from pipekit.step import Statement, StepContext
from pipekit.warehouses.contract import TableColumn

_NOT_NULL, _UNIQUE = "expect_column_values_to_not_be_null", "expect_column_values_to_be_unique"


def required(options: Into) -> list[str]:
    """Columns that are never NULL, in the order of the file."""
    said = [name for name, column in options.said.columns.items() if not column.nullable]
    return list(dict.fromkeys([*options.said.primary_key, *said]))


def of_new_rows(options: Into) -> Suite | None:
    """What must be true of new rows before one of them is moved."""
    found = tuple(Expectation(_NOT_NULL, {"column": name}, name=f"{name} is NOT NULL") for name in required(options))
    return Suite("columns", found) if found else None


def of_table(options: Into) -> Suite | None:
    """What must be true of the whole table once the new rows are there."""
    key = list(options.said.primary_key)
    if not key:
        return None
    name = f"primary key ({', '.join(key)})"
    if len(key) == 1:
        return Suite("columns", (Expectation(_UNIQUE, {"column": key[0]}, name=name),))
    return Suite("columns", (Expectation("expect_compound_columns_to_be_unique", {"column_list": key}, name=name),))


def make(context: StepContext, table: Table, columns: Sequence[TableColumn], options: Into) -> None:
    """Make an empty table of these columns, with what the file says of them, and of those that only have a default."""
    warehouse = context.warehouse
    said = {warehouse.fold(name): column for name, column in options.said.columns.items()}
    never = set(map(warehouse.fold, required(options)))
    given = {column.name for column in columns}
    more = [TableColumn(name, _type(context, name, options)) for name in said if name not in given]
    parts = []
    for column in (*columns, *more):
        default = said[column.name].default if column.name in said else None
        text = "" if default is None else f" DEFAULT {literal(default, warehouse.dialect)}"
        null = " NOT NULL" if column.name in never else ""
        parts.append(f"{warehouse.quote(column.name)} {column.type}{text}{null}")
    if options.said.primary_key and warehouse.dialect.declares_keys:
        parts.append(f"PRIMARY KEY ({', '.join(map(warehouse.quote, options.said.primary_key))})")
    warehouse.execute(f"CREATE TABLE {warehouse.quote(table)} ({', '.join(parts)})")


def _type(context: StepContext, name: str, options: Into) -> str:
    """The type of a column that the rows do not have, and that its default fills."""
    declared = next(c for n, c in options.said.columns.items() if context.warehouse.fold(n) == name)
    if declared.type is None or declared.default is None:
        raise QueryError(
            f"contract: the rows have no column {name}",
            kept="Nothing was written.",
            hint="Give it a type and a default, which fills it; or take it out.",
        )
    return context.warehouse.type_of(Column.of(name, declared.type))


def refuse_unknown(context: StepContext, columns: Sequence[TableColumn], options: Into) -> None:
    """Make sure that the rows have each declared column that has no default, with its type.

    Raises:
        QueryError: They do not.
    """
    warehouse, has = context.warehouse, {column.name: column.type for column in columns}
    for name, column in options.said.columns.items():
        found = has.get(warehouse.fold(name))
        if found is None:
            _type(context, warehouse.fold(name), options)
        elif column.type is not None and found != (wanted := warehouse.type_of(Column.of(name, column.type))):
            raise QueryError(
                f"contract: {name} is {found} in the rows and {wanted} in the file",
                kept="Nothing was written.",
                hint=f"Cast it in the query: {name}::{column.type}. Or take the type out of the file.",
            )


def beside(options: Into) -> tuple[Column, ...]:
    """Columns of the table that the rows need not have: those of the materialization, and those with a default."""
    columns = options.said.columns.items()
    filled = (Column.of(name, said.type) for name, said in columns if said.type and said.default is not None)
    return (*options.choice.own_columns, *filled)


def describe(context: StepContext, table: Table, options: Into) -> None:
    """Give the table's columns their descriptions. Outside a transaction: it is DDL."""
    warehouse = context.warehouse
    for name, column in options.said.columns.items():
        if column.description:
            place = f"{warehouse.quote(table)}.{warehouse.quote(name)}"
            warehouse.execute(f"COMMENT ON COLUMN {place} IS {quote_text(column.description, warehouse.dialect)}")


def make_read_table(context: StepContext, table: Table, statement: Statement, options: Into) -> bool:
    """Make the table that the query itself reads, empty, if it is not there: so it works on its first run.

    Returns:
        Whether it was made.

    Raises:
        QueryError: The types of its columns are not known.
    """
    warehouse = context.warehouse
    own = {warehouse.full_name(each) for each in statement.reads}
    if warehouse.full_name(table) not in own or warehouse.exists(table):
        return False
    said = ((warehouse.fold(name), column.type) for name, column in options.said.columns.items())
    known = {name: TableColumn(name, warehouse.type_of(Column.of(name, kind))) for name, kind in said if kind}
    for name, kind in statement.columns or ():
        if warehouse.fold(name) not in known and kind:
            known[warehouse.fold(name)] = TableColumn(warehouse.fold(name), kind)
    unknown = [name for name, _ in statement.columns or () if warehouse.fold(name) not in known]
    if unknown or not known:
        which = f"the types of {', '.join(unknown)}" if unknown else "its columns"
        raise QueryError(
            f"the query reads {table}, which it makes, and on the first run {which} cannot be known",
            kept=f"{table} was not made.",
            hint="Declare them: `contract: {columns: {id: integer, ...}}`; then the first run finds an empty table.",
        )
    stamps = [TableColumn(warehouse.fold(c.name), warehouse.type_of(c)) for c in options.choice.own_columns]
    make(context, table, [*known.values(), *(c for c in stamps if c.name not in known)], options)
    return True
