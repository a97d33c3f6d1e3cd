"""What runs cost on Snowflake, counted on the emulated one: statements, round trips, what needs a warehouse, time.

    python tests/benchmarks/snowflake_latency.py [--latency 0.1] [--skip-200]

It prints the second run of a pipeline that has a step of each kind, with new files for every load; a run without work;
and a pipeline of 200 steps (60 loads, 120 merges, 15 tables, 5 features steps) with latency on every request.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))

from emulator.costs import KINDS, Cost, by_step, delivery, of_run, write_kinds
from emulator.fixtures import EMULATOR, MOTO, S3, EmulatedSnowflake, serve

from pipekit import Pipeline

_KEYS = {"AWS_ACCESS_KEY_ID": "testing", "AWS_SECRET_ACCESS_KEY": "testing", "AWS_DEFAULT_REGION": "us-east-1"}


@dataclass
class Account:
    """An emulated account, and a folder for projects."""

    server: EmulatedSnowflake
    s3: S3
    folder: Path

    def twice(self, name: str, kinds: Sequence[dict[str, Any]], latency: float = 0.0) -> tuple[Cost, float]:
        """Run a pipeline, deliver further files, run it again; the cost of the second run, and its seconds."""
        bucket, project = self.s3.bucket(), self.folder / name
        project.mkdir()
        (project / "pyproject.toml").write_text("[tool.pipekit]\n")
        uri = self.s3.upload(delivery(project / "one", "a", 1), bucket, "in/").rstrip("/")
        pipeline = Pipeline.from_file(write_kinds(project, self.server.target(), uri, kinds))
        self.run(pipeline)
        if not all(kind.get("when") == "changed" for kind in kinds):
            self.s3.upload(delivery(project / "two", "b", 4), bucket, "in/")
        return self.run(pipeline, latency)

    def run(self, pipeline: Pipeline, latency: float = 0.0) -> tuple[Cost, float]:
        """Run a pipeline; its cost and its seconds."""
        self.server.control(reset=True, latency=latency)
        began = time.monotonic()
        pipeline.run().raise_for_status()
        seconds = time.monotonic() - began
        return of_run(self.server.statements(), self.server.control()["requests"]), seconds


def two_hundred_steps() -> list[dict[str, Any]]:
    """60 loads, 120 merges, 15 tables and 5 features steps."""
    kind = {step["id"]: step for step in KINDS}
    counts = {"loaded": 60, "sql_merge": 120, "sql_table": 15, "features": 5}
    steps = [{**kind[name], "id": f"{name}_{number}"} for name, count in counts.items() for number in range(count)]
    loads = [{**kind[name]} for name in ("loaded", "sql_table")]
    return [*loads, *steps[1:60], *steps[60:180], *steps[181:]]


def line(name: str, cost: Cost, *more: object) -> None:
    """Print a line of the table."""
    print(f"{name:22} {len(cost.statements):>10} {len(cost.on_warehouse):>12}", *more)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--latency", type=float, default=0.1, help="seconds a request, for the pipeline of 200 steps")
    parser.add_argument("--skip-200", action="store_true", help="leave out the pipeline of 200 steps")
    options = parser.parse_args()
    os.environ.update(_KEYS)
    moto = serve(MOTO)
    s3 = S3(f"http://127.0.0.1:{next(moto)}")
    server = serve(EMULATOR, EMULATOR_S3=s3.endpoint)
    account = EmulatedSnowflake(next(server))
    with tempfile.TemporaryDirectory() as folder:
        measure(Account(account, s3, Path(folder)), options)
    server.close()
    moto.close()


def measure(account: Account, options: argparse.Namespace) -> None:
    """Print the three tables."""
    whole, _ = account.twice("kinds", KINDS)
    steps = by_step(account.server.statements())
    print(f"{'kind of step':22} {'statements':>10} {'on warehouse':>12}")
    for kind in KINDS:
        line(kind["id"], steps[kind["id"]])
    line("the run itself", steps[""])
    line("all", whole, f"{whole.trips} round trips, {whole.logins} logins")
    idle, _ = account.twice("idle", [{**KINDS[0], "when": "changed"}])
    line("a run without work", idle, f"{idle.trips} round trips, {idle.logins} logins")
    if not options.skip_200:
        many, seconds = account.twice("many", two_hundred_steps(), options.latency)
        more = f"{many.trips} round trips, {many.logins} logins, {seconds:.0f} s at {1000 * options.latency:.0f} ms"
        line("200 steps", many, more)


if __name__ == "__main__":
    main()
