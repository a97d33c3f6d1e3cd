"""What a step would do if it ran now: its status, why, its files, and what becomes of its table.

A step type's ``outlook`` decides by the same functions as its ``run``, and writes nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal

from pipekit.events import SUCCEEDED

Change = Literal["new", "changed", "unchanged", "vanished"]
Fate = Literal["created", "replaced", "emptied and filled", "changed in part", "kept"]


@dataclass(frozen=True)
class PlannedFile:
    """A file of a load.

    Attributes:
        uri: Its path in the project, or its URI, as it may be shown.
        size_bytes: Its size, where it is known.
        change: Compared with what the table was loaded from.
        is_read: Whether the load would read it.
        problem: What is wrong with its header; empty if nothing is, or it was not looked at.
    """

    uri: str
    size_bytes: int | None
    change: Change
    is_read: bool
    problem: str = ""


@dataclass(frozen=True)
class LeavingFile:
    """A file that ``after_load`` moves or deletes.

    Attributes:
        uri: Its path in the project, or its URI, as it may be shown.
        action: ``move`` or ``delete``.
        target: Where it goes; ``None`` if it is deleted.
        loaded: Whether it is in the table already, from an earlier run.
    """

    uri: str
    action: str
    target: str | None
    loaded: bool


@dataclass(frozen=True)
class PlannedTable:
    """What becomes of the table of a step.

    Attributes:
        name: As the pipeline file spells it.
        fate: ``created``, ``replaced`` by a new one, ``emptied and filled``, ``changed in part`` (old rows go, others
            stay), or ``kept`` (no row goes).
        kind: ``table`` or ``view``.
        rows_at_risk: Rows that are there now and are replaced; ``None`` if none are, or they are not counted.
        columns: The columns of a table that is created, where they are known before the run.
        added: Columns that it gets, with their types where these are known.
        dropped: Columns that it loses, since it is rebuilt without them.
        ignored: Columns of the new rows that it does not get.
        widened: Columns that get a wider type.
        clustering: How it is clustered now and how the load wants it, if these differ.
    """

    name: str
    fate: Fate
    kind: Literal["table", "view"] = "table"
    rows_at_risk: int | None = None
    columns: tuple[str, ...] = ()
    added: tuple[str, ...] = ()
    dropped: tuple[str, ...] = ()
    ignored: tuple[str, ...] = ()
    widened: tuple[str, ...] = ()
    clustering: str = ""

    @property
    def has_ddl(self) -> bool:
        """Whether the table is made, or its columns or its clustering change."""
        return self.fate == "created" or bool(self.added or self.dropped or self.widened or self.clustering)


@dataclass(frozen=True)
class Outlook:
    """What a step would do.

    Attributes:
        status: With which status it would end, as far as that can be known: SUCCEEDED, UNCHANGED or FAILED.
        reasons: Why, most important first.
        error: Why it would fail.
        files: Of a load: the files that are there, and those that are gone.
        tables: What becomes of its tables.
        leaving: Of a load: files that it moves or deletes.
        notes: What else there is to know.
    """

    status: str = SUCCEEDED
    reasons: tuple[str, ...] = ()
    error: str = ""
    files: tuple[PlannedFile, ...] = ()
    tables: tuple[PlannedTable, ...] = ()
    leaving: tuple[LeavingFile, ...] = ()
    notes: tuple[str, ...] = field(default=())

    def count(self, change: Change) -> tuple[int, int]:
        """How many files have this change, and their bytes."""
        found = [file.size_bytes or 0 for file in self.files if file.change == change]
        return len(found), sum(found)


def in_words(files: Sequence[PlannedFile]) -> str:
    """How many files are new, changed and gone; empty if none is."""
    counts = {change: sum(file.change == change for file in files) for change in ("new", "changed", "vanished")}
    said = [f"{count:,} {change}" for change, count in counts.items() if count]
    total = sum(counts.values())
    return f"{', '.join(said)} file{'' if total == 1 else 's'}" if said else ""


_DONE = {"move": "moved", "delete": "deleted"}


def leaving_in_words(files: Sequence[LeavingFile]) -> tuple[str, ...]:
    """How many files are moved and deleted, when, and where to; nothing if none is."""
    kinds = {(file.loaded, file.action): None for file in files}
    return tuple(_leaving([file for file in files if (file.loaded, file.action) == kind]) for kind in kinds)


def _leaving(same: Sequence[LeavingFile]) -> str:
    loaded, action = same[0].loaded, same[0].action
    folders = list(dict.fromkeys(f"{file.target.rpartition('/')[0]}/" for file in same if file.target))
    place = f" to {folders[0]}" if folders else ""
    more = f" and {len(folders) - 1:,} other folders" if len(folders) > 1 else ""
    who = f"{len(same):,} file{'' if len(same) == 1 else 's'}" + (" that an earlier run loaded" if loaded else "")
    return f"{who} will be {_DONE[action]}{place}{more}" + ("" if loaded else " after the load")
