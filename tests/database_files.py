"""DuckDB files, read and written without pipekit."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path

import duckdb

_ONE_AT_A_TIME = threading.RLock()


@cache
def _instance(process: int) -> duckdb.DuckDBPyConnection:
    return duckdb.connect()


@contextmanager
def database(path: Path, *, read_only: bool = False) -> Iterator[duckdb.DuckDBPyConnection]:
    """A connection whose one database is that of the file, which is created unless ``read_only``.

    The file is attached to an instance that this process keeps: an instance of its own costs fifteen times as much CPU,
    nearly all of it for the names of DuckDB's own functions. As with an instance of its own, times have the zone of the
    machine until a statement sets another, and after the block nobody has the file open and its log is written into it.
    """
    name = '"' + path.stem.replace('"', '""') + '"'
    mode = " (READ_ONLY)" if read_only else ""
    with _ONE_AT_A_TIME:
        connection = _instance(os.getpid())
        connection.execute(f"ATTACH '{str(path).replace(chr(39), chr(39) * 2)}' AS {name}{mode}")
        try:
            connection.execute(f"USE {name}")
            yield connection
        finally:
            connection.execute("RESET TimeZone")
            connection.execute("USE memory")
            connection.execute(f"DETACH {name}")
