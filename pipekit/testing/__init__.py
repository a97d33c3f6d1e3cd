"""The kit for plugin authors: a step type run once, on a DuckDB database of its own."""

from pipekit.testing.steps import StepRun, run_step

__all__ = ["StepRun", "run_step"]
