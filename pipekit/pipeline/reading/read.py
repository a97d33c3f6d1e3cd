"""The pipeline file: read, rendered, validated. Every mistake is found before anything is opened or written."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from pipekit.errors import Problem, SpecError
from pipekit.pipeline.fingerprint import definition_hash
from pipekit.pipeline.graph import Graph
from pipekit.pipeline.model import PipelineSpec, Step, Vocabulary
from pipekit.pipeline.reading.checking import checked
from pipekit.pipeline.reading.doubts import doubt_functions, doubt_hidden_columns, doubt_names
from pipekit.pipeline.reading.keys import FileKeys
from pipekit.pipeline.reading.order import check_order, check_tables, graph_steps, own_tables
from pipekit.pipeline.reading.receivers import check_targets_of_receivers, read_receivers
from pipekit.pipeline.reading.rendering import Reading, put_in_includes, render_tree, render_variables
from pipekit.pipeline.reading.sections import no_target, read_clock, read_sources, read_suites, read_target
from pipekit.pipeline.reading.steps import check_options, read_references, read_steps
from pipekit.pipeline.reading.tree import Node
from pipekit.pipeline.reading.typing import check_columns
from pipekit.pipeline.reading.values import FileValues
from pipekit.project import find_root, logs_folder, state_folder
from pipekit.sql.cache import Translations
from pipekit.sql.sandbox import Variables
from pipekit.suggestions import did_you_mean, nearest
from pipekit.warehouses.builtin import TYPING

_CLEAR = 0.75  # how near a key's name must be to be read as another


def read_pipeline(
    path: Path,
    vocabulary: Vocabulary,
    *,
    target: str | None = None,
    variables: Mapping[str, Any] | None = None,
    as_of: str | None = None,
) -> PipelineSpec:
    """Read and validate a pipeline file.

    Args:
        path: The file.
        vocabulary: What plugins add to the language.
        target: A target's name, in place of the file's ``target``.
        variables: Values that win over the file's ``vars``.
        as_of: The clock, ISO 8601, in place of the file's ``as_of``.

    Raises:
        SpecError: With every mistake, each with its file and line.
    """
    reading = Reading.of(path, find_root(path), vocabulary)
    reading.given = [name for name, value in (("target", target), ("as_of", as_of)) if value is not None]
    _put_misspelt_sections(reading)
    put_in_includes(reading)
    known = reading.variables = render_variables(reading, variables or {})
    check_targets_of_receivers(reading)
    render_tree(reading, FileValues(known, vocabulary.template_globals, reading.root), target)
    clock = as_of if as_of is not None else reading.value("as_of", None)
    spec = _sections(reading, target if target is not None else _target_of(reading), known, clock)
    steps = read_steps(reading)
    spec = replace(spec, steps=tuple(step for _, step in steps), inline_suites=read_references(reading))
    check_options(reading, spec, steps)
    graph = _order(reading, spec, steps)
    check_columns(reading, spec, steps)
    _check_given(reading, variables or {}, known)
    if reading.problems:
        raise SpecError(reading.causes())
    doubt_functions(reading, spec)
    doubt_names(reading, spec, steps)
    doubt_hidden_columns(reading, spec, steps)
    hashed = tuple(replace(step, definition_hash=definition_hash(spec, step)) for step in spec.steps)
    return spec.changed(steps=hashed, graph=graph, doubts=tuple(sorted(reading.doubts)))


def _put_misspelt_sections(reading: Reading) -> None:
    """Note sections under a misspelt name, and read them under the one that was meant, where it is looked for."""
    known = [field.alias or name for name, field in FileKeys.model_fields.items()]
    children = dict(reading.tree.value)
    for key, node in reading.tree.value.items():
        near = nearest(key, known, alike=_CLEAR) if key not in known and isinstance(node.value, (dict, list)) else None
        if near and near not in children and isinstance(node.value, list if near == "steps" else dict):
            reading.note((key,), f"unknown key; did you mean {near!r}?")
            children[near] = children.pop(key)
    reading.tree = Node(children, reading.tree.file, reading.tree.line)


def _target_of(reading: Reading) -> str:
    """The target that the file names; ``local`` beside a value that is not a name, which is reported as such."""
    named = reading.value("target", "local")
    return named if isinstance(named, str) else "local"


def _sections(reading: Reading, target: str, variables: Variables, clock: str | None) -> PipelineSpec:
    """The pipeline without its steps."""
    keys = checked(reading, FileKeys, reading.tree.plain())
    chosen = read_target(reading, target)
    reading.clock = read_clock(reading, clock)
    return PipelineSpec(
        name=keys.name if keys else "",
        description=keys.description if keys else "",
        path=reading.path,
        root=reading.root,
        target=chosen or no_target(),
        variables=variables,
        written_sources=read_sources(reading, chosen),
        suites=read_suites(reading),
        as_of=reading.clock,
        clock_given=clock is not None,
        threads=keys.threads if keys else 1,
        keep_logs=keys.logs.keep if keys and keys.logs else None,
        receivers=read_receivers(reading),
        openlineage=keys.openlineage if keys else None,
        opentelemetry=keys.opentelemetry if keys else None,
        vocabulary=reading.vocabulary,
        translations=Translations(_state(reading.root) / "sql", chosen.allowed if chosen else (), TYPING),
    )


def _check_given(reading: Reading, given: Mapping[str, Any], known: Variables) -> None:
    """A variable that is given beside the file and that nothing asks for is misspelt: a default would count instead.

    Beside other mistakes only one with a likely fix is noted, since what asks for it may not have been rendered.
    """
    unrendered = str(reading.tree.plain().get("targets", ""))  # those that are not chosen
    found = bool(reading.problems)
    declared = reading.mapping("vars")
    for name, value in given.items():
        default = declared[name].value if name in declared else None
        if isinstance(default, int | float) and (value is None or (isinstance(value, str) and not value.strip())):
            place = f"{reading.path.name}:{declared[name].line}"
            text = f"is empty, and {name} is {default} in {place}; give such a value, or leave it out"
            reading.problems.append(Problem(f"vars.{name}", 0, "", text))
        near = did_you_mean(name, sorted(known.used - given.keys()))
        asked = name in known.used or re.search(rf"""var\(\s*\W{re.escape(name)}\W""", unrendered)
        if not asked and (near or not found):
            text = f"the pipeline neither declares it nor asks for it{near}"
            reading.problems.append(Problem(f"vars.{name}", 0, "", text))


def _state(root: Path) -> Path:
    """The state folder, once both folders of the project's settings are known to be folders."""
    try:
        logs_folder(root)
        return state_folder(root)
    except ValueError as error:
        raise SpecError([Problem("pyproject.toml", 0, "", str(error).removeprefix("pyproject.toml: "))]) from error


def _order(reading: Reading, spec: PipelineSpec, steps: Sequence[tuple[int, Step]]) -> Graph:
    """The order of the steps, from the tables that they read and write."""
    nodes = graph_steps(reading, spec, steps)
    check_tables(reading, spec, nodes)
    graph = Graph(tuple(nodes.values()), own_tables(spec))
    check_order(reading, graph, nodes, len(steps))
    return graph
