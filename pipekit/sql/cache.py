"""Translations, kept in a folder by content and version, so that a warm run never imports sqlglot."""

from __future__ import annotations

import hashlib
import json
import os
from functools import cache
from pathlib import Path
from tempfile import NamedTemporaryFile

from pipekit.names import Table
from pipekit.sql.dialect import PROJECT_SQL, Dialect
from pipekit.sql.translate import Translated, translate
from pipekit.state import make_private_folder
from pipekit.versions import tested_sqlglot


class Translations:
    """Translations of earlier runs, kept in a folder, and those of this process.

    Looking one up writes nothing; ``keep`` does, so that validation leaves no trace.

    Args:
        folder: Where they are kept; created when needed.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._known: dict[str, Translated] = {}
        self._new: set[str] = set()

    def translate(self, text: str, *, read: Dialect = PROJECT_SQL, write: Dialect) -> Translated:
        """See ``translate``."""
        key = _key(text, read, write)
        translated = self._known.get(key) or _load(self._path(key))
        if translated is None:
            translated = translate(text, read=read, write=write)
            self._new.add(key)
        self._known[key] = translated
        return translated

    def keep(self) -> None:
        """Write the new ones into the folder. If it cannot be written, the next run translates again."""
        while self._new:
            key = self._new.pop()
            _save(self._path(key), self._known[key])

    def _path(self, key: str) -> Path:
        return self._folder / f"{key}.json"


@cache
def _versions() -> str:
    from importlib.metadata import version

    return f"pipekit {version('pipekit')} sqlglot {tested_sqlglot()}"


def _key(text: str, read: Dialect, write: Dialect) -> str:
    parts = (_versions(), write.version, read.name, write.name, text)
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()


def _load(path: Path) -> Translated | None:
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
        reads = frozenset(Table(tuple(parts)) for parts in data["reads"])
        return Translated(data["sql"], reads, tuple(data["unique"]))
    except (OSError, ValueError, KeyError, TypeError):
        return None  # not kept yet, or damaged: translate again


def _save(path: Path, translated: Translated) -> None:
    reads = sorted(table.parts for table in translated.reads)
    data = {"sql": translated.sql, "reads": reads, "unique": translated.unique}
    try:
        make_private_folder(path.parent)
        with NamedTemporaryFile("w", encoding="utf-8", dir=path.parent, suffix=".tmp", delete=False) as file:
            json.dump(data, file)
        os.replace(file.name, path)
    except OSError:
        return  # the next run translates again
