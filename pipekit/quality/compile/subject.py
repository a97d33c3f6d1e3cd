"""What compilers of expectations work with: the table, the plan of a check, and common pieces of SQL."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime
from typing import Any, NamedTuple

from pipekit.quality.judge import MAX_KEYS, MAX_SAMPLES, Verdict
from pipekit.sql.dialect import OTHER, Dialect
from pipekit.sql.fragments import Fragment, bound, fragment, joined
from pipekit.sql.text import quote_text

Rows = Sequence[tuple[Any, ...]]
Values = tuple[Any, ...]
ALL = Fragment("1 = 1")

# What a check asks of a type, by the type's family.
_KINDS = {
    "varchar": "text",
    "boolean": "boolean",
    "number": "number",
    "float": "number",
    "date": "time",
    "time": "time",
    "timestamp": "time",
}


class Subject(NamedTuple):
    """The table, as a compiler sees it.

    Attributes:
        table: Its quoted name.
        types: The engine's type text of each column, by name.
        dialect: The engine's SQL.
        quote: Quotes a column's name.
        other: Quotes the name of another table.
        where: True for the rows that a row condition keeps.
        keys: Columns whose values are shown with a sample, so that its row can be found.
    """

    table: str
    types: Mapping[str, str]
    dialect: Dialect
    quote: Callable[[str], str]
    other: Callable[[str], str]
    where: Fragment = ALL
    keys: tuple[str, ...] = ()

    def column(self, name: str) -> Fragment:
        """The column as an operand."""
        return Fragment(self.quote(name))

    def value(self, name: str) -> Fragment:
        """The column as an aggregate's operand: NULL in rows that the row condition leaves out."""
        return _only(self.where, self.column(name))

    def family(self, name: str) -> str:
        """``number``, ``text``, ``boolean``, ``time``, or ``other``."""
        return _KINDS.get(self.dialect.family(self.types[name]), OTHER)

    def count_rows(self, where: Fragment) -> Fragment:
        """How many rows meet the condition."""
        return Fragment("count(*)") if where == ALL else fragment(self.dialect.count_if, where)


def _as_judged(judge: Callable[[Values], Verdict]) -> Callable[[Values, Rows], Verdict]:
    def settle(values: Values, rows: Rows) -> Verdict:
        return judge(values)._replace(samples=tuple(str(row[0]) for row in rows if row[0] is not None))

    return settle


class Plan(NamedTuple):
    """How one expectation is judged.

    Attributes:
        measures: Aggregates over the table, each one value.
        judge: The verdict, from the values of the measures in order; or from the rows of ``query``.
        follow_up: A query of ``pk_text``, a sample, and ``pk_rows``, a number of rows; run only for a failure.
        settle: The final verdict, from the same values and the rows of ``follow_up``.
        query: A query in place of measures, for what no aggregate can express.
        alone: Whether the engine may refuse the measures, for the column's type or for a value it meets.
        table: What to measure: the table's quoted name.
    """

    measures: tuple[Fragment, ...]
    judge: Callable[[Values], Verdict]
    follow_up: Fragment | None = None
    settle: Callable[[Values, Rows], Verdict] | None = None
    query: Fragment | None = None
    alone: bool = False
    table: str = ""

    def final(self, values: Values, rows: Rows) -> Verdict:
        """The verdict with samples, once the follow-up has run."""
        return (self.settle or _as_judged(self.judge))(values, rows)


Kwargs = Mapping[str, Any]
Compiler = Callable[[Kwargs, Subject], Plan | None]


def _only(where: Fragment, value: Fragment) -> Fragment:
    return value if where == ALL else fragment("CASE WHEN {} THEN {} END", where, value)


def both(left: Fragment, right: Fragment) -> Fragment:
    return right if left == ALL else fragment("{} AND {}", left, right)


def is_in(column: Fragment, values: Sequence[Any]) -> Fragment:
    """Whether the column has one of the values; NULL for NULL, also when there are none to have."""
    if not values:
        return fragment("({} IS NULL AND NULL)", column)
    return fragment("{} IN ({})", column, joined(", ", map(bound, values)))


def cast_text(value: Fragment) -> Fragment:
    return fragment("CAST({} AS VARCHAR)", value)


def cast_texts(values: Sequence[Fragment]) -> Fragment:
    return joined(" || ', ' || ", [_text_or_null(value) for value in values])


def sample_query(subject: Subject, shown: Fragment, where: Fragment, *, distinct: bool = True) -> Fragment:
    """A few of the rows that meet the condition: by their keys, or else a few values, which differ if ``distinct``."""
    if subject.keys:
        return _keyed(subject, shown, _of_table(subject, where))
    table = escape_braces(subject.table)
    word = "DISTINCT " if distinct else ""
    template = f"SELECT {word}{{}} AS pk_text, NULL AS pk_rows FROM {table} WHERE {{}} LIMIT {MAX_SAMPLES}"
    return fragment(template, shown, where)


def row_query(subject: Subject, where: Fragment) -> Fragment | None:
    """A few of the rows that meet the condition, by their keys, or else as a whole."""
    if subject.keys:
        return _keyed(subject, None, _of_table(subject, where))
    row = subject.dialect.row_text
    if row is None:
        return None
    rows = f"(SELECT * FROM {escape_braces(subject.table)} WHERE {{}} LIMIT {MAX_SAMPLES}) AS pk_row"
    return fragment(f"SELECT {escape_braces(row)} AS pk_text, NULL AS pk_rows FROM {rows}", where)


def _keyed(subject: Subject, shown: Fragment | None, source: Fragment, rows: str = "NULL") -> Fragment:
    """Rows by their keys, and what is to be seen of each.

    Args:
        subject: The table.
        shown: What is to be seen; nothing but the keys if ``None``.
        source: The table or query, with WHERE.
        rows: SQL of the number of all such rows.
    """
    named = [
        joined(" || ", [Fragment(quote_text(f"{name}=", subject.dialect)), _text_or_null(subject.column(name))])
        for name in subject.keys
    ]
    text = joined(" || ', ' || ", named)
    if shown is not None:
        text = fragment("{} || ': ' || coalesce({}, 'NULL')", text, shown)
    return fragment(f"SELECT {{}} AS pk_text, {rows} AS pk_rows FROM {{}} LIMIT {MAX_KEYS}", text, source)


def _of_table(subject: Subject, where: Fragment) -> Fragment:
    return fragment(f"{escape_braces(subject.table)} WHERE {{}}", where)


def _text_or_null(value: Fragment) -> Fragment:
    return fragment("coalesce({}, 'NULL')", cast_text(value))


def escape_braces(text: str) -> str:
    return text.replace("{", "{{").replace("}", "}}")


def duplicate_query(subject: Subject, columns: Sequence[Fragment], where: Fragment) -> Fragment:
    """Some of the combinations that occur more than once, and the number of rows with such a combination."""
    names = joined(", ", columns)
    if subject.keys:
        rows = _of_table(subject, where)
        counted = fragment("SELECT *, count(*) OVER (PARTITION BY {}) AS pk_count FROM {}", names, rows)
        repeated = fragment("({}) AS pk_counted WHERE pk_count > 1", counted)
        return _keyed(subject, cast_texts(columns), repeated, "count(*) OVER ()")
    return fragment(
        f"SELECT {{}} AS pk_text, sum(count(*)) OVER () AS pk_rows FROM {escape_braces(subject.table)} WHERE {{}}"
        f" GROUP BY {{}} HAVING count(*) > 1 LIMIT {MAX_SAMPLES}",
        cast_texts(columns) if len(columns) > 1 else cast_text(columns[0]),
        where,
        names,
    )


def needs_cast(family: str, values: Sequence[Any]) -> bool:
    """Whether comparing the column with the values makes the engine cast, which may fail on a value it meets."""
    return any(not _compares(family, value) for value in values if value is not None)


def _compares(family: str, value: Any) -> bool:
    if isinstance(value, str):
        return family == "text" or _reads_as(family, value)
    if isinstance(value, bool):
        return family in ("boolean", "number")
    return family == ("time" if isinstance(value, date) else "number")


def _reads_as(family: str, value: str) -> bool:
    try:
        float(value) if family == "number" else datetime.fromisoformat(value)
    except ValueError:
        return False
    return family in ("number", "time")
