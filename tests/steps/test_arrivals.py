"""What an append loads: every content of every file once, by whatever names, and never two of one file silently."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest
from engines import Project, snowflake_is_long
from small_projects import execute, problems, project, run_ok, write

from pipekit.errors import SourceError
from pipekit.names import Table
from pipekit.step import StepContext
from pipekit.steps import arrivals, ledger
from pipekit.warehouses.contract import LoadedFile

SOURCE = """
sources:
  s: {uri: in, pattern: "*.csv", format: {type: csv}, columns: {id: integer}}
"""
APPEND = SOURCE + "steps: [{id: t, type: load, source: s, strategy: append}]\n"


def step(*more: str, into: str = "t") -> str:
    return SOURCE + f"steps: [{{id: t, type: load, source: s, into: {into}, strategy: append{''.join(more)}}}]\n"


def put(on: Project, name: str, *ids: int) -> Path:
    return write(on.root, f"in/{name}.csv", "id\n" + "".join(f"{number}\n" for number in ids))


def ids(on: Project) -> list[int]:
    return [number for (number,) in on.execute("SELECT id FROM t ORDER BY id")]


# tables --------------------------------------------------------------------------------------------------------


def test_a_table_is_one_table_however_it_is_spelt(on: Project) -> None:
    put(on, "a", 1)
    on.ok(APPEND)
    database = on.database
    for into in ("T", f"{on.schema}.t", f"{on.schema.lower()}.T", f"{database}.{on.schema}.t"):
        result = on.ok(step(into=into))
        assert (into, result.steps[0].status) == (into, "UNCHANGED")
    assert ids(on) == [1]


@snowflake_is_long
def test_a_replacement_counts_for_all_spellings(on: Project) -> None:
    put(on, "a", 1)
    on.ok(APPEND)
    (on.root / "in/a.csv").unlink()
    put(on, "b", 2)
    on.ok(step(into=f"{on.schema}.t").replace("append", "truncate_load"))
    put(on, "a", 1)
    on.ok(APPEND)

    assert ids(on) == [1, 2]


# places --------------------------------------------------------------------------------------------------------


def test_a_moved_project_and_a_second_checkout_load_nothing_twice(on: Project, tmp_path: Path) -> None:
    put(on, "a", 1)
    on.ok(APPEND)
    copy = tmp_path / "copy"
    shutil.copytree(on.root, copy, copy_function=shutil.copy)  # with other times
    on.root = copy

    assert on.ok(APPEND).steps[0].status == "UNCHANGED"
    assert ids(on) == [1]
    put(on, "b", 2)
    assert on.ok(APPEND).rows == {"t": 1}


@snowflake_is_long
def test_a_file_outside_the_project_is_known_by_its_path(on: Project, tmp_path: Path) -> None:
    write(tmp_path, "away/a.csv", "id\n1\n")
    text = step().replace("uri: in", f"uri: {tmp_path}/away")
    on.ok(text)
    assert on.ok(text).steps[0].status == "UNCHANGED"
    assert on.execute("SELECT file_key FROM ingestion_files") == [(f"{tmp_path}/away/a.csv",)]


# content -------------------------------------------------------------------------------------------------------


def rewrite(path: Path, text: str) -> None:
    """Other content of the same size, with the time set back, as rsync and unzip do."""
    at = path.stat()
    path.write_text(text)
    os.utime(path, ns=(at.st_atime_ns, at.st_mtime_ns))


def test_other_content_of_the_same_size_and_time_is_seen(on: Project) -> None:
    path = put(on, "a", 1)
    on.ok(APPEND)
    rewrite(path, "id\n2\n")

    result = on.run(APPEND)

    assert "has changed since it was loaded into t" in str(result.errors["t"])
    assert "on_changed" in str(result.errors["t"])
    assert ids(on) == [1]


@snowflake_is_long
def test_when_changed_sees_it_too(on: Project) -> None:
    text = SOURCE + "steps: [{id: t, type: load, source: s, when: changed}]\n"
    path = put(on, "a", 1)
    on.ok(text)
    assert on.ok(text).steps[0].status == "UNCHANGED"
    rewrite(path, "id\n2\n")
    on.ok(text)

    assert ids(on) == [2]


def test_a_file_that_came_again_replaces_its_rows_and_no_others(on: Project) -> None:
    text = step(", metadata: true")
    put(on, "a", 1, 2)
    put(on, "b", 3)
    on.ok(text)
    put(on, "a", 20, 10, 30)
    result = on.ok(text)

    assert ids(on) == [3, 10, 20, 30]
    assert result.rows == {"t": 3}
    assert on.ok(text).steps[0].status == "UNCHANGED"
    counting = on.execute("SELECT file_key, rows_loaded FROM ingestion_files WHERE replaced_by IS NULL ORDER BY 1")
    assert counting == [("in/a.csv", 3), ("in/b.csv", 1)]


def test_old_rows_stay_if_the_new_file_cannot_be_loaded(on: Project) -> None:
    text = step(", metadata: true")
    put(on, "a", 1)
    on.ok(text)
    write(on.root, "in/a.csv", "id\n2\nx\n")

    assert not on.run(text).ok
    assert ids(on) == [1]
    put(on, "a", 5)
    on.ok(text)
    assert ids(on) == [5]


@snowflake_is_long
def test_both_stay_if_that_is_said(on: Project) -> None:
    put(on, "a", 1)
    on.ok(APPEND)
    put(on, "a", 2, 3)
    on.ok(step(", on_changed: add"))

    assert ids(on) == [1, 2, 3]
    assert on.ok(APPEND).steps[0].status == "UNCHANGED"


@snowflake_is_long
def test_fail_holds_also_where_rows_say_their_file(on: Project) -> None:
    put(on, "a", 1)
    on.ok(step(", metadata: true"))
    put(on, "a", 2, 3)
    assert isinstance(on.run(step(", metadata: true, on_changed: fail")).errors["t"], SourceError)
    assert ids(on) == [1]


@snowflake_is_long
def test_rows_that_do_not_say_their_file_are_not_guessed(on: Project) -> None:
    """The table was filled without metadata, and got the columns later."""
    put(on, "a", 1)
    on.ok(APPEND)
    put(on, "a", 2, 3)

    error = on.run(step(", metadata: true, on_schema_change: add")).errors["t"]

    assert "does not record which rows it gave" in str(error)
    assert ids(on) == [1]


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ("strategy: append, on_changed: replace", "needs metadata: true"),
        ("on_changed: add", "on_changed: means nothing with strategy: truncate_load"),
    ],
)
def test_keys_that_do_not_go_together_are_refused(tmp_path: Path, more: str, said: str) -> None:
    text = SOURCE + f"steps: [{{id: t, type: load, source: s, {more}}}]\n"
    assert any(said in problem for problem in problems(project(tmp_path, text)))


# ledgers of earlier versions -----------------------------------------------------------------------------------


def make_old(on: Project) -> None:
    """The ledger as the version before wrote it: no new columns, absolute paths, digests under ``etag``."""
    on.execute("UPDATE ingestion_files SET etag = digest")
    for column in ("file_key", "version", "digest", "key_hash"):
        on.execute(f"ALTER TABLE ingestion_files DROP COLUMN {column}")


def test_a_ledger_of_an_earlier_version_goes_on_to_count(on: Project, tmp_path: Path) -> None:
    path = put(on, "a", 1)
    put(on, "b", 2)
    on.ok(APPEND)
    make_old(on)

    assert on.ok(APPEND).steps[0].status == "UNCHANGED"
    stat = path.stat()
    os.utime(path, ns=(stat.st_atime_ns, stat.st_mtime_ns + 5_000_000_000))
    assert on.ok(APPEND).steps[0].status == "UNCHANGED", "a mere touch, told by the old digest"
    shutil.move(on.root, tmp_path / "moved")
    on.root = tmp_path / "moved"
    assert on.ok(APPEND).steps[0].status == "UNCHANGED", "what is upgraded may be moved"
    put(on, "c", 3)
    on.ok(APPEND)
    assert ids(on) == [1, 2, 3]


def test_rows_that_an_older_pipekit_adds_later_count_too(on: Project) -> None:
    put(on, "a", 1)
    on.ok(APPEND)
    on.execute("UPDATE ingestion_files SET etag = digest")
    on.execute("UPDATE ingestion_files SET file_key = NULL, version = NULL, digest = NULL, key_hash = NULL")

    assert on.ok(APPEND).steps[0].status == "UNCHANGED"
    assert on.ok(step(into=f"{on.schema}.T")).steps[0].status == "UNCHANGED"


def test_rows_without_a_number_get_it_where_the_engine_can_make_it(on: Project) -> None:
    put(on, "a", 1)
    on.ok(APPEND)
    on.execute("UPDATE ingestion_files SET key_hash = NULL")
    put(on, "b", 2)

    assert on.ok(APPEND).rows == {"t": 1}
    made = ledger.number_of("in/a.csv") if on.session is None else None  # on DuckDB
    assert on.execute("SELECT key_hash FROM ingestion_files WHERE file_key = 'in/a.csv'") == [(made,)]
    assert on.ok(APPEND).steps[0].status == "UNCHANGED"


def test_loads_side_by_side_number_a_ledger_of_an_earlier_version_without_a_conflict(tmp_path: Path) -> None:
    names = [f"t{number}" for number in range(6)]
    steps = "".join(f"  - {{id: {name}, type: load, source: s, retries: 0}}\n" for name in names)
    path = project(tmp_path, f"threads: 6\n{SOURCE}\nsteps:\n{steps}")
    write(tmp_path, "in/a.csv", "id\n1\n")
    run_ok(path)
    others = "SELECT l.* REPLACE ('other' AS table_name) FROM ingestion_files AS l, range(50000)"
    execute(tmp_path, f"INSERT INTO ingestion_files {others}", "ALTER TABLE ingestion_files DROP COLUMN key_hash")
    write(tmp_path, "in/b.csv", "id\n2\n")

    assert run_ok(path).rows == dict.fromkeys(names, 2)


def test_names_with_one_number_are_two_names(on: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ledger, "number_of", lambda name: 7)
    put(on, "a", 1)
    on.ok(APPEND)
    put(on, "b", 1)

    assert on.ok(APPEND).rows == {"t": 1}
    assert on.ok(APPEND).steps[0].status == "UNCHANGED"


# cost ----------------------------------------------------------------------------------------------------------


def test_a_file_that_another_run_loads_in_between_is_not_loaded_twice(
    on: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(on, "a", 1)
    on.ok(APPEND)
    put(on, "b", 2)
    offer, raced = ledger.offer_claim, []

    def another_is_quicker(context: StepContext, table: Table) -> None:
        offer(context, table)
        if not raced:
            raced.append(listed := context.warehouse.list_files(context.project.sources["s"]))
            ledger.write(context, table, [LoadedFile(listed[-1], 1)], replacing=False)

    monkeypatch.setattr(ledger, "offer_claim", another_is_quicker)
    result = on.ok(APPEND)

    assert (raced != [], result.steps[0].status, ids(on)) == (True, "UNCHANGED", [1])


def test_a_large_listing_is_decided_as_a_small_one(on: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(arrivals, "_INLINE", 2)
    for number in range(5):
        put(on, f"f{number}", number)
    on.ok(APPEND)
    assert on.ok(APPEND).steps[0].status == "UNCHANGED"
    put(on, "g", 9)
    assert on.ok(APPEND).rows == {"t": 1}
    assert ids(on) == [0, 1, 2, 3, 4, 9]
