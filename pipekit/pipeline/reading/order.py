"""The tables that each step reads and writes, and whether an order of the steps follows from them."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import pairwise
from typing import Any

from pipekit.errors import PluginError, TemplateError
from pipekit.materialize.into import TableOptions
from pipekit.own_tables import READABLE, RESERVED
from pipekit.pipeline.graph import Graph, GraphStep, TableKey
from pipekit.pipeline.model import PipelineSpec, Step
from pipekit.pipeline.reading.rendering import Reading, as_list
from pipekit.pipeline.reading.steps import step_nodes
from pipekit.pipeline.reading.tree import Node
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
            if (maker := _needs_quotes(table, nodes)) is not None:
                _note_quotes(reading, *maker, table)
                continue
            text = f"reads {_shown(spec, table)}, which no step makes"
            text += near or "; if it exists already, declare it under external"
            _note_table(reading, spec, index, {table: text})


def _shown(spec: PipelineSpec, table: TableKey) -> str:
    """A table as people write it: without the schema that is the target's own."""
    return table[-1] if table[:-1] == spec.table_key("any")[:-1] else ".".join(table)


def _needs_quotes(table: TableKey, nodes: Mapping[int, GraphStep]) -> tuple[int, TableKey] | None:
    """The step whose table a missing one is meant to be, if that has a name which SQL reads otherwise: ``raw orders``.

    Without quotes SQL reads the first word of it; and mostly it was to be written with ``_``.
    """
    wanted = table[-1].lower()
    for index, node in nodes.items():
        for made in node.writes:
            name = made[-1].lower()
            if not re.fullmatch(r"\w+", name) and wanted in (re.sub(r"\W+", "_", name), re.split(r"\W+", name)[0]):
                return index, made
    return None


def _note_quotes(reading: Reading, index: int, made: TableKey, wanted: TableKey) -> None:
    """Note a table's name that must be quoted, once and where it is made, in place of everything that reads it."""
    key = "into" if reading.tree.at(("steps", index)).get("into") else "id"
    path = ("steps", index, key)
    if not reading.has_noted(path):
        plain = re.sub(r"\W+", "_", made[-1])
        text = f"makes the table {made[-1]!r}, a name that SQL must write in quotes, and {wanted[-1]} is read"
        reading.note(path, f"{text}; did you mean {plain!r}?")


def _note_table(reading: Reading, spec: PipelineSpec, index: int, missing: Mapping[TableKey, str]) -> None:
    """Note a table that is not there: where the step's SQL names it, or else at the key that reads it."""
    step = next(step for step in spec.steps if step.id == reading.tree.at(("steps", index, "id")).value)
    [(table, text)] = missing.items()
    named = [path for path, name in _under(reading.tree.at(("steps", index)), (), "from") if _is(spec, name, table)]
    for path in named:
        reading.note(("steps", index, *path), text)
    if named or _note_in_suites(reading, spec, table, text):
        return
    try:
        list(step.type.reads(step.options, spec.changed(missing=missing)))
    except TemplateError as error:
        _note_sql(reading, spec, index, error)
    else:
        reading.note(("steps", index, _reading_key(reading, index)), text)


def _note_in_suites(reading: Reading, spec: PipelineSpec, table: TableKey, text: str) -> bool:
    """Note a table that an expectation compares with, where it is written; whether there is one."""
    places = [
        path
        for path, name in _under(reading.tree.at(("suites",)), ("suites",), "other_table_name")
        if _is(spec, name, table)
    ]
    for path in places:
        if not reading.has_noted(path):
            reading.note(path, text)
    return bool(places)


def _under(node: Node, path: tuple[str | int, ...], wanted: str) -> Iterator[tuple[tuple[str | int, ...], str]]:
    """Each text under a key, at any depth, with its place."""
    children = node.value.items() if isinstance(node.value, dict) else ()
    for key, child in enumerate(node.value) if isinstance(node.value, list) else children:
        if key == wanted and isinstance(child.value, str):
            yield (*path, key), child.value
        yield from _under(child, (*path, key), wanted)


def _is(spec: PipelineSpec, name: str, table: TableKey) -> bool:
    try:
        return spec.table_key(name) == table
    except ValueError:
        return False


def _note_sql(reading: Reading, spec: PipelineSpec, index: int, error: TemplateError) -> None:
    for each in (error, *error.others):
        key = each.key or (("template",) if each.template else ("sql",))
        reading.note_sql(("steps", index, *key), each, spec.template_file(each.template))


def _check_writers(reading: Reading, spec: PipelineSpec, nodes: Mapping[int, GraphStep]) -> None:
    """Note a step that replaces a table which an earlier one fills: nothing of what that one wrote would be left."""
    filled: dict[TableKey, str] = {}
    options_of = {step.id: step.options for step in spec.steps}
    for index, node in sorted(nodes.items()):
        options = options_of[node.id]
        if not isinstance(options, TableOptions) or not isinstance(into := getattr(options, "into", None), str):
            continue
        table, how = spec.table_key(into), options.choice.how
        if table in filled and (how.replaces == "all" or how.remade_as is not None):
            text = f"replaces {table[-1]}, which the step {filled[table]} fills; give one of them another table"
            reading.note(("steps", index, "into"), text)
        filled.setdefault(table, node.id)


def _check_files_taken_away(reading: Reading, spec: PipelineSpec, nodes: Mapping[int, GraphStep]) -> None:
    """Note a step that moves or deletes files which another one loads, too: that one might not find them."""
    options_of = {step.id: step.options for step in spec.steps}
    loads = {index: options_of[node.id] for index, node in nodes.items()}
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
        places = {node.id: index for index, node in nodes.items()}
        links = [_link(reading, places[step], nodes[places[step]], needed) for step, needed in pairwise(cycle)]
        place = next((place for place, _ in links if place[-1] == "needs"), links[0][0])
        circle = ", ".join(text for _, text in links)
        reading.note(place, f"steps wait for each other: {circle}; remove one of these")


def _link(reading: Reading, index: int, step: GraphStep, needed: str) -> tuple[tuple[str | int, ...], str]:
    """Where and why a step waits for another one of a circle: its ``needs`` says so, or the data shows it."""
    key = "needs" if needed in step.needs else _reading_key(reading, index)
    place = ("steps", index, key)
    how = "needs" if key == "needs" else "reads what is made or checked by"
    return place, f"{step.id} {how} {needed} (line {reading.tree.at(place).line})"
