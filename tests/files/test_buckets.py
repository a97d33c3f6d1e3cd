"""Buckets that keep versions, let the reader pay, are open to all, or stand on another server than Amazon's."""

from __future__ import annotations

from pathlib import Path

import pytest
from small_projects import cli, project, run, run_ok, write

from .conftest import Store
from .test_listing import loaded, pipeline


def versioned(store: Store) -> str:
    """A bucket that keeps versions, with two of one object."""
    bucket = store.bucket()
    store.client.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
    for text in ("id\n7\n8\n9\n", "id\n1\n"):
        store.put(bucket, {"in/a.csv": text})
    return bucket


def public(store: Store, **objects: str) -> str:
    """A bucket that is open to all."""
    bucket = store.bucket(**objects)
    store.client.put_bucket_acl(Bucket=bucket, ACL="public-read")
    for key in objects:
        store.client.put_object_acl(Bucket=bucket, Key=key.replace("__", "/"), ACL="public-read")
    return bucket


@pytest.mark.parametrize("strategy", ["append", "truncate_load"])
def test_of_a_versioned_object_the_version_that_was_listed_is_read_or_none(
    store: Store, tmp_path: Path, strategy: str
) -> None:
    bucket = versioned(store)
    path = project(tmp_path, pipeline(f"s3://{bucket}/in/", step=f", strategy: {strategy}"))
    store.after_listing = lambda: store.put(bucket, {"in/a.csv": "id\n2\n3\n"})

    result = run_ok(path)
    run_ok(path)

    assert result.steps[0].attempt == 2
    assert loaded(tmp_path) == [2, 3]


def test_a_deleted_object_of_a_versioned_bucket_is_no_file(store: Store, tmp_path: Path) -> None:
    """A delete marker hides it: before the run from the listing, after the listing from the reader."""
    bucket = versioned(store)
    store.put(bucket, {"in/b.csv": "id\n2\n"})
    path = project(tmp_path, pipeline(f"s3://{bucket}/in/", step=", retries: 0"))
    run_ok(path)
    assert loaded(tmp_path) == [1, 2]

    store.after_listing = lambda: store.client.delete_object(Bucket=bucket, Key="in/a.csv")
    error = str(run(path).errors["t"])
    assert "gone now" in error
    assert "t still holds the rows it had before" in error
    assert loaded(tmp_path) == [1, 2]

    run_ok(path)
    assert loaded(tmp_path) == [2]


@pytest.mark.parametrize(
    ("wants", "setting"), [("payer", "FSSPEC_S3_REQUESTER_PAYS"), ("nobody", "FSSPEC_S3_ANON")], ids=["payer", "open"]
)
@pytest.mark.parametrize("scheme", ["s3", "s3a"])
def test_a_bucket_whose_reader_pays_and_one_that_is_open_to_all(
    store: Store, tmp_path: Path, wants: str, setting: str, scheme: str
) -> None:
    """Listed and read; without the setting the refusal is an error that names it."""
    bucket = public(store, **{"in__a.csv": "id\n1\n", "in__b.csv": "id\n2\n"})
    project(tmp_path, pipeline(f"{scheme}://{bucket}/in/", step=", retries: 0"))
    store.wants = wants

    refused = cli(tmp_path, "run", "p.yaml", code=1)
    assert "AccessDenied" in refused.stderr + refused.stdout
    assert setting in refused.stderr + refused.stdout

    cli(tmp_path, "run", "p.yaml", code=0, **{setting: "true"})
    assert loaded(tmp_path) == [1, 2]


def test_the_setting_may_stand_in_the_file_of_the_project(store: Store, tmp_path: Path) -> None:
    bucket = public(store, **{"a.csv": "id\n1\n"})
    project(tmp_path, pipeline(f"s3://{bucket}/a.csv", step=", retries: 0"))
    write(tmp_path, ".env", "FSSPEC_S3_ANON=true\n")
    store.wants = "nobody"

    cli(tmp_path, "run", "p.yaml", code=0)

    assert loaded(tmp_path) == [1]


def test_another_server_is_asked_by_path(store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also if it has a name and no number, and is told by ``AWS_ENDPOINT_URL_S3``."""
    bucket = store.bucket(**{"in__a.csv": "id\n1\n"})
    port = store.endpoint.rpartition(":")[2]
    monkeypatch.delenv("AWS_ENDPOINT_URL")
    monkeypatch.setenv("AWS_ENDPOINT_URL_S3", f"http://localhost:{port}")
    path = project(tmp_path, pipeline(f"s3://{bucket}/in/"))
    store.hosts.clear()

    run_ok(path)

    assert store.hosts == {f"localhost:{port}"}
    assert loaded(tmp_path) == [1]
