"""Testing a pipeline without its warehouse."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from pipekit.api.base import PipelineFile, keeping_secrets, several
from pipekit.pipeline.model import PipelineSpec, Target
from pipekit.state import kept_key
from pipekit.warehouses.builtin import LOCAL

if TYPE_CHECKING:
    from pipekit.trials.fuzz.run import Fuzzed
    from pipekit.trials.recording import Recorded
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
            raise self._mistake(
                f"there is no file of tests {path}; pipekit test {self.spec.path.name} --record STEP writes a test "
                "from the target's tables, and docs/testing.md shows one that is written by hand"
            )
        spec = _on_duckdb(self.spec)
        chosen = [trial for trial in read_tests(path, spec) if named.lower() in trial.name.lower()]
        if not chosen:
            raise self._mistake(f"no test of {path} has {named!r} in its name")
        return run_tests(spec, chosen, done)

    @keeping_secrets
    def record(
        self,
        step: str,
        *,
        rows: int = 20,
        keep: str | Sequence[str] = (),
        name: str | None = None,
        file: str | Path | None = None,
    ) -> Recorded:
        """Write a test of a step from what is in the target's tables now, with masked values. The target is only read.

        Args:
            step: The id of the step.
            rows: The most rows of a table that it reads.
            keep: Columns whose values stay, as ``TABLE.COLUMN`` or ``COLUMN``.
            name: The name of the test.
            file: The file of the tests; ``tests/NAME.yaml`` in the project if left out. The test is added to it.

        Raises:
            PipekitError: The step cannot be recorded, or a table that it reads is not there. Nothing was written.
        """
        from pipekit.trials.file import tests_beside
        from pipekit.trials.recording import Wanted, record

        path = Path(file) if file is not None else tests_beside(self.spec)
        wanted = Wanted(step, rows, several(keep), name)
        return record(self.spec, _on_duckdb(self.spec), wanted, path, kept_key(self.spec.state / "masks.key"))

    @keeping_secrets
    def fuzz(
        self,
        count: int = 100,
        *,
        seed: int = 0,
        folder: str | Path | None = None,
        done: Callable[[Fuzzed], None] = lambda fuzzed: None,
    ) -> list[Fuzzed]:
        """Make legal and hostile files from the contract of each source, and load them on DuckDB in memory.

        The first file of a source that is treated wrongly is made small and written down, with a test.

        Args:
            count: How many files of each source.
            seed: The same seed makes the same files.
            folder: Where such a file is written; ``tests/fuzz`` in the project if left out.
            done: Called after each source.
        """
        from pipekit.trials.fuzz.run import fuzz

        found = []
        for each in fuzz(_on_duckdb(self.spec), count, seed, Path(folder or self.spec.root / "tests" / "fuzz")):
            found.append(each)
            done(each)
        return found


def _on_duckdb(spec: PipelineSpec) -> PipelineSpec:
    if spec.target.type is LOCAL:
        return spec
    schema = spec.target.type.schema_of(spec.target.options)  # under which the order of the steps knows the tables
    return replace(spec, target=Target("test", LOCAL, LOCAL.options.model_validate({"schema": schema})))
