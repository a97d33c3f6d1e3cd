"""The steps that a run is asked for."""

from __future__ import annotations

from collections.abc import Sequence

from pipekit.errors import Problem, SpecError
from pipekit.pipeline.model import PipelineSpec, Step
from pipekit.suggestions import did_you_mean


def choose(spec: PipelineSpec, select: Sequence[str], exclude: Sequence[str]) -> tuple[Step, ...]:
    """The steps that are selected and not excluded, in file order.

    Raises:
        SpecError: An expression matches no step, or none is left.
    """
    try:
        ids = spec.graph.select(select, exclude)
    except KeyError as error:
        given = "select" if error.args[0] in select else "exclude"
        raise SpecError([Problem(given, 0, "", _no_match(spec, str(error.args[0])))]) from error
    if not ids:
        raise SpecError([Problem("exclude", 0, "", f"leaves no step of {spec.path.name} to run")])
    return tuple(step for step in spec.steps if step.id in ids)


def _no_match(spec: PipelineSpec, wanted: str) -> str:
    ids = [step.id for step in spec.steps]
    tags = list(dict.fromkeys(tag for step in spec.steps for tag in step.tags))
    bare = wanted.strip("+")
    text = f"no step of {spec.path.name} matches {wanted!r}"
    if not bare.startswith("tag:"):
        return text + did_you_mean(bare, ids, otherwise=f"; the steps are {', '.join(ids)}")
    name = bare.removeprefix("tag:")
    known = f"; the tags are {', '.join(tags)}" if tags else "; no step has tags"
    return text + ("" if name else ": the name of the tag is missing") + did_you_mean(name, tags, otherwise=known)
