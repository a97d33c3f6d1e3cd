"""A pipeline that was read and found right, and the project around it. What ``spec`` makes and ``engine`` runs."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from pathlib import Path
from typing import Any

from pydantic import BaseModel, SecretStr

from pipekit.errors import PluginError, TemplateError
from pipekit.graph import Graph, TableKey
from pipekit.modules import function_from, source_of
from pipekit.quality import Suite
from pipekit.render import SqlTemplates, Variables, var_lookup
from pipekit.source import Source
from pipekit.sql import DIALECT, SqlText, Translations, literal
from pipekit.step import Statement, StepType
from pipekit.warehouses.base import Table, Warehouse, WarehouseType, fold

STATE_FOLDER = ".pipekit"
# Stands for the clock while a statement is translated, so that a moving clock does not spoil the kept translation.
_CLOCK = datetime.fromisoformat("1111-11-11T11:11:11.111111+00:00")


@dataclass(frozen=True)
class Vocabulary:
    """What plugins, built in or not, add to the language of pipeline files."""

    step_types: Mapping[str, StepType[Any]]
    warehouses: Mapping[str, WarehouseType[Any]]
    template_globals: Mapping[str, Callable[..., Any]] = field(default_factory=dict)
    project_code: bool = True


@dataclass(frozen=True)
class Target:
    """The chosen warehouse, with its rendered options."""

    name: str
    type: WarehouseType[Any]
    options: BaseModel

    def open(self, root: Path) -> Warehouse:
        """Connect.

        Raises:
            WarehouseError: It cannot be reached.
        """
        return self.type.open(self.options, root)

    @property
    def secrets(self) -> list[str]:
        """The values of all ``SecretStr`` options."""
        values = (getattr(self.options, name) for name in type(self.options).model_fields)
        return [value.get_secret_value() for value in values if isinstance(value, SecretStr)]


@dataclass(frozen=True)
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


@dataclass(frozen=True)
class PipelineSpec:
    """One pipeline file, read for one target. It is the ``Project`` that steps see."""

    name: str
    description: str
    path: Path
    root: Path
    target: Target
    variables: Variables
    sources: Mapping[str, Source]
    suites: Mapping[str, Suite]
    as_of: datetime
    threads: int
    vocabulary: Vocabulary
    translations: Translations = field(compare=False, repr=False)
    clock_given: bool = True
    steps: tuple[Step, ...] = ()
    graph: Graph = field(default_factory=lambda: Graph(()))
    inline_suites: Mapping[str, Suite] = field(default_factory=dict)

    @property
    def state(self) -> Path:
        """The folder for the embedded database, locks, run files and kept translations."""
        return self.root / STATE_FOLDER

    @cached_property
    def _templates(self) -> SqlTemplates:
        names = {**self.vocabulary.template_globals, "var": var_lookup(self.variables)}
        return SqlTemplates(self.root / "templates", self.target.type.dialect, names)

    def template_source(self, name: str) -> str:
        """The text of a template, and of those that it includes, as they stand."""
        return self._templates.source(name)

    def statement(
        self, *, template: str | None = None, sql: str | None = None, names: Mapping[str, Any] | None = None
    ) -> Statement:
        """See ``step.Project``."""
        values = {"as_of": literal(_CLOCK), **(names or {})}
        if template is not None:
            text, dialect = self._templates.render_template(template, values)
        else:
            text, dialect = self._templates.render_text(sql or "", values), DIALECT
        try:
            translated = self.translations.translate(text, read=dialect, write=self.target.type.dialect)
        except TemplateError as error:
            raise TemplateError(error.reason, template=template, line=error.line, hint=error.hint) from error
        return Statement(self._set_clock(translated.sql), template or "sql", translated.reads, translated.unique)

    def _set_clock(self, sql: str) -> str:
        return str(sql).replace(_CLOCK.isoformat(sep=" "), self.as_of.isoformat(sep=" "))

    def rendered(self, template: str) -> str:
        """See ``step.Project``."""
        text, dialect = self._templates.render_template(template, {"as_of": literal(_CLOCK)})
        if dialect != DIALECT:
            raise TemplateError(
                f"becomes a part of a larger statement, so it must be in {DIALECT}'s dialect",
                template=template,
            )
        return SqlText(text)

    def suite(self, reference: Any) -> Suite:
        """See ``step.Project``."""
        if isinstance(reference, str):
            return self.suites[reference]
        if isinstance(reference, Sequence) and all(isinstance(name, str) for name in reference):
            parts = [self.suites[name] for name in reference]
            return merge_suites(parts)
        return self.inline_suites[canonical(reference)]

    def suites_of(self, step: Step) -> list[Suite]:
        """The suites that a step judges by."""
        references = (getattr(step.options, key, None) for key in ("audit", "suite"))
        return [self.suite(reference) for reference in references if reference is not None]

    def function(self, reference: str) -> Callable[..., Any]:
        """See ``step.Project``."""
        if not self.vocabulary.project_code:
            raise PluginError(f"{reference} is code of the project, which --no-plugins forbids")
        return function_from(self.root / "plugins", reference)

    def table_key(self, name: str) -> TableKey:
        """A table's name, folded and complete, so that two spellings of one table are equal."""
        parts = tuple(fold(part, str.lower) for part in Table.parse(name).parts)
        schema = fold(self.target.type.schema_of(self.target.options), str.lower)
        return parts if len(parts) > 1 else (schema, *parts)


def merge_suites(suites: Sequence[Suite]) -> Suite:
    """Several suites as one, judged in one scan; Great Expectations judges all if one of them asks for it."""
    engines = {suite.engine for suite in suites}
    return Suite(
        name="+".join(suite.name for suite in suites),
        expectations=tuple(expectation for suite in suites for expectation in suite.expectations),
        engine="great_expectations" if "great_expectations" in engines else "auto",
    )


def canonical(value: Any) -> str:
    return json.dumps(value, sort_keys=True, default=str)


def definition_hash(spec: PipelineSpec, step: Step) -> str:
    """Changes when anything that defines the step does: options, templates, source, suites, code, variables."""
    options = step.options.model_dump(mode="json", by_alias=True)
    templates = {name: spec.template_source(name) for name in _named(options, "template")}
    source = spec.sources.get(str(options.get("source", "")))
    used = [repr(suite) for suite in spec.suites_of(step)]
    code = [source_of(spec.root / "plugins", reference) for reference in _named(options, "call")]
    parts = [step.type.name, options, templates, source.model_dump(mode="json") if source else None, used, code]
    if templates or _named(options, "sql"):
        parts.append(dict(spec.variables))
    return hashlib.sha256(canonical(parts).encode()).hexdigest()[:16]


def _named(options: Any, key: str) -> list[str]:
    if isinstance(options, dict):
        own = [options[key]] if isinstance(options.get(key), str) else []
        return own + [name for value in options.values() for name in _named(value, key)]
    if isinstance(options, list):
        return [name for value in options for name in _named(value, key)]
    return []
