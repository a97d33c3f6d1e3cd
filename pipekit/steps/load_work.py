"""What a load does with the files that are there: decided here for its run, and for ``plan``."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from pipekit.errors import SourceError
from pipekit.materialize.contract import Materialization, Move
from pipekit.names import Table
from pipekit.source import Column, Listing, Source, SourceFile
from pipekit.step import StepContext
from pipekit.steps import ledger, load_checks, refresh
from pipekit.steps.arrivals import OnChanged
from pipekit.steps.idle import Memory
from pipekit.steps.load_options import LoadOptions
from pipekit.steps.refresh import Fresh
from pipekit.steps.skips import Skipped
from pipekit.warehouses.contract import TableColumn, Warehouse

Work = Literal["nothing", "anew", "new files", "all files"]


@dataclass(frozen=True)
class Load:
    """One load: what its functions share.

    Attributes:
        context: The step's context.
        options: The step's options.
        table: The table that is filled.
        source: The contract of the files.
        skipped: Files that it goes on without.
        anew: The new table that is filled beside the old one and takes its place, if it is rebuilt.
        again: Files that are there and that it need not load, since the table has their rows; filled by its run.
    """

    context: StepContext
    options: LoadOptions
    table: Table
    source: Source
    skipped: tuple[Skipped, ...] = ()
    anew: Fresh | None = None
    again: list[SourceFile] = field(default_factory=list)

    @classmethod
    def of(cls, options: LoadOptions, context: StepContext) -> Load:
        """The load of a step."""
        return cls(context, options, Table.parse(options.into), context.project.sources[options.source])

    @property
    def filled(self) -> Table:
        """The table that the rows go into."""
        return self.anew.table if self.anew else self.table

    @property
    def warehouse(self) -> Warehouse:
        """This worker's session."""
        return self.context.warehouse

    @property
    def how(self) -> Materialization[Any]:
        """The chosen strategy."""
        return self.options.choice.how

    @property
    def declared(self) -> tuple[Column, ...]:
        """The columns of each new row."""
        return load_checks.declared(self.options, self.context.project)

    @property
    def own_columns(self) -> tuple[Column, ...]:
        """The columns that the strategy fills by itself."""
        return self.options.choice.own_columns

    @property
    def rejects(self) -> Table:
        """The table of bad records."""
        return self.table.beside("_rejects")

    def move(self, new: Table, columns: Sequence[str]) -> Move[Any]:
        """The job that the strategy is given."""
        return Move(self.context, new, self.filled, tuple(columns), self.options.choice.keys)

    @property
    def wanted(self) -> list[TableColumn]:
        """The columns of each new row, as the engine has them."""
        fold, type_of = self.warehouse.fold, self.warehouse.type_of
        return [TableColumn(fold(column.name), type_of(column), column.nullable) for column in self.declared]

    @property
    def on_changed(self) -> OnChanged:
        """What is done with a file that came again with other content."""
        return self.options.on_changed or ("replace" if self.options.metadata else "fail")


def look(load: Load) -> tuple[Listing, Memory]:
    """The files that are there, and what this machine remembers of them."""
    listed = load.warehouse.list_files(load.source, load.context.cancelled)
    return listed, Memory(load.context, load.table, listed, load.options)


def work_of(load: Load, listed: Listing) -> Work:
    """What has to be done: make the table anew, load what the ledger does not know, load all, or nothing."""
    context = load.context
    if refresh.is_due(context, load.table, asks_ledger=load.how.once_per_file):
        return "anew"
    if not load.how.once_per_file and _keeps_table(load, listed):
        return "nothing"
    if load.options.when == "changed" and ledger.is_last_load(context, load.table, listed):
        return "nothing"
    return "new files" if load.how.once_per_file else "all files"


def not_among(listed: Listing, files: Iterable[SourceFile]) -> list[SourceFile]:
    """The files of a listing without those."""
    uris = {file.uri for file in files}
    return [file for file in listed if file.uri not in uris]


def _keeps_table(load: Load, listed: Listing) -> bool:
    """Whether there is no file since ``after_load`` took the earlier ones away: the table still stands for these."""
    options = load.options
    if listed or options.after_load is None or options.on_empty == "fail":
        return False
    return load.warehouse.exists(load.table)


def is_all_loaded(load: Load, listed: Listing, files: Sequence[SourceFile]) -> bool:
    """Whether no file is left to load, which is fine; the files are those of the listing that have to be loaded.

    Raises:
        SourceError: There is none at all, and that is an error.
    """
    if listed and not files:
        return True
    if not files and load.options.on_empty == "fail":
        patterns = " or ".join(map(repr, load.source.pattern))
        raise SourceError(f"no file matches {patterns}{left_out(listed)}", file=load.source.uri, hint=EMPTY)
    return _keeps_table(load, listed)


NO_FILE = "no new file; the table is kept"
EMPTY = "If an empty source is fine, set on_empty: allow."


def refuse_without_header(load: Load, files: Sequence[SourceFile]) -> None:
    """Refuse a file of zero bytes that should have a header."""
    if load.options.on_empty == "allow" or not load.source.format.has_header:
        return
    for file in files:
        if file.size_bytes == 0:
            raise SourceError("is empty: not even a header", file=file.uri, hint=EMPTY)


def left_out(listed: Listing) -> str:
    """What lies there and is not read, with the reason, for the message of a load that finds too little."""
    found = [
        f"{len(names)} {why} ({', '.join(names[:3])}{', ...' if len(names) > 3 else ''})"
        for why, names in listed.left_out.items()
    ]
    return f"; left out: {', '.join(found)}" if found else ""


def how_many(files: Sequence[object]) -> str:
    """``1 file``, ``2 files``."""
    return f"{len(files)} file" + ("" if len(files) == 1 else "s")
