"""``on_bad_file: skip``: one bad file does not stop the others, and is never forgotten."""

from __future__ import annotations

import gzip
import io
from pathlib import Path

import pytest
from emulator.fixtures import S3
from engines import Project, snowflake_is_long
from small_projects import cli, load, problems, project

from pipekit.errors import BadFileError, SourceError
from pipekit.events import FileSkipped

GOOD = b"id\n1\n"
CUT = gzip.compress(b"id\n" + b"2\n" * 500)[:-8]


def steps(keys: str, source: str = 'uri: in, pattern: "*.csv*", format: {type: csv}') -> str:
    return f"sources: {{s: {{{source}, columns: {{id: integer}}}}}}\nsteps: [{{id: t, type: load, source: s, {keys}}}]"


def put(on: Project, **files: bytes) -> None:
    (on.root / "in").mkdir(exist_ok=True)
    for name, data in files.items():
        (on.root / "in" / name.replace("_", ".")).write_bytes(data)


def ids(on: Project) -> list[int]:
    return [number for (number,) in on.execute("SELECT id FROM t ORDER BY id")]


def skipped_rows(on: Project) -> list[tuple[str, str, int]]:
    rows = on.execute("SELECT uri, skipped, rows_loaded FROM ingestion_files WHERE skipped IS NOT NULL ORDER BY uri")
    return [(Path(uri).name, reason, loaded) for uri, reason, loaded in rows]


@pytest.mark.parametrize("keys", ["strategy: append", "strategy: append, on_error: reject", "strategy: truncate_load"])
def test_the_others_are_loaded_and_the_bad_one_is_reported_and_tried_again(on: Project, keys: str) -> None:
    put(on, a_csv=GOOD, b_csv_gz=CUT)
    text = steps(f"{keys}, on_bad_file: skip")

    result = on.ok(text)

    assert ids(on) == [1]
    assert "1 skipped as bad" in result.steps[0].message
    (event,) = result.skipped_files
    assert (event.table, event.uri.endswith("b.csv.gz")) == ("t", True)
    assert "damaged" in event.reason or "cannot be unpacked" in event.reason
    assert skipped_rows(on) == [("b.csv.gz", event.reason, 0)]
    logged = on.execute("SELECT log_level, message FROM ingestion_logs WHERE message LIKE 'skipped%'")
    assert [(level, "b.csv.gz" in message) for level, message in logged] == [("WARNING", True)]

    again = on.ok(text)
    assert len(again.skipped_files) == 1
    assert len(skipped_rows(on)) == 1

    put(on, b_csv_gz=gzip.compress(b"id\n2\n"))
    assert on.ok(text).skipped_files == ()
    assert ids(on) == [1, 2]
    assert skipped_rows(on) == []


def test_without_the_key_the_load_fails_and_harms_nothing(on: Project) -> None:
    put(on, a_csv=GOOD)
    on.ok(steps("strategy: append"))
    put(on, b_csv=b"id\n3\n", c_csv_gz=CUT)

    error = on.run(steps("strategy: append")).errors["t"]

    assert isinstance(error, BadFileError)
    assert "c.csv.gz" in str(error)
    assert ids(on) == [1]


@snowflake_is_long
def test_when_no_file_is_left_the_load_fails(on: Project) -> None:
    put(on, b_csv_gz=CUT, c_csv_gz=CUT)

    result = on.run(steps("on_bad_file: skip"))

    assert isinstance(result.errors["t"], BadFileError)


def test_a_file_that_breaks_the_contract_is_no_bad_file(on: Project) -> None:
    put(on, a_csv=GOOD, b_csv=b"other\n1\n")

    error = on.run(steps("on_bad_file: skip")).errors["t"]

    assert isinstance(error, SourceError)
    assert "b.csv" in str(error)


@snowflake_is_long
def test_a_bad_record_is_no_bad_file(on: Project) -> None:
    put(on, a_csv=GOOD, b_csv=b"id\nx\n")

    assert "b.csv" in str(on.run(steps("on_bad_file: skip")).errors["t"])
    on.ok(steps("on_bad_file: skip, on_error: reject"))
    assert ids(on) == [1]


def test_parquet_in_name_only(on: Project) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    out = io.BytesIO()
    pq.write_table(pa.table({"id": pa.array([7], pa.int64())}), out)
    put(on, a_parquet=out.getvalue(), b_parquet=b"nothing of the kind", c_parquet=out.getvalue()[:-20])

    result = on.ok(steps("strategy: append, on_bad_file: skip", "uri: in, format: {type: parquet}"))

    assert ids(on) == [7]
    assert sorted(Path(event.uri).name for event in result.skipped_files) == ["b.parquet", "c.parquet"]


def test_an_archived_object(on: Project, s3: S3, monkeypatch: pytest.MonkeyPatch) -> None:
    settings = {"ACCESS_KEY_ID": "testing", "SECRET_ACCESS_KEY": "testing", "DEFAULT_REGION": "us-east-1"}
    for name, value in {**settings, "ENDPOINT_URL": s3.endpoint}.items():
        monkeypatch.setenv(f"AWS_{name}", value)
    bucket = s3.bucket()
    for name in ("in/a.csv", "in/c.csv", "in/d.csv"):
        s3.client.put_object(Bucket=bucket, Key=name, Body=GOOD)
    for name in ("in/b.csv", "in/e.csv"):
        s3.client.put_object(Bucket=bucket, Key=name, Body=GOOD, StorageClass="GLACIER")
    source = f'uri: "s3://{bucket}/in/", format: {{type: csv}}'

    error = on.run(steps("strategy: append", source)).errors["t"]
    assert "in/b.csv" in str(error) or "in/e.csv" in str(error)  # files are fetched side by side
    assert "on_bad_file: skip" in str(error)

    result = on.ok(steps("strategy: append, on_bad_file: skip", source))
    assert ids(on) == [1, 1, 1]
    assert [event.uri[-8:] for event in result.skipped_files] == ["in/b.csv", "in/e.csv"]


@snowflake_is_long
def test_a_resumed_run_tries_again(on: Project) -> None:
    put(on, a_csv=GOOD, b_csv_gz=CUT)
    check = "{id: c, type: check, table: t, suite: [{expect_table_row_count_to_be_between: {min_value: 2}}]}"
    text = steps("strategy: append, on_bad_file: skip")[:-1] + f", {check}]"
    assert not on.run(text).ok
    put(on, b_csv_gz=gzip.compress(b"id\n2\n"))

    load(on.root / "p.yaml").run(resume=True)

    assert ids(on) == [1, 2]


def test_the_run_shows_it(tmp_path: Path) -> None:
    project(tmp_path, steps("strategy: append, on_bad_file: skip"))
    (tmp_path / "in").mkdir()
    (tmp_path / "in/a.csv").write_bytes(GOOD)
    (tmp_path / "in/b.csv.gz").write_bytes(CUT)

    shown = {flag: cli(tmp_path, "run", "p.yaml", *flag, code=0).stdout for flag in ((), ("--quiet",), ("--json",))}

    assert "1 bad file skipped; the next run tries again" in shown[()]
    assert all("b.csv.gz" in text for text in shown.values()), shown
    assert "skipped" in (tmp_path / "logs/ingestion.log").read_text()


def test_the_key_is_known_and_its_values_are_checked(tmp_path: Path) -> None:
    path = project(tmp_path, steps("on_bad_file: ignore"))
    assert any("on_bad_file" in line for line in problems(path))
    assert FileSkipped.__doc__
