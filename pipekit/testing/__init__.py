"""For authors of plugins: run one step on a temporary DuckDB database; ``contract`` tests a warehouse."""

from pipekit.testing.steps import StepRun, run_step

__all__ = ["StepRun", "run_step"]
