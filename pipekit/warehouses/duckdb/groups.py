"""Files that are read by one statement, so that many small ones cost little more than one.

Only files of one shape are read together, and only up to a limit, so that memory stays bounded. Their rows go through a
temporary table, where those of each file are counted and numbered.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
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
from pipekit.warehouses.contract import FileLoad
from pipekit.warehouses.duckdb.plan import Plan, is_pattern

if TYPE_CHECKING:
    from pipekit.warehouses.duckdb.session import DuckDBSession

_MOST_FILES = 2_000
_MOST_BYTES = 32 << 20
_ALONE_BYTES = 4 << 20  # a file of this size costs so much more than its statement that nothing is saved


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
    def select(self) -> str:
        """SQL of the values of all; of more than one, with the column ``place``."""
        assert self.one.read is not None
        return self.one.read([plan.path for plan in self.plans.values()])

    @cached_property
    def places(self) -> dict[str, int]:
        """The position of each file by its path, as DuckDB reports it."""
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
    """The rows of one file in the temporary table: all, the good ones, and the number of the first."""

    rows: int
    good: int
    first: int


class Together:
    """The rows of a group in a temporary table; a context that drops it.

    Args:
        warehouse: The session.
        load: What is asked.
        group: Two or more files.
    """

    def __init__(self, warehouse: DuckDBSession, load: FileLoad, group: Group) -> None:
        self._warehouse = warehouse
        self._load = load
        self._group = group
        self._name = f"temp.main.{warehouse.quote(warehouse.scratch(Table(('load',))).name)}"

    @property
    def relation(self) -> str:
        """What is to be judged: the values as read, and a number that counts on from file to file."""
        number = "row_number() OVER ()" if self._load.metadata else "NULL::BIGINT"
        return f"(SELECT {number} AS number, * FROM ({self._group.select}))"

    @contextmanager
    def filled(self, judged: str) -> Iterator[dict[int, Counted] | None]:
        """What there is of each file; ``None`` if the rows of a file are not together.

        Args:
            judged: SQL of ``v0`` to ``vn``, ``number``, ``bad`` and ``place``.
        """
        with still_there(*self._group.files):
            self._warehouse.execute(f"CREATE TEMPORARY TABLE {self._name} AS {judged}")
        yield self._counted()
        self._warehouse.execute(f"DROP TABLE {self._name}")

    def _counted(self) -> dict[int, Counted] | None:
        counts = "count(*), count(*) FILTER (bad = 0), min(number), max(number)"
        rows = self._warehouse.execute(f"SELECT place, {counts} FROM {self._name} GROUP BY place").rows
        found = dict.fromkeys(self._group.plans, Counted(0, 0, 1))
        for place, count, good, first, last in rows:
            if place not in self._group.places or (first is not None and last - first + 1 != count):
                return None
            found[self._group.places[place]] = Counted(count, good, first or 1)
        return found

    def insert(self, into: str, counted: Mapping[int, Counted]) -> None:
        """Insert the good rows of all files.

        Args:
            into: SQL up to the SELECT.
            counted: What there is of each file.

        Raises:
            SourceError: Not all rows were inserted, which cannot be.
        """
        plans, load = self._group.plans, self._load
        values = [f"v{position}" for position in range(len(self._group.one.conversions))]
        relation, params = self._name, []
        if load.metadata:
            values += ["uri", "number - first + 1", "?", "?"]
            listed = "SELECT unnest(?) AS place, unnest(?) AS uri, unnest(?) AS first"
            relation += f" JOIN ({listed}) USING (place)"
            params = [load.loaded_at, load.run_id, [str(plan.path) for plan in plans.values()]]
            params += [[plan.file.uri for plan in plans.values()], [counted[position].first for position in plans]]
        sql = f"{into} SELECT {', '.join(values)} FROM {relation} WHERE bad = 0"
        inserted = self._warehouse.execute(sql, params).rowcount
        if inserted != sum(each.good for each in counted.values()):
            raise SourceError("files changed while they were read", file=load.source.uri, hint="Run again.")
