"""Stages, their files on S3 or in fakesnow's local folder, and the options of formats."""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from email.utils import formatdate
from functools import cache
from pathlib import Path
from typing import Any

from fakesnow.transforms.stage import LOCAL_BUCKET_PATH, internal_dir
from snowflake.connector.errors import ProgrammingError

_TEXT = r"'(?:[^'\\]|\\.|'')*'"
_GROUP = rf"\((?:[^()']|{_TEXT})*\)"
_OPTION = re.compile(
    rf"\s*,?\s*(?P<name>\w+)\s*=>?\s*(?:(?P<group>\((?:[^()']|{_TEXT}|{_GROUP})*\))"
    rf"|(?P<text>{_TEXT})|(?P<word>\"[^\"]+\"|[\w.]+))",
    re.DOTALL,
)
_ESCAPES = {"n": "\n", "t": "\t", "r": "\r", "0": "\0"}


def unescape(text: str) -> str:
    """The value of a string literal's inside."""
    return re.sub(r"''|\\(.)", lambda m: "'" if m[0] == "''" else _ESCAPES.get(m[1], m[1]), text, flags=re.DOTALL)


def options_of(text: str) -> dict[str, Any]:
    """``NAME = value`` pairs: texts and words as str, ``('a', 'b')`` as list, nested options as dict."""
    found: dict[str, Any] = {}
    position = 0
    text = text.rstrip().rstrip(";")
    while position < len(text.rstrip()):
        match = _OPTION.match(text, position)
        if match is None:
            raise ProgrammingError(msg=f"unexpected {text[position:][:60]!r}", errno=1003, sqlstate="42000")
        found[match["name"].upper()] = _value(match)
        position = match.end()
    return found


def _value(match: re.Match[str]) -> Any:
    if match["text"] is not None:
        return unescape(match["text"][1:-1])
    if match["word"] is not None:
        return match["word"]
    inside = match["group"][1:-1].strip()
    if not inside or inside.startswith("'"):
        return [unescape(part) for part in re.findall(r"'((?:[^'\\]|\\.|'')*)'", inside)]
    return options_of(inside)


def know_internal(duck: Any, name: Sequence[str]) -> None:
    """Let fakesnow, which answers PUT, know an internal stage; one of that name before it goes with its files."""
    shutil.rmtree(internal_dir(".".join(name)), ignore_errors=True)
    duck.execute(
        "INSERT OR REPLACE INTO _fs_global._fs_information_schema._fs_stages (database_name, schema_name, name, type)"
        " VALUES (?, ?, ?, 'INTERNAL')",
        list(name),
    )


def stage_reference(text: str) -> tuple[str, str]:
    """``'@"NAME"/path/'``, with or without quotes, as the stage's name and the path."""
    plain = unescape(text.strip()[1:-1]) if text.strip().startswith("'") else text.strip()
    name, _, path = plain.removeprefix("@").partition("/")
    return name, path


@dataclass(frozen=True)
class StagedFile:
    """A file on a stage.

    Attributes:
        path: Below the stage.
        listed: As LIST names it.
        metadata: As METADATA$FILENAME names it.
        copied: As COPY's result names it.
    """

    path: str
    listed: str
    metadata: str
    copied: str
    size: int
    etag: str
    changed: str


@dataclass(frozen=True)
class Stage:
    """A stage: external with a URL, internal without."""

    name: tuple[str, ...]
    url: str
    format: dict[str, Any]
    session: int | None

    def list(self, path: str) -> list[StagedFile]:
        """The files whose names begin with ``path``, in order."""
        return sorted(self._external(path) if self.url else self._internal(path), key=lambda file: file.path)

    def has(self, path: str) -> bool:
        """Whether there is such a file."""
        return any(file.path == path for file in self.list(path))

    def read(self, path: str) -> bytes:
        """A file's bytes."""
        missing = ProgrammingError(msg=f"Remote file '{path}' was not found.", errno=91016, sqlstate="02000")
        if not self.url:
            local = self._folder / path
            if not local.is_file():
                raise missing
            return local.read_bytes()
        client, bucket, prefix = self._bucket()
        try:
            return client.get_object(Bucket=bucket, Key=prefix + path)["Body"].read()
        except client.exceptions.NoSuchKey:
            raise missing from None
        except client.exceptions.InvalidObjectState:
            # The service's words where it may not read an object; it does not name the object.
            denied = "Failed to access remote file: access denied. Please check your credentials"
            raise ProgrammingError(msg=denied, errno=100183, sqlstate="22000") from None

    def names(self, path: str) -> tuple[str, str]:
        """How metadata and COPY's result name the file at ``path``."""
        if self.url:
            return self._bucket()[2] + path, self.url + path
        return path, path

    @property
    def _folder(self) -> Path:
        return Path(LOCAL_BUCKET_PATH, *self.name)

    def _bucket(self) -> tuple[Any, str, str]:
        bucket, _, prefix = self.url.partition("://")[2].partition("/")
        return _s3(), bucket, prefix

    def _external(self, path: str) -> Iterator[StagedFile]:
        client, bucket, prefix = self._bucket()
        try:
            pages = client.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix + path)
            entries = [entry for page in pages for entry in page.get("Contents", [])]
        except client.exceptions.NoSuchBucket:
            raise ProgrammingError(msg=f"Failure using stage area. Bucket {bucket} not found", errno=91003) from None
        for entry in entries:
            name = entry["Key"][len(prefix) :]
            changed = formatdate(entry["LastModified"].timestamp(), usegmt=True)
            metadata, url = self.names(name)
            yield StagedFile(name, url, metadata, url, entry["Size"], entry["ETag"].strip('"'), changed)

    def _internal(self, path: str) -> Iterator[StagedFile]:
        for file in self._folder.rglob("*"):
            name = file.relative_to(self._folder).as_posix()
            if file.is_file() and name.startswith(path):
                listed = f"{self.name[-1].lower()}/{name}"
                etag = hashlib.md5(file.read_bytes()).hexdigest()
                changed = formatdate(file.stat().st_mtime, usegmt=True)
                yield StagedFile(name, listed, name, name, file.stat().st_size, etag, changed)


@cache
def _s3() -> Any:
    """One client for all stages: clients may be shared by threads, and each reads botocore's descriptions again."""
    import boto3

    return boto3.client(
        "s3",
        endpoint_url=os.environ["EMULATOR_S3"],
        aws_access_key_id="testing",
        aws_secret_access_key="testing",
        region_name="us-east-1",
    )


@dataclass
class Stages:
    """All stages and named formats of the account."""

    formats: dict[tuple[str, ...], dict[str, Any]] = field(default_factory=dict)
    _stages: dict[tuple[str, ...], Stage] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def create(self, stage: Stage, *, replace: bool, lenient: bool) -> bool:
        """Add a stage; say whether it is new."""
        with self._lock:
            if stage.name in self._stages and not replace:
                if lenient:
                    return False
                raise ProgrammingError(msg=f"Object '{stage.name[-1]}' already exists.", errno=2002, sqlstate="42710")
            self._stages[stage.name] = stage
            return True

    def drop(self, name: tuple[str, ...]) -> None:
        """Remove a stage, if it is there."""
        with self._lock:
            self._stages.pop(name, None)

    def drop_session(self, number: int) -> None:
        """Remove the temporary stages of a session."""
        with self._lock:
            self._stages = {name: stage for name, stage in self._stages.items() if stage.session != number}

    def find(self, name: tuple[str, ...]) -> Stage:
        """The stage of that name."""
        if name not in self._stages:
            raise ProgrammingError(
                msg=f"Stage '{'.'.join(name)}' does not exist or not authorized.", errno=2003, sqlstate="02000"
            )
        return self._stages[name]
