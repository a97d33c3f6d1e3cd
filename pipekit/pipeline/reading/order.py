"""What each step reads and writes, and whether an order can follow from it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from pipekit.errors import PluginError, TemplateError
from pipekit.own_tables import READABLE, RESERVED
from pipekit.pipeline.graph import Graph, GraphStep, TableKey
from pipekit.pipeline.model import PipelineSpec, Step
from pipekit.pipeline.reading.rendering import Reading, as_list
from pipekit.pipeline.reading.steps import step_nodes
from pipekit.pipeline.reading.tree import Node
from pipekit.suggestions import did_you_mean


def graph_steps(
    reading: Reading, tree: Node, spec: PipelineSpec, steps: Sequence[tuple[int, Step]]
) -> dict[int, GraphStep]:
    """For each step, by position, the tables it reads, writes and judges, by canonical names."""
    found = ((index, _graph_step(reading, tree, spec, index, step)) for index, step in steps)
    return {index: node for index, node in found if node is not None}


def _graph_step(reading: Reading, tree: Node, spec: PipelineSpec, index: int, step: Step) -> GraphStep | None:
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
        place = ("steps", index, "template") if error.template else ("steps", index, "sql")
        where = f"line {error.line} of the SQL: " if error.line and not error.template else ""
        text = where + (error.reason if not error.template else error.message)
        reading.note(tree, place, "; ".join(part for part in (text, error.hint) if part))
    except PluginError as error:
        reading.note(tree, ("steps", index, "call"), error.message)
    except ValueError as error:
        reading.note(tree, ("steps", index), str(error))
    except KeyError:
        if not reading.problems:  # else: a source or suite that is not there, which is told already
            raise
    return None


def check_tables(reading: Reading, tree: Node, spec: PipelineSpec, nodes: Mapping[int, GraphStep]) -> None:
    """Note each table that is read and that nobody makes."""
    made = {table for node in nodes.values() for table in node.writes}
    known = made | _external(reading, tree, spec) | own_tables(spec)
    kept = {spec.table_key(str(table)) for table in RESERVED}
    for index, node in nodes.items():
        for table in sorted(node.writes & kept):
            reading.note(tree, ("steps", index, "into"), f"{table[-1]} is kept by pipekit itself; no step may write it")
    complete = len(nodes) == len(step_nodes(tree))
    if not complete:
        return  # a step that could not be read may make the table that seems to be missing
    for index, node in nodes.items():
        for table in sorted((node.reads | node.judges) - known):
            near = did_you_mean(table[-1], {other[-1] for other in known})
            text = f"reads {'.'.join(table)}, which no step makes"
            text += near or "; if it is there already, declare it under external"
            reading.note(tree, ("steps", index, _reading_key(tree, index)), text)


def _external(reading: Reading, tree: Node, spec: PipelineSpec) -> set[TableKey]:
    found = set()
    for name in as_list(tree.get("external")):
        try:
            found.add(spec.table_key(str(name)))
        except ValueError as error:
            reading.note(tree, ("external",), str(error))
    return found


def own_tables(spec: PipelineSpec) -> frozenset[TableKey]:
    """The tables that pipekit itself keeps, which any step may read."""
    return frozenset(spec.table_key(str(table)) for table in READABLE)


def _reading_key(tree: Node, index: int) -> str:
    keys = tree.at(("steps", index)).value
    return next((key for key in ("table", "template", "sql", "from", "inputs") if key in keys), "id")


def check_order(reading: Reading, tree: Node, graph: Graph, nodes: Mapping[int, GraphStep], steps: int) -> None:
    """Note a circle of steps that wait for each other."""
    known = {step.id for step in graph.steps}
    if len(known) < steps or any(need not in known for step in graph.steps for need in step.needs):
        return  # told already
    cycle = graph.cycle()
    if cycle:
        index = next(index for index, node in nodes.items() if node.id == cycle[0])
        reading.note(tree, ("steps", index), f"steps wait for each other: {' -> '.join(cycle)}")
