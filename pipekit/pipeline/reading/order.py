"""The tables that each step reads and writes, and whether an order of the steps follows from them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from pipekit.errors import PluginError, TemplateError
from pipekit.materialize.into import TableOptions
from pipekit.own_tables import READABLE, RESERVED
from pipekit.pipeline.graph import Graph, GraphStep, TableKey
from pipekit.pipeline.model import PipelineSpec, Step
from pipekit.pipeline.reading.rendering import Reading, as_list
from pipekit.pipeline.reading.steps import step_nodes
from pipekit.suggestions import did_you_mean


def graph_steps(reading: Reading, spec: PipelineSpec, steps: Sequence[tuple[int, Step]]) -> dict[int, GraphStep]:
    """For each step, by position, the tables it reads, writes and judges, by canonical names."""
    graph_nodes = ((index, _graph_step(reading, spec, index, step)) for index, step in steps)
    return {index: node for index, node in graph_nodes if node is not None}


def _graph_step(reading: Reading, spec: PipelineSpec, index: int, step: Step) -> GraphStep | None:
    def tables(names: Callable[[Any, Any], Iterable[str]]) -> frozenset[tuple[str, ...]]:
        return frozenset(spec.table_key(name) for name in names(step.options, spec))

    try:
        return GraphStep(
            id=step.id,
            reads=tables(step.type.reads),
            writes=tables(step.type.writes),
            judges=tables(step.type.judges),
            needs=step.needs,
            tags=step.tags,
        )
    except TemplateError as error:
        _note_sql(reading, spec, index, error)
    except PluginError as error:
        reading.note(("steps", index, "call"), error.message)
    except ValueError as error:
        reading.note(("steps", index), str(error))
    except KeyError:
        if not reading.problems:  # else: a missing source or suite, already reported
            raise
    return None


def check_tables(reading: Reading, spec: PipelineSpec, nodes: Mapping[int, GraphStep]) -> None:
    """Note tables that are read but that no step makes, and own tables that a step writes."""
    made = {table for node in nodes.values() for table in node.writes}
    known = made | _external(reading, spec) | own_tables(spec)
    reserved = {spec.table_key(str(table)) for table in RESERVED}
    for index, node in nodes.items():
        for table in sorted(node.writes & reserved):
            reading.note(("steps", index, "into"), f"{table[-1]} belongs to pipekit; no step may write it")
    _check_writers(reading, spec, nodes)
    _check_files_taken_away(reading, spec, nodes)
    complete = len(nodes) == len(step_nodes(reading))
    if not complete:
        return  # a step that could not be read may make the table that seems to be missing
    for index, node in nodes.items():
        for table in sorted((node.reads | node.judges) - known):
            near = did_you_mean(table[-1], {other[-1] for other in known})
            text = f"reads {'.'.join(table)}, which no step makes"
            text += near or "; if it exists already, declare it under external"
            _note_table(reading, spec, index, {table: text})


def _note_table(reading: Reading, spec: PipelineSpec, index: int, missing: Mapping[TableKey, str]) -> None:
    """Note a table that is not there: where the step's SQL names it, or else at the key that reads it."""
    step = next(step for step in spec.steps if step.id == reading.tree.at(("steps", index, "id")).value)
    try:
        list(step.type.reads(step.options, spec.changed(missing=missing)))
    except TemplateError as error:
        _note_sql(reading, spec, index, error)
    else:
        reading.note(("steps", index, _reading_key(reading, index)), next(iter(missing.values())))


def _note_sql(reading: Reading, spec: PipelineSpec, index: int, error: TemplateError) -> None:
    for each in (error, *error.others):
        key = each.key or (("template",) if each.template else ("sql",))
        reading.note_sql(("steps", index, *key), each, spec.template_file(each.template))


def _check_writers(reading: Reading, spec: PipelineSpec, nodes: Mapping[int, GraphStep]) -> None:
    """Note a step that replaces a table which an earlier one fills: nothing of what that one wrote would be left."""
    filled: dict[TableKey, str] = {}
    for index, node in sorted(nodes.items()):
        options = next(step.options for step in spec.steps if step.id == node.id)
        if not isinstance(options, TableOptions) or not isinstance(into := getattr(options, "into", None), str):
            continue
        table, how = spec.table_key(into), options.choice.how
        if table in filled and (how.replaces == "all" or how.remade_as is not None):
            text = f"replaces {table[-1]}, which the step {filled[table]} fills; give one of them another table"
            reading.note(("steps", index, "into"), text)
        filled.setdefault(table, node.id)


def _check_files_taken_away(reading: Reading, spec: PipelineSpec, nodes: Mapping[int, GraphStep]) -> None:
    """Note a step that moves or deletes files which another one loads, too: that one might not find them."""
    loads = {index: step.options for index in nodes for step in spec.steps if step.id == nodes[index].id}
    places = {
        index: (source.uri, source.pattern)
        for index, options in loads.items()
        if (source := spec.sources.get(str(getattr(options, "source", None)))) is not None
    }
    for index, place in places.items():
        others = [nodes[other].id for other, its in places.items() if other != index and its == place]
        if getattr(loads[index], "after_load", None) and others:
            text = f"takes away the files that the step {others[0]} loads, too, and may not find; load them in one step"
            reading.note(("steps", index, "after_load"), text)


def _external(reading: Reading, spec: PipelineSpec) -> set[TableKey]:
    tables = set()
    for name in as_list(reading.tree.get("external")):
        try:
            tables.add(spec.table_key(str(name)))
        except ValueError as error:
            reading.note(("external",), str(error))
    return tables


def own_tables(spec: PipelineSpec) -> frozenset[TableKey]:
    """The tables that pipekit itself keeps, which any step may read."""
    return frozenset(spec.table_key(str(table)) for table in READABLE)


def _reading_key(reading: Reading, index: int) -> str:
    keys = reading.tree.at(("steps", index)).value
    return next((key for key in ("table", "template", "sql", "from", "inputs") if key in keys), "id")


def check_order(reading: Reading, graph: Graph, nodes: Mapping[int, GraphStep], steps: int) -> None:
    """Note steps that wait for each other in a circle."""
    known = {step.id for step in graph.steps}
    if len(known) < steps or any(need not in known for step in graph.steps for need in step.needs):
        return  # already reported
    cycle = graph.cycle()
    if cycle:
        index = next(index for index, node in nodes.items() if node.id == cycle[0])
        reading.note(("steps", index), f"steps wait for each other: {' -> '.join(cycle)}")
