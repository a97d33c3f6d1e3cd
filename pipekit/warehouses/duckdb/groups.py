"""Files that are read by one statement, so that many small ones cost little more than one.

Only files of one shape are read together, and only up to a limit, so that memory stays bounded. Their rows go through a
temporary table, where those of each file are counted and numbered.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from pipekit.errors import SourceError, WarehouseError
from pipekit.files.local import gone
from pipekit.names import Table
from pipekit.source import SourceFile
from pipekit.warehouses.contract import FileLoad, LoadedFile
from pipekit.warehouses.duckdb.plan import Plan, is_pattern

if TYPE_CHECKING:
    from pipekit.warehouses.duckdb.session import DuckDBSession

_MOST_FILES = 2_000
_MOST_BYTES = 32 << 20
_ALONE_BYTES = 4 << 20  # a file of this size costs so much more than its statement that nothing is saved
_ONLY = 0  # the place of a file that is read alone


@dataclass(frozen=True)
class Group:
    """Files that are read at once; often a single one.

    Attributes:
        plans: How each is read, by its position in the load.
    """

    plans: Mapping[int, Plan]

    @property
    def one(self) -> Plan:
        """The first of them; in what concerns SQL, the others are like it."""
        return next(iter(self.plans.values()))

    @property
    def files(self) -> list[tuple[SourceFile, Path]]:
        """The files and where they are read."""
        return [(plan.file, plan.path) for plan in self.plans.values()]

    @property
    def size(self) -> int:
        """Bytes of what DuckDB reads."""
        return sum(plan.size for plan in self.plans.values())

    @property
    def select(self) -> str:
        """SQL of the values of all, with the column ``place``."""
        assert self.one.read is not None
        select = self.one.read([plan.path for plan in self.plans.values()])
        return select if len(self.plans) > 1 else f"SELECT *, {_ONLY} AS place FROM ({select})"

    @cached_property
    def places(self) -> dict[str | int, int]:
        """The position of each file by its ``place``: of several files the path, as DuckDB reports it."""
        if len(self.plans) == 1:
            return dict.fromkeys([_ONLY], next(iter(self.plans)))
        return {str(plan.path): position for position, plan in self.plans.items()}

    def halves(self) -> tuple[Group, Group]:
        """Two groups of half the files each."""
        plans, middle = iter(self.plans.items()), len(self.plans) // 2
        return Group(dict(islice(plans, middle))), Group(dict(plans))


def grouped(plans: Iterable[tuple[int, Plan]]) -> list[Group]:
    """The files in groups, in the order of their first files.

    Args:
        plans: Positions and plans.
    """
    found: list[dict[int, Plan]] = []
    open_: dict[object, tuple[dict[int, Plan], int]] = {}
    for position, plan in plans:
        size = plan.size
        if plan.read is None or plan.shape is None or size > _ALONE_BYTES or is_pattern(plan.path):
            found.append({position: plan})
            continue
        members, held = open_.get(plan.shape, ({}, 0))
        if not members or len(members) == _MOST_FILES or held + size > _MOST_BYTES:
            members, held = {}, 0
            found.append(members)
        members[position] = plan
        open_[plan.shape] = (members, held + size)
    return [Group(members) for members in found]


@contextmanager
def still_there(*files: tuple[SourceFile, Path]) -> Iterator[None]:
    """A failure because a file is gone is reported as such, whatever the reader said."""
    try:
        yield
    except (WarehouseError, OSError) as error:
        for file, path in files:
            if not path.exists():
                raise gone(file) from error
        raise


class Counted(NamedTuple):
    """The rows of one file in the temporary table.

    Attributes:
        found: Their number by the first bad column; 0 stands for good rows.
        first: The number of the first row.
    """

    found: Mapping[int, int]
    first: int = 1

    @property
    def rows(self) -> int:
        """Good and bad ones."""
        return sum(self.found.values())

    @property
    def good(self) -> int:
        """Rows that are inserted."""
        return self.found.get(0, 0)


class _Part(NamedTuple):
    """Rows of one file with the same first bad column: how many, the lowest and the highest number."""

    rows: int
    first: int | None
    last: int | None


class Together:
    """The rows of a group, read once into a temporary table.

    Args:
        warehouse: The session.
        load: What is asked.
        group: The files.

    Attributes:
        group: The files.
        counted: What there is of each file, by its position in the load; set by ``fill``.
    """

    def __init__(self, warehouse: DuckDBSession, load: FileLoad, group: Group) -> None:
        self.group = group
        self.counted: Mapping[int, Counted] = {}
        self._warehouse = warehouse
        self._load = load
        self._name = f"temp.main.{warehouse.quote(warehouse.scratch(Table(('load',))).name)}"

    @property
    def relation(self) -> str:
        """What is to be judged: the values as read, and a number that counts on from file to file."""
        number = "row_number() OVER ()" if self._load.metadata else "NULL::BIGINT"
        return f"(SELECT {number} AS number, * FROM ({self.group.select}))"

    def fill(self, judged: str) -> bool:
        """Read the files and count their rows; says whether the rows of each file are together.

        Args:
            judged: SQL of ``v0`` to ``vn``, ``number``, ``bad`` and ``place``.
        """
        with still_there(*self.group.files):
            self._warehouse.execute(f"CREATE TEMPORARY TABLE {self._name} AS {judged}")
        counts = "place, bad, count(*), min(number), max(number)"
        found: dict[int, dict[int, _Part]] = {position: {} for position in self.group.plans}
        for place, bad, *part in self._warehouse.execute(f"SELECT {counts} FROM {self._name} GROUP BY place, bad").rows:
            if place not in self.group.places:
                return False
            found[self.group.places[place]][bad] = _Part(*part)
        self.counted = {position: _counted(parts) for position, parts in found.items()}
        return all(_are_together(parts.values()) for parts in found.values())

    def insert(self, into: str) -> dict[int, LoadedFile]:
        """Insert the good rows of all files; says what each gave.

        Args:
            into: SQL up to the SELECT.

        Raises:
            SourceError: Not all rows were inserted, which cannot be.
        """
        plans, load, counted = self.group.plans, self._load, self.counted
        values = [f"v{position}" for position in range(len(self.group.one.conversions))]
        relation, params = self._name, []
        if load.metadata:
            values += ["uri", "number - first + 1", "?", "?"]
            listed = "SELECT unnest(?) AS place, unnest(?) AS uri, unnest(?) AS first"
            relation += f" JOIN ({listed}) USING (place)"
            params = [load.loaded_at, load.run_id, [*self.group.places]]
            params += [[plan.file.shown for plan in plans.values()], [counted[position].first for position in plans]]
        sql = f"{into} SELECT {', '.join(values)} FROM {relation} WHERE bad = 0"
        inserted = self._warehouse.execute(sql, params).rowcount
        if inserted != sum(each.good for each in counted.values()):
            raise SourceError("files changed while they were read", file=load.source.uri, hint="Run again.")
        return {
            position: LoadedFile(plan.file, counted[position].good, counted[position].rows - counted[position].good)
            for position, plan in plans.items()
        }

    def drop(self) -> None:
        """Drop the table, if it was made."""
        self._warehouse.execute(f"DROP TABLE IF EXISTS {self._name}")


def _counted(parts: Mapping[int, _Part]) -> Counted:
    firsts = [part.first for part in parts.values() if part.first is not None]
    return Counted({bad: part.rows for bad, part in parts.items()}, min(firsts, default=1))


def _are_together(parts: Collection[_Part]) -> bool:
    """Whether the numbers of a file's rows, where they have any, leave none out."""
    rows = sum(part.rows for part in parts)
    numbers = [number for part in parts for number in (part.first, part.last) if number is not None]
    return not numbers or max(numbers) - min(numbers) + 1 == rows
