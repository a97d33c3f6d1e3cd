"""The contract of a materialization. A materialization is a value: a name, a pydantic model of its keys, a function.

It says how new rows reach a table. ``materialize:`` of a step that makes rows and ``strategy:`` of a load name one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Annotated, Any, Generic, Literal, TypeVar

from pydantic import AfterValidator, BaseModel

from pipekit.names import Table
from pipekit.source import Column, Names
from pipekit.step import Project, Statement, StepContext, StepOptions

Kind = Literal["table", "temporary", "view"]
Use = Literal["materialize", "strategy"]
USES: tuple[Use, ...] = ("materialize", "strategy")
KeysT = TypeVar("KeysT")
KeysT_co = TypeVar("KeysT_co", covariant=True)


@dataclass(frozen=True)
class NamesColumns:
    """Marks a key whose values are columns of the new rows: a load checks them against its source's contract."""


ColumnName = Annotated[str | None, NamesColumns()]
"""One column of the new rows, or none."""


def _each_once(names: tuple[str, ...]) -> tuple[str, ...]:
    """The names, if none is given twice; names that differ in case are one column."""
    seen: dict[str, str] = {}
    for name in names:
        if (first := seen.get(name.lower())) is not None:
            what = f"{name!r} twice" if first == name else f"{first!r} a second time, as {name!r}"
            raise ValueError(f"lists the column {what}; remove one")
        seen[name.lower()] = name
    return names


EachOnce = Annotated[Names, AfterValidator(_each_once)]
"""One column, or a list of columns, none of them twice."""
ColumnNames = Annotated[EachOnce, NamesColumns()]
"""One column, or a list of columns, of the new rows."""


@dataclass(frozen=True)
class Move(Generic[KeysT_co]):
    """New rows on their way into a table: what the functions of a materialization are given.

    Attributes:
        context: The step's context.
        new: The table that holds the new rows: a helper, or the table itself where the first rows go straight into it.
        table: The table that readers see.
        columns: The columns to fill, in the engine's case. Empty in ``check``, which comes before the two are compared.
        keys: The values of the materialization's keys.
        statement: The SELECT that gave the new rows; ``None`` where files or Python did.
    """

    context: StepContext
    new: Table
    table: Table
    columns: tuple[str, ...]
    keys: KeysT_co
    statement: Statement | None = None

    def insert(self, where: str = "") -> int:
        """Insert the new rows, or those for which ``where`` holds; it may name them ``new``.

        Returns:
            Rows inserted.
        """
        warehouse = self.context.warehouse
        columns = ", ".join(map(warehouse.quote, self.columns))
        condition = f" WHERE {where}" if where else ""
        sql = (
            f"INSERT INTO {warehouse.quote(self.table)} ({columns})"
            f" SELECT {columns} FROM {warehouse.quote(self.new)} AS new{condition}"
        )
        return warehouse.execute(sql).rowcount or 0


def _no_columns(keys: Any) -> Sequence[Column]:
    return ()


def _not_unique(keys: Any) -> Sequence[str]:
    return ()


def _no_problems(keys: Any, project: Project, table: Table) -> Iterable[tuple[str, str]]:
    return ()


def _never(keys: Any) -> bool:
    return False


@dataclass(frozen=True)
class Materialization(Generic[KeysT]):
    """A way in which new rows reach a table, as a plugin gives it.

    Attributes:
        name: What ``materialize:`` or ``strategy:`` says.
        move: Moves the rows, inside the transaction and before the audit; returns the rows it wrote. DML only: DDL
            would commit. ``None`` with ``remade_as``.
        keys: A pydantic model of the keys that it takes beside those of the step. Other keys are refused, and so is
            a step without a required one.
        uses: Whether ``materialize:`` may name it, ``strategy:``, or both.
        check: Refuses new rows that must not reach the table, by raising; called before a row of the table is touched.
        own_columns: Columns that the move fills by itself and new rows do not have.
        problems: Mistakes in the keys that show beside the rest of the file: pairs of a key and what is wrong with
            it. Called with the keys, the project and the table while the file is validated, so it opens nothing.
        straight: Which new rows may be put into the table as they are, without a move, which saves a copy: ``never``;
            the ``first`` ones, into an empty table; or ``always`` (with ``replaces: all``, once the table is empty).
        replaces: Which rows of the table go: ``nothing``, a ``part``, or ``all``. With ``all`` the ledger forgets
            which files the table was loaded from.
        remade_as: The table or view is rebuilt each time, by one atomic statement; no rows are moved. A view holds no
            rows, so it cannot be audited. For ``materialize:`` only.
        once_per_file: A load reads only files that the table was not loaded from yet.
        unique: Columns by which the rows of the table differ, since the move sees to it; lineage rests on it.
        single: Whether the move with these keys is one statement where the engine has MERGE, so that it needs no
            transaction of its own.
    """

    name: str
    move: Callable[[Move[KeysT]], int] | None = None
    keys: type[BaseModel] = StepOptions
    uses: tuple[Use, ...] = USES
    check: Callable[[Move[KeysT]], None] | None = None
    own_columns: Callable[[KeysT], Sequence[Column]] = _no_columns
    problems: Callable[[KeysT, Project, Table], Iterable[tuple[str, str]]] = _no_problems
    straight: Literal["never", "first", "always"] = "never"
    replaces: Literal["nothing", "part", "all"] = "nothing"
    remade_as: Literal["table", "view"] | None = None
    once_per_file: bool = False
    unique: Callable[[KeysT], Sequence[str]] = _not_unique
    single: Callable[[KeysT], bool] = _never

    def __post_init__(self) -> None:
        if (self.move is None) == (self.remade_as is None):
            raise ValueError(f"the materialization {self.name!r} needs either a move or remade_as")
        if self.remade_as is not None and "strategy" in self.uses:
            raise ValueError(f"the materialization {self.name!r} cannot serve a load: remade_as is for queries")


@dataclass(frozen=True)
class Choice(Generic[KeysT]):
    """A materialization, and the values of its keys: what a step chose.

    Attributes:
        how: The materialization.
        keys: An instance of its ``keys``.
    """

    how: Materialization[KeysT]
    keys: Any = field(default_factory=StepOptions)

    @property
    def own_columns(self) -> tuple[Column, ...]:
        """Columns that the move fills by itself."""
        return tuple(self.how.own_columns(self.keys))

    @property
    def unique(self) -> tuple[str, ...]:
        """Columns by which the rows of the table differ; empty if the move does not see to it."""
        return tuple(self.how.unique(self.keys))

    def check(self, move: Move[Any]) -> None:
        """Refuse new rows that must not reach the table."""
        if self.how.check is not None:
            self.how.check(move)

    def move(self, move: Move[Any]) -> int:
        """Move the rows, and say how many were written."""
        if self.how.move is None:
            raise TypeError(f"{self.how.name} rebuilds the table; it moves no rows")
        return self.how.move(move)
