"""The command line: help, exit codes, what is imported, the JSON Schema."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import click
import pytest
from small_projects import PIPEKIT, cli, project, run_ok, write

from pipekit.cli.app import COMMANDS
from pipekit.cli.app import cli as cli_group
from pipekit.cli.commands import Command, Group

REPOSITORY = Path(__file__).resolve().parents[2]
HEAVY = ("duckdb", "great_expectations", "snowflake.connector", "sqlalchemy", "pyarrow")
TWO = """
steps:
  - {id: a, type: sql, sql: "select 1 as n, 'x' as t union all select 2, null"}
  - {id: b, type: sql, sql: select * from a, tags: [late]}
"""


WARM = """
targets: {local: {type: duckdb, path: w.duckdb}}
sources: {s: {uri: files/, pattern: "*.csv", format: {type: csv}, columns: {id: integer}}}
steps:
  - {id: a, type: load, source: s, into: a, audit: [{expect_column_values_to_not_be_null: {column: id}}]}
  - {id: b, type: sql, sql: select id / 2 as half from a}
"""
MOST_OF_A_WARM_RUN = 230  # modules of pipekit; each costs half a millisecond, and more with a class in it
DRIVEN = {"_duckdb", "annotated_types", "click", "duckdb", "filelock", "jinja2", "markupsafe", "pluggy", "pydantic"}
DRIVEN |= {"pydantic_core", "typing_extensions", "typing_inspection", "yaml"}


def imported(root: Path, *arguments: str) -> set[str]:
    """Which of the heavy packages a command imports."""
    return modules(root, *arguments) & {*HEAVY, "sqlglot", "pydantic", "jinja2"}


def modules(root: Path, *arguments: str) -> set[str]:
    """All modules that a command imports from pipekit and other packages, in a process of its own."""
    script = (
        "import sys; there = {*sys.modules}; from pipekit.cli.process import main\n"
        f"sys.argv = ['pipekit', *{list(arguments)!r}]\n"
        "try:\n    main()\nexcept SystemExit as end:\n    assert not end.code, end.code\n"
        "places = {name: getattr(module, '__file__', None) or '' for name, module in sys.modules.items() if name not in there}\n"
        "print('IMPORTED', *[n for n, p in places.items() if n.startswith('pipekit.') or 'site-packages' in p])"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=root, capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr
    return set(done.stdout.splitlines()[-1].split()[1:])


def test_help_imports_nothing_heavy(tmp_path: Path) -> None:
    assert imported(tmp_path, "--help") == set()
    assert imported(tmp_path, "run", "--help") == set()


def test_a_warm_run_imports_what_it_needs(tmp_path: Path) -> None:
    path = project(tmp_path, WARM)
    write(tmp_path, "files/a.csv", "id\n1\n")
    run_ok(path)
    found = modules(tmp_path, "run", "p.yaml", "--quiet")
    assert {name.partition(".")[0] for name in found} - {"pipekit"} <= DRIVEN
    ours = {name for name in found if name.startswith("pipekit.")}
    assert len(ours) <= MOST_OF_A_WARM_RUN, sorted(ours)
    idle = ["airflow", "doctor", "export", "inference", "insight", "outlook", "starter", "testing", "trials"]
    assert {name.split(".")[1] for name in ours}.isdisjoint(idle)
    assert {name for name in ours if name.startswith(("pipekit.notify.", "pipekit.telemetry."))} == {
        "pipekit.notify.receivers",
        "pipekit.telemetry.listeners",
    }


def first_sentence(command: click.Command) -> str:
    text = " ".join((command.help or "").split("\n\n")[0].split())
    return text.partition(". ")[0].rstrip(".") + "."


@pytest.mark.parametrize("name", COMMANDS)
def test_the_help_shows_the_first_sentence_of_each_command(name: str) -> None:
    command = cli_group.get_command(click.Context(cli_group), name)
    assert command is not None
    assert COMMANDS[name][1] == first_sentence(command)
    listed = (
        (REPOSITORY / "README.md")
        .read_text(encoding="utf-8")
        .partition("On the command line:")[2]
        .partition("Exit codes")[0]
    )
    assert f"`{name}`" in listed or f"`pipekit {name}`" in listed


def commands(command: click.Command) -> Iterator[click.Command]:
    """The command, and those below it."""
    yield command
    context = click.Context(command)
    for name in command.list_commands(context) if isinstance(command, click.Group) else ():
        below = command.get_command(context, name)
        assert below is not None
        yield from commands(below)


def test_every_command_refuses_empty_values_and_names_keys_of_the_file() -> None:
    assert [command.name for command in commands(cli_group) if not isinstance(command, (Command, Group))] == []


HELLO = """
import click
from pipekit import hookimpl

@click.command()
def hello():
    "Say hello. Nothing else."

@hookimpl
def pipekit_commands():
    return [hello]
"""


def test_the_help_lists_commands_of_plugins(tmp_path: Path) -> None:
    project(tmp_path, TWO, plugins__hello=HELLO)
    text = cli(tmp_path, "--help", code=0).stdout
    assert text.endswith("Commands of plugins:\n  hello  Say hello.\n")
    assert "No such command 'helo'; did you mean 'hello'?" in cli(tmp_path, "helo", code=2).stderr


def test_the_help_is_shown_when_a_plugin_is_broken(tmp_path: Path) -> None:
    project(tmp_path, TWO, plugins__hello=HELLO + "1 / 0\n")
    text = cli(tmp_path, "--help", code=0).stdout
    assert "  run         Run the pipeline SPEC.\n" in text
    assert (
        "Commands of plugins cannot be listed: plugins/hello.py:11: raised ZeroDivisionError: division by zero"
        in " ".join(text.split())
    )


def test_the_help_lists_commands_of_installed_plugins(tmp_path: Path) -> None:
    write(tmp_path, "site/hello_pipekit.py", HELLO)
    write(tmp_path, "site/hello-1.0.dist-info/METADATA", "Metadata-Version: 2.1\nName: hello\nVersion: 1.0\n")
    write(tmp_path, "site/hello-1.0.dist-info/entry_points.txt", "[pipekit]\nhello = hello_pipekit\n")
    text = cli(tmp_path, "--help", code=0, PYTHONPATH=str(tmp_path / "site")).stdout
    assert "  hello  Say hello." in text


def test_the_help_imports_no_plugin_that_adds_no_command(tmp_path: Path) -> None:
    project(tmp_path, TWO, plugins__other="1 / 0\n")
    assert "Commands of plugins" not in cli(tmp_path, "--help", code=0).stdout
    assert imported(tmp_path, "--help") == set()


@pytest.mark.parametrize("pipeline", sorted(path.name for path in (REPOSITORY / "pipelines").glob("*.yaml")))
def test_validate_imports_no_driver_and_no_great_expectations(pipeline: str) -> None:
    assert not imported(REPOSITORY, "validate", f"pipelines/{pipeline}") & {
        "duckdb",
        "great_expectations",
        "snowflake.connector",
    }


@pytest.mark.parametrize("arguments", [(), ("run",), ("validate",), ("show",), ("logs", "sync"), ("schema",)])
def test_every_command_explains_itself(tmp_path: Path, arguments: tuple[str, ...]) -> None:
    text = cli(tmp_path, *arguments, "--help", code=0).stdout
    assert text.startswith("Usage: pipekit")
    assert len(text.splitlines()) > 4
    assert cli(tmp_path, *arguments, "-h", code=0).stdout == text


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (("run", "p.yaml", "--quiet"), 0, ""),
        (("validate", "p.yaml"), 0, ""),
        (("run", "gone.yaml"), 2, "there is no such file"),
        (("run",), 2, "Missing argument 'SPEC'"),
        (("run", "p.yaml", "--var", "x"), 2, "'x' is not NAME=VALUE"),
        (("run", "p.yaml", "--target", "far"), 2, "there is no target 'far'"),
        (("run", "p.yaml", "--as-of", "soon"), 2, "'soon' is not a time"),
        (("run", "p.yaml", "--selct", "a"), 2, "No such option"),
        (("rum", "p.yaml"), 2, "No such command 'rum'; did you mean 'run'?"),
        (("zzz",), 2, "No such command 'zzz'"),
        (("runs", "p.yaml", "lst"), 1, "there is no run 'lst'; none is recorded yet"),
        (("show", "p.yaml", "nowhere"), 1, "there is no table nowhere"),
        (("show", "p.yaml", "a.b.c.d"), 2, "is not a table name"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else None,
)
def test_exit_codes(tmp_path: Path, arguments: tuple[str, ...], code: int, words: str) -> None:
    project(tmp_path, TWO)
    done = cli(tmp_path, *arguments, code=code)
    assert words in done.stderr
    assert "Traceback" not in done.stdout + done.stderr


def test_a_mistake_is_shown_with_its_line_and_a_caret_but_no_secret(tmp_path: Path) -> None:
    text = "name: p\ntargets: {t: {type: duckdb, pth: x, password: canary1}}\ntarget: t\nsteps: []\n"
    (tmp_path / "p.yaml").write_text(text)
    done = subprocess.run([*PIPEKIT, "validate", "p.yaml"], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "  2 | targets: {t: {type: duckdb, pth: x, password: ***" in done.stderr
    assert "    |                             ^^^\n" in done.stderr
    assert "canary" not in done.stderr


def test_the_misspelt_place_of_a_source_is_shown_and_the_address_of_a_receiver_is_not(tmp_path: Path) -> None:
    write(
        tmp_path,
        "p.yaml",
        "sources:\n  s:\n    url: data/in/\nnotify:\n  team:\n    url: canary://x\n    onn: a\nsteps: []\n",
    )
    told = cli(tmp_path, "validate", "p.yaml", code=2).stderr
    assert "  3 |     url: data/in/" in told
    assert "did you mean 'uri'?" in told
    write(tmp_path, "p.yaml", "notify:\n  team: {url: canary://x, onn: a}\nsteps: []\n")
    told = cli(tmp_path, "validate", "p.yaml", code=2).stderr
    assert "  2 |   team: {url: ***" in told
    assert "canary" not in told
