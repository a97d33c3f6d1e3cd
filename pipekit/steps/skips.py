"""Files that a load goes on without (``on_bad_file: skip``): reported, in the ledger, and tried again by the next run.

A row of the ledger with a reason in ``skipped`` never counts as loaded. It stays until a later run of the step loads
the file, or does not find it any more.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any, Literal, NamedTuple

from pipekit.errors import BadFileError
from pipekit.events import FileSkipped
from pipekit.names import Table
from pipekit.own_tables import LEDGER
from pipekit.source import Listing, SourceFile
from pipekit.step import StepContext, StepResult
from pipekit.steps import ledger

OnBadFile = Literal["fail", "skip"]


class Skipped(NamedTuple):
    """A file that cannot be loaded as a whole, and why."""

    file: SourceFile
    reason: str


def without_bad_files(
    context: StepContext,
    table: Table,
    listed: Listing,
    on_bad_file: OnBadFile,
    attempt: Callable[[Listing, tuple[Skipped, ...]], StepResult],
) -> StepResult:
    """Load the files that can be loaded.

    Args:
        context: The step's context.
        table: The table to load.
        listed: All files.
        on_bad_file: Whether the load goes on without bad files.
        attempt: Loads files in one transaction, given what is skipped; called again when it finds further bad ones.

    Raises:
        BadFileError: A file cannot be loaded, and ``on_bad_file`` is ``fail`` or no other file is left.
    """
    skipped: tuple[Skipped, ...] = ()
    while True:
        bad = {each.file.uri for each in skipped}
        good = Listing((file for file in listed if file.uri not in bad), listed.left_out)
        try:
            return attempt(good, skipped)
        except BadFileError as error:
            found = _named(error, good) if on_bad_file == "skip" else ()
            if not found or len(found) == len(good):
                raise
            for each in found:
                context.emit(_event(context, table, each))
            skipped += found


def _named(error: BadFileError, files: Sequence[SourceFile]) -> tuple[Skipped, ...]:
    """Those of the files that the error names."""
    reasons = {each.file: each.reason for each in (error, *error.others)}
    return tuple(Skipped(file, reasons[file.uri]) for file in files if file.uri in reasons)


def _event(context: StepContext, table: Table, skipped: Skipped) -> FileSkipped:
    file = skipped.file
    return FileSkipped(
        step=context.step, table=str(table), uri=file.uri, size_bytes=file.size_bytes, reason=skipped.reason
    )


def record(context: StepContext, table: Table, skipped: Sequence[Skipped]) -> None:
    """Put what this step skips now in the place of what it skipped before."""
    warehouse, names = context.warehouse, ledger.spellings(context, table)
    warehouse.execute(
        f"DELETE FROM {warehouse.quote(LEDGER)} WHERE table_name IN ({', '.join('?' * len(names))})"
        " AND pipeline = ? AND step_name = ? AND skipped IS NOT NULL",
        (*names, context.pipeline, context.step),
    )
    rows = [_row(context, names[0], each) for each in skipped]
    if rows:
        warehouse.insert(LEDGER, list(rows[0]), [tuple(row.values()) for row in rows])


def _row(context: StepContext, table_name: str, skipped: Skipped) -> dict[str, Any]:
    file = skipped.file
    key = ledger.key_of(file, context.project.root)
    return {
        "run_id": context.run_id,
        "pipeline": context.pipeline,
        "step_name": context.step,
        "table_name": table_name,
        "uri": file.shown,
        "size_bytes": file.size_bytes,
        "etag": file.etag,
        "modified_at": file.modified_at,
        "rows_loaded": 0,
        "rows_rejected": 0,
        "loaded_at": datetime.now(UTC),
        "definition_hash": context.definition_hash,
        "replaced_by": context.run_id,  # so that earlier versions of pipekit do not count it either
        "file_key": key,
        "version": ledger.version_of(file),
        "skipped": skipped.reason,
        "key_hash": ledger.number_of(key),
    }


def in_words(skipped: Sequence[Skipped]) -> str:
    """For the step's message; empty if nothing was skipped."""
    if not skipped:
        return ""
    names = ", ".join(each.file.uri for each in skipped[:3]) + (", ..." if len(skipped) > 3 else "")
    return f"; {len(skipped)} skipped as bad: {names}"
