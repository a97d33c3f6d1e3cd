"""Mistakes of a query that Snowflake refuses too, found by its types before it runs.

Only what is certain is a mistake: where a type or the columns of a table are not known, nothing is said.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from sqlglot import exp

from pipekit.sql.conditions import FRAME
from pipekit.sql.reserved import RESERVED
from pipekit.suggestions import did_you_mean
from pipekit.warehouses.duckdb.semantics import constants, signatures
from pipekit.warehouses.duckdb.semantics.literals import literal_number, literal_text
from pipekit.warehouses.duckdb.semantics.rules import FUNCTIONS, Call, Typed
from pipekit.warehouses.duckdb.semantics.scopes import Columns, Scope
from pipekit.warehouses.duckdb.semantics.typed import Walker
from pipekit.warehouses.duckdb.semantics.types import Type

# Names that are not columns where they are, and sequences' members.
# https://docs.snowflake.com/en/sql-reference/constructs/connect-by, .../functions-context
_NO_COLUMNS = {
    "level", "connect_by_isleaf", "connect_by_iscycle", "nextval", "currval", "current_user", "current_role",
    "current_timestamp", "current_time", "current_date", "localtime", "localtimestamp", "current_warehouse",
    "current_database", "current_schema", "default",
}  # fmt: skip
AGGREGATES = frozenset(
    f"{word}{end}"
    for words, ends in {
        "ANY_VALUE APPROX_COUNT_DISTINCT APPROX_PERCENTILE APPROX_TOP_K ARRAYAGG AVG CORR COUNT COUNT_IF HASH_AGG": (
            "",
        ),
        "HLL KURTOSIS LISTAGG MAX MAX_BY MEDIAN MIN MINHASH MIN_BY MODE OBJECT_AGG SKEW STDDEV SUM VARIANCE": ("",),
        "ARRAY ARRAY_UNION ARRAY_UNIQUE BITAND BITOR BITXOR BITMAP_CONSTRUCT BOOLAND BOOLOR BOOLXOR": ("_AGG",),
        "COVAR STDDEV VARIANCE VAR": ("_POP", "_SAMP"),
        "PERCENTILE": ("_CONT", "_DISC"),
        "REGR": ("_AVGX", "_AVGY", "_COUNT", "_INTERCEPT", "_R2", "_SLOPE", "_SXX", "_SXY", "_SYY"),
    }.items()
    for word in words.split()
    for end in ends
)
_CLEAR = 0.7  # how near a name in double quotes must be to be meant for a column
_OF_GROUPS = ("GROUPING", "GROUPING_ID")
_MOMENTS = frozenset({"date", "ntz", "tz", "zoned"})
_NUMBERS = frozenset({"int", "huge", "dec", "float", "quotient"})
_WORDS = {
    "int": "NUMBER", "huge": "NUMBER", "dec": "NUMBER", "quotient": "NUMBER", "float": "FLOAT", "text": "VARCHAR",
    "bool": "BOOLEAN", "date": "DATE", "time": "TIME", "ntz": "TIMESTAMP_NTZ", "tz": "TIMESTAMP_TZ",
    "zoned": "TIMESTAMP_TZ", "variant": "VARIANT", "object": "OBJECT", "array": "ARRAY", "binary": "BINARY",
}  # fmt: skip


def word(kind: Type) -> str:
    """Snowflake's word for a type."""
    return _WORDS.get(kind.kind, kind.kind.upper())


# Names ---------------------------------------------------------------------------------------------------------
def unknown_column(walker: Walker, node: Any) -> None:
    """Note a column by a bare name that no table here has, if the columns of all are known."""
    name = node.name.lower()
    if name in _NO_COLUMNS or "$" in name or not isinstance(node.this, exp.Identifier) or _reserved(node):
        return
    scope, known = walker.scope, []
    while True:
        if not all(_complete(source.columns) for source in scope.sources) or name in scope.aliases:
            return
        if any(name in (source.columns or {}) for source in scope.sources):
            return  # it is there, of a type that is not known
        known += [column for source in scope.sources for column in source.columns or {}]
        known += [alias for alias in scope.aliases if alias not in known]
        if scope.parent is None:
            break
        scope = scope.parent
    if not walker.scope.sources:
        _no_table(walker, node)
        return
    tables = ", ".join(source.name or "a query" for source in walker.scope.sources)
    way_out = _one_of(name, known)
    if node.this.quoted and not did_you_mean(name, known, alike=_CLEAR):
        way_out = f"double quotes make it a column, and a text is written in single quotes: '{node.name}'"
    walker.mistake(node, f"unknown column {node.name!r}: it is not in {tables}", way_out)


def _reserved(column: Any) -> bool:
    """Whether it is refused for its name already."""
    return not column.this.args.get("quoted") and column.name.upper() in RESERVED


def _no_table(walker: Walker, node: Any) -> None:
    """Note, once for a SELECT, that it names columns and has no FROM."""
    if walker.scope.has_no_from:
        return
    walker.scope.has_no_from = True
    query = node.find_ancestor(exp.Select)
    last = query.selects[-1] if query is not None and query.selects else None
    table = last.args["alias"] if isinstance(last, exp.Alias) and _has_no_as(last) else None
    where = f" before {table.name!r}" if table is not None else ""
    walker.mistake(node, f"unknown column {node.name!r}: no table is read here", f"is FROM missing{where}?")


def _has_no_as(alias: Any) -> bool:
    """Whether a name follows its expression at once, as a table does where FROM is forgotten."""
    inner: Any = next((part.meta for part in alias.this.walk() if "end" in part.meta), {})
    return bool(inner) and alias.args["alias"].meta.get("start", 0) == inner["end"] + 2


def _complete(columns: Columns | None) -> bool:
    """Whether the names of all columns are known; one of an expression without an alias is called as it is written."""
    return columns is not None and not any(name.startswith("$") for name in columns)


def unknown_column_of(walker: Walker, node: Any, columns: Columns) -> None:
    """Note a column that its table does not have."""
    if node.name.lower() in _NO_COLUMNS or "$" in node.name or not _complete(columns) or _reserved(node):
        return
    walker.mistake(node.this, f"unknown column {node.name!r} of {node.table}", _one_of(node.name.lower(), columns))


def unknown_table_of(walker: Walker, node: Any) -> None:
    """Note ``x.column`` where no table here is called x."""
    if (
        node.args.get("db")
        or node.name.lower() in _NO_COLUMNS
        or not isinstance(node.args.get("table"), exp.Identifier)
    ):
        return
    names = [source.name for source in _all_sources(walker.scope)]
    if names and "" not in names:
        walker.mistake(node, f"no table here is called {node.table!r}", _one_of(node.table.lower(), names))


def _all_sources(scope: Scope | None) -> Iterator[Any]:
    while scope is not None:
        yield from scope.sources
        scope = scope.parent


def _one_of(name: str, known: Iterable[str]) -> str:
    names = [name for name in dict.fromkeys(known) if name != FRAME]
    near = did_you_mean(name, names).removeprefix("; ")
    listed = ", ".join(names[:12]) + (", ..." if len(names) > 12 else "")
    return near or (f"known here: {listed}" if names else "")


# Types ---------------------------------------------------------------------------------------------------------
def cannot_be_compared(one: Type, two: Type) -> bool:
    """Whether no implicit cast joins the two types.

    https://docs.snowflake.com/en/sql-reference/data-type-conversion#data-types-that-can-be-cast
    """
    first, second = {one.kind, two.kind} & _MOMENTS, {one.kind, two.kind} - _MOMENTS
    if first and second:
        return bool(second & (_NUMBERS | {"bool", "time", "binary", "array", "object"}))
    both = {one.kind, two.kind}
    return "time" in both and bool(both & (_NUMBERS | {"bool", "binary", "array", "object"}))


def comparison(walker: Walker, node: Any, left: Typed, right: Typed) -> bool:
    """Note a comparison of types that no implicit cast joins, and one with a constant that is not a value of the type.

    Returns:
        Whether it is the types, so that any other value of that type is wrong as well.
    """
    for value, other in ((left, right), (right, left)):
        text = literal_text(other)
        wrong = None if text is None else constants.unreadable(text, value.type.kind)
        if wrong is not None:
            shown = _column_of(node, value)
            reason = f"{shown or 'what it is compared with'} is of type {word(value.type)}, and {wrong}"
            walker.mistake(other.node, reason, constants.way_out(value.type.kind))
            return False
    if not cannot_be_compared(left.type, right.type):
        return False
    _note_types(walker, node, left, right)
    return True


def _note_types(walker: Walker, node: Any, left: Typed, right: Typed) -> None:
    text = f"{word(left.type)} and {word(right.type)} cannot be compared"
    for value, other in ((left, right), (right, left)):
        number, column = literal_number(other), _column_of(node, value)
        if number is not None and column:
            written = next((side for side in (node.args.get("expression"), node.this) if _is_number(side)), node)
            walker.mistake(written, f"{text} ({column} with {number})", constants.way_out(value.type.kind))
            return
    walker.mistake(node, text, "compare values of one type")


def _is_number(node: Any) -> bool:
    return isinstance(node, exp.Literal) and not node.is_string


def _column_of(node: Any, value: Typed) -> str:
    """The column that a side of a comparison is, as people write it; empty if it is something else."""
    sides = [node.args.get(key) for key in ("this", "expression")]
    column = next((side for side in sides if isinstance(side, exp.Column) and side.name == value.node.name), None)
    return "" if column is None else ".".join(part for part in (column.table, column.name) if part)


def one_value(walker: Walker, node: Any) -> None:
    """Note a query of several columns that is compared with one value."""
    for side in (node.this, node.expression):
        query = side.unnest() if isinstance(side, exp.Subquery) else None
        if isinstance(query, exp.Select) and len(query.selects) > 1 and not any(each.is_star for each in query.selects):
            other = node.expression if side is node.this else node.this
            if not isinstance(other, (exp.Tuple, exp.Subquery)):
                text = f"a query that is compared with one value gives {len(query.selects)} columns"
                walker.mistake(query, text, "select one column in it")


def in_one_column(walker: Walker, node: Any, types: Sequence[Type], what: str) -> None:
    """Note values of one column (of CASE, COALESCE, UNION) whose types have none in common."""
    for index, kind in enumerate(types):
        other = next((each for each in types[:index] if cannot_be_compared(each, kind)), None)
        if other is not None:
            text = f"{what} is of {word(other)} in one place and of {word(kind)} in another"
            walker.mistake(node, text, "give values of one type; one that is missing is NULL")
            return


def arithmetic(walker: Walker, node: Any, left: Typed, right: Typed) -> None:
    """Note arithmetic that Snowflake does not have for dates and times.

    https://docs.snowflake.com/en/sql-reference/data-types-datetime#simple-arithmetic-for-dates
    """
    for value, other in ((left, right), (right, left)):
        text = literal_text(other)
        wrong = constants.unreadable(text, value.type.kind) if text and value.type.kind in _NUMBERS else None
        if wrong is not None:
            walker.mistake(node, f"{wrong}, and it is calculated with", "write a number, or join texts with ||")
            return
    kinds = left.type.kind, right.type.kind
    if not set(kinds) & (_MOMENTS | {"time"}) or not set(kinds) <= _MOMENTS | _NUMBERS | {"time", "bool"}:
        return
    fine = isinstance(node, exp.Sub) and kinds[0] in _MOMENTS and kinds[1] in _MOMENTS
    fine = fine or (isinstance(node, exp.Sub) and kinds[0] == "date" and kinds[1] in _NUMBERS)
    fine = fine or (isinstance(node, exp.Add) and "date" in kinds and bool(set(kinds) & _NUMBERS))
    if not fine:
        sign = {"add": "+", "sub": "-", "mul": "*", "div": "/", "mod": "%"}[node.key]
        text = f"{sign} does not take {word(left.type)} and {word(right.type)}"
        walker.mistake(node, text, "use dateadd or datediff, or cast one of them")


def cast(walker: Walker, node: Any, given: Typed, wanted: str) -> None:
    """Note a cast that does not exist. https://docs.snowflake.com/en/sql-reference/data-type-conversion"""
    value, text = given.type, literal_text(given)
    if text is not None and (wrong := constants.no_such_moment(text, wanted)) is not None:
        walker.mistake(node, wrong, constants.way_out(wanted))
    if value.kind in _MOMENTS | {"time"} and wanted in ("int", "bool"):
        hint = "use date_part(epoch_second, ...), or to_char first"
        walker.mistake(node, f"{word(value)} cannot be cast to {_WORDS[wanted]}", hint)


_OF_NUMBERS = {"ABS", "SUM", "AVG", "STDDEV", "STDDEV_POP", "STDDEV_SAMP", "VARIANCE", "VAR_POP", "VAR_SAMP"}
_OF_MOMENTS = {
    "YEAR": (0,), "MONTH": (0,), "DAY": (0,), "QUARTER": (0,), "WEEK": (0,), "WEEKISO": (0,), "DAYOFWEEK": (0,),
    "DAYOFWEEKISO": (0,), "DAYOFYEAR": (0,), "DAYOFMONTH": (0,), "WEEKOFYEAR": (0,), "YEAROFWEEK": (0,), "HOUR": (0,),
    "MINUTE": (0,), "SECOND": (0,), "DAYNAME": (0,), "MONTHNAME": (0,), "LAST_DAY": (0,), "NEXT_DAY": (0,),
    "PREVIOUS_DAY": (0,), "ADD_MONTHS": (0,), "DATE_TRUNC": (1,), "DATEADD": (2,), "TIMESTAMPADD": (2,),
    "DATEDIFF": (1, 2), "TIMESTAMPDIFF": (1, 2), "MONTHS_BETWEEN": (0, 1),
}  # fmt: skip
_OF_WINDOWS = frozenset(
    ("ROW_NUMBER", "RANK", "DENSE_RANK", "PERCENT_RANK", "CUME_DIST", "NTILE", "LAG", "LEAD", "FIRST_VALUE",
     "LAST_VALUE", "NTH_VALUE", "RATIO_TO_REPORT")
)  # fmt: skip
_READS = {
    "TO_DATE": "date", "DATE": "date", "TO_TIME": "time", "TO_TIMESTAMP": "ntz", "TO_TIMESTAMP_NTZ": "ntz",
    "TO_TIMESTAMP_TZ": "tz", "TO_NUMBER": "int", "TO_DECIMAL": "int", "TO_DOUBLE": "float", "TO_BOOLEAN": "bool",
}  # fmt: skip


def call(found: Call) -> None:
    """Note a wrong number of arguments, or one whose type the function does not take."""
    wrong = signatures.wrong_count(found.name.lower(), len(found) + len(found.named))
    if wrong is not None:
        found.rewriter.mistake(found.node, *wrong)
        return
    if found.name in _OF_WINDOWS and not found.windowed:
        name = found.name.lower()
        found.rewriter.mistake(
            found.node, f"{name} needs a window", f"write {name}({'...' if len(found) else ''}) over (order by ...)"
        )
    if found.name in _READS and len(found) == 1:
        cast(found.rewriter, found.node, found.arg(0), _READS[found.name])
    if found.name in _OF_NUMBERS and len(found) == 1 and not isinstance(found.raw[0], exp.Star):
        _argument(found, 0, _MOMENTS | {"time", "array", "object", "binary", "bool"}, "numbers")
    for place in _OF_MOMENTS.get(found.name, ()):
        if place < len(found):
            _argument(found, place, _NUMBERS | {"bool", "array", "object", "binary"}, "dates and timestamps")


def _argument(found: Call, place: int, refused: frozenset[str] | set[str], wanted: str) -> None:
    kind = found.arg(place).type
    if kind.kind in refused:
        text = f"{found.name.lower()} takes {wanted}, and this is of type {word(kind)}"
        counted = kind.kind == "bool" and found.name in _OF_NUMBERS
        way_out = "write count_if(condition), or iff(condition, 1, 0)" if counted else "cast it, or take another column"
        found.rewriter.mistake(found.node, text, way_out)


# Groups --------------------------------------------------------------------------------------------------------
def groups(walker: Walker, node: Any, scope: Scope) -> None:
    """Note aggregates in WHERE, and columns that are neither grouped nor aggregated; before the rewriting."""
    where = node.args.get("where")
    for inner in own_parts(where.this) if where is not None else ():
        if isinstance(inner, exp.Window):
            walker.mistake(inner, "a window function is not allowed in WHERE", "use QUALIFY")
        elif is_aggregate(inner):
            walker.mistake(inner, f"the aggregate {inner.this} is not allowed in WHERE", "use HAVING")
    group = node.args.get("group")
    aggregated = group is not None or any(is_aggregate(part) for each in node.selects for part in own_parts(each))
    keys = _keys(node, group, scope) if aggregated else None
    for each in node.selects if keys is not None else ():
        for column in _ungrouped(each, keys or set(), scope):
            text = f"the column {column.name!r} is neither in GROUP BY nor inside an aggregate"
            walker.mistake(column, text, "add it to GROUP BY, or take any_value, min or max of it")


def own_parts(node: Any) -> Iterator[Any]:
    """The parts of an expression, those of queries and windows inside it left out."""
    yield node
    if isinstance(node, (exp.Query, exp.Subquery, exp.Window)):
        return
    for child in node.iter_expressions():
        yield from own_parts(child)


def is_aggregate(node: Any) -> bool:
    return isinstance(node, exp.Anonymous) and str(node.this).upper() in AGGREGATES


def _keys(node: Any, group: Any, scope: Scope) -> set[str] | None:
    """What is grouped by, in a form to compare; ``None`` if that is not certain."""
    if group is None:
        return set()
    if group.args.get("all") or group.args.get("totals") or any(each.is_star for each in node.selects):
        return None
    if any(_is_unknown(key, scope, len(node.selects)) for key in group.expressions):
        return None  # it may be meant for the column that seems not to be grouped
    return {_shape(key) for each in group.expressions for key in _key(each, node, scope)}


def _is_unknown(key: Any, scope: Scope, columns: int) -> bool:
    """Whether a key is a column or a position that is not there, which is noted elsewhere."""
    if isinstance(key, exp.Literal) and str(key.this).isdigit():
        return int(str(key.this)) > columns
    if not isinstance(key, exp.Column) or any(source.columns is None for source in scope.sources):
        return False
    return not any(
        key.name.lower() in (source.columns or {})
        for source in scope.sources
        if not key.table or source.name == key.table.lower()
    ) and (bool(key.table) or key.name.lower() not in scope.aliases)


def _key(key: Any, node: Any, scope: Scope) -> Iterator[Any]:
    yield key
    if isinstance(key, (exp.Tuple, exp.Paren, exp.Rollup, exp.Cube, exp.GroupingSets)):
        for part in key.iter_expressions():
            yield from _key(part, node, scope)
    if isinstance(key, exp.Literal) and not key.is_string and str(key.this).isdigit():
        position = int(str(key.this))
        if 0 < position <= len(node.selects):
            yield node.selects[position - 1].unalias()
    if isinstance(key, exp.Column) and not key.table and not scope.owners(key.name):
        yield from (each.this for each in node.selects if each.alias.lower() == key.name.lower() and each.alias)


_QUALIFIER = re.compile(r"\b[a-z_][\w$]*\.(?=[a-z_])")


def _shape(node: Any) -> str:
    """An expression as text, without what may be written in two ways."""
    text = node.sql(comments=False).lower().replace('"', "").replace("'", "")
    return _QUALIFIER.sub("", text)


def _ungrouped(node: Any, keys: set[str], scope: Scope) -> Iterator[Any]:
    """Columns of this SELECT's own tables that are outside of aggregates and are in no key."""
    if _shape(node) in keys or isinstance(node, (exp.Query, exp.Subquery, exp.Window, exp.WithinGroup, exp.Lambda)):
        return
    if isinstance(node, exp.Anonymous) and (is_aggregate(node) or str(node.this).upper() in _OF_GROUPS):
        return
    if isinstance(node, exp.Anonymous) and str(node.this).upper() not in FUNCTIONS:
        return  # it may be an aggregate of the project's own
    if isinstance(node, exp.Column):
        own = [each for each in scope.sources if not node.table or each.name == node.table.lower()]
        known = own and all(each.columns is not None for each in scope.sources)
        if known and any(node.name.lower() in (each.columns or {}) for each in own):
            yield node
        return
    for child in node.iter_expressions():
        yield from _ungrouped(child, keys, scope)
