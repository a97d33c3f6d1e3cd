"""Steps proposed for SQL templates, put at the end of a pipeline file's ``steps``; all else in it stays as it is."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

import yaml

from pipekit.errors import Problem, SpecError, TemplateError
from pipekit.inference.suites import unique
from pipekit.pipeline.model import PipelineSpec
from pipekit.pipeline.reading.rendering import shown_name
from pipekit.pipeline.written import flow, scalar
from pipekit.sql.origins import UnknownOrigin

_HAS_ROWS = ("expect_table_row_count_to_be_between", {"min_value": 1})


@dataclass(frozen=True)
class Added:
    """A step that is proposed.

    Attributes:
        id: Its id, which is its table, too.
        template: Its SQL, below ``templates/``.
        unique: The columns that identify a row by the SQL itself, such as its GROUP BY; empty if it does not say so.
    """

    id: str
    template: str
    unique: tuple[str, ...] = ()

    @property
    def audit(self) -> list[tuple[str, dict[str, Any]]]:
        """The checks before readers see its rows."""
        return [_HAS_ROWS, unique(self.unique)] if self.unique else [_HAS_ROWS]


def proposed(spec: PipelineSpec, file: Path) -> Added:
    """The step for a template.

    Raises:
        SpecError: The file is not below the project's ``templates/``, its step is there already, or the SQL is wrong.
    """
    if not file.is_file():
        raise _mistake(spec, f"there is no file {file}; give the SQL of the step, such as templates/orders_by_day.sql")
    template = _name_below(spec.root / "templates", file)
    if template is None:
        raise _mistake(spec, f"{file} is not below {shown_name(spec.root / 'templates')}, where the SQL of steps is")
    if (folder := template.split("/")[0]) in {each.dialect.name for each in spec.vocabulary.warehouses.values()}:
        text = f"templates/{folder}/ holds what {folder} reads in place of a template of the same name"
        raise _mistake(spec, f"{text}; give the one that all targets read, in templates/")
    name = PurePosixPath(template).stem
    there = next((step for step in spec.steps if step.id == name or _reads(step.options, template)), None)
    if there is not None:
        raise _mistake(spec, f"the step {there.id!r} is there already; nothing was added for {template}")
    try:
        unique = _identified_by(spec, template)
    except TemplateError as error:
        raise SpecError(
            [Problem(f"templates/{template}", error.line or 0, "", error.reason, error.column or 0)]
        ) from error
    return Added(name, template, unique)


def with_steps(text: str, steps: Sequence[Added], file: str) -> str:
    """The text of a pipeline file with steps at the end of ``steps``.

    Raises:
        SpecError: ``steps`` is not a list with a line for each, so that there is no place for another.
    """
    place, indent = _end_of_steps(text, file)
    rows = text.splitlines(keepends=True)
    end = "\r\n" if rows and rows[0].endswith("\r\n") else "\n"
    if place and not rows[place - 1].endswith(("\n", "\r")):
        rows[place - 1] += end
    lines = [f"{line}{end}" for step in steps for line in _lines(step, " " * indent)]
    return "".join([*rows[:place], *lines, *rows[place:]])


def _lines(step: Added, indent: str) -> Iterator[str]:
    yield f"{indent}- id: {scalar(step.id)}"
    yield f"{indent}  type: sql"
    yield f"{indent}  template: {scalar(step.template)}"
    yield f"{indent}  audit:"
    for name, arguments in step.audit:
        yield f"{indent}    - {name}: {flow(arguments)}"


def _end_of_steps(text: str, file: str) -> tuple[int, int]:
    """The number of lines before a further step, and the column of the dash."""
    steps = _steps(yaml.compose(text, Loader=yaml.SafeLoader))
    if steps is None or not isinstance(steps, yaml.SequenceNode) or steps.flow_style or not steps.value:
        line = steps.start_mark.line + 1 if steps is not None else 0
        text = "must be a list with a line for each step ('- id: ...'), so that one can be added"
        raise SpecError([Problem(file, line, "steps", text)])
    end = _end_of_what_begins(text, steps.start_mark.index)
    return end.line + (end.column > 0), steps.start_mark.column


def _steps(root: Any) -> Any:
    pairs = root.value if isinstance(root, yaml.MappingNode) else []
    return next((value for key, value in pairs if key.value == "steps"), None)


def _end_of_what_begins(text: str, index: int) -> Any:
    """Where a list ends that begins at ``index``: after its last value, before the blank lines and comments after it.

    By the events, since a node that an alias stands for is where its anchor is.
    """
    depth, end = 0, None
    events: Any = yaml.parse(text, Loader=yaml.SafeLoader)
    for event in events:
        if event.start_mark.index < index:
            continue
        depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
        if isinstance(event, (yaml.ScalarEvent, yaml.AliasEvent)) or event.start_mark.index < event.end_mark.index:
            end = event.end_mark
        if depth == 0:
            break
    return end


def _name_below(folder: Path, file: Path) -> str | None:
    path, top = file.resolve(), folder.resolve()
    return path.relative_to(top).as_posix() if path.is_relative_to(top) else None


def _reads(options: Any, template: str) -> bool:
    return getattr(options, "template", None) == template


def _identified_by(spec: PipelineSpec, template: str) -> tuple[str, ...]:
    """The columns that identify a row by what the query says, in their order; empty if it does not say so."""
    from pipekit.sql.flow.query import origins_of

    statement = spec.statement(template=template)
    try:
        found = origins_of(statement.text, statement.dialect, spec.typed_tables)
    except UnknownOrigin:  # a query that cannot be followed says nothing
        return ()
    key: frozenset[str] = min(found.unique, key=len, default=frozenset())
    return tuple(name for name in found.columns if name in key)


def _mistake(spec: PipelineSpec, text: str) -> SpecError:
    return SpecError([Problem(shown_name(spec.path), 0, "", text)])
