"""An S3 server that can be told to refuse, to wait, and to replace an object at an awkward moment."""

from __future__ import annotations

import threading
import uuid
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from s3_clients import share_descriptions


class Store:
    """A moto server in this process.

    Attributes:
        refuse: ``403`` or ``503`` for every listing, or empty.
        fails: How requests fail, by ``LIST``, ``HEAD`` and ``GET`` (of an object): an S3 error code, or ``hang``.
        wait: Seconds before an object is handed out.
        let_go: How many requests were answered after all, by ``wait`` or after ``hang``.
        wants: ``payer`` or ``nobody``: it denies what is not marked as paid for, or what is signed.
        hosts: The ``Host`` header of each request.
        after_listing: Called once, after the next listing.
        gets: Requests for objects, by method.
    """

    def __init__(self) -> None:
        from moto.server import DomainDispatcherApplication, create_backend_app
        from werkzeug.serving import make_server

        share_descriptions()
        self._inner = DomainDispatcherApplication(create_backend_app)
        self._server = make_server("127.0.0.1", 0, self._app, threaded=True)
        self.endpoint = f"http://127.0.0.1:{self._server.port}"
        self._done = threading.Event()
        self.reset()
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def reset(self) -> None:
        self._done.set()
        self._done = threading.Event()
        self.let_go = 0
        self.wants = ""
        self.hosts: set[str] = set()
        self.refuse = ""
        self.fails: dict[str, str] = {}
        self.wait = 0.0
        self.after_listing: Callable[[], object] | None = None
        self.gets: list[str] = []

    def _app(self, environ: dict[str, Any], start: Any) -> Any:
        self.hosts.add(environ["HTTP_HOST"])
        listing = "list-type" in environ.get("QUERY_STRING", "")
        if code := self._denial(environ) or self.fails.get("LIST" if listing else environ["REQUEST_METHOD"], ""):
            if code == "hang":
                self._hold(_FOREVER)
                code = "InternalError"
            return _failure(code, environ, start)
        if "list-type" in environ.get("QUERY_STRING", ""):
            if self.refuse:
                code, name = {"403": ("403 Forbidden", "AccessDenied"), "503": ("503 Slow Down", "SlowDown")}[
                    self.refuse
                ]
                start(code, [("Content-Type", "application/xml")])
                return [f"<Error><Code>{name}</Code><Message>as the test wants it</Message></Error>".encode()]
            answer = list(self._inner(environ, start))
            replace, self.after_listing = self.after_listing, None
            if replace:
                replace()
            return answer
        if environ["PATH_INFO"].count("/") > 1:
            self.gets.append(environ["REQUEST_METHOD"])
            if environ["REQUEST_METHOD"] == "GET":
                self._hold(self.wait)
        return self._inner(environ, start)

    def _denial(self, environ: dict[str, Any]) -> str:
        paid = environ.get("HTTP_X_AMZ_REQUEST_PAYER") == "requester"
        signed = "HTTP_AUTHORIZATION" in environ
        return "AccessDenied" if (self.wants == "payer" and not paid) or (self.wants == "nobody" and signed) else ""

    def _hold(self, seconds: float) -> None:
        """Keep a request waiting, at most until the test is over."""
        if seconds and not self._done.wait(seconds):
            self.let_go += 1

    @property
    def client(self) -> Any:
        import boto3

        keys = {"aws_access_key_id": "testing", "aws_secret_access_key": "testing"}
        return boto3.client("s3", endpoint_url=self.endpoint, region_name="us-east-1", **keys)

    def bucket(self, **objects: str) -> str:
        """A new bucket; ``__`` in a keyword stands for a slash."""
        name = f"places-{uuid.uuid4().hex[:12]}"
        self.client.create_bucket(Bucket=name)
        self.put(name, {key.replace("__", "/"): body for key, body in objects.items()})
        return name

    def put(self, bucket: str, objects: dict[str, str]) -> None:
        for key, body in objects.items():
            self.client.put_object(Bucket=bucket, Key=key, Body=body.encode())

    def close(self) -> None:
        self._done.set()
        self._server.shutdown()


# https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html
_STATUS = {
    "AccessDenied": "403 Forbidden",
    "ExpiredToken": "400 Bad Request",
    "InvalidAccessKeyId": "403 Forbidden",
    "RequestTimeTooSkewed": "403 Forbidden",
    "PermanentRedirect": "301 Moved Permanently",
    "NoSuchKey": "404 Not Found",
    "NoSuchBucket": "404 Not Found",
    "InvalidObjectState": "403 Forbidden",
    "InternalError": "500 Internal Server Error",
    "SlowDown": "503 Slow Down",
}


_FOREVER = 50.0  # seconds, for a test


def _failure(code: str, environ: dict[str, Any], start: Any) -> list[bytes]:
    text = f"<Error><Code>{code}</Code><Message>as the test wants it</Message></Error>".encode()
    start(_STATUS[code], [("Content-Type", "application/xml"), ("Content-Length", str(len(text)))])
    return [] if environ["REQUEST_METHOD"] == "HEAD" else [text]


@pytest.fixture(scope="module")
def _running() -> Iterator[Store]:
    store = Store()
    yield store
    store.close()


@pytest.fixture
def store(_running: Store, monkeypatch: pytest.MonkeyPatch) -> Store:
    """The server, with nothing set, and the environment that leads to it."""
    _running.reset()
    settings = {"ACCESS_KEY_ID": "testing", "SECRET_ACCESS_KEY": "testing", "DEFAULT_REGION": "us-east-1"}
    for name, value in {**settings, "ENDPOINT_URL": _running.endpoint, "EC2_METADATA_DISABLED": "true"}.items():
        monkeypatch.setenv(f"AWS_{name}", value)
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")
    return _running
