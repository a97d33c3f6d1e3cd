"""The command line: help, exit codes, what is imported, the JSON Schema."""

from __future__ import annotations

import json
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from small_projects import PIPEKIT, cli, project, query, write

from pipekit.pipeline.reading.tree import read_yaml

REPOSITORY = Path(__file__).resolve().parents[2]
HEAVY = ("duckdb", "great_expectations", "snowflake.connector", "sqlalchemy", "pyarrow")
TWO = """
steps:
  - {id: a, type: sql, sql: "select 1 as n, 'x' as t union all select 2, null"}
  - {id: b, type: sql, sql: select * from a, tags: [late]}
"""


def imported(root: Path, *arguments: str) -> set[str]:
    script = (
        "import sys; from pipekit.cli.process import main\n"
        f"sys.argv = ['pipekit', *{list(arguments)!r}]\n"
        "try:\n    main()\nexcept SystemExit as end:\n    assert not end.code, end.code\n"
        f"print('IMPORTED', *[name for name in {(*HEAVY, 'sqlglot', 'pydantic', 'jinja2')!r} if name in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=root, capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr
    return set(done.stdout.splitlines()[-1].split()[1:])


def test_help_imports_nothing_heavy(tmp_path: Path) -> None:
    assert imported(tmp_path, "--help") == set()
    assert imported(tmp_path, "run", "--help") == set()


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
        (("rum", "p.yaml"), 2, "No such command 'rum'. Did you mean 'run'?"),
        (("zzz",), 2, "No such command 'zzz'"),
        (("show", "p.yaml", "nowhere"), 1, "nowhere"),
        (("show", "p.yaml", "a.b.c.d"), 2, "is not a table name"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else None,
)
def test_exit_codes(tmp_path: Path, arguments: tuple[str, ...], code: int, words: str) -> None:
    project(tmp_path, TWO)
    done = cli(tmp_path, *arguments, code=code)
    assert words in done.stderr
    assert "Traceback" not in done.stdout + done.stderr


def test_failed_data_ends_with_1(tmp_path: Path) -> None:
    project(
        tmp_path,
        'steps: [{id: a, type: sql, sql: "select 1 as n", audit: [{expect_table_row_count_to_equal: {value: 9}}]}]\n',
    )
    done = cli(tmp_path, "run", "p.yaml", "--plain", code=1)
    assert "expect_table_row_count_to_equal" in done.stdout


def test_select_exclude_and_variables(tmp_path: Path) -> None:
    project(tmp_path, TWO + "  - {id: c, type: sql, sql: \"select {{ var('x') }} as x\"}\nvars: {x: old}\n")
    done = cli(
        tmp_path,
        "run",
        "p.yaml",
        "--plain",
        "--select",
        "a",
        "-s",
        "tag:late",
        "--select",
        "c",
        "-x",
        "b",
        "--var",
        "x=a=b",
        code=0,
    )
    assert [name for name in "abc" if f" {name}: SUCCEEDED" in done.stdout] == ["a", "c"]
    assert query(tmp_path, "select x from c") == [("a=b",)]


def test_a_misspelt_variable_is_told(tmp_path: Path) -> None:
    project(tmp_path, TWO.replace("'x' as t", "{{ var('late', 'x') }} as t") + "vars: {floor: 1}\n")
    given = ("--var", "flor=5", "--var", "floor=5", "--var", "late=y")
    done = cli(tmp_path, "run", "p.yaml", *given, code=0)
    warning = "warning: --var flor: the pipeline neither declares it nor asks for it; did you mean 'floor'?"
    assert done.stderr.splitlines() == [warning]
    assert query(tmp_path, "select t from a where n = 1") == [("y",)]


@pytest.mark.parametrize("closed", [">&-", "2>&-"])
def test_closed_streams_are_no_failure(tmp_path: Path, closed: str) -> None:
    project(tmp_path, TWO)
    command = f"exec {shlex.join(PIPEKIT)} run p.yaml {closed}"
    done = subprocess.run(["bash", "-c", command], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert (done.returncode, "Traceback" in done.stderr) == (0, False)


def test_what_a_plugin_left_for_the_end_is_done(tmp_path: Path) -> None:
    code = """
import atexit, threading, time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

def later(name):
    time.sleep(0.3)
    Path(name).write_text("done")

pool = ThreadPoolExecutor(2)

def go():
    pool.submit(int).result()
    threading.Thread(target=later, args=("thread.txt",)).start()
    atexit.register(later, "atexit.txt")
    return [{"n": 1}]
"""
    project(tmp_path, "name: p\nsteps:\n  - {id: a, type: python, call: 'ends:go'}\n", plugins__ends=code)
    cli(tmp_path, "run", "p.yaml", code=0)
    assert [(tmp_path / name).read_text() for name in ("thread.txt", "atexit.txt")] == ["done", "done"]


def test_show(tmp_path: Path) -> None:
    project(tmp_path, TWO)
    cli(tmp_path, "run", "p.yaml", "-q", code=0)
    text = cli(tmp_path, "show", "p.yaml", "a", code=0).stdout
    assert all(word in text for word in ("n", "t", "x", "2"))
    assert len(cli(tmp_path, "show", "p.yaml", "a", "--limit", "1", code=0).stdout) < len(text)


def test_json_is_one_event_a_line(tmp_path: Path) -> None:
    project(tmp_path, TWO)
    lines = [json.loads(line) for line in cli(tmp_path, "run", "p.yaml", "--json", code=0).stdout.splitlines()]
    assert [line["seq"] for line in lines] == list(range(1, len(lines) + 1))


def test_dotenv_gives_what_the_environment_does_not_say(tmp_path: Path) -> None:
    project(
        tmp_path,
        "vars: {x: \"{{ env('PK_FROM_FILE') }}\"}\nsteps: [{id: a, type: sql, sql: \"select {{ var('x') }} as x\"}]\n",
    )
    write(tmp_path, ".env", "PK_FROM_FILE=file\n")
    cli(tmp_path, "run", "p.yaml", "-q", code=0)
    assert query(tmp_path, "select x from a") == [("file",)]
    cli(tmp_path, "run", "p.yaml", "-q", code=0, PK_FROM_FILE="environment")
    assert query(tmp_path, "select x from a") == [("environment",)]


# The JSON Schema ----------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def schema() -> Any:
    return json.loads((REPOSITORY / "docs/pipeline.schema.json").read_text(encoding="utf-8"))


def test_the_schema_in_docs_is_what_the_command_prints(schema: Any) -> None:
    assert json.loads(cli(REPOSITORY, "schema", code=0).stdout) == schema
    jsonschema.Draft202012Validator.check_schema(schema)


@pytest.mark.parametrize("pipeline", sorted(path.name for path in (REPOSITORY / "pipelines").glob("*.yaml")))
def test_the_shipped_pipelines_keep_the_schema(schema: Any, pipeline: str) -> None:
    data = read_yaml(REPOSITORY / "pipelines" / pipeline, pipeline).plain()
    assert [error.message for error in jsonschema.Draft202012Validator(schema).iter_errors(data)] == []


@pytest.mark.parametrize(
    "wrong",
    [
        {"stepz": []},
        {"steps": [{"id": "a", "type": "sql", "sql": "x", "kee": 1}]},
        {"steps": [{"id": "a", "type": "nope"}]},
        {"steps": [{"type": "sql", "sql": "x"}]},
        {"threads": "many"},
        {"sources": {"s": {"uri": "x", "format": {"type": "csv", "delim": ","}, "columns": {"a": "date"}}}},
        {"suites": {"s": [{"expect_nothing": {}}]}},
    ],
    ids=str,
)
def test_the_schema_refuses_what_the_reader_refuses(schema: Any, wrong: dict[str, Any]) -> None:
    right = {"name": "p", "steps": [{"id": "a", "type": "sql", "sql": "select 1"}]}
    validator = jsonschema.Draft202012Validator(schema)
    assert validator.is_valid(right)
    assert not validator.is_valid({**right, **wrong})
