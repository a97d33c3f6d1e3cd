"""What DuckDB itself may open: the database, and the files that loads read. Everything else is switched off.

SQL of a project is looked at when the file is validated (``pipekit.sql.reach``). These switches are the second wall:
they hold for whatever the statement is, and cannot be switched back while the database is open.
https://duckdb.org/docs/current/operations_manual/securing_duckdb/overview
"""

from __future__ import annotations

import os
import threading
from collections.abc import Sequence
from pathlib import Path

import duckdb

from pipekit.files.places import local_path
from pipekit.source import Source
from pipekit.sql.text import quoted
from pipekit.warehouses.duckdb.plan import path_text

_CLOSING = threading.Lock()  # connections of one process to one file share their settings


class Seal:
    """The places from which DuckDB reads, after ``close_off``; before it, any."""

    def __init__(self) -> None:
        self._places: tuple[str, ...] | None = None
        self._folders: dict[str, bool] = {}

    def close_off(self, connection: duckdb.DuckDBPyConnection, own: Path, sources: Sequence[Source]) -> None:
        """Let DuckDB read the folder ``own`` and the local places of the sources, and nothing else.

        Other connections of this process to the same file share its settings; then those that are set stay.
        """
        places = [os.path.realpath(path) for path in (own, *_local_places(sources))]
        with _CLOSING:
            places = _closed_off(connection, places)
        self._places, self._folders = tuple(places), {}

    def lets_through(self, path: Path) -> bool:
        """Whether DuckDB may read the file where it is; links are followed first, as DuckDB does."""
        if self._places is None:
            return True
        folder, name = os.path.split(path)
        if name in ("", ".", "..") or os.path.islink(path):
            return self._is_within(os.path.realpath(path))
        if folder not in self._folders:  # each is followed once: there may be thousands of files in it
            self._folders[folder] = self._is_within(os.path.realpath(folder))
        return self._folders[folder] or self._is_within(os.path.realpath(path))

    def _is_within(self, real: str) -> bool:
        return any(real == place or real.startswith(os.path.join(place, "")) for place in self._places or ())


def _closed_off(connection: duckdb.DuckDBPyConnection, places: list[str]) -> list[str]:
    """The places that may be read from now on: these, or those of a connection that came first.

    DuckDB compares a place with a name as the statement spells it, so one that holds ``[``, ``*`` or ``?`` is allowed
    in the spelling of its readers too.
    """
    [(open_still, given)] = connection.execute(
        "SELECT current_setting('enable_external_access'), current_setting('allowed_directories')"
    ).fetchall()
    if open_still:
        files = [place for place in places if os.path.isfile(place)]
        folders = [place for place in places if place not in files]
        for setting, values in (("allowed_directories", folders), ("allowed_paths", files)):
            spelt = dict.fromkeys(spelling for value in values for spelling in (quoted(value), path_text(Path(value))))
            connection.execute(f"SET GLOBAL {setting} = [{', '.join(spelt)}]")
        connection.execute("SET GLOBAL autoinstall_known_extensions = false")
        connection.execute("SET GLOBAL autoload_known_extensions = false")
        connection.execute("SET GLOBAL enable_external_access = false")
    else:
        places = list(given)
    return places


def _local_places(sources: Sequence[Source]) -> list[Path]:
    paths = (local_path(source.uri) for source in sources)
    return [path for path in paths if path is not None]
