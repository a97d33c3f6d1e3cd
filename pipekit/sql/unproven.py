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
    return ", ".join(name.lower() + _meant(name, dialect) for name in names)


def unknown_function(name: str, dialect: Dialect) -> str:
    """What is doubtful about a call of one of them; see ``not_proven``."""
    near = _meant(name, dialect)
    if near:
        return f"unknown function {name.lower()}{near}"
    return f"unknown function {name.lower()}: not proven equal on {dialect.name}, where it may fail or differ"


def _meant(name: str, dialect: Dialect) -> str:
    known = [name.lower() for name in dialect.semantics.functions()] if dialect.semantics else []
    return did_you_mean(name.lower(), known, alike=0.75)
