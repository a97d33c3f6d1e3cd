"""What is reported of functions whose values are not proven equal on an engine."""

from __future__ import annotations

from collections.abc import Sequence

from pipekit.sql.dialect import Dialect
from pipekit.suggestions import did_you_mean


def not_proven(names: Sequence[str], dialect: Dialect) -> str:
    """The functions by their names, each with the one that was perhaps meant.

    Args:
        names: In upper case.
        dialect: Of the engine.
    """
    known = [name.lower() for name in dialect.semantics.functions()] if dialect.semantics else []
    return ", ".join(name.lower() + did_you_mean(name.lower(), known, alike=0.75) for name in names)
