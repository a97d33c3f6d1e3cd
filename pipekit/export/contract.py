"""What an exporter is, and what it is given: the steps with their order, and the commands that run them."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from pydantic import BaseModel

FINAL_EXIT_CODES = (1, 2, 3)
"""What another try does not change: the data or the warehouse, the file, a bug. After any other the step is tried
again: 75 (something is locked, or a connection was lost), 130 (stopped by the system), 137 (killed)."""
WAIT_SECONDS = 600
"""How long a process waits for the lock or the file of another one."""
OptionsT = TypeVar("OptionsT", bound=BaseModel)


@dataclass(frozen=True)
class ExportedStep:
    """A step as another tool needs it.

    Attributes:
        id: Its id.
        type: Its type's name.
        needs: Ids of the steps that it waits for, in file order.
        description: Its description.
        tags: Its tags.
        timeout: Seconds after which pipekit itself stops an attempt.
        retries: How often pipekit itself tries again after a failure that may pass.
        writes: The tables that it writes, as the file names them.
        reads_disk: Whether it reads files from the disk of the machine that runs it.
    """

    id: str
    type: str
    needs: tuple[str, ...] = ()
    description: str = ""
    tags: tuple[str, ...] = ()
    timeout: float | None = None
    retries: int = 0
    writes: tuple[str, ...] = ()
    reads_disk: bool = False


@dataclass(frozen=True)
class Exported:
    """A pipeline without its secrets.

    Attributes:
        name: Its name.
        description: Its description.
        root: The project's folder.
        spec: The pipeline file, relative to ``root``.
        target: The target's name.
        steps: The steps, in file order.
        variables: What ``--var`` gives to the run.
        as_of: The run's clock, if it is given.
        many_processes: Whether processes on several machines can write to the target at once.
    """

    name: str
    description: str
    root: str
    spec: str
    target: str
    steps: tuple[ExportedStep, ...]
    variables: Mapping[str, object]
    as_of: str | None = None
    many_processes: bool = False

    def begin(self) -> list[str]:
        """Arguments of ``pipekit`` that open the run, without the run's id."""
        given = [f"--var={name}={_scalar(value)}" for name, value in self.variables.items()]
        clock = [f"--as-of={self.as_of}"] if self.as_of else []
        return ["begin", *self._common(), *given, *clock]

    def run(self, step: str) -> list[str]:
        """Arguments that run a step."""
        return ["run", *self._common(), "--step", step]

    def end(self) -> list[str]:
        """Arguments that end the run."""
        return ["end", *self._common()]

    def _common(self) -> list[str]:
        return [self.spec, "--target", self.target, "--wait", str(WAIT_SECONDS)]


def _scalar(value: object) -> str:
    """A value as ``--var`` reads it again."""
    return json.dumps(value) if value is None or isinstance(value, bool) else str(value)


class ExportError(ValueError):
    """The options, or this pipeline, cannot be said in the tool's file; the text says why."""


@dataclass(frozen=True)
class Exporter(Generic[OptionsT]):
    """A tool that can start the steps of a pipeline.

    Attributes:
        name: What ``pipekit export NAME`` says.
        summary: One sentence for the help.
        options: A pydantic model; each field is an option of the command, with its description as the help.
        write: The text of the tool's file. It raises ``ExportError`` for what the tool cannot do.
    """

    name: str
    summary: str
    options: type[OptionsT]
    write: Callable[[OptionsT, Exported], str]


def by_needs(steps: Sequence[ExportedStep]) -> dict[str, frozenset[str]]:
    """For each step those that it waits for, in file order."""
    return {step.id: frozenset(step.needs) for step in steps}
