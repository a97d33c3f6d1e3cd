"""What cannot be said in DuckDB with the same value: refused, with the reason, a way out and the place."""

from __future__ import annotations

from typing import Any

from pipekit.errors import TemplateError

OWN_TEMPLATE = "Write templates/duckdb/<name>.sql for this warehouse; it wins by being there."


class Refused(TemplateError):
    """A construct that is known to give another value on DuckDB.

    Attributes:
        column: Where it begins in its line, counted from 1; ``None`` if that is not known.
    """

    column: int | None = None


def refuse(node: Any, reason: str, way_out: str = "") -> Refused:
    """The error for the construct at ``node``; the caller raises it.

    Args:
        node: The parsed construct; the first place found in it is reported.
        reason: What is different, as the end of the sentence "... ".
        way_out: Another spelling, if there is one; a template of one's own is named anyway.
    """
    line, column = place(node)
    hint = f"{way_out} Or: {OWN_TEMPLATE}" if way_out else OWN_TEMPLATE
    error = Refused(reason, line=line, hint=hint)
    error.column = column
    return error


def place(node: Any) -> tuple[int | None, int | None]:
    """Line and column, from 1, of the first part of the construct whose place the parser kept."""
    places = [
        (part.meta["line"], part.meta["col"] - (part.meta["end"] - part.meta["start"]))
        for part in node.walk()
        if "line" in part.meta
    ]
    return min(places, default=(None, None))
