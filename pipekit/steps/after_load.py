"""``after_load: move`` and ``delete``: what becomes of files whose rows are committed.

What is to be done is written into the ledger with the rows, in the load's own transaction, and done after the commit. A
run that is killed in between leaves it there, and the next one does it first. A file that is no longer the one that was
loaded is left where it is, and so is one of which records were rejected, where it would be deleted: they stand nowhere
else as they came.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from pipekit.clock import at_time
from pipekit.errors import PipekitError
from pipekit.files.moving import Moved, delete, look, move
from pipekit.files.places import scheme_of
from pipekit.names import Table
from pipekit.own_tables import LEDGER
from pipekit.source import Source, SourceFile
from pipekit.step import Project, StepContext
from pipekit.steps import ledger
from pipekit.steps.load_options import LoadOptions
from pipekit.warehouses.contract import LoadedFile

_S3 = ("s3", "s3a")
KEPT = "kept"
"""Stands in the ledger for a file that was to be moved or deleted and stays."""


def planned(options: LoadOptions, context: StepContext, loaded: LoadedFile) -> ledger.Fate:
    """What is to be done with a file that is loaded, for the ledger."""
    if options.after_load is None or context.definition_hash == ledger.REPLAYED:
        return ledger.STAYS
    if options.move_to is None:
        return (KEPT, None, datetime.now(UTC)) if loaded.rows_rejected else (options.after_load, None, None)
    file = loaded.file
    source, place = context.project.sources[options.source], str(at_time(options.move_to, context.as_of))
    below = file.uri.removeprefix(f"{source.uri.rstrip('/')}/") if file.uri != source.uri else ""
    target = f"{place.rstrip('/')}/{below or file.uri.rpartition('/')[2]}"
    return options.after_load, target if scheme_of(target) else str(context.project.root / target), None


def note_kept(options: LoadOptions, context: StepContext, loaded: Sequence[LoadedFile]) -> None:
    """Say which files are not deleted, since records of them were rejected."""
    kept = [each.file.shown for each in loaded if planned(options, context, each)[0] == KEPT]
    if kept:
        names = ", ".join(kept[:3]) + (", ..." if len(kept) > 3 else "")
        text = f"{len(kept):,} file{'' if len(kept) == 1 else 's'} with rejected records will not be deleted: {names}"
        context.note("WARNING", f"{text}; correct the records, then delete the file yourself")


@dataclass(frozen=True)
class _Due:
    """A row of the ledger whose file is to be moved or deleted."""

    run_id: str
    uri: str
    key: str
    version: str
    action: str
    target: str | None


def settle(options: LoadOptions, context: StepContext, table: Table, *, first: bool = False) -> str:
    """Do what the ledger says is still to be done; what was done, for the step's message.

    Args:
        options: The step's options.
        context: Its context.
        table: The table that is filled.
        first: Whether it is what an earlier run left: then the run's lock is taken before.
    """
    if options.after_load is None:
        return ""
    due = _due(context, table)
    if due and first:
        context.begin()
    done = [each.action for each in due if _settled(context, table, each)]
    words = [f"{done.count(action)} {word}" for action, word in _WORDS.items() if action in done]
    if words and first:
        context.note("WARNING", f"{' and '.join(words)} that an earlier run loaded")
    return f"; {', '.join(words)}" if words else ""


_WORDS = {"move": "moved", "delete": "deleted"}


def _due(context: StepContext, table: Table) -> list[_Due]:
    names = ledger.spellings(context, table)
    marks = ", ".join("?" * len(names))
    rows = context.warehouse.execute(
        f"SELECT run_id, uri, file_key, version, after_load, moved_to FROM {context.warehouse.quote(LEDGER)}"
        f" WHERE table_name IN ({marks}) AND pipeline = ? AND step_name = ? AND after_load <> ?"
        " AND settled_at IS NULL ORDER BY loaded_at, uri",
        (*names, context.pipeline, context.step, KEPT),
    ).rows
    return [_Due(*row) for row in rows]


def _settled(context: StepContext, table: Table, due: _Due) -> bool:
    """Move or delete one file and note it in the ledger; whether it was moved or deleted now."""
    uri = due.uri if scheme_of(due.uri) else str(context.project.root / due.key)
    try:
        found = look(uri)
        if found is not None and ledger.version_of(found) != due.version:
            context.note("WARNING", f"{due.uri} is another file than was loaded; it stays where it is")
            _note(context, table, due, action=KEPT, target=None)
            return False
        moved = _done(uri, found, due, context.run_id) if found is not None else Moved(due.target)
    except (PipekitError, OSError) as error:
        what = _WORDS[due.action]
        context.note("WARNING", f"{due.uri} is loaded and cannot be {what}; the next run tries again: {error}")
        return False
    _note(context, table, due, action=due.action, target=moved.target)
    return found is not None


def _done(uri: str, found: SourceFile, due: _Due, run_id: str) -> Moved:
    if due.target is None:
        delete(found)
        return Moved(None)
    return move(found, due.target, run_id)


def _note(context: StepContext, table: Table, due: _Due, *, action: str, target: str | None) -> None:
    names = ledger.spellings(context, table)
    context.warehouse.execute(
        f"UPDATE {context.warehouse.quote(LEDGER)} SET settled_at = ?, after_load = ?, moved_to = ?"
        f" WHERE table_name IN ({', '.join('?' * len(names))}) AND run_id = ? AND file_key = ?",
        (datetime.now(UTC), action, target, *names, due.run_id, due.key),
    )


def refuse_anew(options: LoadOptions) -> None:
    """Refuse to make a table anew from files that were moved away or deleted.

    Raises:
        PipekitError: The step has ``after_load``.
    """
    if options.after_load is not None:
        raise PipekitError(
            f"--full-refresh would make {options.into} without the rows of files that after_load has taken away",
            kept=f"{options.into} was not touched.",
            hint="Leave the step out (--exclude), or put the files back and take after_load out for this run.",
        )


def problems(options: LoadOptions, project: Project) -> Iterator[tuple[str, str]]:
    """What a source or a place cannot be used for."""
    if options.after_load is None:
        return
    source = project.sources[options.source]
    scheme = scheme_of(source.uri)
    if scheme not in ("", "file", *_S3):
        yield "after_load", f"files are moved and deleted on the local disk and on S3, not at {scheme}:// places"
    elif project.reads_in_place(source):
        yield (
            "after_load",
            "the warehouse reads these files from a stage, and pipekit itself may have no right to change the bucket;"
            " let a rule of the bucket's lifecycle take them away",
        )
    elif options.move_to is not None:
        yield from _wrong_place(options.move_to, source, project)


def _wrong_place(move_to: str, source: Source, project: Project) -> Iterator[tuple[str, str]]:
    on_s3 = scheme_of(source.uri) in _S3
    if (scheme_of(move_to) in _S3) != on_s3 or scheme_of(move_to) not in ("", "file", *_S3):
        yield "move_to", f"files of {source.uri} are moved to another place {'on S3' if on_s3 else 'on the local disk'}"
        return
    place = move_to if scheme_of(move_to) else str(project.root / move_to)
    inside = f"{place.rstrip('/')}/".startswith(f"{source.uri.rstrip('/')}/")
    if inside and (place.rstrip("/") == source.uri.rstrip("/") or any("**" in each for each in source.pattern)):
        yield "move_to", f"the source {source.name} would find the moved files again; name a place beside {source.uri}"
