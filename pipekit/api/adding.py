"""Adding steps to a pipeline file."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from pipekit.api.base import PipelineFile, keeping_secrets
from pipekit.errors import PipekitError, Problem, SpecError
from pipekit.pipeline.reading.rendering import shown_name
from pipekit.state import put_whole

if TYPE_CHECKING:
    from pipekit.inference.adding import Added


class Adding(PipelineFile):
    """What changes the pipeline's own file."""

    @keeping_secrets
    def add(self, *templates: str | Path) -> list[Added]:
        """Add a ``sql`` step for each template at the end of the file's steps. All else in the file stays as it is.

        A step has the template's name, and an audit: it has rows, and they differ by what the SQL groups by.

        Args:
            templates: Files below the project's ``templates/``.

        Returns:
            The steps; this object does not know them: read the file again.

        Raises:
            SpecError: A step is there already, or the pipeline would be wrong with them. The file is as it was.
        """
        from pipekit.inference.adding import proposed, with_steps

        steps = [proposed(self.spec, Path(each)) for each in templates]
        with self.spec.path.open(encoding="utf-8", newline="") as file:
            before = file.read()
        after = with_steps(before, steps, shown_name(self.spec.path))
        try:
            put_whole(self.spec.path, after, lambda beside: self._check(beside, before, after))
        except OSError as error:
            reason = f"cannot write {self.spec.path}: {error.strerror}"
            raise PipekitError(reason, kept="The file is as it was.") from error
        return steps

    def _check(self, beside: Path, before: str, after: str) -> None:
        """Read the new file; its mistakes are those of the file that it would become."""
        try:
            self._given.read(beside, self._plugins)
        except SpecError as error:
            old, new = before.splitlines(), after.splitlines()
            raise SpecError([self._moved(each, beside, old, new) for each in error.problems]) from error

    def _moved(self, problem: Problem, beside: Path, old: Sequence[str], new: Sequence[str]) -> Problem:
        """A mistake without its line if that is one of a step which the file does not have."""
        if problem.file != shown_name(beside):
            return problem
        row = slice(problem.line - 1, problem.line)
        place = (problem.line, problem.column) if problem.line and old[row] == new[row] else (0, 0)
        return replace(problem, file=shown_name(self.spec.path), line=place[0], column=place[1])
