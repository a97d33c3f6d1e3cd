"""The pipeline file: read, rendered, validated. Every mistake is found before anything is opened or written."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from pipekit.errors import SpecError
from pipekit.pipeline.fingerprint import definition_hash
from pipekit.pipeline.graph import Graph
from pipekit.pipeline.model import PipelineSpec, Vocabulary
from pipekit.pipeline.reading.checking import checked
from pipekit.pipeline.reading.keys import FileKeys
from pipekit.pipeline.reading.order import check_order, check_tables, graph_steps, own_tables
from pipekit.pipeline.reading.rendering import Reading, mapping_value, render_variables, rendered_tree, with_includes
from pipekit.pipeline.reading.sections import no_target, read_clock, read_sources, read_suites, read_target
from pipekit.pipeline.reading.steps import check_options, read_references, read_steps
from pipekit.pipeline.reading.tree import read_yaml
from pipekit.pipeline.reading.values import FileValues
from pipekit.project import find_root
from pipekit.sql.cache import Translations
from pipekit.state import STATE_FOLDER


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
    reading = Reading(path, find_root(path), vocabulary)
    tree = read_yaml(path, reading.shown(path))
    if not isinstance(tree.value, dict) or not tree.value:
        raise SpecError([tree.problem("", "is empty; a pipeline needs a name and steps")])
    tree = with_includes(reading, tree)
    known = render_variables(reading, tree, variables or {})
    values = FileValues(known, vocabulary.template_globals)
    tree = rendered_tree(reading, tree, values, target)
    keys = checked(reading, tree, FileKeys, tree.plain())
    chosen = read_target(reading, tree, target or str(mapping_value(tree, "target", "local")))
    sources = read_sources(reading, tree, chosen)
    suites = read_suites(reading, tree)
    given_clock = as_of if as_of is not None else mapping_value(tree, "as_of", None)
    clock = read_clock(reading, tree, given_clock)
    steps = read_steps(reading, tree)
    spec = PipelineSpec(
        name=keys.name if keys else "",
        description=keys.description if keys else "",
        path=reading.path,
        root=reading.root,
        target=chosen or no_target(),
        variables=known,
        sources=sources,
        suites=suites,
        as_of=clock,
        clock_given=given_clock is not None,
        threads=keys.threads if keys else 1,
        vocabulary=reading.vocabulary,
        translations=Translations(reading.root / STATE_FOLDER / "sql"),
        steps=tuple(step for _, step in steps),
    )
    spec = replace(spec, inline_suites=read_references(reading, tree))
    check_options(reading, tree, spec, steps)
    nodes = graph_steps(reading, tree, spec, steps)
    check_tables(reading, tree, spec, nodes)
    graph = Graph(tuple(nodes.values()), own_tables(spec))
    check_order(reading, tree, graph, nodes, len(steps))
    if reading.problems:
        raise SpecError(reading.problems)
    hashed = tuple(replace(step, definition_hash=definition_hash(spec, step)) for step in spec.steps)
    return replace(spec, steps=hashed, graph=graph)
