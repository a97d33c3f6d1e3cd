"""The typing of a whole pipeline: the columns of every table that its steps make, known before anything is opened.

One place for all who ask: the translation of SQL, the checks of a file, and what reads the pipeline without running it.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from pipekit.errors import PipekitError
from pipekit.materialize.into import Into, TableOptions
from pipekit.names import Table, fold
from pipekit.own_tables import CATALOG, CATALOG_COLUMNS, SETUP
from pipekit.pipeline.graph import TableKey
from pipekit.source import Column, ColumnType
from pipekit.sql.semantics import ColumnTypes
from pipekit.step import Project


class TypedTables:
    """Finds the columns of a table by the step that makes it.

    Calling it with a table gives the table's columns. A type is in the words of the target's semantics, or of
    ``builtin.TYPING`` where the target has none; it is empty for a column whose type is not known.

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
        self._own = {key_of(str(table)): columns for table, columns in {**SETUP, CATALOG: CATALOG_COLUMNS}.items()}
        self._known: dict[TableKey, ColumnTypes | None] = {}
        self._made: dict[str, ColumnTypes | None] = {}
        self._unknown: dict[str, str] = {}
        self._finding = threading.RLock()

    def __call__(self, table: Table) -> ColumnTypes | None:
        """The types of the table's columns; ``None`` if no step gives them, or only one that reads the table itself."""
        key = self._key_of(str(table))
        with self._finding:
            if key not in self._known:
                self._known[key] = None  # also what a step finds that is asked about the table it makes
                self._known[key] = self._find(key)
                if self._known[key] is None:
                    self._unknown[str(table)] = self._reason(key)
            return self._known[key]

    def made_by(self, step: Any) -> ColumnTypes | None:
        """The types of the columns that a step's rows have; ``None`` if they are not known, or the step is wrong."""
        with self._finding:
            if step.id not in self._made:
                self._made[step.id] = None
                self._made[step.id] = self._columns(step)
            return self._made[step.id]

    @property
    def unknown(self) -> Mapping[str, str]:
        """Tables that were asked for and whose columns are not known, each with the reason."""
        return dict(self._unknown)

    def _columns(self, step: Any) -> ColumnTypes | None:
        try:
            found: ColumnTypes | None = step.type.columns(step.options, self._project)
        except (PipekitError, LookupError, ValueError):
            return None  # mistakes of the step are reported where it is read
        return found

    def _find(self, key: TableKey) -> ColumnTypes | None:
        if key in self._own:
            return self._types(self._own[key])
        steps = self._writers.get(key, [])
        loads = [step for step in steps if step.type.name == "load"]
        if (len(steps) != 1 and not loads) or any(_may_have_others(step.options) for step in steps):
            return None
        step = (loads or steps)[0]
        said = _said(step.options)
        if said:
            self._known[key] = {**self._types(said), **self._types(_own_columns(step.options))}  # what it reads itself
        found = self.made_by(step)
        return found and {**found, **self._types(_own_columns(step.options))}

    def _types(self, columns: Sequence[Column]) -> ColumnTypes:
        return {fold(column.name, str.lower): self._project.column_type(column) or "" for column in columns}

    def _reason(self, key: TableKey) -> str:
        steps = self._writers.get(key, [])
        if not steps:
            return "no step makes it"
        if any(_may_have_others(step.options) for step in steps):
            return "with on_schema_change it may have other columns than its rows"
        return f"the step {steps[0].id} ({steps[0].type.name}) does not declare them"


def _own_columns(options: Any) -> Sequence[Column]:
    """The columns that the step's materialization adds."""
    return options.choice.own_columns if isinstance(options, TableOptions) else ()


def _said(options: Any) -> list[Column]:
    """The columns of a table of which the file gives every type; none if it leaves one out."""
    columns = options.said.columns if isinstance(options, Into) else {}
    typed = [Column(name=name, type=ColumnType.parse(column.type)) for name, column in columns.items() if column.type]
    return typed if len(typed) == len(columns) else []


def _may_have_others(options: Any) -> bool:
    return isinstance(options, TableOptions) and options.on_schema_change != "fail"
