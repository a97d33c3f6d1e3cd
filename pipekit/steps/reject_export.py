"""Rejected records as a file in the format of their source, to be fixed and replayed; and how many there are of each
kind."""

from __future__ import annotations

import codecs
import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path

from pipekit.errors import SourceError, short
from pipekit.files.csv_header import below_separator_line
from pipekit.files.places import local_path
from pipekit.formats.base import FileFormat
from pipekit.formats.csv import CsvFormat
from pipekit.formats.json import JsonFormat
from pipekit.names import Table
from pipekit.source import Source, SourceFile
from pipekit.state import open_private
from pipekit.warehouses.contract import Warehouse

_PACKED = (".gz", ".bz2", ".xz", ".zst", ".zip")
_VALUE = re.compile(r"'(?:[^']|'')*'")
_HINT = "Take the records of `pipekit rejects SPEC --csv`, and write a file of the source's format by hand."


@dataclass(frozen=True)
class RejectGroup:
    """Rejected records of one kind.

    Attributes:
        column: The column whose value is bad; ``None`` if the record as a whole is.
        reason: Why, without the value.
        records: How many there are.
        example: The reason of one of them, with its value.
    """

    column: str | None
    reason: str
    records: int
    example: str


def group_rejects(
    warehouse: Warehouse, table: Table, run_id: str | None, replayed: Collection[str] = ()
) -> list[RejectGroup]:
    """How many records are rejected for each column and reason, the most frequent first.

    Args:
        warehouse: A session.
        table: The table that the load fills.
        run_id: Only those of this run; all if ``None``.
        replayed: Runs whose records were fixed and loaded since, and so are not counted.
    """
    conditions = [*(["run_id = ?"] if run_id else []), *("run_id <> ?" for _ in replayed)]
    where = f" WHERE {' AND '.join(conditions)}" if conditions else ""
    rows = warehouse.execute(
        f"SELECT column_name, reason, count(*) FROM {warehouse.quote(table.beside('_rejects'))}{where}"
        " GROUP BY column_name, reason ORDER BY count(*) DESC, column_name, reason",
        (*([run_id] if run_id else []), *replayed),
    ).rows
    found: dict[tuple[str | None, str], RejectGroup] = {}
    for column, reason, count in rows:
        kind = _VALUE.sub("'...'", reason)
        known = found.get((column, kind), RejectGroup(column, kind, 0, reason))
        found[column, kind] = RejectGroup(column, kind, known.records + count, known.example)
    return sorted(found.values(), key=lambda group: -group.records)


def export_rejects(warehouse: Warehouse, table: Table, source: Source, run_id: str | None, to: Path) -> int:
    """Write the rejected records of one run to a file that the source's format reads.

    Args:
        warehouse: A session.
        table: The table that the load fills.
        source: What it is loaded from.
        run_id: The run; the last one that rejected records if ``None``.
        to: The file, which must not exist.

    Returns:
        How many records it has.

    Raises:
        SourceError: There is none, or the format cannot be written from the records alone.
        OSError: The file cannot be written.
    """
    form = source.format
    if problem := _not_exported(form):
        raise SourceError(problem, kept="Nothing was written.", hint=_HINT)
    rejects = warehouse.quote(table.beside("_rejects"))
    last = f"(SELECT max(run_id) FROM {rejects} WHERE rejected_at = (SELECT max(rejected_at) FROM {rejects}))"
    rows = warehouse.execute(
        f"SELECT DISTINCT source_file, source_line, raw_record FROM {rejects}"
        f" WHERE run_id = {'?' if run_id else last} ORDER BY source_file, source_line, raw_record",
        (run_id,) if run_id else (),
    ).rows
    if not rows:
        raise SourceError("no record was rejected", kept="Nothing was written.")
    lines = [*_above(form, sorted({file for file, _, _ in rows})), *(raw for _, _, raw in rows)]
    with open_private(to, "x", encoding=form.text_encoding or "utf-8") as file:
        file.writelines(f"{line}\n" for line in lines)
    return len(rows)


def _not_exported(form: FileFormat) -> str:
    if isinstance(form, CsvFormat):
        return "a file with skip_footer cannot be written from its records" if form.skip_footer else ""
    if isinstance(form, JsonFormat):
        return "records below a root cannot be written as a document of their own" if form.root else ""
    return f"records of the format {form.type} cannot be written back"


def _above(form: FileFormat, files: Sequence[str]) -> list[str]:
    """What is above the records in the files that they come from: the header, and lines that are skipped.

    Raises:
        SourceError: It cannot be read, or differs from file to file.
    """
    if not isinstance(form, CsvFormat) or not (form.header or form.skip_lines):
        return []
    found = {tuple(_first_lines(form, file)): file for file in files}
    if len(found) > 1:
        named = " and ".join(short(file) for file in list(found.values())[:2])
        raise SourceError(f"the headers of {named} differ", kept="Nothing was written.", hint=_HINT)
    return list(next(iter(found)))


def _first_lines(form: CsvFormat, file: str) -> list[str]:
    path = local_path(file)
    try:
        packed = form.compression not in ("auto", "none") or Path(file).suffix.lower() in _PACKED
        if path is None or packed:
            raise OSError("it is not on this machine, or compressed")
        wanted = below_separator_line(form, SourceFile(file, 0, ""), path).skip_lines + form.heads
        content = path.read_bytes()[:1_000_000]
        text = content.removeprefix(codecs.BOM_UTF8).decode(form.encoding)
    except (OSError, ValueError, LookupError) as error:
        why = f"its header cannot be read: {error}"
        raise SourceError(why, file=file, kept="Nothing was written.", hint=_HINT) from error
    lines = text.splitlines()[:wanted]
    return [line.rstrip("\r") for line in lines]
