"""Retention: ``logs: {keep: 90d}`` and ``pipekit logs prune``; what a run reads of the log tables is bounded."""

from __future__ import annotations

from pathlib import Path

import pytest
from emulator.fixtures import EmulatedSnowflake
from engines import Project
from small_projects import cli, load, problems, project, query, run_ok, write

OLD = "2020-01-01 00:00:00"
TEXT = """
sources: {s: {uri: in, format: {type: csv}, columns: {id: integer}}}
steps: [{id: t, type: load, source: s, strategy: append}, {id: u, type: load, source: s}]
"""


def aged(on: Project) -> None:
    """A run, all of whose rows are old now; beside it rows of another pipeline."""
    write(on.root, "in/a.csv", "id\n1\n")
    on.ok(TEXT)
    on.ok(TEXT)
    on.execute(f"UPDATE ingestion_logs SET log_timestamp = '{OLD}'")
    on.execute(f"UPDATE ingestion_files SET loaded_at = '{OLD}'")
    on.execute(f"INSERT INTO ingestion_logs (log_id, run_id, pipeline, log_timestamp) VALUES ('x', 'x', 'q', '{OLD}')")
    on.execute(
        f"INSERT INTO dq_check_logs (check_id, run_id, pipeline, run_time) VALUES ('c', 'gone', 'p', '{OLD}'),"
        f" ('d', 'gone', 'q', '{OLD}')"
    )


def count(on: Project, table: str, where: str = "1 = 1") -> int:
    return int(on.execute(f"SELECT count(*) FROM {table} WHERE {where}")[0][0])


def test_old_rows_go_and_every_proof_stays(on: Project) -> None:
    aged(on)
    proofs = on.execute("SELECT uri, table_name FROM ingestion_files WHERE replaced_by IS NULL ORDER BY 2")

    on.ok(TEXT.replace("steps:", "logs: {keep: 90d}\nsteps:"))

    assert count(on, "ingestion_logs", f"log_timestamp = '{OLD}' AND pipeline = 'p'") == 0
    assert count(on, "ingestion_logs", "pipeline = 'q'") == 1
    assert count(on, "dq_check_logs", "pipeline = 'p'") == 0
    assert count(on, "dq_check_logs", "pipeline = 'q'") == 1
    assert count(on, "ingestion_files", f"replaced_by IS NOT NULL AND loaded_at = '{OLD}'") <= 1
    assert [uri for uri, _ in proofs] == [
        uri for uri, _ in on.execute("SELECT uri, table_name FROM ingestion_files WHERE replaced_by IS NULL ORDER BY 2")
    ]
    assert on.execute("SELECT count(*) FROM t") == [(1,)]
    notes = on.execute("SELECT message FROM ingestion_logs WHERE message LIKE 'deleted what is older%'")
    assert len(notes) == 1


def test_a_run_prunes_at_most_once_a_day(tmp_path: Path) -> None:
    path = project(tmp_path, "logs: {keep: 1d}\nsteps: [{id: t, type: sql, sql: select 1 as x}]")
    run_ok(path)
    from small_projects import execute

    execute(tmp_path, f"UPDATE ingestion_logs SET log_timestamp = '{OLD}'")
    run_ok(path)
    assert query(tmp_path, f"SELECT count(*) FROM ingestion_logs WHERE log_timestamp = '{OLD}'")[0][0] > 0


def test_the_command(tmp_path: Path) -> None:
    from small_projects import execute

    project(tmp_path, "steps: [{id: t, type: sql, sql: select 1 as x}]")
    assert "--keep 90d" in cli(tmp_path, "logs", "prune", "p.yaml", code=2).stderr
    assert "90d" in cli(tmp_path, "logs", "prune", "p.yaml", "--keep", "soon", code=2).stderr
    none = cli(tmp_path, "logs", "prune", "p.yaml", "--keep", "0d", code=2).stderr
    assert "'0d' would delete every row; write 90d or 12w" in none
    cli(tmp_path, "run", "p.yaml", code=0)
    execute(tmp_path, f"UPDATE ingestion_logs SET log_timestamp = '{OLD}'")
    cli(tmp_path, "run", "p.yaml", code=0)

    shown = cli(tmp_path, "logs", "prune", "p.yaml", "--keep", "12w", code=0).stdout

    assert "4 rows of ingestion_logs, 0 of dq_check_logs, 0 of ingestion_files" in shown
    assert query(tmp_path, f"SELECT count(*) FROM ingestion_logs WHERE log_timestamp = '{OLD}'") == [(0,)]


def test_the_last_run_stays_so_that_it_can_be_resumed(tmp_path: Path) -> None:
    check = "{id: c, type: check, table: t, suite: [{expect_table_row_count_to_be_between: {min_value: 2}}]}"
    path = project(tmp_path, f"steps: [{{id: t, type: sql, sql: select 1 as x}}, {check}]")
    assert not load(path).run().ok

    load(path).prune_logs(__import__("datetime").timedelta(microseconds=1))

    again = load(path).run(resume=True)
    assert again.steps[0].status == "UNCHANGED"


@pytest.mark.parametrize("keep", ["0d", "90", "3 months", "-1d", "[90d]"])
def test_a_time_that_is_none_is_refused(tmp_path: Path, keep: str) -> None:
    path = project(tmp_path, f"logs: {{keep: {keep}}}\nsteps: [{{id: t, type: sql, sql: select 1 as x}}]")
    assert any("logs.keep" in line and "90d" in line for line in problems(path)), problems(path)


def test_no_statement_of_a_run_reads_a_log_table_whole(snowflake_account: EmulatedSnowflake, tmp_path: Path) -> None:
    import json

    target = json.dumps(snowflake_account.target())
    check = "{id: c, type: check, table: t, suite: [{expect_table_row_count_to_be_between: {min_value: 2}}]}"
    text = f"targets: {{sf: {target}}}\ntarget: sf\nsteps: [{{id: t, type: sql, sql: select 1 as x}}, {check}]"
    path = project(tmp_path, text)
    load(path).run()
    (delivered,) = (tmp_path / ".pipekit/runs/delivered").glob("*.jsonl")
    delivered.rename(tmp_path / ".pipekit/runs" / delivered.name)  # as if its rows had not arrived
    snowflake_account.control(reset=True)

    load(path).run(resume=True)

    reads = [each["sql"] for each in snowflake_account.statements() if each["sql"].startswith("SELECT")]
    of_logs = [sql for sql in reads if "INGESTION_LOGS" in sql.upper() or "DQ_CHECK_LOGS" in sql.upper()]
    assert len(of_logs) >= 3
    assert all("log_timestamp" in sql.lower() or "run_time" in sql.lower() for sql in of_logs), of_logs
