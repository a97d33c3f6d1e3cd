"""The steps of a pipeline file, and what they refer to: types, sources, suites, other steps."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from pipekit.materialize.into import TableOptions
from pipekit.names import Table
from pipekit.pipeline.model import PipelineSpec, Step, canonical
from pipekit.pipeline.reading.checking import checked, others_of
from pipekit.pipeline.reading.choice import keys_of_choices, with_choice
from pipekit.pipeline.reading.keys import MAX_STEPS, StepKeys
from pipekit.pipeline.reading.rendering import Reading, as_list
from pipekit.pipeline.reading.sections import checked_suite
from pipekit.pipeline.reading.tree import Node
from pipekit.quality.suite import SCOPES, Suite, by_scope
from pipekit.suggestions import did_you_mean


def step_nodes(reading: Reading) -> list[Node]:
    """The items of ``steps``; none if there are none, or too many (already reported)."""
    node = reading.tree.get("steps")
    return node.value if node and isinstance(node.value, list) and len(node.value) <= MAX_STEPS else []


def read_steps(reading: Reading) -> list[tuple[int, Step]]:
    """The valid steps, each with its position in the file."""
    steps: list[tuple[int, Step]] = []
    seen: dict[str, int] = {}
    for index, node in enumerate(step_nodes(reading)):
        if not isinstance(node.value, dict):
            continue  # reported by FileKeys
        _note_empty(reading, ("steps", index))
        step = _read_step(reading, index, node.plain())
        if step is None:
            continue
        if step.id.lower() in seen:
            text = f"the id {step.id!r} is taken by the step in line {seen[step.id.lower()]}"
            reading.note(("steps", index, "id"), text)
            continue
        seen[step.id.lower()] = node.line
        steps.append((index, step))
    return steps


def _note_empty(reading: Reading, path: tuple[str | int, ...]) -> None:
    """Note keys of a step, and of its features, that have no value."""
    for key, child in reading.tree.at(path).value.items():
        if child.is_empty:
            reading.note((*path, key), "is empty; give it a value, or remove it")
        for name in child.value if key == "features" and isinstance(child.value, dict) else ():
            if isinstance(child.value[name].value, dict):
                _note_empty(reading, (*path, key, name))


def _read_step(reading: Reading, index: int, data: dict[str, Any]) -> Step | None:
    path = ("steps", index)
    types = reading.vocabulary.step_types
    kind = data.get("type")
    step_type = types.get(kind) if isinstance(kind, str) else None
    if isinstance(kind, str) and step_type is None:
        text = f"unknown step type {kind!r}{did_you_mean(str(kind), types)}; one of {', '.join(sorted(types))}"
        reading.note((*path, "type"), text)
    core = {key: value for key, value in data.items() if key in StepKeys.model_fields}
    keys = checked(reading, StepKeys, core, path)
    if step_type is None:
        return None
    rest = {key: value for key, value in data.items() if key not in StepKeys.model_fields}
    if "into" in step_type.options.model_fields:
        rest.setdefault("into", data["id"] if isinstance(data.get("id"), str) else "step")
    also_known = [*StepKeys.model_fields, *keys_of_choices(step_type.options, reading.vocabulary.materializations)]
    rest = with_choice(reading, step_type.options, rest, path)
    options = checked(
        reading, step_type.options, rest, path, also_known, elsewhere=lambda: others_of(types, step_type.name)
    )
    if options is None:
        return None
    if keys is None:  # so that the rest of the step is checked too
        keys = StepKeys.model_construct(id=str(data.get("id", index)), type=step_type.name)
    core_values = {name: getattr(keys, name) for name in StepKeys.model_fields if name != "type"}
    return Step(type=step_type, options=options, **core_values)


def read_references(reading: Reading) -> dict[str, Suite]:
    """Check the sources, suites and steps that steps refer to, and read the suites inside steps."""
    inline: dict[str, Suite] = {}
    nodes = step_nodes(reading)
    ids = {str(node.value["id"].value) for node in nodes if node.get("id")}
    for index, node in enumerate(nodes):
        for need in as_list(node.get("needs")):
            _check_name(reading, ("steps", index, "needs"), "step", need, ids)
            if node.at(("id",)).value == need:
                reading.note(("steps", index, "needs"), "a step cannot wait for itself")
        source = node.get("source")
        if source is not None and isinstance(source.value, str):
            _check_name(reading, ("steps", index, "source"), "source", source.value, reading.mapping("sources"))
        for key in ("audit", "suite"):
            reference = node.get(key)
            if reference is not None:
                _read_audit(reading, ("steps", index, key), reference.plain(), inline)
    return inline


def _read_audit(reading: Reading, path: tuple[str | int, ...], reference: Any, inline: dict[str, Suite]) -> None:
    """Read a suite or, in an ``audit``, what it says of the table and of the new rows."""
    scopes = by_scope(reference) if path[-1] == "audit" else {}
    if not isinstance(reference, dict) or not scopes.keys() & reference.keys():
        _read_reference(reading, path, reference, inline)
        return
    for key in reference.keys() - set(SCOPES):
        reading.note((*path, key), f"unknown key {key!r}; an audit has {' and '.join(SCOPES)}")
    for scope, named in scopes.items():
        _read_reference(reading, (*path, scope), named, inline)


def check_options(reading: Reading, spec: PipelineSpec, steps: Sequence[tuple[int, Step]]) -> None:
    """Note what each step type finds wrong when it compares its options with the rest of the file."""
    for index, step in steps:
        try:
            for key, text in _problems(spec, step):
                reading.note(("steps", index, key), text)
        except KeyError:
            if not reading.problems:  # else: a missing source or suite, already reported
                raise


def _problems(spec: PipelineSpec, step: Step) -> Iterable[tuple[str, str]]:
    yield from step.type.problems(step.options, spec)
    if isinstance(step.options, TableOptions):
        choice = step.options.choice
        yield from choice.how.problems(choice.keys, spec, Table.parse(step.options.into))


def _check_name(reading: Reading, path: tuple[str | int, ...], what: str, name: Any, known: Iterable[Any]) -> None:
    names = set(known)
    unread = name is None or reading.has_noted((f"{what}s",))  # what is empty is noted, and the name may be right
    if not unread and (not isinstance(name, str) or name not in names):
        reading.note(path, f"there is no {what} {name!r}{did_you_mean(str(name), names)}")


def _read_reference(reading: Reading, path: tuple[str | int, ...], reference: Any, inline: dict[str, Suite]) -> None:
    names = [reference] if isinstance(reference, str) else reference
    if isinstance(names, list) and names and all(isinstance(name, str) for name in names):
        for name in names:
            _check_name(reading, path, "suite", name, reading.mapping("suites"))
        return
    step = reading.tree.at(path[:2]).get("id")
    suite = checked_suite(reading, str(step.value) if step else "", reference, path)
    if suite is not None:
        inline[canonical(reference)] = suite
