"""The same workload with dbt-duckdb, SQLMesh and dlt, each from a virtual environment of its own, for ``workload.py``.

dbt and SQLMesh do all of it: the projects in ``workload/dbt`` and ``workload/sqlmesh``. dlt does no modelling: it does
the two loads alone, ``workload/load_with_dlt.py``. None of them may send usage figures.
"""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

PROJECTS = Path(__file__).resolve().parent / "workload"
LOADS_ONLY = {"dlt": ("raw_customer_demographics", "raw_clickstream")}


@dataclass(frozen=True)
class Contestant:
    """A process to run, what it needs in its environment, and the versions of what it runs."""

    command: Sequence[str]
    environment: Mapping[str, str] = field(default_factory=dict)
    versions: str = ""


class Unusable(Exception):
    """A ``--peer`` that cannot be run, and why."""


def prepare(given: str, data: Path, database: Path) -> Contestant:
    """Make the peer of ``NAME=FOLDER`` ready, in a folder beside its database.

    Raises:
        Unusable: the name is unknown, or the folder is no virtual environment that has the tool.
    """
    name, _, folder = given.partition("=")
    if name not in PEERS or not folder:
        raise Unusable(f"--peer {given}: give NAME=FOLDER, where NAME is one of {', '.join(PEERS)}")
    packages, project = PEERS[name]
    programs = Path(folder).absolute() / "bin"
    versions = installed(programs, packages)
    environment = {"WORKLOAD_DATA": str(data), "WORKLOAD_DATABASE": str(database), "DO_NOT_TRACK": "1"}
    command, more = project(programs, database.parent / name)
    return Contestant(command, environment | more, versions)


def installed(programs: Path, packages: Sequence[str]) -> str:
    """The versions of the packages there; all of them must be there."""
    code = (
        "import json, sys\n"
        "from importlib.metadata import distributions\n"
        "found = {name: next((one.version for one in distributions(name=name)), None) for name in sys.argv[1:]}\n"
        "print(json.dumps(found))\n"
    )
    python = programs / "python"
    if not python.exists():
        raise Unusable(f"{programs.parent} is not a virtual environment: it has no bin/python")
    asked = subprocess.run([str(python), "-c", code, *packages], check=True, capture_output=True, text=True)
    versions = json.loads(asked.stdout)
    missing = [name for name, version in versions.items() if version is None]
    if missing:
        raise Unusable(f"{programs.parent} lacks {', '.join(missing)}: {python} -m pip install {' '.join(packages)}")
    return ", ".join(f"{name} {version}" for name, version in versions.items())


def dbt(programs: Path, work: Path) -> tuple[list[str], dict[str, str]]:
    """``dbt build``: the models, and the tests of each before what is built on it."""
    project = copy("dbt", work)
    folders = ["--project-dir", project, "--profiles-dir", project]
    return [str(programs / "dbt"), "build", *folders], {"DBT_SEND_ANONYMOUS_USAGE_STATS": "false"}


def sqlmesh(programs: Path, work: Path) -> tuple[list[str], dict[str, str]]:
    """``sqlmesh plan``: the models with their audits, and the views of the first environment."""
    command = [str(programs / "sqlmesh"), "--paths", copy("sqlmesh", work), "plan", "--auto-apply", "--no-prompts"]
    return command, {"SQLMESH__DISABLE_ANONYMIZED_ANALYTICS": "true"}


def dlt(programs: Path, work: Path) -> tuple[list[str], dict[str, str]]:
    """A Python script, as dlt's pipelines are."""
    return [str(programs / "python"), str(PROJECTS / "load_with_dlt.py")], {"RUNTIME__DLTHUB_TELEMETRY": "false"}


def copy(name: str, work: Path) -> str:
    """A project in a folder of its own: the tools write their caches and logs into it."""
    shutil.rmtree(work, ignore_errors=True)
    return str(shutil.copytree(PROJECTS / name, work))


PEERS = {
    "dbt": (("dbt-core", "dbt-duckdb", "duckdb"), dbt),
    "sqlmesh": (("sqlmesh", "duckdb"), sqlmesh),
    "dlt": (("dlt", "duckdb", "pyarrow"), dlt),
}
