"""Canaries: a secret in every place where one can be, and a search of everything that is shown, written and kept.

A canary of the environment is in a URI, in SQL, in a suite, in descriptions and in variables. What the files hold
(header, cell, key, name) is a value of the environment too, so that messages about the file must hide it; in tables of
the user's data, and as the name of a file that was loaded, it stays.
"""

from __future__ import annotations

import json
import sys
import traceback
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from emulator.fixtures import EmulatedSnowflake, emulated, s3, snowflake_account  # noqa: F401 - fixtures
from small_projects import write

from pipekit import Pipeline
from pipekit.cli.process import main

MARK, DATA = "cAnAry", "kEnArIe"  # the second one is what the files hold
GIVEN = {
    "C_URI": f"http://bob:{MARK}PwOfUri@127.0.0.1:9/x.csv?sig={MARK}Sig&X-Amz-Security-Token={MARK}Tok",
    "C_TEXT": f"{MARK} of 'some' \"text\" \\ 5%",
    "C_DATA": f"{DATA}InFiles",
}
LOGIN = f"{MARK}-password-of-the-login"
PIPELINE = """\
name: p
description: "about {{ env('C_TEXT') }}"
vars: {word: "{{ env('C_TEXT') }}", data: "{{ env('C_DATA') }}"}
suites:
  library:
    engine: great_expectations
    expectations:
      - expect_column_values_to_be_in_set: {column: t, value_set: ["{{ env('C_TEXT') }}"], severity: warning}
  ours:
    - expect_column_values_to_be_in_set: {column: t, value_set: ["{{ var('word') }}"], name: "is {{ env('C_TEXT') }}", severity: warning}
sources:
  web: {uri: "{{ env('C_URI') }}", format: {type: csv}, columns: {id: integer}}
  keyed: {uri: "s3://AKIA:cAnAryLiteralKey@bucket-of-none/", format: {type: csv}, columns: {id: integer}}
  header: {uri: header/, format: {type: csv}, columns: {id: integer}, on_extra: fail}
  cell: {uri: cell/, format: {type: csv}, columns: {id: integer}}
  rejected: {uri: cell/, format: {type: csv}, columns: {id: integer}}
  key: {uri: key/, format: {type: json}, columns: {id: integer}, on_extra: fail}
  broken: {uri: broken/, format: {type: json}, columns: {id: integer}}
  named: {uri: named/, format: {type: csv}, columns: {id: integer, t: varchar}}
  nowhere: {uri: "{{ var('data') }}/", format: {type: csv}, columns: {id: integer}}
steps:
  - {id: web, type: load, source: web, retries: 0, timeout: 20}
  - {id: keyed, type: load, source: keyed, retries: 0, timeout: 20}
  - {id: header, type: load, source: header}
  - {id: cell, type: load, source: cell}
  - {id: rejected, type: load, source: rejected, on_error: reject, max_rejects: 0}
  - {id: key, type: load, source: key}
  - {id: broken, type: load, source: broken}
  - {id: named, type: load, source: named, description: "from {{ env('C_TEXT') }}"}
  - {id: nowhere, type: load, source: nowhere}
  - {id: checked, type: check, table: named, suite: [ours]}
  - {id: by_library, type: check, table: named, suite: [library]}
  - {id: counted, type: sql, sql: "select length({{ var('word') }}) as n"}
  - {id: wrong, type: sql, sql: "select cast({{ var('word') }} as integer) as n"}
  - {id: given, type: sql, sql: "select cast({{ var('api_token') }} as integer) as n"}
  - {id: crash, type: python, call: "crash:go"}
  - id: made
    type: features
    from: named
    entity: id
    features: {n: {sql: length(t), description: "of {{ env('C_TEXT') }}"}}
"""
CRASH = """
import os

def go():
    print("plugin says", len(os.environ["C_TEXT"]))
    try:
        int(os.environ["C_TEXT"])
    except ValueError as error:
        raise RuntimeError("with " + os.environ["C_DATA"]) from error
"""


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    root = tmp_path / "project"
    data = GIVEN["C_DATA"]
    write(root, "plugins/crash.py", CRASH)
    (root / "templates").mkdir()
    write(root, "header/a.csv", f"id,{data}\n1,2\n")
    write(root, "cell/a.csv", f"id\n{data}\n1\n")
    write(root, "key/a.json", json.dumps({"id": 1, data: 2}))
    write(root, "broken/a.json", json.dumps({"id": data}) + "\n{" + data)
    write(root, f"named/{data}.csv", f"id,t\n1,{data}\n")
    for name, value in {**GIVEN, "TMPDIR": str(tmp_path / "tmp"), "AWS_EC2_METADATA_DISABLED": "true"}.items():
        monkeypatch.setenv(name, value)
    (tmp_path / "tmp").mkdir()
    monkeypatch.setattr("tempfile.tempdir", None)
    monkeypatch.chdir(root)
    return root


def command(monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str], *arguments: str) -> tuple[Any, str]:
    """A command in this process, from its arguments to its exit code, and all that it shows."""
    monkeypatch.setattr(sys, "argv", ["pipekit", *arguments])
    code: Any = 0
    try:
        main()
    except SystemExit as end:
        code = end.code
    shown = capfd.readouterr()
    return code, f"{' '.join(arguments)}\n{shown.out}{shown.err}"


def leaks(name: str, text: str) -> list[str]:
    """Each line in which a canary is. The database holds the user's data."""
    marks = (MARK,) if name.startswith("w.duckdb") else (MARK, DATA)
    return [f"{name}: {line[:300]}" for line in text.splitlines() if any(mark in line for mark in marks)]


def kept(root: Path) -> Iterator[tuple[str, str]]:
    """Every file that pipekit wrote, and its name: below the project and in the folder for temporary files."""
    ours = {"plugins", "templates", "header", "cell", "key", "broken", "named", "p.yaml"}
    for path in root.parent.rglob("*"):
        place = path.relative_to(root.parent)
        if path.is_file() and not (place.parts[0] == root.name and place.parts[1] in ours) and path.suffix != ".pyc":
            yield str(place), str(place) + "\n" + path.read_bytes().decode("utf-8", errors="replace")


def in_log_tables(pipeline: Pipeline) -> Iterator[tuple[str, str]]:
    for table in ("ingestion_logs", "dq_check_logs", "feature_catalog"):
        yield table, "\n".join(map(str, pipeline.read(table).to_pylist()))


def of_objects(pipeline: Pipeline) -> Iterator[tuple[str, str]]:
    """What a notebook, a debugger or a log of the caller's own shows."""
    result = pipeline.run()
    went_well = [step.step for step in result.steps if step.status == "SUCCEEDED"]
    assert sorted(went_well) == ["by_library", "checked", "counted", "made", "named"], result.errors
    spec = pipeline.spec
    objects = (pipeline, spec, spec.target, spec.target.options, spec.variables, spec.sources, spec.steps, result)
    for each in objects:
        yield f"repr of {type(each).__name__}", repr(each)
    for step, error in result.errors.items():
        yield f"error of {step}", f"{error!r}\n{error}\n{vars(error)}"
        yield f"traceback of {step}", "".join(traceback.format_exception(error))


OF_THE_TARGET = (("run", "p.yaml", "--json"), ("show", "p.yaml", "dq_check_logs"), ("doctor", "p.yaml"))
COMMANDS = (
    ("validate", "p.yaml"),
    *OF_THE_TARGET,
    ("run", "p.yaml", "-v"),
    ("validate", "p.yaml", "--target", "wrong"),
)


def found(
    root: Path,
    target: dict[str, Any],
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
    commands: tuple[tuple[str, ...], ...] = COMMANDS,
) -> list[str]:
    write(root, "p.yaml", f"{PIPELINE}targets: {json.dumps({'there': target})}\ntarget: there\n")
    texts = []
    for given in commands:
        arguments = (*given, "--var", f"api_token={MARK}OfVar")
        code, shown = command(monkeypatch, capfd, *arguments)
        assert code != 3 or "crash" in shown, shown
        texts.append((" ".join(arguments[:3]), shown.partition("\n")[2]))
    pipeline = Pipeline.from_file("p.yaml", vars={"api_token": f"{MARK}OfVar"})
    texts += [*of_objects(pipeline), *in_log_tables(pipeline), *kept(root)]
    assert len([name for name, _ in texts if name.startswith(("error", "repr"))]) > 15
    return [leak for name, text in texts for leak in leaks(name, text)]


def test_no_canary_gets_out(project: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> None:
    assert found(project, {"type": "duckdb", "path": "../w.duckdb"}, monkeypatch, capfd) == []


def test_no_canary_gets_out_on_snowflake(
    project: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
    snowflake_account: EmulatedSnowflake,  # noqa: F811
) -> None:
    # A web server is refused on Snowflake before anything runs.
    monkeypatch.setenv("C_URI", GIVEN["C_URI"].replace("http:", "s3:").replace("127.0.0.1:9", "bucket-of-none"))
    target = snowflake_account.target(password=LOGIN, token=f"{MARK}-token", authenticator="snowflake")
    assert found(project, target, monkeypatch, capfd, OF_THE_TARGET) == []
