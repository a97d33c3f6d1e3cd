"""A condition over the rows of one table, as a key such as ``where`` holds it: Snowflake's dialect, no query around it.

It is translated within a SELECT, so that it goes the same way as any other SQL, and taken out again.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from pipekit.errors import TemplateError
from pipekit.names import Table, quote_identifier
from pipekit.sql.dialect import PROJECT_SQL, Dialect
from pipekit.sql.semantics import ColumnsOf, nothing_known
from pipekit.sql.translate import Translated, translate
from pipekit.versions import tested_sqlglot

FRAME = "pipekit_condition"
"""What a condition is called in the SELECT that carries it; no message shows it."""


def framed(condition: str, table: Table) -> str:
    """The SELECT that carries a condition over ``table``; its lines are those of the condition."""
    name = ".".join(quote_identifier(part, str.upper) for part in table.parts)
    # The line break keeps a comment in the last line from swallowing what follows.
    return f"SELECT ({condition}\n) AS {FRAME} FROM {name}"


def translate_condition(
    text: str,
    *,
    read: Dialect = PROJECT_SQL,
    write: Dialect,
    columns_of: ColumnsOf = nothing_known,
    allowed: Collection[str] = (),
) -> Translated:
    """Put a framed condition into another dialect; ``sql`` is the condition alone.

    Raises:
        TemplateError: It is not one condition over the table's own columns.
        VersionError: sqlglot is another one than was tested.
    """
    found = translate(text, read=read, write=write, columns_of=columns_of, allowed=allowed)
    condition = _one_condition(text, read)
    kinds = {kind for _, kind in found.columns or () if kind}
    if kinds - {"BOOLEAN"}:
        raise TemplateError(f"is not a condition: it gives {kinds.pop()}, not true or false")
    _refuse_guesses(condition, read)
    start, end = len("SELECT"), found.sql.rindex(f"AS {FRAME}")
    return found._replace(sql=found.sql[start:end].strip())


def _one_condition(text: str, read: Dialect) -> Any:
    """The condition as a tree, if it is one, over the row's own columns."""
    tested_sqlglot()
    import sqlglot
    from sqlglot import exp

    tree: Any = sqlglot.parse_one(text, read=read.name)
    parts = {name for name, value in tree.args.items() if value} - {"expressions", "from_", "from", "kind"}
    if not isinstance(tree, exp.Select) or len(tree.expressions) != 1 or parts:
        raise TemplateError("must be one condition")
    condition = tree.expressions[0].this
    for kind, name in ((exp.Query, "a subquery"), (exp.AggFunc, "an aggregate"), (exp.Window, "a window function")):
        if condition.find(kind):
            raise TemplateError(f"holds {name}; it is judged row by row, by the row's own columns")
    if condition.find(exp.Placeholder):  # where the target's dialect has semantics, they have refused it already
        raise TemplateError("holds a ?; write {{ var('name') }} for a value")
    for column in condition.find_all(exp.Column):
        if column.table:
            raise TemplateError(f"names a table; write {column.name} in place of {column.sql(dialect=read.name)}")
    return condition


def _refuse_guesses(condition: Any, read: Dialect) -> None:
    """Refuse a part that may be no condition, such as a column alone: engines cast numbers and texts to true or false.

    It is judged by the syntax, so that a file which is right on an engine that knows the columns' types is right on one
    that does not.
    """
    from sqlglot import exp
    from sqlglot.optimizer.annotate_types import annotate_types

    if isinstance(condition, exp.Paren | exp.Not):
        _refuse_guesses(condition.this, read)
    elif isinstance(condition, exp.Connector):
        for part in (condition.this, condition.expression):
            _refuse_guesses(part, read)
    elif not annotate_types(condition.copy(), dialect=read.name).is_type("boolean"):
        text = condition.sql(dialect=read.name)
        raise TemplateError(f"{text} is not known to be true or false; compare it, as in {text} = TRUE")
