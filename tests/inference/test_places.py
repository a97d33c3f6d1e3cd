"""Files that are elsewhere: a real server that speaks S3."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import pipekit
from pipekit.inference import gather

pytestmark = pytest.mark.long


@pytest.fixture
def bucket(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    import boto3
    from moto.server import ThreadedMotoServer

    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    keys = {"AWS_ACCESS_KEY_ID": "testing", "AWS_SECRET_ACCESS_KEY": "testing", "AWS_DEFAULT_REGION": "us-east-1"}
    for key, value in {"AWS_ENDPOINT_URL": f"http://{host}:{port}", **keys}.items():
        monkeypatch.setenv(key, value)
    client = boto3.client("s3")
    client.create_bucket(Bucket="landing")
    for day in (1, 2):
        body = f"id,n\n{day},2\n{day}0,3\n".encode()
        client.put_object(Bucket="landing", Key=f"shop/dt=2024-01-0{day}/orders-{day}.csv", Body=body)
    client.put_object(Bucket="landing", Key="shop/events.json", Body=b'{"a": 1}\n{"a": 2}\n')
    yield client
    server.stop()


@pytest.mark.usefixtures("bucket")
@pytest.mark.parametrize(
    ("place", "rows"),
    [
        ("s3://landing/shop/", {"load_orders": 4, "load_events": 2}),
        ("s3://landing/shop", {"load_orders": 4, "load_events": 2}),
        ("s3://landing/shop/events.json", {"load_events": 2}),
    ],
)
def test_a_bucket_is_proposed_and_runs(tmp_path: Path, place: str, rows: dict[str, int]) -> None:
    found = pipekit.infer(place, to=tmp_path / "p.yaml")
    (tmp_path / "p.yaml").write_text(found.text, encoding="utf-8")
    result = pipekit.Pipeline.from_file(tmp_path / "p.yaml").run()
    assert result.ok, result.errors
    assert result.rows == rows
    assert ('path: "file://dt={dt}/**"' in found.text) == ("load_orders" in rows)


@pytest.mark.usefixtures("bucket")
def test_of_much_data_a_part_is_looked_at_and_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gather, "MOST_REMOTE_BYTES", 20)
    found = pipekit.infer("s3://landing/shop/", to=tmp_path / "p.yaml")
    assert "# 1 of 2 files were looked at, 14 bytes of 28 bytes: 2 records" in found.text
