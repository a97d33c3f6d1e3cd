"""How one file is read by DuckDB: its columns found by name, its dialect stated in full, nothing guessed.

What DuckDB's readers get wrong was found by trying (``tests/warehouses/duckdb/test_loading.py`` has the cases);
files that could fall into such a hole are read by ``records`` instead.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Hashable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from pipekit.files.local import Fetched
from pipekit.files.records import Record
from pipekit.names import quote_identifier
from pipekit.source import Source, SourceFile
from pipekit.sql.text import quoted
from pipekit.warehouses.duckdb.casts import Conversion

CHUNK = 1 << 20
_PATTERN_SIGN = re.compile(r"[\[*?]")
PLACE = "_pipekit_place"  # the column that names which of several files a record is from


class Plan(NamedTuple):
    """How a file is read.

    Attributes:
        file: As listed.
        path: Its plain local text, or the Parquet file.
        read: Gives SQL of the values of one or more files, ``x0`` to ``xn``, of ``broken`` (it is no record) and
            ``raw`` (its text, where only DuckDB knows it); of more files also of the path of each, ``place``.
            ``None`` when DuckDB cannot be trusted with the file.
        split: The same for records split in Python, in a relation ``records``; ``None`` for Parquet.
        conversions: From ``x0`` to ``xn`` to the declared types.
        source: The contract.
        width: Fields of a record, in CSV.
        layout: ``lines`` or ``array``, in JSON.
        fits: Whether the number of records that DuckDB has read can be right, by the file's bytes.
        parted: Whether bad records may be the header of another table, so that those below it are bad, too.
        broken: Says what is wrong with a record that DuckDB reads and ``broken`` refuses.
        details: SQL of what is asked of each bad record: its text and, where the reader knows them, its line, what is
            wrong with it as a whole, and with its first bad value.
        records: Gives the file's records, split in Python, each time it is called; none for Parquet.
        shape: Files with equal shapes may be read at once; ``None`` is read alone.
        length: Bytes of what DuckDB reads, where they were counted.
    """

    file: SourceFile
    path: Path
    read: Callable[[Sequence[Path]], str] | None
    split: str | None
    conversions: tuple[Conversion, ...]
    source: Source
    width: int = 0
    layout: str = ""
    details: tuple[str, ...] = ("raw",)
    records: Callable[[], Iterator[Record]] = lambda: iter(())
    fits: Callable[[int], bool] = lambda records: True
    parted: Callable[[], bool] = lambda: False
    broken: Callable[[Record], str] = lambda record: "is not a JSON object"
    shape: Hashable = None
    length: int | None = None

    @property
    def size(self) -> int:
        """Bytes of what DuckDB reads; 0 if it is gone, which the reader will report."""
        if self.length is not None:
            return self.length
        try:
            return os.stat(self.path).st_size
        except OSError:
            return 0

    @property
    def select(self) -> str | None:
        """SQL of the file's values."""
        return None if self.read is None else self.read((self.path,))


Planner = Callable[[Fetched], "Plan | None"]
"""Says how to read a file; ``None`` if there is nothing in it."""


def path_text(path: Path) -> str:
    """A string literal by which DuckDB's readers mean this one file, whatever its name; see ``can_be_named``."""
    return quoted(_PATTERN_SIGN.sub(r"[\g<0>]", str(path)))


def is_pattern(path: Path) -> bool:
    """Whether the name holds a sign of DuckDB's patterns."""
    return _PATTERN_SIGN.search(str(path)) is not None


def paths_text(paths: Sequence[Path]) -> str:
    """What DuckDB's readers are given first: one file, or a list of files with the option that says which is which."""
    if len(paths) == 1:
        return path_text(paths[0])
    return f"[{', '.join(map(path_text, paths))}], filename = '{PLACE}'"


def name(value: str) -> str:
    """A quoted identifier, as it is."""
    return quote_identifier(value, str)


def selected(
    values: Iterable[str], broken: str, relation: str, more: str = "NULL AS raw", *, several: bool = False
) -> str:
    named = [(value, f"x{index}") for index, value in enumerate(values)]
    as_they_are = all(value == name for value, name in named)
    listed = "*" if as_they_are else ", ".join(f"{value} AS {name}" for value, name in named)
    return f"SELECT {listed}, {broken} AS broken, {more}{f', {PLACE} AS place' * several} FROM {relation}"
