"""The shipped pipelines on the emulated Snowflake, from S3: again, against DuckDB, and when things go wrong.

The sample is made smaller by its own script, and the bank's file is cut: an emulator in Python takes a minute for all of
it. What is odd in these files is in the smaller ones too.
"""

from __future__ import annotations

import re
import runpy
import subprocess
from collections import Counter
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from emulator.fixtures import S3, EmulatedSnowflake, emulated, s3, snowflake_account  # noqa: F401 - fixtures
from projects import BANK, MARKETING, MODELLED, STAMPED, contents, copy_project, pipekit, table_names

from pipekit.names import Table
from pipekit.pipeline.model import Target
from pipekit.warehouses.builtin import BUILT_IN_WAREHOUSES
from pipekit.warehouses.snowflake.target import SnowflakeTarget
from pipekit.warehouses.snowflake.warehouse import SnowflakeWarehouse, open_snowflake

SAMPLE = "pipelines/data/marketing_engagement"
AWS = {"AWS_ACCESS_KEY_ID": "testing", "AWS_SECRET_ACCESS_KEY": "testing", "AWS_DEFAULT_REGION": "us-east-1"}


def write_target(project: Path, target: dict[str, Any]) -> None:
    """Give the pipeline's target ``snowflake`` these keys."""
    write_keys(project / MARKETING, target)


def run(project: Path, landing: str, *more: str, expect: int = 0, **variables: str) -> subprocess.CompletedProcess[str]:
    """``pipekit run`` on the target ``snowflake``."""
    done = pipekit(
        project, "run", MARKETING, "--target", "snowflake", *more, MARKETING_LANDING=landing, **AWS, **variables
    )
    assert done.returncode == expect, done.stdout + done.stderr
    return done


def table(warehouse: SnowflakeWarehouse, name: str) -> Counter[tuple[Any, ...]]:
    """All rows of a table without the columns that pipekit stamps."""
    names = [c.name for c in warehouse.columns(Table((name,))) if c.name.lower() not in STAMPED]
    columns = ", ".join(warehouse.quote(column) for column in names)
    return Counter(warehouse.execute(f"SELECT {columns} FROM {warehouse.quote(name)}").rows)


def plain(rows: Counter[tuple[Any, ...]]) -> Counter[tuple[Any, ...]]:
    """Numbers as numbers, whatever type the engine gives them."""
    return Counter({tuple(_plain(value) for value in row): count for row, count in rows.items()})


def _plain(value: Any) -> Any:
    if isinstance(value, float | Decimal):
        return round(float(value), 6)
    return float(value) if isinstance(value, int) and not isinstance(value, bool) else value


def with_sample(folder: Path) -> Path:
    """A copy of the project with a small part of the sample data."""
    project = copy_project(folder)
    runpy.run_path(str(project / SAMPLE / "generate.py"))["generate"](project / SAMPLE, count=200, event_count=2_000)
    return project


def with_bank(folder: Path) -> Path:
    """A copy of the project with the first rows of the bank's file."""
    project = copy_project(folder)
    path = project / "pipelines/data/bank_marketing/bank-additional.csv"
    path.write_text("".join(path.read_text(encoding="utf-8").splitlines(keepends=True)[:1_001]), encoding="utf-8")
    return project


@pytest.fixture(scope="module")
def landing(s3: S3, tmp_path_factory: pytest.TempPathFactory) -> str:  # noqa: F811
    """The sample data on S3."""
    project = with_sample(tmp_path_factory.mktemp("data"))
    return s3.upload(project / SAMPLE, s3.bucket(), "landing/").rstrip("/")


@pytest.fixture(scope="module")
def ran(
    emulated: EmulatedSnowflake,  # noqa: F811
    landing: str,
    tmp_path_factory: pytest.TempPathFactory,
) -> tuple[Path, dict[str, Any], list[list[dict[str, Any]]]]:
    """A project whose pipeline ran twice; its target, and the statements of each run."""
    project = with_sample(tmp_path_factory.mktemp("snowflake"))
    target = emulated.target()
    write_target(project, target)
    sent = []
    for _ in range(2):
        emulated.control(reset=True)
        run(project, landing)
        sent.append(emulated.statements())
    return project, target, sent


@pytest.fixture
def warehouse(ran: Any, tmp_path: Path) -> Iterator[SnowflakeWarehouse]:
    """A session on what the runs made."""
    opened = open_snowflake(SnowflakeTarget.model_validate(ran[1]), tmp_path)
    yield opened
    opened.close()


def test_every_modelled_table_is_that_of_duckdb(ran: Any, warehouse: SnowflakeWarehouse, tmp_path: Path) -> None:
    local = with_sample(tmp_path / "duckdb")
    done = pipekit(local, "run", MARKETING)
    assert done.returncode == 0, done.stdout
    for name, rows in contents(local, MODELLED).items():
        assert plain(table(warehouse, name)) == plain(rows), name


@pytest.mark.parametrize("runs", [1, pytest.param(2, marks=pytest.mark.long)])
def test_the_bank_s_tables_are_those_of_duckdb_after_each_run(
    runs: int,
    snowflake_account: EmulatedSnowflake,  # noqa: F811
    s3: S3,  # noqa: F811
    tmp_path: Path,
) -> None:
    project, local = with_bank(tmp_path / "snowflake"), with_bank(tmp_path / "duckdb")
    target = snowflake_account.target()
    write_keys(project / "pipelines/shared/targets.yaml", target)
    where = s3.upload(project / "pipelines/data/bank_marketing", s3.bucket(), "bank/").rstrip("/")
    done = pipekit(local, "run", BANK)
    assert done.returncode == 0, done.stdout
    made = sorted(name for name in table_names(local) if name.startswith(("raw_bank", "bank_")))
    assert len(made) > 4
    for _ in range(runs):
        done = pipekit(project, "run", BANK, "--target", "snowflake", BANK_LANDING=where, **AWS)
        assert done.returncode == 0, done.stdout + done.stderr
        opened = open_snowflake(SnowflakeTarget.model_validate(target), tmp_path)
        for name, rows in contents(local, made).items():
            assert plain(table(opened, name)) == plain(rows), name
        opened.close()


def test_the_logs_are_in_the_warehouse(ran: Any, warehouse: SnowflakeWarehouse) -> None:
    steps = warehouse.execute(
        "SELECT STEP_NAME, STATUS, QUERY_IDS FROM INGESTION_LOGS WHERE STATUS = 'SUCCEEDED' AND STEP_NAME IS NOT NULL"
    ).rows
    assert Counter(step for step, *_ in steps) == dict.fromkeys(dict.fromkeys(step for step, *_ in steps), 2)
    assert len(steps) == 14
    assert all(ids for _, _, ids in steps), "the ids of a step's statements"
    assert warehouse.execute("SELECT COUNT(*) FROM DQ_CHECK_LOGS WHERE STATUS = 'PASSED'").scalar() > 10
    loaded = warehouse.execute("SELECT COUNT(DISTINCT URI) FROM INGESTION_FILES").scalar()
    assert loaded == len(list(ran[0].glob(f"{SAMPLE}/*/*.*")))


def test_the_clustering_key_is_set_once(ran: Any) -> None:
    first, second = ([s["sql"] for s in sent if "CLUSTER BY" in s["sql"]] for sent in ran[2])
    assert first == ['ALTER TABLE "RAW_CUSTOMER_DEMOGRAPHICS" CLUSTER BY ("CUSTOMER_ID")']
    assert second == []


def test_no_statement_is_sent_twice_and_each_is_tagged(ran: Any) -> None:
    sent = ran[2][1]
    assert not [s["sql"] for s in sent if s["repeated"]]
    loads = [s for s in sent if s["sql"].startswith("COPY INTO")]
    assert loads
    assert all('"pipeline":"marketing_engagement"' in s["tag"] and '"step":"load_' in s["tag"] for s in loads)


def test_the_statements_of_one_load_are_counted(ran: Any) -> None:
    sent = ran[2][1]
    session = next(s["session"] for s in sent if s["sql"].startswith('INSERT OVERWRITE INTO "RAW_CUSTOMER'))
    mine = [s["sql"] for s in sent if s["session"] == session]
    load = mine[: mine.index("COMMIT") + 1]
    # A dozen for a plain file. The sample's files have their columns in two orders (a COPY more), one of their checks
    # warns (a SELECT more), and they hold quotes: that is looked for (a SELECT), and then each line is landed as text
    # and judged (three more). The files are listed again before the commit, since one may have been replaced, and the
    # ledger's columns are looked at once a run, since an earlier version may have made it.
    assert len(load) <= 19, "\n".join(sql[:100] for sql in load)


def test_no_row_of_s3_passes_through_this_machine(ran: Any) -> None:
    assert not [s["sql"] for s in ran[2][1] if re.match(r"(PUT|GET)\b", s["sql"])]


@pytest.fixture
def small(snowflake_account: EmulatedSnowflake, tmp_path: Path) -> Iterator[tuple[Path, SnowflakeWarehouse]]:  # noqa: F811
    """A pipeline with one audited load of local files, run once; its project, and a session."""
    project = tmp_path / "small"
    (project / "in").mkdir(parents=True)
    (project / "in/a.csv").write_text("id,name\n1,x\n2,y\n")
    target = snowflake_account.target(password="canary-password", network_timeout=2)
    keys = "".join(f"    {key}: {value}\n" for key, value in target.items())
    (project / "p.yaml").write_text(
        f"name: small\ntargets:\n  snowflake:\n{keys}target: snowflake\n"
        "sources:\n  given:\n    uri: in\n    format: {type: csv}\n    columns: {id: integer, name: varchar}\n"
        "steps:\n  - id: things\n    type: load\n    source: given\n    audit:\n"
        "      - expect_column_values_to_be_unique: {column: id}\n"
    )
    done = pipekit(project, "run", "p.yaml")
    assert done.returncode == 0, done.stdout + done.stderr
    opened = open_snowflake(SnowflakeTarget.model_validate(target), project)
    yield project, opened
    opened.close()


def things(warehouse: SnowflakeWarehouse) -> list[tuple[Any, ...]]:
    return warehouse.execute("SELECT * FROM THINGS ORDER BY ID").rows


def everything_written(project: Path, warehouse: SnowflakeWarehouse, *outputs: str) -> str:
    files = [
        path.read_text(errors="replace") for path in project.rglob("*") if path.is_file() and path.name != "p.yaml"
    ]
    logs = [str(warehouse.execute(f"SELECT * FROM {name}").rows) for name in ("INGESTION_LOGS", "DQ_CHECK_LOGS")]
    return "\n".join([*files, *logs, *outputs])


def test_a_failing_audit_keeps_the_old_rows_and_tells_no_secret(small: Any) -> None:
    project, warehouse = small
    (project / "in/a.csv").write_text("id,name\n3,x\n3,y\n")
    done = pipekit(project, "run", "p.yaml", "--json")
    assert done.returncode == 1
    assert things(warehouse) == [(1, "x"), (2, "y")]
    verdicts = warehouse.execute("SELECT STATUS FROM DQ_CHECK_LOGS ORDER BY RUN_TIME").rows
    assert [status for (status,) in verdicts] == ["PASSED", "FAILED"]
    assert "canary" not in everything_written(project, warehouse, done.stdout, done.stderr)


def test_a_copy_that_fails_keeps_the_old_rows(small: Any) -> None:
    project, warehouse = small
    (project / "in/b.csv").write_text('id,name\n3,"x\n')
    done = pipekit(project, "run", "p.yaml")
    assert done.returncode == 1
    assert "b.csv" in done.stdout
    assert things(warehouse) == [(1, "x"), (2, "y")]


@pytest.mark.parametrize("when", ["before", "after"])
def test_a_commit_whose_answer_is_lost_counts_once(small: Any, snowflake_account: EmulatedSnowflake, when: str) -> None:  # noqa: F811
    project, warehouse = small
    (project / "in/a.csv").write_text("id,name\n5,v\n")
    snowflake_account.control(faults=[{"match": "^COMMIT", "when": when, "what": "drop"}])
    done = pipekit(project, "run", "p.yaml")
    assert done.returncode == 0, done.stdout
    assert things(warehouse) == [(5, "v")]


@pytest.mark.long
def test_a_service_that_is_gone_is_told_clearly(small: Any, snowflake_account: EmulatedSnowflake) -> None:  # noqa: F811
    project, warehouse = small
    snowflake_account.control(faults=[{"match": "^INSERT OVERWRITE", "nth": 0, "what": "status", "status": 503}])
    done = pipekit(project, "run", "p.yaml")
    assert done.returncode == 1
    assert "503" in done.stdout
    snowflake_account.control(reset=True)
    assert things(warehouse) == [(1, "x"), (2, "y")]


def test_a_target_does_not_show_its_secrets() -> None:
    keys = {"account": "a", "password": "canary-1", "token": "canary-2", "private_key_file_pwd": "canary-3"}
    target = SnowflakeTarget.model_validate(keys)
    assert "canary" not in repr(target) + str(target.model_dump())
    [kind] = [kind for kind in BUILT_IN_WAREHOUSES if kind.name == "snowflake"]
    assert sorted(Target("t", kind, target).secrets) == ["canary-1", "canary-2", "canary-3"]


def test_setup_prints_and_applies_what_an_account_needs(small: Any, emulated: EmulatedSnowflake) -> None:  # noqa: F811
    project, _ = small
    target = emulated.target(database="FRESH", schema="NEW_PLACE", role="LOADER", storage_integration="S3_GIVEN")
    write_keys(project / "p.yaml", target)
    before = pipekit(project, "doctor", "p.yaml")
    assert before.returncode == 1
    assert "FAIL database" in before.stdout
    done = pipekit(project, "snowflake", "setup", "p.yaml", "--apply")
    assert done.returncode == 0, done.stdout + done.stderr
    for part in ("CREATE SCHEMA", "CREATE ROLE", 'GRANT ROLE "LOADER" TO USER "TESTER"', '"INGESTION_LOGS"'):
        assert part in done.stdout
    after = pipekit(project, "doctor", "p.yaml")
    assert "FAIL database" not in after.stdout
    assert "ok   privileges" in after.stdout
    assert pipekit(project, "run", "p.yaml").returncode == 0


def write_keys(path: Path, target: dict[str, Any]) -> None:
    keys = "".join(f"    {key}: {value}\n" for key, value in target.items())
    path.write_text(re.sub(r"(?m)^  snowflake:\n(    .*\n)+", lambda _: f"  snowflake:\n{keys}", path.read_text()))
