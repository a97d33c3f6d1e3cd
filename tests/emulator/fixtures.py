"""Fixtures: a moto server and an emulated Snowflake account, each a process of its own, shared by what a process tests."""

from __future__ import annotations

import atexit
import itertools
import json
import os
import select
import signal
import subprocess
import sys
import urllib.request
import uuid
from collections.abc import Generator, Iterator
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from s3_clients import share_descriptions

_SERVER = Path(__file__).with_name("server.py")
MOTO = """
import socket
from werkzeug.serving import make_server
from moto.server import DomainDispatcherApplication, create_backend_app
server = make_server("127.0.0.1", 0, DomainDispatcherApplication(create_backend_app), threaded=True)
print(server.port, flush=True)
server.serve_forever()
"""
EMULATOR = f"import runpy; runpy.run_path({str(_SERVER)!r}, run_name='__main__')"
# Its standard input ends with the process that started it, however that one ends: no server outlives a test run.
_WITH_PARENT = """
import os, sys, threading
threading.Thread(target=lambda: (sys.stdin.read(), os._exit(0)), daemon=True).start()
"""
_START_SECONDS = 60


def serve(program: str, **environment: str) -> Generator[int, None, None]:
    """Run Python code that prints a port and serves; it ends with the generator, or with this process."""
    process = subprocess.Popen(
        [sys.executable, "-c", _WITH_PARENT + program],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        env={**os.environ, **environment},
    )
    try:
        ready, _, _ = select.select([process.stdout], [], [], _START_SECONDS)
        line = process.stdout.readline() if ready and process.stdout else ""
        if not line.strip().isdigit():
            raise RuntimeError(f"{program.strip()[:60]} did not start")
        yield int(line)
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(10)


@dataclass(frozen=True)
class S3:
    """An emulated S3.

    Attributes:
        endpoint: Its URL.
    """

    endpoint: str

    @property
    def client(self) -> Any:
        """A boto3 client."""
        import boto3

        keys = {"aws_access_key_id": "testing", "aws_secret_access_key": "testing"}
        return boto3.client("s3", endpoint_url=self.endpoint, region_name="us-east-1", **keys)

    def bucket(self) -> str:
        """A new bucket's name."""
        name = f"pipekit-{uuid.uuid4().hex[:12]}"
        self.client.create_bucket(Bucket=name)
        return name

    def upload(self, folder: Path, bucket: str, prefix: str = "") -> str:
        """Put all files of a folder below the prefix; the URI of that place."""
        client = self.client
        for path in sorted(folder.rglob("*")):
            if path.is_file():
                client.put_object(
                    Bucket=bucket, Key=prefix + path.relative_to(folder).as_posix(), Body=path.read_bytes()
                )
        return f"s3://{bucket}/{prefix}"


@dataclass(frozen=True)
class EmulatedSnowflake:
    """An emulated account.

    Attributes:
        port: On 127.0.0.1.
        made: The schemas that were made for targets.
    """

    port: int
    made: list[tuple[str, str]] = field(default_factory=list)

    def control(self, **told: Any) -> Any:
        """Tell the emulator something: ``latency=``, ``faults=[...]``, ``schema=(database, schema)``, ``reset=``.

        ``end_sessions=True`` rolls back and ends what clients left open that are no more. ``expire_sessions=True`` does
        so with sessions whose clients go on, and have to log in again. ``late=`` says after how many seconds a session
        sees what another one committed, unless ``parameters=`` set READ_CONSISTENCY_MODE to GLOBAL.
        """
        request = urllib.request.Request(self._url, json.dumps(told).encode(), {"Content-Type": "application/json"})
        with urllib.request.urlopen(request) as answer:
            return json.load(answer)

    def statements(self) -> list[dict[str, Any]]:
        """What was sent since the last ``reset``: sql, session, tag, and whether it was a repetition."""
        with urllib.request.urlopen(self._url) as answer:
            return json.load(answer)

    @property
    def _url(self) -> str:
        return f"http://127.0.0.1:{self.port}/emulator"

    def target(self, **more: Any) -> dict[str, Any]:
        """The keys of a target on a new schema."""
        schema = f"T{uuid.uuid4().hex[:10].upper()}"
        self.control(schema=("EMULATED", schema))
        self.made.append(("EMULATED", schema))
        return {
            "type": "snowflake",
            "account": "emulated",
            "user": "tester",
            "password": "emulated-password",
            "host": "127.0.0.1",
            "port": self.port,
            "protocol": "http",
            "database": "EMULATED",
            "schema": schema,
            "warehouse": "LOADING",
            **more,
        }


# Each module and conftest.py that imports these fixtures has them again, so that the servers are kept here: starting
# both takes three seconds of CPU. After many modules comes another account, as each statement looks through all tables,
# and those of fixtures stay.
_MODULES_OF_AN_ACCOUNT = 24
_ASKED = itertools.count()


def _kept(program: str, **environment: str) -> int:
    """Start a server that ends with this process; its port."""
    server = serve(program, **environment)
    atexit.register(server.close)
    return next(server)


@cache
def _moto() -> int:
    return _kept(MOTO)


@cache
def _account(number: int, s3_endpoint: str) -> int:
    return _kept(EMULATOR, EMULATOR_S3=s3_endpoint)


@pytest.fixture(scope="session")
def s3() -> S3:
    """A moto server."""
    share_descriptions()
    return S3(f"http://127.0.0.1:{_moto()}")


@pytest.fixture(scope="session")
def emulated(s3: S3) -> EmulatedSnowflake:
    """An emulated Snowflake account whose external stages are on ``s3``."""
    return EmulatedSnowflake(_account(next(_ASKED) // _MODULES_OF_AN_ACCOUNT, s3.endpoint))


@pytest.fixture
def snowflake_account(emulated: EmulatedSnowflake) -> Iterator[EmulatedSnowflake]:
    """The emulated account with nothing set, no fault and no statement counted; after the test its schemas go."""
    emulated.control(reset=True)
    account = EmulatedSnowflake(emulated.port)
    yield account
    account.control(reset=True, drop=account.made)
