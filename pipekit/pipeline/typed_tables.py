"""The types of the tables that a pipeline makes, known from its steps before anything is opened."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from typing import Any

from pipekit.errors import PipekitError
from pipekit.materialize.into import TableOptions
from pipekit.names import Table, fold
from pipekit.pipeline.graph import TableKey
from pipekit.sql.semantics import ColumnTypes
from pipekit.step import Project


class TypedTables:
    """Finds the columns of a table by the step that makes it.

    Args:
        project: The pipeline.
        steps: Its steps.
        key_of: Folds a table's name.
    """

    def __init__(self, project: Project, steps: Sequence[Any], key_of: Callable[[str], TableKey]) -> None:
        self._project = project
        self._key_of = key_of
        self._writers: dict[TableKey, list[Any]] = {}
        for step in steps:
            name = getattr(step.options, "into", None)
            if isinstance(name, str):
                self._writers.setdefault(key_of(name), []).append(step)
        self._known: dict[TableKey, ColumnTypes | None] = {}
        self._finding = threading.RLock()

    def __call__(self, table: Table) -> ColumnTypes | None:
        """The types of the table's columns; ``None`` if no step gives them, or only one that reads the table itself."""
        key = self._key_of(str(table))
        with self._finding:
            if key not in self._known:
                self._known[key] = None  # also what a step finds that is asked about the table it makes
                self._known[key] = self._find(key)
            return self._known[key]

    def _find(self, key: TableKey) -> ColumnTypes | None:
        steps = self._writers.get(key, [])
        loads = [step for step in steps if step.type.name == "load"]
        if len(steps) != 1 and not loads:
            return None
        step = (loads or steps)[0]
        try:
            found: ColumnTypes | None = step.type.columns(step.options, self._project)
        except (PipekitError, LookupError, ValueError):
            return None  # mistakes of the step are reported where it is read
        return found and {**found, **self._own_columns(step.options)}

    def _own_columns(self, options: Any) -> ColumnTypes:
        """The columns that the step's materialization adds; a type that is not known is left empty."""
        own = options.choice.own_columns if isinstance(options, TableOptions) else ()
        return {fold(column.name, str.lower): self._project.column_type(column) or "" for column in own}
