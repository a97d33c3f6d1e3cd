"""A valid pipeline, and the project around it: what ``reading`` makes and ``runs`` executes."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import cached_property, partial
from pathlib import Path
from typing import Any, NamedTuple

from pydantic import BaseModel, SecretStr

from pipekit.errors import PluginError, Problem, TemplateError
from pipekit.events import Emit
from pipekit.formats.base import FormatType
from pipekit.materialize.builtin import BUILT_IN, Registry, by_use
from pipekit.names import Table, fold
from pipekit.notify.receivers import Receiver
from pipekit.pipeline.code import function_from
from pipekit.pipeline.graph import Graph, TableKey
from pipekit.pipeline.observers import OpenLineage, OpenTelemetry
from pipekit.pipeline.typed_tables import TypedTables
from pipekit.project import logs_folder, state_folder
from pipekit.quality.suite import Suite, by_scope, merge_suites
from pipekit.scrubbing import hide
from pipekit.source import Column, Source
from pipekit.sql.cache import Translations
from pipekit.sql.conditions import framed, translate_condition
from pipekit.sql.dialect import PROJECT_SQL
from pipekit.sql.sandbox import Variables, var_lookup
from pipekit.sql.templates import CLOCK, SqlTemplates, at_clock
from pipekit.sql.text import SqlText
from pipekit.sql.translate import Translated, place_of_table
from pipekit.step import Statement, StepContext, StepType
from pipekit.warehouses.builtin import TYPING
from pipekit.warehouses.contract import Look, SupportsClosingOff, Warehouse, WarehouseType

# Compiled templates, and the types of columns: they depend on the steps, not on their hashes, order or clock.
_FOUND = ("_templates", "typed_tables")


@dataclass(frozen=True)
class Vocabulary:
    """What plugins, built in or not, add to the language of pipeline files."""

    step_types: Mapping[str, StepType[Any]]
    warehouses: Mapping[str, WarehouseType[Any]]
    formats: Mapping[str, FormatType]
    template_globals: Mapping[str, Callable[..., Any]] = field(default_factory=dict)
    materializations: Registry = field(default_factory=lambda: by_use(BUILT_IN))
    project_code: bool = True


@dataclass(frozen=True)
class Target:
    """The chosen warehouse, with its rendered options."""

    name: str
    type: WarehouseType[Any]
    options: BaseModel

    def __post_init__(self) -> None:
        hide(self.secrets)

    def __repr__(self) -> str:
        return f"Target({self.name!r}, {self.type.name!r})"

    def open(self, root: Path, sources: Sequence[Source] = ()) -> Warehouse:
        """Connect. Unless the target allows functions that read files, the engine opens none but those of the sources.

        Raises:
            WarehouseError: It cannot be reached.
        """
        return self._closed_off(self.type.open(self.options, root), sources)

    def look(self, root: Path, sources: Sequence[Source] = ()) -> Look:
        """Connect to read only; otherwise see ``open``.

        Raises:
            WarehouseError: It cannot be reached.
        """
        found = self.type.look(self.options, root) if self.type.look else (self.type.open(self.options, root), "")
        self._closed_off(found[0], sources)
        return found

    def peek(self, root: Path, sources: Sequence[Source] = ()) -> Look:
        """Connect for a plan, which writes nothing at all; otherwise see ``look``."""
        if self.type.peek is None:
            return self.look(root, sources)
        found = self.type.peek(self.options, root)
        self._closed_off(found[0], sources)
        return found

    def _closed_off(self, warehouse: Warehouse, sources: Sequence[Source]) -> Warehouse:
        if isinstance(warehouse, SupportsClosingOff) and not self.allowed:
            warehouse.close_off(sources)
        return warehouse

    @property
    def allowed(self) -> tuple[str, ...]:
        """What SQL may reach besides tables, in lower case."""
        return tuple(name.lower() for name in getattr(self.options, "allow_file_functions", ()))

    @property
    def secrets(self) -> list[str]:
        """The values of all ``SecretStr`` options."""
        values = (getattr(self.options, name) for name in type(self.options).model_fields)
        return [value.get_secret_value() for value in values if isinstance(value, SecretStr)]


@dataclass(frozen=True, repr=False)
class Step:
    """One step: its core keys, and the options of its type."""

    id: str
    type: StepType[Any]
    options: BaseModel
    needs: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    retries: int = 2
    timeout: float | None = None
    description: str = ""
    warehouse: str | None = None
    definition_hash: str = ""

    def __repr__(self) -> str:
        return f"Step({self.id!r}, {self.type.name!r})"


class OrderedStep(NamedTuple):
    """A step's place in the order of a run.

    Attributes:
        id: The step's id.
        type: Its type's name.
        needs: Ids of the steps that it waits for, in file order.
    """

    id: str
    type: str
    needs: tuple[str, ...]


@dataclass(frozen=True)
class PipelineSpec:
    """One pipeline file, read for one target. It is the ``Project`` that steps see.

    Attributes:
        written_sources: The sources as the file has them, with marks where the run's clock is.
        missing: Tables that SQL must not read, with what to say; set to find the place where one is named.
        doubts: What in the file is probably a mistake, and may be meant.
    """

    name: str
    description: str
    path: Path
    root: Path
    target: Target
    variables: Variables
    written_sources: Mapping[str, Source]
    suites: Mapping[str, Suite]
    as_of: datetime
    threads: int
    vocabulary: Vocabulary
    translations: Translations = field(compare=False, repr=False)
    clock_given: bool = True
    steps: tuple[Step, ...] = ()
    graph: Graph = field(default_factory=lambda: Graph(()))
    inline_suites: Mapping[str, Suite] = field(default_factory=dict)
    keep_logs: timedelta | None = None
    receivers: tuple[Receiver, ...] = ()
    openlineage: OpenLineage | None = None
    opentelemetry: OpenTelemetry | None = None
    missing: Mapping[TableKey, str] = field(default_factory=dict, repr=False)
    doubts: tuple[Problem, ...] = ()

    def __repr__(self) -> str:
        ids = ", ".join(step.id for step in self.steps)
        return f"PipelineSpec({self.name!r}, target={self.target.name!r}, steps=[{ids}])"

    @cached_property
    def sources(self) -> Mapping[str, Source]:
        """The sources at the run's clock."""
        return {name: source.at(self.as_of) for name, source in self.written_sources.items()}

    @property
    def state(self) -> Path:
        """The folder for the embedded database, locks, run files and kept translations."""
        return state_folder(self.root)

    @property
    def logs(self) -> Path:
        """The folder for the log file."""
        return logs_folder(self.root)

    @property
    def order(self) -> tuple[OrderedStep, ...]:
        """The steps, in file order, each with the steps that it waits for."""
        position = {step.id: index for index, step in enumerate(self.steps)}
        return tuple(
            OrderedStep(step.id, step.type.name, tuple(sorted(self.graph.needs[step.id], key=position.__getitem__)))
            for step in self.steps
        )

    def changed(self, **fields: Any) -> PipelineSpec:
        """A copy with other hashes, another order or clock, for which what was found before is not looked for again."""
        made = replace(self, **fields)
        made.__dict__.update({name: self.__dict__[name] for name in _FOUND if name in self.__dict__})
        return made

    def open(self) -> Warehouse:
        """Connect to the target.

        Raises:
            WarehouseError: It cannot be reached.
        """
        return self.target.open(self.root, list(self.sources.values()))

    def look(self) -> Look:
        """Connect to the target to read only.

        Raises:
            WarehouseError: It cannot be reached, or there is nothing yet.
        """
        return self.target.look(self.root, list(self.sources.values()))

    @cached_property
    def _templates(self) -> SqlTemplates:
        names = {**self.vocabulary.template_globals, "var": var_lookup(self.variables)}
        return SqlTemplates(self.root / "templates", self.target.type.dialect, names)

    def template_source(self, name: str) -> str:
        """The text of a template, and of those that it includes, as they stand."""
        return self._templates.source(name)

    def template_file(self, name: str | None) -> Path | None:
        """The file of a template; ``None`` if there is none."""
        try:
            return self._templates.find(name)[0] if name is not None else None
        except TemplateError:
            return None

    def statement(
        self, *, template: str | None = None, sql: str | None = None, names: Mapping[str, Any] | None = None
    ) -> Statement:
        """See ``step.Project``."""
        values = {"as_of": CLOCK, **(names or {})}
        if template is not None:
            text, dialect = self._templates.render_template(template, values)
        else:
            text, dialect = self._templates.render_text(sql or "", values), PROJECT_SQL
        try:
            found = self.translations.translate(
                text, read=dialect, write=self.target.type.dialect, columns_of=self.typed_tables
            )
        except TemplateError as error:
            raise self._at_its_place(error, text, template, sql or "", values) from error
        if self.missing:
            self._refuse_missing(found, text, template, sql or "", values)
        return Statement(
            at_clock(found.sql, self.as_of),
            template or "sql",
            found.reads,
            found.unique,
            found.columns,
            found.unproven,
            at_clock(text, self.as_of),
            dialect.name,
        )

    def _refuse_missing(
        self, found: Translated, rendered: str, template: str | None, sql: str, values: Mapping[str, Any]
    ) -> None:
        for table in sorted(found.reads, key=str):
            if self.table_key(str(table)) in self.missing:
                line, column = place_of_table(rendered, TYPING, table)
                error = TemplateError(self.missing[self.table_key(str(table))], line=line, column=column)
                raise self._at_its_place(error, rendered, template, sql, values)

    def _at_its_place(
        self, error: TemplateError, rendered: str, template: str | None, sql: str, values: Mapping[str, Any]
    ) -> TemplateError:
        """The error with the place that the author wrote, in place of the one in the rendered text."""
        line, column = error.line, error.column
        if line is not None:
            place = self._templates.place(rendered, template, sql, values, (line, column or 1))
            if place is not None:
                template, line, column = place.template, place.line, column and place.column
            else:
                column = None
        found = type(error)(error.reason, template=template, line=line, column=column, hint=error.hint)
        found.others = tuple(self._at_its_place(other, rendered, template, sql, values) for other in error.others)
        return found

    def condition(self, sql: str, table: Table) -> Statement:
        """See ``step.Project``."""
        text = self._templates.render_text(framed(sql, table), {"as_of": CLOCK})
        write = self.target.type.dialect
        found = self.translations.translate(text, write=write, columns_of=self.typed_tables, by=translate_condition)
        return Statement(at_clock(found.sql, self.as_of), "where", found.reads, unproven=found.unproven)

    def column_type(self, column: Column) -> str | None:
        """See ``step.Project``."""
        return (self.target.type.dialect.semantics or TYPING).type_of(column)

    @cached_property
    def typed_tables(self) -> TypedTables:
        """The columns of the tables that the steps make, with their types, as far as they are known."""
        return TypedTables(self, self.steps, self.table_key)

    def reads_in_place(self, source: Source) -> bool:
        """See ``step.Project``."""
        return self.target.type.reads_in_place(source)

    def rendered(self, template: str) -> str:
        """See ``step.Project``."""
        text, dialect = self._templates.render_template(template, {"as_of": CLOCK})
        if not dialect.is_project_sql:
            raise TemplateError(
                f"becomes a part of a larger statement, so it must be in {PROJECT_SQL.name}'s dialect",
                template=template,
            )
        return SqlText(text)

    def suite(self, reference: Any) -> Suite:
        """See ``step.Project``."""
        return self.suite_as_written(reference).with_sql(partial(at_clock, as_of=self.as_of)).at(self.as_of)

    def suite_as_written(self, reference: Any) -> Suite:
        """A suite with marks where the run's clock is."""
        if isinstance(reference, str):
            return self.suites[reference]
        if isinstance(reference, Sequence) and all(isinstance(name, str) for name in reference):
            parts = [self.suites[name] for name in reference]
            return merge_suites(parts)
        return self.inline_suites[canonical(reference)]

    @property
    def unproven(self) -> tuple[str, ...]:
        """Functions in SQL of steps and suites whose values are not proven equal on the target's engine; sorted."""
        suites = merge_suites([*self.suites.values(), *self.inline_suites.values()])
        return tuple(sorted({*self.translations.unproven, *suites.unproven(self.target.type.dialect)}))

    def suites_of(self, step: Step) -> list[Suite]:
        """The suites that a step judges by, as they are written: the same at any clock."""
        references = (*by_scope(getattr(step.options, "audit", None)).values(), getattr(step.options, "suite", None))
        return [self.suite_as_written(reference) for reference in references if reference is not None]

    def function(self, reference: str) -> Callable[..., Any]:
        """See ``step.Project``."""
        if not self.vocabulary.project_code:
            raise PluginError(f"{reference} is code of the project, which --no-plugins forbids")
        return function_from(self.root / "plugins", reference)

    def context(
        self,
        step: Step,
        run_id: str,
        warehouse: Warehouse,
        emit: Emit,
        cancelled: threading.Event | None = None,
        *,
        full_refresh: bool = False,
    ) -> StepContext:
        """What ``step`` is given beside its options, for one attempt.

        Args:
            step: A step of this pipeline.
            run_id: The run's id.
            warehouse: The session that the step uses.
            emit: Takes the step's events.
            cancelled: Set from outside when the attempt is cancelled.
            full_refresh: Whether a table that is kept is to be rebuilt.
        """
        return StepContext(
            step=step.id,
            step_type=step.type.name,
            run_id=run_id,
            pipeline=self.name,
            as_of=self.as_of,
            definition_hash=step.definition_hash,
            project=self,
            warehouse=warehouse,
            emit=emit,
            cancelled=cancelled or threading.Event(),
            full_refresh=full_refresh,
        )

    def table_key(self, name: str) -> TableKey:
        """A table's name, folded and complete, so that two spellings of one table are equal."""
        parts = tuple(fold(part, str.lower) for part in Table.parse(name).parts)
        return parts if len(parts) > 1 else (fold(self.target.type.schema_of(self.target.options), str.lower), *parts)


def canonical(value: Any) -> str:
    return json.dumps(value, sort_keys=True, default=str)
