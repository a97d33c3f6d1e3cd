"""Translations, kept in a folder by content and version, so that a warm run never imports sqlglot."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable, Collection, Sequence
from functools import cache
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import NamedTuple

from pipekit.names import Table
from pipekit.scrubbing import scrub
from pipekit.sql.dialect import PROJECT_SQL, Dialect
from pipekit.sql.semantics import ColumnsOf, Semantics, nothing_known
from pipekit.sql.translate import Translated, translate, types_of
from pipekit.state import make_private_folder
from pipekit.versions import DISTRIBUTION, tested_sqlglot


class _Kept(NamedTuple):
    """A translation, and what stands for the types of the tables that it reads."""

    translated: Translated
    types: str


class Translations:
    """Translations of earlier runs, kept in a folder, and those of this process.

    Looking one up writes nothing; ``keep`` does, so that validation leaves no trace.

    Args:
        folder: Where they are kept; created when needed.
        allowed: What the target allows a query to reach besides tables.
        typing: Types the queries of engines that have no semantics of their own.
    """

    def __init__(self, folder: Path, allowed: Collection[str] = (), typing: Semantics | None = None) -> None:
        self._folder = folder
        self._allowed = tuple(sorted(allowed))
        self._typing = typing
        self._known: dict[str, _Kept] = {}
        self._new: set[str] = set()

    def translate(
        self,
        text: str,
        *,
        read: Dialect = PROJECT_SQL,
        write: Dialect,
        columns_of: ColumnsOf = nothing_known,
        by: Callable[..., Translated] = translate,
    ) -> Translated:
        """See ``translate``. A translation is kept for the types that its tables had; for others it is made again.

        Args:
            text: See ``translate``.
            read: See ``translate``.
            write: See ``translate``.
            columns_of: See ``translate``.
            by: What translates: ``translate``, or ``translate_condition``.
        """
        key = _key(text if by is translate else f"{by.__name__} {text}", read, write, self._allowed)
        found = self._known.get(key) or _load(self._path(key))
        if found is None or found.types != _types(found.translated, columns_of):
            translated = by(text, read=read, write=write, columns_of=columns_of, allowed=self._allowed)
            if self._typing is not None and read.is_project_sql and (write.is_project_sql or write.semantics is None):
                translated = translated._replace(columns=types_of(text, self._typing, columns_of))
            found = _Kept(translated, _types(translated, columns_of))
            self._new.add(key)
        self._known[key] = found
        return found.translated

    @property
    def unproven(self) -> tuple[str, ...]:
        """Functions, in all texts translated so far, whose values are not proven equal on the engine."""
        return tuple(sorted({name for kept in self._known.values() for name in kept.translated.unproven}))

    def keep(self) -> None:
        """Write the new ones into the folder. If it cannot be written, the next run translates again."""
        while self._new:
            key = self._new.pop()
            kept = self._known[key]
            if scrub(kept.translated.sql) == kept.translated.sql:  # else it holds a secret, which is not stored
                _save(self._path(key), kept)

    def _path(self, key: str) -> Path:
        return self._folder / f"{key}.json"


@cache
def _versions() -> str:
    from importlib.metadata import version

    return f"pipekit {version(DISTRIBUTION)} sqlglot {tested_sqlglot()}"


def _key(text: str, read: Dialect, write: Dialect, allowed: Sequence[str]) -> str:
    parts = (_versions(), write.version, read.name, write.name, "reads " + " ".join(allowed), text)
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()


def _types(translated: Translated, columns_of: ColumnsOf) -> str:
    known = {str(table): columns_of(table) for table in translated.reads}
    text = json.dumps({name: dict(columns) if columns else None for name, columns in known.items()}, sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()


def _load(path: Path) -> _Kept | None:
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
        reads = frozenset(Table(tuple(parts)) for parts in data["reads"])
        columns = data["columns"] and tuple((name, kind) for name, kind in data["columns"])
        unique, unproven = tuple(data["unique"]), tuple(data["unproven"])
        return _Kept(Translated(data["sql"], reads, unique, columns, unproven), data["types"])
    except (OSError, ValueError, KeyError, TypeError):
        return None  # not kept yet, or damaged: translate again


def _save(path: Path, kept: _Kept) -> None:
    translated = kept.translated
    data = {
        "sql": translated.sql,
        "reads": sorted(table.parts for table in translated.reads),
        "unique": translated.unique,
        "columns": translated.columns,
        "unproven": translated.unproven,
        "types": kept.types,
    }
    try:
        make_private_folder(path.parent)
        with NamedTemporaryFile("w", encoding="utf-8", dir=path.parent, suffix=".tmp", delete=False) as file:
            json.dump(data, file)
        os.replace(file.name, path)
    except OSError:
        return  # the next run translates again
