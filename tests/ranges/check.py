"""Run a smoke set on one end of the ranges in pyproject.toml, in an environment of its own.

    python tests/ranges/check.py newest|lowest

``newest`` and ``lowest`` mean every direct dependency; what those need in turn is the newest that fits. The emulator of
Snowflake is not there, since it takes some versions only: a load from that environment goes to an emulator in this one.
"""

from __future__ import annotations

import re
import sys
import tomllib
from pathlib import Path
from tempfile import TemporaryDirectory

from environments import LOCK, REPOSITORY, resolve, run, uv

RESOLUTION = {"newest": "highest", "lowest": "lowest-direct"}
SMOKE = (
    "tests/test_versions.py",
    "tests/pipeline",
    "tests/sql",
    "tests/shipped",
    "tests/quality",
    "tests/files/test_listing.py",
    "tests/steps/test_sql.py",
    "tests/steps/test_load_bad_files.py",
    "tests/warehouses/duckdb/semantics/test_layer.py",
    "tests/contract/test_warehouse_contract.py",
)
# Two thousand expressions. They depend on these two packages alone, so that the default run has shown them for the lock.
TABLE, TABLE_NEEDS = "tests/warehouses/duckdb/semantics/test_table.py", ("duckdb", "sqlglot")
COMPILED = (
    "import pipekit.cli.run, pipekit.testing.contract, pipekit.quality.gx_runner, hypothesis, pandas, polars, pytest"
)


def main(end: str) -> None:
    """Install one end, and run the smoke set there."""
    with TemporaryDirectory() as scratch:
        versions, bounds = Path(scratch) / f"{end}.txt", Path(scratch) / "bounds.txt"
        bounds.write_text(lower_bounds() if end == "lowest" else "")
        options = ("--resolution", RESOLUTION[end], "--constraints", str(bounds), "--python", sys.executable)
        resolve("tools", versions, *options)
        print(versions.read_text(), flush=True)
        python = str(Path(scratch) / "venv/bin/python")
        uv("venv", "--quiet", "--python", sys.executable, str(Path(scratch) / "venv"))
        uv("pip", "install", "--quiet", "--python", python, "--constraints", str(versions), "--editable", ".[tools]")
        # uv compiles nothing: what all test processes import is compiled here, and the tests (conftest) only read it.
        bytecode = {"PYTHONPYCACHEPREFIX": str(Path(scratch) / "pipekit-bytecode-"), "PYTHONDONTWRITEBYTECODE": ""}
        run(python, "-c", COMPILED, **bytecode)
        table = () if pinned(versions) == pinned(LOCK) else (TABLE,)
        run(python, "-m", "pytest", "-k", "not snowflake", *SMOKE, *table, **bytecode)
        client = {"PIPEKIT_CLIENT_PYTHON": python}
        run(sys.executable, "-m", "pytest", "-n", "0", "-m", "long", "tests/test_connectors.py", **client)


def lower_bounds() -> str:
    """What pyproject.toml says, as exact versions: a lower bound that nothing can be installed with is not tested."""
    wanted = tomllib.loads((REPOSITORY / "pyproject.toml").read_text(encoding="utf-8"))["project"]["dependencies"]
    return "\n".join(re.sub(r">=([^,]+),.*", r"==\1", each) for each in wanted)


def pinned(file: Path) -> set[str]:
    """The lines of a file of exact versions that name what the table of expressions depends on."""
    lines = file.read_text(encoding="utf-8").splitlines()
    return {line for line in lines if line.startswith(tuple(f"{name}==" for name in TABLE_NEEDS))}


if __name__ == "__main__":
    if len(sys.argv) != 2 or sys.argv[1] not in RESOLUTION:
        sys.exit(__doc__)
    main(sys.argv[1])
