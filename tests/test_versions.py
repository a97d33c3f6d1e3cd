"""Versions: what is locked, what is refused, what ``doctor`` names and what a run writes down."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import sysconfig
import tomllib
from importlib.metadata import version
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from projects import MARKETING, REPOSITORY, copy_project, environment, pipekit, query

from pipekit.versions import DISTRIBUTION, SQLGLOT

PYPROJECT = tomllib.loads((REPOSITORY / "pyproject.toml").read_text(encoding="utf-8"))["project"]
PAGE = (REPOSITORY / "docs/versions.md").read_text(encoding="utf-8")
LOCK = [Requirement(line) for line in (REPOSITORY / "constraints.txt").read_text().splitlines() if line[0] != "#"]


@pytest.fixture
def project(tmp_path: Path) -> Path:
    return copy_project(tmp_path / "project")


@pytest.fixture
def elsewhere(tmp_path: Path) -> Path:
    """A folder for packages that come before the installed ones."""
    return tmp_path / "packages"


def install(folder: Path, name: str, number: str) -> None:
    """What pip leaves behind of a package, without the package."""
    metadata = folder / f"{name.replace('-', '_')}-{number}.dist-info/METADATA"
    metadata.parent.mkdir(parents=True)
    metadata.write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: {number}\n")


def direct(*extras: str) -> dict[str, Requirement]:
    texts = [*PYPROJECT["dependencies"], *(text for e in extras for text in PYPROJECT["optional-dependencies"][e])]
    return {canonicalize_name(each.name): each for each in map(Requirement, texts)}


def test_the_lock_is_names_and_exact_versions_and_nothing_else() -> None:
    assert len(LOCK) > 100
    for each in LOCK:
        assert each.url is None
        assert re.fullmatch(r"==[0-9][0-9a-z.]*", str(each.specifier)), each


def test_the_commands_of_the_page_are_there() -> None:
    commands = re.findall(r"^python (\S+)", PAGE, re.MULTILINE)
    assert len(commands) == 3
    assert all((REPOSITORY / command).is_file() for command in commands)


def test_every_direct_dependency_is_locked_inside_its_range() -> None:
    locked = {canonicalize_name(each.name): str(each.specifier).removeprefix("==") for each in LOCK}
    for name, wanted in direct("test", "tools").items():
        if name != DISTRIBUTION:
            assert wanted.specifier.contains(locked[name]), f"{wanted} is locked at {locked[name]}"


def test_every_range_of_what_users_install_has_two_ends() -> None:
    for wanted in direct().values():
        signs = sorted(each.operator for each in wanted.specifier)
        assert signs in (["<", ">="], ["=="]), wanted


def test_one_sqlglot_is_asked_for_and_tested() -> None:
    assert str(direct()["sqlglot"].specifier) == f"=={SQLGLOT}"
    assert version("sqlglot") == SQLGLOT


@pytest.mark.parametrize("command", ["validate", "run"])
def test_an_untested_sqlglot_is_refused(project: Path, elsewhere: Path, command: str) -> None:
    install(elsewhere, "sqlglot", "30.30.0")
    done = pipekit(project, command, MARKETING, PYTHONPATH=str(elsewhere))
    assert done.returncode == 2
    assert done.stderr.startswith("sqlglot 30.30.0 is installed, but pipekit")
    assert f'python -m pip install "sqlglot=={SQLGLOT}"' in done.stderr
    assert done.stdout == ""
    assert not (project / ".pipekit").exists()


def test_it_is_refused_also_where_translations_were_kept(project: Path, elsewhere: Path) -> None:
    assert pipekit(project, "run", MARKETING).returncode == 0
    install(elsewhere, "sqlglot", "30.30.0")
    done = pipekit(project, "run", MARKETING, PYTHONPATH=str(elsewhere))
    assert (done.returncode, done.stderr[:15]) == (2, "sqlglot 30.30.0")


@pytest.mark.long
def test_an_untested_sqlglot_that_pip_installed_is_refused(project: Path, tmp_path: Path) -> None:
    """In an environment of its own, which has this one's packages after its own."""
    subprocess.run([sys.executable, "-m", "venv", str(tmp_path / "venv")], check=True)
    python = str(tmp_path / "venv/bin/python")
    paths = {each: sysconfig.get_path("purelib", vars={"base": each}) for each in (sys.prefix, str(tmp_path / "venv"))}
    Path(paths[str(tmp_path / "venv")], "behind.pth").write_text(
        f"import site; site.addsitedir({paths[sys.prefix]!r})\n"
    )

    def validate() -> subprocess.CompletedProcess[str]:
        code = f"import sys; sys.argv[1:] = ['validate', {MARKETING!r}]; from pipekit.cli.process import program; program()"
        command = [python, "-c", code]
        return subprocess.run(command, cwd=project, env=environment(), capture_output=True, text=True, check=False)

    assert validate().returncode == 0
    other = "30.21.0"
    subprocess.run([python, "-m", "pip", "install", "-q", "--no-deps", f"sqlglot=={other}"], check=True)
    done = validate()
    assert done.returncode == 2, done.stdout + done.stderr
    assert done.stderr.startswith(f"sqlglot {other} is installed, but pipekit")
    subprocess.run([python, "-m", "pip", "install", "-q", "--no-deps", f"sqlglot=={SQLGLOT}"], check=True)
    assert validate().returncode == 0


def test_doctor_names_what_is_outside_the_tested_ranges(project: Path, elsewhere: Path) -> None:
    install(elsewhere, "duckdb", "9.9.0")
    done = pipekit(project, "doctor", MARKETING, PYTHONPATH=str(elsewhere))
    assert done.returncode == 1
    assert re.search(r'^FAIL duckdb: 9\.9\.0; tested with .*: python -m pip install "duckdb<', done.stdout, re.M)
    assert "ok   warehouse" in done.stdout


def test_doctor_names_it_also_if_the_file_cannot_be_read_for_it(project: Path, elsewhere: Path) -> None:
    install(elsewhere, "sqlglot", "31.0.0")
    install(elsewhere, "duckdb", "9.9.0")
    done = pipekit(project, "doctor", MARKETING, PYTHONPATH=str(elsewhere))
    assert done.returncode == 2
    assert "FAIL duckdb: 9.9.0" in done.stdout
    assert "FAIL sqlglot: 31.0.0" in done.stdout


def test_doctor_is_content_with_what_was_tested(project: Path) -> None:
    done = pipekit(project, "doctor", MARKETING)
    assert done.returncode == 0
    assert done.stdout.startswith("ok   versions: as tested: python 3.")


def test_a_run_writes_down_the_versions_that_decide_values(project: Path) -> None:
    assert pipekit(project, "run", MARKETING).returncode == 0
    [record] = (project / ".pipekit/runs/delivered").glob("*.jsonl")
    first = json.loads(record.read_text().splitlines()[0])
    names = ("pipekit", "sqlglot", "duckdb", "great-expectations", "pyarrow", "snowflake-connector-python")
    python = ".".join(map(str, sys.version_info[:3]))
    found = {name: version(DISTRIBUTION if name == "pipekit" else name) for name in names}
    assert first["versions"] == [f"python {python}", *(f"{name} {found[name]}" for name in names)]
    [sql] = re.findall(r"^```sql\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
    [(run_id, message)] = query(project, sql)
    assert run_id == record.stem
    assert message.endswith("; " + ", ".join(first["versions"]))


def test_help_looks_at_no_version() -> None:
    script = (
        "import sys; from pipekit.cli.app import cli; cli(['--help'], standalone_mode=False)\n"
        "print([name for name in ('importlib.metadata', 'pipekit.versions', 'packaging') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "[]"
