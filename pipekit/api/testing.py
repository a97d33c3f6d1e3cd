"""Testing a pipeline without its warehouse."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from pipekit.api.base import PipelineFile, keeping_secrets
from pipekit.pipeline.model import PipelineSpec, Target
from pipekit.warehouses.builtin import LOCAL

if TYPE_CHECKING:
    from pipekit.trials.run import Outcome


class Testing(PipelineFile):
    """What runs the tests of a pipeline."""

    __test__ = False  # pytest need not look into it

    @keeping_secrets
    def test(
        self, file: str | Path | None = None, *, named: str = "", done: Callable[[Outcome], None] = lambda outcome: None
    ) -> list[Outcome]:
        """Run the tests of the pipeline on DuckDB in memory; nothing else is opened, and nothing is written.

        Args:
            file: The file of the tests; ``tests/NAME.yaml`` in the project if left out.
            named: Only tests whose names hold this text.
            done: Called after each test.

        Raises:
            SpecError: There is no such file or test, or the file is wrong.
        """
        from pipekit.trials.file import read_tests, tests_beside
        from pipekit.trials.run import run_tests

        path = Path(file) if file is not None else tests_beside(self.spec)
        if not path.is_file():
            raise self._mistake(f"there is no file of tests {path}")
        spec = _on_duckdb(self.spec)
        chosen = [trial for trial in read_tests(path, spec) if named.lower() in trial.name.lower()]
        if not chosen:
            raise self._mistake(f"no test of {path} has {named!r} in its name")
        return run_tests(spec, chosen, done)


def _on_duckdb(spec: PipelineSpec) -> PipelineSpec:
    if spec.target.type is LOCAL:
        return spec
    schema = spec.target.type.schema_of(spec.target.options)  # under which the order of the steps knows the tables
    return replace(spec, target=Target("test", LOCAL, LOCAL.options.model_validate({"schema": schema})))
