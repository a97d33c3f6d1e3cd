"""Files as they are fetched: what was read is what the ledger says, and a step that is out of time does not wait."""

from __future__ import annotations

import bz2
import errno
import gzip
import io
import os
from pathlib import Path
from typing import Any

import pytest
from small_projects import project, query, run, run_ok

from pipekit.errors import BadFileError, SourceError
from pipekit.files.decoding import readable
from pipekit.formats.csv import CsvFormat
from pipekit.source import SourceFile

from .conftest import Store
from .test_listing import loaded, pipeline


@pytest.mark.parametrize("pack", [bz2.compress, gzip.compress])
def test_a_second_stream_counts_and_its_damage_is_an_error(tmp_path: Path, pack: Any) -> None:
    suffix = "bz2" if pack is bz2.compress else "gz"
    file = tmp_path / "in" / f"a.csv.{suffix}"
    file.parent.mkdir()
    one, two = pack(b"id\n1\n"), pack(b"2\n3\n")
    path = project(tmp_path, pipeline("in"))
    file.write_bytes(one + two)
    run_ok(path)
    assert loaded(tmp_path) == [1, 2, 3]

    for damaged in (one + bytes(4) + two[4:], one + two[:-4], one + b"rubbish", one[:-2]):
        file.write_bytes(damaged)
        error = run(path).errors["t"]
        assert isinstance(error, SourceError)
        assert "damaged or cut off" in str(error)
        assert loaded(tmp_path) == [1, 2, 3]


@pytest.mark.parametrize("strategy", ["append", "truncate_load"])
def test_an_object_replaced_after_the_listing_is_loaded_once_and_as_it_is(
    store: Store, tmp_path: Path, strategy: str
) -> None:
    bucket = store.bucket(**{"in__a.csv": "id\n1\n"})
    new = {"in/a.csv": "id\n2\n3\n"}
    path = project(tmp_path, pipeline(f"s3://{bucket}/in/", step=f", strategy: {strategy}"))
    store.after_listing = lambda: store.put(bucket, new)

    result = run_ok(path)
    run_ok(path)

    assert result.steps[0].attempt == 2, "the first try saw another object than it had listed"
    assert loaded(tmp_path) == [2, 3]
    assert query(tmp_path, "SELECT DISTINCT size_bytes FROM ingestion_files") == [(len("id\n2\n3\n"),)]


def test_one_request_fetches_an_object(store: Store, tmp_path: Path) -> None:
    bucket = store.bucket(**{f"in__{number}.csv": f"id\n{number}\n" for number in range(20)})
    store.gets.clear()

    run_ok(project(tmp_path, pipeline(f"s3://{bucket}/in/")))

    assert loaded(tmp_path) == list(range(20))
    assert store.gets == ["GET"] * 20


def test_a_step_that_is_out_of_time_does_not_wait_for_a_store(store: Store, tmp_path: Path) -> None:
    bucket = store.bucket(**{"in__a.csv": "id\n1\n"})
    store.wait = 30

    result = run(project(tmp_path, pipeline(f"s3://{bucket}/in/", step=", timeout: 1s, retries: 0")))

    assert "timed out" in str(result.errors["t"])
    assert not store.let_go, "the run waited for the object"


def test_a_step_that_is_out_of_time_while_records_are_split_is_no_bug(tmp_path: Path) -> None:
    body = b"id\r\n" + b"".join(b"%d\n" % number for number in range(600_000))
    (tmp_path / "in").mkdir()
    (tmp_path / "in/a.csv").write_bytes(body)

    result = run(project(tmp_path, pipeline("in", step=", timeout: 1s, retries: 0")))

    assert result.ok or "timed out" in str(result.errors["t"])


class FailingDisk(io.BytesIO):
    def seek(self, *_: int) -> int:
        raise OSError(errno.EIO, os.strerror(errno.EIO))


def test_a_disk_that_fails_after_damaged_data_was_found_is_what_is_told() -> None:
    file = SourceFile("a.csv.gz", 10)
    told = pytest.raises(BadFileError, match=f"cannot be read: {os.strerror(errno.EIO)}")
    with told, readable(file, CsvFormat(type="csv"), FailingDisk(b"a,b\n1,x\n")) as stream:
        stream.read()
