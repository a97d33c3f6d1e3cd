"""Row conditions: which rows an expectation looks at.

Written as a mapping, as Great Expectations exports them, or as text in its older notation,
``col("region") == "North"``: https://docs.greatexpectations.io/docs/core/customize_expectations/expectation_conditions
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from pipekit.names import Table, quote_identifier
from pipekit.sql.conditions import framed, translate_condition
from pipekit.sql.dialect import Dialect
from pipekit.sql.fragments import Fragment, fragment, joined
from pipekit.sql.text import quote_text

_TEXT = r"""(?xi)\s*col\("(?P<column>[^"]+)"\)\s*
    (?: (?P<notnull>\.notnull\(\))
      | (?P<operator>==|!=|<=|>=|<|>)\s*
        (?: (?P<number>[+-]?\d+(?:\.\d*)?(?:[eE][+-]?\d+)?) | "(?P<double>[^"']*)" | '(?P<single>[^"']*)' ) )\s*"""
_SQL_OPERATORS = {"==": "=", "!=": "<>", "<": "<", "<=": "<=", ">": ">", ">=": ">="}


def parse_text(text: str) -> dict[str, Any] | None:
    """A condition written as text, as the mapping that means the same; ``None`` if it is not a condition."""
    match = re.fullmatch(_TEXT, text)
    if match is None:
        return None
    column = {"name": match["column"]}
    if match["notnull"]:
        return {"type": "nullity", "column": column, "is_null": False}
    value = _number(match["number"]) if match["number"] else match["double"] or match["single"] or ""
    return {"type": "comparison", "column": column, "operator": match["operator"], "parameter": value}


def _number(text: str) -> int | float:
    try:
        return int(text)
    except ValueError:
        return float(text)


def with_columns(condition: Mapping[str, Any], actual: Callable[[str], str]) -> dict[str, Any]:
    """The condition with each column name put through ``actual``."""
    if "conditions" in condition:
        return {**condition, "conditions": [with_columns(part, actual) for part in condition["conditions"]]}
    return {**condition, "column": {"name": actual(condition["column"]["name"])}}


def columns_of(condition: Any) -> tuple[str, ...]:
    """The columns that a row condition names; none if it is none, or cannot be read."""
    if isinstance(condition, str):
        condition = parse_text(condition)
    if not isinstance(condition, Mapping):
        return ()
    if "conditions" in condition:
        return tuple(name for part in condition["conditions"] for name in columns_of(part))
    column = condition.get("column")
    return (str(column["name"]),) if isinstance(column, Mapping) and "name" in column else ()


def compared(condition: Mapping[str, Any]) -> Iterator[tuple[str, list[Any]]]:
    """Each column that the condition compares, with the values it is compared with."""
    if "conditions" in condition:
        for part in condition["conditions"]:
            yield from compared(part)
    elif condition["type"] == "comparison":
        value = condition["parameter"]
        yield condition["column"]["name"], list(value) if isinstance(value, list) else [value]


def by_types(condition: Mapping[str, Any], types: Mapping[str, str], dialect: Dialect) -> Fragment:
    """The condition as SQL that casts as Snowflake does, where a column is compared with values of another type.

    Args:
        condition: The condition.
        types: The engine's type of each column, by name.
        dialect: The engine's dialect, with semantics of its own.

    Raises:
        TemplateError: Snowflake refuses the comparison too, or it cannot be made equal.
    """
    known = {name.lower(): kind for name, kind in types.items()}
    text = framed(_written(condition), _BATCH)
    return Fragment(translate_condition(text, write=dialect, columns_of=lambda table: known).sql)


_BATCH = Table(("batch",))


def _written(condition: Mapping[str, Any]) -> str:
    """The condition in the project's dialect, with its values as literals."""
    if "conditions" in condition:
        return "(" + f" {condition['type']} ".join(_written(part) for part in condition["conditions"]) + ")"
    column = quote_identifier(condition["column"]["name"], str)
    if condition["type"] == "nullity":
        return f"{column} IS NULL" if condition["is_null"] else f"{column} IS NOT NULL"
    operator, value = condition["operator"], condition["parameter"]
    if operator not in ("IN", "NOT_IN"):
        return f"{column} {_SQL_OPERATORS[operator]} {_literal(value)}"
    within = f"{column} IN ({', '.join(map(_literal, value))})" if value else "1 = 0"
    return within if operator == "IN" else f"NOT {within}"


def _literal(value: Any) -> str:
    if isinstance(value, bool | int | float):
        return str(value).upper() if isinstance(value, bool) else repr(value)
    return "NULL" if value is None else quote_text(str(value))


def condition_sql(condition: Mapping[str, Any], quote: Callable[[str], str]) -> Fragment:
    """The condition as SQL, true for the rows to look at."""
    if "conditions" in condition:
        parts = [condition_sql(part, quote) for part in condition["conditions"]]
        return fragment("({})", joined(f" {condition['type'].upper()} ", parts))
    column = Fragment(quote(condition["column"]["name"]))
    if condition["type"] == "nullity":
        return fragment("{} IS NULL" if condition["is_null"] else "{} IS NOT NULL", column)
    return _comparison(column, condition["operator"], condition["parameter"])


def _comparison(column: Fragment, operator: str, value: Any) -> Fragment:
    if operator not in ("IN", "NOT_IN"):
        return fragment("{} " + _SQL_OPERATORS[operator] + " {}", column, Fragment("?", (value,)))
    values = joined(", ", [Fragment("?", (item,)) for item in value])
    within = fragment("{} IN ({})", column, values) if value else Fragment("1 = 0")
    return within if operator == "IN" else fragment("NOT {}", within)
