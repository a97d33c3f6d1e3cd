"""Files are moved or deleted once their rows are committed: never before, and after a kill by the next run."""

from __future__ import annotations

import io
import json
from pathlib import Path

import pytest
from emulator.fixtures import S3
from engines import Project, snowflake_is_long
from small_projects import execute, load, problems, project, query, run, run_ok

from pipekit.cli.plan_view import markdown, show_plan
from pipekit.runs.plan import as_json
from pipekit.steps import after_load

FILE = """
sources:
  a: {uri: URI, pattern: "*.csv", format: {type: csv}, columns: {id: integer}}
steps:
  - id: a
    type: load
    source: a
    strategy: append
    on_empty: allow
    AFTER
"""
MOVE = "after_load: move\n    move_to: \"done/{{ as_of | date('YYYY-MM-DD') }}/\""
LEDGER = "select uri, after_load, moved_to, settled_at is not null from ingestion_files order by loaded_at, uri"


def put(root: Path, **files: str) -> None:
    (root / "in").mkdir(exist_ok=True)
    for name, rows in files.items():
        (root / f"in/{name}.csv").write_text(f"id\n{rows}\n")


def names(folder: Path) -> list[str]:
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())


def text(after: str, uri: str = "in/") -> str:
    return FILE.replace("URI", uri).replace("AFTER", after)


def planned(path: Path) -> str:
    plan, out = load(path, as_of="2024-07-05").plan(), io.StringIO()
    show_plan(plan, out)
    return f"{out.getvalue()}{markdown(plan)}{json.dumps(as_json(plan))}"


def test_a_plan_says_which_files_will_be_taken_away(tmp_path: Path) -> None:
    put(tmp_path, x="1", y="2")
    path = project(tmp_path, text(MOVE))
    found = planned(path)
    assert found.count("2 files will be moved to done/2024-07-05/ after the load") == 2
    assert '"target": "done/2024-07-05/x.csv", "loaded": false' in found
    run_ok(path, as_of="2024-07-05")
    put(tmp_path, x="1")
    found = planned(path)
    assert "+ a (load, append) moves files: 1 file, nothing new" in found
    assert found.count("1 file that an earlier run loaded will be moved to done/2024-07-05/") == 2
    assert "1 step: 1 to run" in found
    assert run_ok(path, as_of="2024-07-05").steps[0].message == "1 file, loaded before; 1 moved"
    assert "= a (load, append) unchanged: no new file; the table is kept" in planned(path)


def test_files_are_moved_after_the_commit(on: Project) -> None:
    put(on.root, x="1", y="2")
    path = on.pipeline(text(MOVE))
    result = run_ok(path, as_of="2024-07-01")
    assert result.steps[0].message == "2 files; 2 moved"
    assert (names(on.root / "in"), names(on.root / "done")) == ([], ["2024-07-01/x.csv", "2024-07-01/y.csv"])
    ledger = on.execute(LEDGER)
    assert [(row[1], Path(row[2]).relative_to(on.root).as_posix(), row[3]) for row in ledger] == [
        ("move", "done/2024-07-01/x.csv", True),
        ("move", "done/2024-07-01/y.csv", True),
    ]
    put(on.root, z="3")
    run_ok(path, as_of="2024-07-01")
    assert on.execute("select id from a order by 1") == [(1,), (2,), (3,)]


@snowflake_is_long
def test_files_are_deleted_and_a_failed_load_touches_none(on: Project) -> None:
    put(on.root, x="1")
    audit = "after_load: delete\n    audit: [{expect_column_values_to_be_between: {column: id, max_value: MOST}}]"
    assert not on.run(text(audit.replace("MOST", "0"))).ok
    assert names(on.root / "in") == ["x.csv"]
    on.ok(text(audit.replace("MOST", "5")))
    assert names(on.root / "in") == []
    assert on.execute("select after_load, settled_at is not null from ingestion_files") == [("delete", True)]


@pytest.mark.parametrize("when", ["before", "after"])
def test_a_kill_between_the_commit_and_the_move_is_made_good(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, when: str
) -> None:
    put(tmp_path, x="1")
    path = project(tmp_path, text(MOVE))
    with monkeypatch.context() as killed:
        real = after_load._settled

        def dies(*given: object) -> bool:
            if when == "after":
                real(*given)  # type: ignore[arg-type]
            raise KeyboardInterrupt

        killed.setattr(after_load, "_settled", dies)
        with pytest.raises(KeyboardInterrupt):
            run(path, as_of="2024-07-01")
    assert query(tmp_path, "select id from a") == [(1,)]
    assert [row[3] for row in query(tmp_path, LEDGER)] == [False]
    found = planned(path)
    assert ("1 file that an earlier run loaded will be moved to done/2024-07-01/" in found) == (when == "before")
    assert "vanished" not in found
    run_ok(path, as_of="2024-07-05")
    assert (names(tmp_path / "in"), names(tmp_path / "done")) == ([], ["2024-07-01/x.csv"])
    assert [row[3] for row in query(tmp_path, LEDGER)] == [True]
    assert query(tmp_path, "select id from a") == [(1,)]


@pytest.mark.parametrize("after", ["delete", "move\n    move_to: done"])
def test_a_file_that_was_loaded_before_is_taken_away_again(tmp_path: Path, after: str) -> None:
    put(tmp_path, x="1")
    run_ok(project(tmp_path, text("metadata: false")))
    path = project(tmp_path, text(f"after_load: {after}"))
    done = "deleted" if after == "delete" else "moved"
    for number in (1, 2, 3):
        put(tmp_path, x="1", **({"y": "2"} if number == 3 else {}))
        message = "1 file; 2" if number == 3 else "1 file, loaded before; 1"
        assert run_ok(path).steps[0].message == f"{message} {done}"
        assert names(tmp_path / "in") == []
    assert (names(tmp_path / "done") if done == "moved" else []) == (["x.csv", "y.csv"] if done == "moved" else [])
    assert query(tmp_path, "select id from a order by 1") == [(1,), (2,)]


def test_another_file_under_the_name_stays_and_nothing_is_overwritten(tmp_path: Path) -> None:
    put(tmp_path, x="1")
    path = project(tmp_path, text("after_load: move\n    move_to: done\n    on_changed: add"))
    run_ok(path)
    put(tmp_path, x="2")
    run_ok(path)
    found = [name for name in names(tmp_path / "done") if name != "x.csv"]
    assert len(found) == 1
    assert found[0].endswith("/x.csv")
    assert (tmp_path / "done/x.csv").read_text() == "id\n1\n"
    execute(
        tmp_path, "update ingestion_files set settled_at = null, moved_to = 'done/y.csv' where moved_to is not null"
    )
    put(tmp_path, x="3")
    run_ok(path)
    assert query(tmp_path, "select id from a order by 1") == [(1,), (2,), (3,)]
    assert ("kept",) in query(tmp_path, "select after_load from ingestion_files")


def test_a_place_that_cannot_be_written_is_a_warning_and_tried_again(tmp_path: Path) -> None:
    put(tmp_path, x="1")
    (tmp_path / "done").write_text("a file")
    path = project(tmp_path, text("after_load: move\n    move_to: done"))
    run_ok(path)
    log = (tmp_path / "logs/ingestion.log").read_text()
    assert "x.csv is loaded and cannot be moved; the next run tries again" in log
    (tmp_path / "done").unlink()
    run_ok(path)
    assert names(tmp_path / "done") == ["x.csv"]
    assert query(tmp_path, "select id from a") == [(1,)]


def test_objects_on_s3(tmp_path: Path, s3: S3, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {
        "AWS_ENDPOINT_URL": s3.endpoint,
        "AWS_ACCESS_KEY_ID": "testing",
        "AWS_SECRET_ACCESS_KEY": "testing",
        "AWS_DEFAULT_REGION": "us-east-1",
    }.items():
        monkeypatch.setenv(name, value)
    put(tmp_path, x="1", y="2")
    bucket = s3.bucket()
    s3.upload(tmp_path / "in", bucket, "in/")

    def keys() -> list[str]:
        return sorted(item["Key"] for item in s3.client.list_objects_v2(Bucket=bucket).get("Contents", ()))

    path = project(tmp_path, text(f"after_load: move\n    move_to: s3://{bucket}/done/", f"s3://{bucket}/in/"))
    run_ok(path)
    assert keys() == ["done/x.csv", "done/y.csv"]
    s3.client.put_object(Bucket=bucket, Key="in/z.csv", Body=b"id\n3\n")
    project(tmp_path, text("after_load: delete", f"s3://{bucket}/in/"))
    run_ok(path)
    assert keys() == ["done/x.csv", "done/y.csv"]
    assert query(tmp_path, "select id from a order by 1") == [(1,), (2,), (3,)]


def test_a_full_refresh_is_refused(tmp_path: Path) -> None:
    put(tmp_path, x="1")
    path = project(tmp_path, text(MOVE))
    run_ok(path)
    error = str(run(path, full_refresh=True).steps[0].error)
    assert "without the rows of files that after_load has taken away" in error
    assert query(tmp_path, "select id from a") == [(1,)]


@pytest.mark.parametrize(
    ("after", "uri", "words"),
    [
        ("after_load: move", "in/", "after_load: move and move_to"),
        ("move_to: x", "in/", "after_load: move and move_to"),
        ("after_load: move\n    move_to: in/", "in/", "would find the moved files again"),
        ("after_load: move\n    move_to: s3://b/x", "in/", "are moved to another place on the local disk"),
        ("after_load: delete", "http://127.0.0.1/x.csv", "not at http:// places"),
    ],
)
def test_mistakes(tmp_path: Path, after: str, uri: str, words: str) -> None:
    assert any(words in line for line in problems(project(tmp_path, text(after, uri))))


@pytest.mark.parametrize(
    ("after", "place", "log"), [("delete", "in", "1 file with rejected records"), (MOVE[12:], "done", "")]
)
def test_a_file_with_rejected_records_is_never_lost(tmp_path: Path, after: str, place: str, log: str) -> None:
    put(tmp_path, good="1", bad="x")
    path = project(tmp_path, text(f"after_load: {after}\n    on_error: reject"))
    for message in (
        "2 files, 1 rejected; ",
        "no new file; the table is kept" if place == "done" else "1 file, loaded before",
    ):
        assert run_ok(path).steps[0].message.startswith(message)
    assert [name.rpartition("/")[2] for name in names(tmp_path / place)][:1] == ["bad.csv"]
    assert (tmp_path / "in/good.csv").exists() is False
    assert log in (tmp_path / "logs/ingestion.log").read_text()
    assert {row[3] for row in query(tmp_path, LEDGER)} == {True}


def test_a_table_that_stands_for_files_that_are_gone_is_kept(tmp_path: Path) -> None:
    """What an error advises is accepted."""
    put(tmp_path, x="1")
    pipeline = text("after_load: delete").replace("strategy: append", "strategy: truncate_load")
    strict = project(tmp_path, pipeline.replace("on_empty: allow", "on_empty: fail"))
    run_ok(strict)
    assert "set on_empty: allow" in str(run(strict).steps[0].error)
    path = project(tmp_path, pipeline)
    assert load(path).plan().statuses == {"a": "UNCHANGED"}
    step = run_ok(path).steps[0]
    assert (step.status, step.message) == ("UNCHANGED", "no new file; the table is kept")
    assert query(tmp_path, "select id from a") == [(1,)]
    put(tmp_path, y="2")
    run_ok(path)
    assert query(tmp_path, "select id from a") == [(2,)]
    assert any(
        "needs strategy: append" in line for line in problems(project(tmp_path, pipeline + "    on_error: reject\n"))
    )


def test_files_that_snowflake_reads_from_a_stage_are_refused(tmp_path: Path) -> None:
    target = "targets: {sf: {type: snowflake, account: a, user: u, password: p, database: d}}\ntarget: sf\n"
    [line] = problems(project(tmp_path, target + text("after_load: delete", "s3://b/in/")))
    assert "a rule of the bucket's lifecycle" in line


def test_files_that_another_step_loads_stay(tmp_path: Path) -> None:
    """Which of the two came first would decide whether the other finds a file."""
    other = "  - {id: b, type: load, source: a, strategy: append}\n"
    [line] = problems(project(tmp_path, text("after_load: delete") + other))
    assert line.startswith("10: steps.a.after_load: takes away the files that the step b loads, too")
