"""Records of any format, carried to any warehouse: one Parquet file of texts per source file.

A format with a function of its own (Excel, Avro, those of plugins) is read on this machine. Its columns are held
against the contract here, its values become text, and each warehouse judges that text by its rules for CSV. So one
rule and one message hold on all of them, and no value is converted twice.

A carried file has these columns: ``FILE``, ``ROWNO`` (the record's number), ``LINE``, ``RAW`` (its text, if the format
gives it), ``WHOLE`` (what is wrong with the record as a whole), ``AT`` and ``WHY`` (the first declared column, from 1,
whose value has a type that does not fit, and the reason) and ``V1`` to ``Vn``, the values of the declared columns.
"""

from __future__ import annotations

import shutil
import tempfile
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipekit.errors import SKIP_FILE, BadFileError, SourceError
from pipekit.files.headers import column_positions
from pipekit.files.listing import refuse_changed
from pipekit.files.local import Fetched, LocalFiles
from pipekit.files.values import texts_of
from pipekit.files.waiting import one_by_one, refuse_cancelled
from pipekit.formats.base import Records
from pipekit.source import Source, SourceFile
from pipekit.state import make_private_folder

if TYPE_CHECKING:
    import pyarrow as pa


@contextmanager
def carried_files(
    parent: Path,
    source: Source,
    files: Sequence[SourceFile],
    cancelled: threading.Event,
    *,
    all_bad: bool = False,
) -> Iterator[list[Fetched]]:
    """The carried records of each file, in a folder of their own below ``parent`` that goes when the block ends.

    Raises:
        BadFileError: A file cannot be read; with ``all_bad`` the error names all of them.
        SourceError: A file is gone, or its columns do not keep the contract.
        TransientError: A file was replaced after it was listed.
        WarehouseError: The step was cancelled.
    """
    make_private_folder(parent)
    folder = Path(tempfile.mkdtemp(prefix="pipekit_", dir=parent))
    try:
        with LocalFiles(parent, source.format, cancelled, all_bad=all_bad) as local:
            fetched = local.fetch(files)
            carried = [Fetched(each.file, folder / f"{index:06d}.parquet") for index, each in enumerate(fetched)]
            pairs = zip(fetched, carried, strict=True)
            one_by_one([partial(_carry, source, each, to.path, cancelled) for each, to in pairs], all_bad=all_bad)
        yield carried
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _carry(source: Source, given: Fetched, target: Path, cancelled: threading.Event) -> None:
    import pyarrow.parquet as pq

    schema = _schema(len(source.columns))
    number = 0
    with pq.ParquetWriter(target, schema) as writer:
        for records in _read(source, given.file, given.path):
            refuse_cancelled(cancelled)
            writer.write_table(_table(source, given.file, records, number, schema))
            number += records.values.num_rows
    refuse_changed(given.file)


def _read(source: Source, file: SourceFile, path: Path) -> Iterator[Records]:
    form = source.format
    assert form.reader is not None
    try:
        yield from form.reader(form, path)
    except SourceError as error:
        error.place(file.uri)
        raise
    except (ValueError, OverflowError, OSError) as error:
        raise BadFileError(f"cannot be read as {form.type}: {error}", file=file.uri, hint=_AGAIN) from error


_AGAIN = f"If it should be such a file, ask for it to be sent again. {SKIP_FILE}"


def _schema(width: int) -> pa.Schema:
    import pyarrow as pa

    texts, integers = ("FILE", "RAW", "WHOLE", "WHY"), ("ROWNO", "LINE", "AT")
    fields = [(name, pa.string()) for name in texts] + [(name, pa.int64()) for name in integers]
    return pa.schema([*fields, *((f"V{number}", pa.string()) for number in range(1, width + 1))])


def _table(source: Source, file: SourceFile, records: Records, before: int, schema: pa.Schema) -> pa.Table:
    import pyarrow as pa

    values, rows = records.values, records.values.num_rows
    names = list(values.schema.names)
    positions = column_positions(source, file, names, None)
    read = [
        texts_of(
            pa.nulls(rows) if position is None else values.column(position),
            column,
            as_text=source.format.values_are_text,
        )
        for position, column in zip(positions, source.columns, strict=True)
    ]
    if source.format.numbers_are_floats:
        read = [
            (_whole(texts) if column.type.kind == "variant" else texts, refused)
            for (texts, refused), column in zip(read, source.columns, strict=True)
        ]
    for row, (name, reason) in records.cut.items():
        for position, column, (texts, refused) in zip(positions, source.columns, read, strict=True):
            if position is not None and names[position] == name and column.type.kind != "varchar":
                refused.setdefault(row, f"{texts[row].as_py()!r} is cut off: {reason}")
    at, why = _first_refusals([reasons for _, reasons in read], rows)
    nothing = pa.nulls(rows)
    columns = {
        "FILE": pa.array([file.uri] * rows, pa.string()),
        "RAW": nothing if records.texts is None else records.texts,
        "WHOLE": nothing if records.problems is None else records.problems,
        "WHY": pa.array(why, pa.string()),
        "ROWNO": pa.array(range(before + 1, before + rows + 1), pa.int64()),
        "LINE": nothing if records.lines is None else records.lines,
        "AT": pa.array(at, pa.int64()),
        **{f"V{number}": texts for number, (texts, _) in enumerate(read, 1)},
    }
    return pa.table([columns[field.name].cast(field.type) for field in schema], schema=schema)


def _whole(texts: pa.Array) -> pa.Array:
    """JSON in which a whole number has no fraction. Texts are in quotes, and so are none."""
    import pyarrow.compute as pc

    return pc.replace_substring_regex(texts, "^(-?[0-9]+)[.]0$", r"\1")


def _first_refusals(reasons: Sequence[dict[int, str]], rows: int) -> tuple[list[int | None], list[str | None]]:
    """For each record the first column whose value was refused, from 1, and why."""
    at: list[Any] = [None] * rows
    why: list[Any] = [None] * rows
    for number, refused in reversed(list(enumerate(reasons, 1))):
        for row, reason in refused.items():
            at[row], why[row] = number, reason
    return at, why
