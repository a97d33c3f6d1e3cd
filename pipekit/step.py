"""The contract of a step type. A step type is a value: a name, a pydantic model, a function."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Generic, Protocol, TypeVar

from pydantic import BaseModel, ConfigDict

from pipekit.errors import QueryError
from pipekit.events import SUCCEEDED, Emit, Noted
from pipekit.names import Table
from pipekit.source import Column, Source
from pipekit.sql.dialect import PROJECT_SQL
from pipekit.sql.origins import Origins
from pipekit.sql.semantics import ColumnsOf, ColumnTypes, KnownColumns
from pipekit.warehouses.contract import Result, Warehouse

if TYPE_CHECKING:
    from pipekit.outlook import Outlook
    from pipekit.quality.suite import Suite


class StepOptions(BaseModel):
    """Base of a step type's options: unknown keys are refused, values cannot be changed."""

    # A model that a run does not use is never built: most of them are not.
    model_config = ConfigDict(extra="forbid", frozen=True, arbitrary_types_allowed=True, defer_build=True)


OptionsT = TypeVar("OptionsT", bound=BaseModel)


@dataclass(frozen=True)
class Statement:
    """SQL, rendered and translated to the warehouse's dialect.

    Attributes:
        sql: Ready for ``Warehouse.execute``.
        origin: The template's name, or where the inline SQL is, for messages.
        reads: Tables that it reads, without common table expressions.
        unique: Columns that are proven to identify a row; empty if there is no proof.
        columns: Its columns and the engine's types of them, ``None`` for one that is not known; ``None`` if the columns
            themselves are not.
        unproven: Functions whose values are not proven equal on the warehouse, in upper case.
        text: What was translated: rendered, in the author's dialect.
        dialect: sqlglot's name of that dialect.
    """

    sql: str
    origin: str
    reads: frozenset[Table] = frozenset()
    unique: tuple[str, ...] = ()
    columns: KnownColumns | None = None
    unproven: tuple[str, ...] = ()
    text: str = ""
    dialect: str = ""


class Project(Protocol):
    """What a step may know about the pipeline around it.

    Attributes:
        root: The project's folder; relative paths start here.
        state: The folder of what pipekit keeps on this machine.
        sources: The declared sources by name.
    """

    @property
    def root(self) -> Path: ...

    @property
    def state(self) -> Path: ...

    @property
    def sources(self) -> Mapping[str, Source]: ...

    @property
    def typed_tables(self) -> ColumnsOf:
        """Gives the columns of a table that a step makes, with their types; ``None`` if they are not known."""

    def statement(
        self, *, template: str | None = None, sql: str | None = None, names: Mapping[str, Any] | None = None
    ) -> Statement:
        """Render a template of the project, or inline SQL, with ``names`` added, and translate it.

        Raises:
            TemplateError: It does not exist, does not render, or is not valid SQL.
        """

    def condition(self, sql: str, table: Table) -> Statement:
        """Render a condition over the rows of ``table`` and translate it; its ``sql`` is in parentheses.

        Raises:
            TemplateError: It does not render, or is not one condition over the table's own columns.
        """

    def column_type(self, column: Column) -> str | None:
        """The warehouse's type of a declared column, if its types are known before it is opened."""

    def reads_in_place(self, source: Source) -> bool:
        """Whether the warehouse reads the source's files where they lie, and not pipekit."""

    def rendered(self, template: str) -> str:
        """A template's text, rendered and not yet translated, to be put into a larger statement.

        Raises:
            TemplateError: It does not exist, does not render, or is written in the warehouse's own dialect.
        """

    def suite(self, reference: Any) -> Suite:
        """The suite that an ``audit:`` or ``suite:`` value means: a name, names, or an inline list."""

    def function(self, reference: str) -> Callable[..., Any]:
        """The function of the project's ``plugins/`` that ``package.module:function`` means.

        Raises:
            PluginError: There is none, or code of the project must not be run.
        """


@dataclass(frozen=True)
class StepContext:
    """What ``run`` is given besides its options.

    Attributes:
        step: The step's id.
        step_type: Its type's name.
        run_id: The run's id.
        pipeline: The pipeline's name.
        as_of: The run's clock, with a time zone.
        definition_hash: Changes when the step's definition (options, templates, contract) does.
        project: The pipeline around the step.
        warehouse: This worker's session.
        emit: Takes events; the bus stamps and scrubs them.
        cancelled: Set when the run is being stopped or the step exceeds its timeout.
        full_refresh: Whether a table that is kept is to be rebuilt.
        begin: Takes the run's lock and starts its log where that waits for work; returns whether it did so just now. A
            step type with ``looks_first`` calls it before it writes or keeps a cluster busy.
        looking: Whether the step is only asked what it would do: then nothing may be written.
    """

    step: str
    step_type: str
    run_id: str
    pipeline: str
    as_of: datetime
    definition_hash: str
    project: Project
    warehouse: Warehouse
    emit: Emit
    cancelled: threading.Event = field(default_factory=threading.Event)
    full_refresh: bool = False
    begin: Callable[[], bool] = field(default=lambda: False)
    looking: bool = False

    def note(self, level: str, message: str) -> None:
        """Put a line into the log that belongs to this step. ``level`` as in ``logging``."""
        self.emit(Noted(level=level, message=message, step=self.step))

    def execute(self, statement: Statement) -> Result:
        """Run a rendered statement; a failure names its template and shows the rendered SQL.

        Raises:
            QueryError: The statement failed; with the engine's message.
            TransientError: Another try may work.
        """
        with self.explained(statement):
            return self.warehouse.execute(statement.sql)

    @contextmanager
    def explained(self, statement: Statement) -> Iterator[None]:
        """A failure in the block is reported with the statement's template and rendered SQL.

        Raises:
            QueryError: In place of the block's own.
        """
        try:
            yield
        except QueryError as error:
            said, hint = self._said(statement, error)
            raise QueryError(
                f"{statement.origin}: {said}", sql=statement.sql, query_id=error.query_id, kept=error.kept, hint=hint
            ) from error

    def _said(self, statement: Statement, error: QueryError) -> tuple[str, str | None]:
        """The message and the hint, in terms of the author's text where the engine has semantics for it."""
        semantics = self.warehouse.dialect.semantics
        if semantics is None or not statement.text or statement.dialect != PROJECT_SQL.name:
            return f"{error.message}\n{numbered(statement.sql)}", error.hint
        known = {str(table).lower(): self.project.typed_tables(table) for table in statement.reads}
        tables = {name: columns for name, columns in known.items() if columns is not None}
        found = semantics.failure(error.message, statement.text, statement.sql, tables)
        places = [f"line {line}, column {column}" for line, column in found.places]
        where = "" if not places else f"{places[0]}: " if len(places) == 1 else f"{' or '.join(places)}: "
        return f"{where}{found.said}\n{numbered(statement.text)}", found.way_out or error.hint


def numbered(sql: str, limit: int = 60) -> str:
    """The SQL with line numbers, cut after ``limit`` lines, for a message."""
    lines = sql.splitlines()
    shown = [f"  {number:>3} | {line}" for number, line in enumerate(lines[:limit], 1)]
    return "\n".join(shown + ([f"  ... {len(lines) - limit} more lines"] if len(lines) > limit else []))


@dataclass(frozen=True)
class StepResult:
    """What a step did.

    Attributes:
        rows: Rows written; ``None`` if the step writes none.
        status: SUCCEEDED, or UNCHANGED when there was nothing to do.
        message: One short sentence for the log.
        inputs_hash: A hash of the exact input (names, sizes, ETags of files).
    """

    rows: int | None = None
    status: str = SUCCEEDED
    message: str = ""
    inputs_hash: str | None = None


def _nothing(options: Any, project: Project) -> Iterable[str]:
    return ()


def _no_inputs(options: Any, context: StepContext) -> str | None:
    return None


def _no_columns(options: Any, project: Project) -> ColumnTypes | None:
    return None


def _no_origins(options: Any, project: Project) -> Origins | Statement | None:
    return None


def _never(options: Any) -> bool:
    return False


def _runs(options: Any, context: StepContext) -> Outlook:
    from pipekit.outlook import Outlook

    return Outlook()


def _no_statements(options: Any, project: Project) -> Iterable[Statement]:
    return ()


def typed(statement: Statement) -> ColumnTypes | None:
    """A statement's columns, if each one's type is known or may stay unknown."""
    if statement.columns is None:
        return None
    return {name: kind or "" for name, kind in statement.columns}


def _no_problems(options: Any, project: Project) -> Iterable[tuple[str, str]]:
    return ()


@dataclass(frozen=True)
class StepType(Generic[OptionsT]):
    """A kind of step, as a plugin gives it.

    Attributes:
        name: What ``type:`` says.
        options: A pydantic model of the keys besides the core ones; it should refuse unknown keys.
        run: Runs the step. Returns a result or raises; never prints, logs, retries or times itself.
        reads: Tables the step reads, for the order of steps. Called before anything is opened.
        writes: Tables the step writes.
        judges: Tables the step judges; steps that read one of them wait for the verdict.
        inputs: What ``StepResult.inputs_hash`` would be now, for a step that reads more than tables; asked when a
            failed run is resumed, to decide whether the step can be skipped.
        problems: Mistakes that show only beside the rest of the file, such as a key that the source does not declare:
            pairs of an option's name and what is wrong with it. Called before anything is opened.
        columns: The warehouse's types of the columns that the step's table has, by lower-case name, if they are known
            before a run; statements that read the table are translated by them.
        origins: What the columns of the step's table are made of: the query that gives them, or what the step type
            knows of them; ``None`` if it cannot say, so that lineage ends there. Called before anything is opened.
        looks_first: Whether the step may find without a compute cluster that there is nothing to do, and so calls
            ``begin`` itself.
        outlook: What ``run`` would do now, found without writing anything (``context.looking``). Raises what ``run``
            would raise. Left out: the step runs each time.
        statements: The SQL that ``run`` would send for the rows of its table, for people to read.
    """

    name: str
    options: type[OptionsT]
    run: Callable[[OptionsT, StepContext], StepResult]
    reads: Callable[[OptionsT, Project], Iterable[str]] = _nothing
    writes: Callable[[OptionsT, Project], Iterable[str]] = _nothing
    judges: Callable[[OptionsT, Project], Iterable[str]] = _nothing
    inputs: Callable[[OptionsT, StepContext], str | None] = _no_inputs
    problems: Callable[[OptionsT, Project], Iterable[tuple[str, str]]] = _no_problems
    columns: Callable[[OptionsT, Project], ColumnTypes | None] = _no_columns
    origins: Callable[[OptionsT, Project], Origins | Statement | None] = _no_origins
    looks_first: Callable[[OptionsT], bool] = _never
    outlook: Callable[[OptionsT, StepContext], Outlook] = _runs
    statements: Callable[[OptionsT, Project], Iterable[Statement]] = _no_statements

    def result_of(self, options: OptionsT, context: StepContext) -> StepResult:
        """Run a step, and hold what ``run`` returns to its word.

        Raises:
            TypeError: It is no ``StepResult``.
        """
        result: object = self.run(options, context)
        if not isinstance(result, StepResult):
            raise TypeError(f"its function must return a StepResult, and returned {result!r:.80}")
        return result
