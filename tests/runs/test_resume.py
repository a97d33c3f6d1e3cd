"""``--resume`` goes on with what the run was given, and the printed advice is a command that works."""

from __future__ import annotations

import shlex
from pathlib import Path

import pytest
from small_projects import cli, load, project, query, run, run_ok, write

from pipekit import SpecError

PIPELINE = """
vars: {floor: 1, name: a}
targets:
  local: {type: duckdb}
  other: {type: duckdb, path: .pipekit/other.duckdb}
steps:
  - {id: a, type: sql, sql: "select {{ var('floor') }} as floor, {{ var('name') }} as name, {{ as_of }} as moment"}
  - {id: b, type: sql, sql: "select floor from a where {{ var('broken', 1) }} = 1 / 0"}
  - {id: unasked, type: sql, sql: "select 1 as one"}
"""


def fix(path: Path) -> None:
    path.write_text(path.read_text(encoding="utf-8").replace("1 / 0", "1"), encoding="utf-8")


def test_the_printed_advice_goes_on_as_the_run_was(tmp_path: Path) -> None:
    root = tmp_path / "it's here"
    path = project(root, PIPELINE)
    failed = cli(root, "run", path.name, "--var", "floor=9", "-s", "+b", "--as-of", "2024-02-03", code=1)
    advice = shlex.split(next(line for line in failed.stdout.splitlines() if "--resume" in line))
    fix(path)

    again = cli(root, *advice[1:], "-v", code=0)

    assert query(root, "SELECT floor, CAST(moment AS DATE)::VARCHAR FROM a") == [(9, "2024-02-03")]
    assert "a: UNCHANGED" in again.stdout
    assert "unasked" not in again.stdout


def test_the_path_is_quoted(tmp_path: Path) -> None:
    write(tmp_path, "my pipe's.yaml", "name: p\nsteps: [{id: a, type: sql, sql: select 1 / 0 as x}]\n")
    failed = cli(tmp_path, "run", "my pipe's.yaml", code=1)
    advice = shlex.split(next(line for line in failed.stdout.splitlines() if "--resume" in line))
    assert advice[:3] == ["pipekit", "run", "my pipe's.yaml"]


def test_what_the_resumed_run_is_given_itself_wins(tmp_path: Path) -> None:
    path = project(tmp_path, PIPELINE)
    load(path, vars={"floor": 9, "name": "z"}).run(select=["+b"])
    fix(path)

    result = load(path, vars={"floor": 5}).run(resume=True, select=["a"])

    assert result.ok
    assert [step.step for step in result.steps] == ["a"]
    assert query(tmp_path, "SELECT floor, name FROM a") == [(5, "z")]


def test_the_target_is_that_of_the_run(tmp_path: Path) -> None:
    path = project(tmp_path, PIPELINE)
    load(path, target="other").run()
    fix(path)

    result = load(path).run(resume=True)

    assert (result.target, result.ok) == ("other", True)
    assert run_ok(path, resume=True).target == "local", "after a success nothing is gone on with"


def test_nothing_to_resume_is_said(tmp_path: Path) -> None:
    path = project(tmp_path, "steps: [{id: a, type: sql, sql: select 1 as x}]")
    for _ in range(2):
        assert run_ok(path, resume=True).steps[0].status == "SUCCEEDED"
    said = query(tmp_path, "select message from ingestion_logs where message like 'nothing to resume%'")
    assert said == [("nothing to resume: the last run of p succeeded, or there is none; every step runs",)] * 2


def test_a_chain_of_resumed_runs_keeps_it(tmp_path: Path) -> None:
    path = project(tmp_path, PIPELINE)
    load(path, vars={"floor": 9}).run(select=["+b"])
    load(path).run(resume=True)
    fix(path)
    result = load(path).run(resume=True)

    assert [step.step for step in result.steps] == ["a", "b"]
    assert query(tmp_path, "SELECT floor FROM b") == [(9,)]


def test_a_record_of_an_earlier_version_has_its_clock_alone(tmp_path: Path) -> None:
    path = project(tmp_path, PIPELINE)
    failed = run(path)
    rows = query(tmp_path, "SELECT inputs_hash FROM ingestion_logs WHERE step_name IS NULL AND status = 'STARTED'")
    assert rows[0][0].startswith("20"), "a run that was given nothing is written as ever"
    fix(path)

    assert run_ok(path, resume=True).steps[0].message == f"finished in run {failed.run_id}"


def test_dotenv_counts_for_the_library(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PIPEKIT_TEST_SET", "outside")
    path = project(
        tmp_path,
        """
        vars: {one: "{{ env('PIPEKIT_TEST_ONE') }}", two: "{{ env('PIPEKIT_TEST_SET') }}"}
        steps: [{id: a, type: sql, sql: "select {{ var('one') }} as one, {{ var('two') }} as two"}]
        """,
    )
    write(tmp_path, ".env", "PIPEKIT_TEST_ONE=inside\nPIPEKIT_TEST_SET=inside\n")
    try:
        run_ok(path)
    finally:
        monkeypatch.delenv("PIPEKIT_TEST_ONE", raising=False)
    assert query(tmp_path, "SELECT * FROM a") == [("inside", "outside")]


def test_resume_beside_full_refresh_is_refused_in_words_of_the_library(tmp_path: Path) -> None:
    path = project(tmp_path, "steps:\n  - {id: a, type: sql, sql: select 1 as x}\n")
    with pytest.raises(SpecError, match="resume and full_refresh exclude each other") as found:
        load(path).run(resume=True, full_refresh=True)
    with pytest.raises(SpecError, match="resume and full_refresh exclude each other"):
        load(path).plan(resume=True, full_refresh=True)
    assert "--" not in str(found.value)
    assert not (tmp_path / ".pipekit").exists()
