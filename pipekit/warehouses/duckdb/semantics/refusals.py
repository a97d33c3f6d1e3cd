"""What cannot be said in DuckDB with the same value: refused, with the reason, a way out and the place."""

from __future__ import annotations

from typing import Any

from pipekit.errors import TemplateError
from pipekit.sql.semantics import OWN_TEMPLATE, place

_OWN_TEMPLATE = OWN_TEMPLATE.format("duckdb")


class Refused(TemplateError):
    """A construct that is known to give another value on DuckDB."""


def refuse(node: Any, reason: str, way_out: str = "") -> Refused:
    """The error for the construct at ``node``; the caller raises it.

    Args:
        node: The parsed construct; the first place found in it is reported.
        reason: What is different, as the end of the sentence "... ".
        way_out: Another spelling, if there is one; a template of one's own is named anyway.
    """
    line, column = place(node)
    hint = f"{way_out} Or: {_OWN_TEMPLATE}" if way_out else _OWN_TEMPLATE
    return Refused(reason, line=line, column=column, hint=hint)
