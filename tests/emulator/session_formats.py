"""What the session's formats change: how text without a format is read as a date, a time or a timestamp.

https://docs.snowflake.com/en/sql-reference/functions/try_to_date: the default is the session's DATE_INPUT_FORMAT.
"""

from __future__ import annotations

from collections.abc import Callable

from sqlglot import exp, parse_one

_ELEMENTS = {"YYYY": "%Y", "MM": "%m", "DD": "%d", "HH24": "%H", "MI": "%M", "SS": "%S"}


def with_formats(tree: exp.Expression, parameter: Callable[[str, str], str]) -> exp.Expression:
    """The statement with the session's formats stated where it relies on them."""
    formats = {kind: parameter(f"{kind}_INPUT_FORMAT", "AUTO") for kind in ("DATE", "TIME", "TIMESTAMP")}
    if all(value.upper() == "AUTO" for value in formats.values()):
        return tree
    return tree.transform(lambda node: _stated(node, formats))


def _stated(node: exp.Expression, formats: dict[str, str]) -> exp.Expression:
    kind, value = _reads_text(node)
    given = formats.get(kind, "AUTO")
    if value is None or given.upper() == "AUTO":
        return node
    for element, python in _ELEMENTS.items():
        given = given.replace(element, python)
    target = {"DATE": "DATE", "TIME": "TIME"}.get(kind, "TIMESTAMP")
    return parse_one(f"TRY_STRPTIME({value.sql('duckdb')}, '{given}')::{target}", read="duckdb")


def _reads_text(node: exp.Expression) -> tuple[str, exp.Expression | None]:
    if isinstance(node, exp.TsOrDsToDate | exp.TsOrDsToTime) and not node.args.get("format"):
        return ("DATE" if isinstance(node, exp.TsOrDsToDate) else "TIME"), node.this
    if isinstance(node, exp.Anonymous) and "TO_TIMESTAMP" in node.name.upper() and len(node.expressions) == 1:
        return "TIMESTAMP", node.expressions[0]
    return "", None
