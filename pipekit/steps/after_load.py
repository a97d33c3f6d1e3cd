"""``after_load: move`` and ``delete``: what becomes of files whose rows are committed.

What is to be done is written into the ledger with the rows, in the load's own transaction, and done after the commit. A
run that is killed in between leaves it there, and the next one does it first. A file that is no longer the one that was
loaded is left where it is, and so is one of which records were rejected, where it would be deleted: they are nowhere
else in their original form. A file that was loaded before and lies there again is taken away like a new one.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import NamedTuple

from pipekit.clock import at_time
from pipekit.errors import PipekitError
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


class Due(NamedTuple):
    """A row of the ledger whose file is to be moved or deleted."""

    run_id: str
    uri: str
    key: str
    version: str
    action: str
    target: str | None


def settle(
    options: LoadOptions, context: StepContext, table: Table, again: Sequence[SourceFile] = (), *, first: bool = False
) -> str:
    """Do what the ledger says is still to be done; what was done, for the step's message.

    Args:
        options: The step's options.
        context: Its context.
        table: The table that is filled.
        again: Files that are there and need no load, since the table has their rows.
        first: Whether it is what an earlier run left: then the run's lock is taken before.
    """
    if options.after_load is None:
        return ""
    due = _due(context, table)
    due += put_back(options, context, table, again)
    if due and first:
        context.begin()
    done = [action for some in _chunks(due) for action in _all_settled(context, table, some)]
    words = [f"{done.count(action)} {word}" for action, word in _WORDS.items() if action in done]
    if words and first:
        context.note("WARNING", f"{' and '.join(words)} that an earlier run loaded")
    return f"; {', '.join(words)}" if words else ""


_WORDS = {"move": "moved", "delete": "deleted"}
_AT_ONCE = 100


def _chunks(due: Sequence[Due]) -> Iterator[Sequence[Due]]:
    return (due[start : start + _AT_ONCE] for start in range(0, len(due), _AT_ONCE))


def _due(context: StepContext, table: Table) -> list[Due]:
    names = ledger.spellings(context, table)
    marks = ", ".join("?" * len(names))
    rows = context.warehouse.execute(
        f"SELECT run_id, uri, file_key, version, after_load, moved_to FROM {ledger.relation(context)} AS l"
        f" WHERE table_name IN ({marks}) AND pipeline = ? AND step_name = ? AND after_load <> ?"
        " AND settled_at IS NULL ORDER BY loaded_at, uri",
        (*names, context.pipeline, context.step, KEPT),
    ).rows
    return [Due(*row) for row in rows]


def left_behind(options: LoadOptions, context: StepContext, table: Table) -> list[Due]:
    """Files that an earlier run loaded and that the next one moves or deletes before it lists what is there."""
    if options.after_load is None:
        return []
    return [due for due in _due(context, table) if _is_as_loaded(_found(context, due), due)]


def put_back(options: LoadOptions, context: StepContext, table: Table, again: Sequence[SourceFile]) -> list[Due]:
    """What is to be done with files that are there and need no load, since the table has their rows."""
    if options.after_load is None or context.definition_hash == ledger.REPLAYED:
        return []
    by_key = {ledger.key_of(file, context.project.root): file for file in again}
    found = []
    for key, (run_id, rejected) in ledger.newest(context, table, list(by_key)).items():
        file = by_key[key]
        action, target, _ = planned(options, context, LoadedFile(file, 0, rejected))
        if action is not None and action != KEPT:
            found.append(Due(run_id, file.shown, key, ledger.version_of(file), action, target))
    return found


def _found(context: StepContext, due: Due) -> SourceFile | None:
    from pipekit.files.moving import look

    return look(due.uri if scheme_of(due.uri) else str(context.project.root / due.key))


def _is_as_loaded(found: SourceFile | None, due: Due) -> bool:
    return found is not None and ledger.version_of(found) == due.version


def _all_settled(context: StepContext, table: Table, some: Sequence[Due]) -> Iterator[str]:
    """Move or delete files, then note it in the ledger, for all of them at once; what was done with each.

    A file that a killed run has moved without a note is not there any more, and the next run adds the note. That note
    says where the file was to go, so one that goes elsewhere is noted at once.
    """
    notes: list[Due] = []
    for due in some:
        settled, is_done = _settled(context, due)
        if settled is not None and settled.target != due.target:
            _note(context, table, [settled])
        elif settled is not None:
            notes.append(settled)
        if is_done:
            yield due.action
    _note(context, table, notes)


def _settled(context: StepContext, due: Due) -> tuple[Due | None, bool]:
    """Move or delete one file: what the ledger is to say, if that is settled, and whether it was done now."""
    try:
        found = _found(context, due)
        if found is None:
            return due, False
        if not _is_as_loaded(found, due):
            context.note("WARNING", f"{due.uri} is another file than was loaded; it stays where it is")
            return due._replace(action=KEPT, target=None), False
        return due._replace(target=_done(found, due, context.run_id)), True
    except (PipekitError, OSError) as error:
        what = _WORDS[due.action]
        context.note("WARNING", f"{due.uri} is loaded and cannot be {what}; the next run tries again: {error}")
        return None, False


def _done(found: SourceFile, due: Due, run_id: str) -> str | None:
    from pipekit.files.moving import delete, move

    if due.target is None:
        delete(found)
        return None
    return move(found, due.target, run_id).target


def _note(context: StepContext, table: Table, settled: Sequence[Due]) -> None:
    if not settled:
        return
    names = ledger.spellings(context, table)
    one = ", ".join(f"CAST(? AS VARCHAR) AS {name}" for name in ("its_run", "its_key", "its_action", "its_target"))
    values = [value for each in settled for value in (each.run_id, each.key, each.action, each.target)]
    context.warehouse.execute(
        f"UPDATE {context.warehouse.quote(LEDGER)} SET settled_at = ?, after_load = its.its_action,"
        f" moved_to = its.its_target FROM ({' UNION ALL '.join([f'SELECT {one}'] * len(settled))}) AS its"
        f" WHERE table_name IN ({', '.join('?' * len(names))}) AND run_id = its.its_run AND file_key = its.its_key",
        (datetime.now(UTC), *values, *names),
    )


def refuse_rebuild(options: LoadOptions) -> None:
    """Refuse to rebuild a table from files that were moved away or deleted.

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
