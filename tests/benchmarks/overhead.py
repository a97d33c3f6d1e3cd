"""What pipekit itself costs a step, and how long a file of many steps takes to validate.

    python tests/benchmarks/overhead.py --steps 1000 --rounds 5

The steps are of a type that does nothing, with all logs written as in any run. Their cost is the difference
to a run of one such step, over the steps between; every run is a whole process. For validation a tenth of the steps
are loads, half are SQL on each other's tables, the others check them; the first validation, which translates
the SQL, is told apart from those after a run, which keeps the translations.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import median

PIPEKIT = str(Path(sys.executable).with_name("pipekit"))
HEAD = """\
name: {name}
targets:
  local: {{type: duckdb, path: warehouse.duckdb}}
"""
NOTHING = """\
from pipekit import StepOptions, StepResult, StepType, hookimpl


@hookimpl
def pipekit_step_types():
    return [StepType("nothing", StepOptions, lambda options, context: StepResult())]
"""
SOURCE = """\
sources:
  customers: {uri: data/, pattern: "*.csv", format: {type: csv}, columns: {customer_id: integer, region: varchar}}
"""


def main() -> None:
    """Write the files, run and validate them, print the figures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--steps", type=int, default=1_000)
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        (root / "plugins").mkdir()
        (root / "plugins" / "nothing.py").write_text(NOTHING)
        one, many, mixed = (root / f"{name}.yaml" for name in ("one", "many", "mixed"))
        one.write_text(idle("one", 1))
        many.write_text(idle("many", options.steps))
        mixed.write_text(various("mixed", options.steps))
        per_step = [(seconds("run", many) - seconds("run", one)) / (options.steps - 1) for _ in range(options.rounds)]
        print(f"a step that does nothing: {median(per_step) * 1000:.2f} ms (best {min(per_step) * 1000:.2f} ms)")
        (root / "data").mkdir()
        (root / "data" / "customers.csv").write_text("customer_id,region\n1,North\n")
        first = seconds("validate", mixed)
        subprocess.run([PIPEKIT, "run", str(mixed), "--select", "t0", "--quiet"], check=True, cwd=root)
        warm = [seconds("validate", mixed) for _ in range(options.rounds)]
        print(
            f"validating {options.steps} steps: first {first:.2f} s, after a run {median(warm):.2f} s (best {min(warm):.2f} s)"
        )


def idle(name: str, steps: int) -> str:
    """A pipeline of steps that do nothing."""
    lines = [f"  - {{id: step_{number}, type: nothing}}" for number in range(steps)]
    return HEAD.format(name=name) + "steps:\n" + "\n".join(lines) + "\n"


def various(name: str, steps: int) -> str:
    """A pipeline of loads, SQL on SQL, and checks."""
    lines = [various_step(number) for number in range(steps)]
    return HEAD.format(name=name) + SOURCE + "steps:\n" + "\n".join(lines) + "\n"


def various_step(number: int) -> str:
    """Of ten steps: a load, five SELECTs, each on the table of the step before, four checks of the last of them."""
    place = number % 10
    if place == 0:
        return f"  - {{id: t{number}, type: load, source: customers}}"
    if place <= 5:
        sql = f"select customer_id, region, {number} as step from t{number - 1} where customer_id > {number}"
        return f'  - {{id: t{number}, type: sql, sql: "{sql}"}}'
    suite = "[{expect_column_values_to_not_be_null: {column: customer_id}}]"
    return f"  - {{id: t{number}, type: check, table: t{number - place + 5}, suite: {suite}}}"


def seconds(command: str, spec: Path) -> float:
    """How long a whole process took."""
    started = time.perf_counter()
    given = [PIPEKIT, command, str(spec), *(["--quiet"] if command == "run" else [])]
    subprocess.run(given, check=True, stdout=subprocess.DEVNULL, cwd=spec.parent)
    return time.perf_counter() - started


if __name__ == "__main__":
    main()
