"""Loading files into Snowflake: COPY into a temporary landing table, judge there, insert what is good.

COPY rounds fractions, turns one JSON type into another and cannot say what is wrong in the contract's words, so it
only reads: text from CSV, VARIANT from JSON and Parquet. The insert into the table is one statement, inside the
caller's transaction, and takes only what keeps the contract; its count tells whether that was everything.

CSV by ``fail`` lands by a plain COPY, in which Snowflake itself counts the fields. Where each record's file and line
must be known (``reject``, ``metadata``, or to name a bad record) it lands by a COPY with metadata columns; that one
does not count fields, so a second COPY of two columns does.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from pipekit.errors import SourceError
from pipekit.formats import CsvFormat, JsonFormat
from pipekit.source import SourceFile
from pipekit.warehouses.contract import FileLoad
from pipekit.warehouses.snowflake.csv import BadValues, Header, PlainCsvLoad, land_csv, read_headers
from pipekit.warehouses.snowflake.json import land_json
from pipekit.warehouses.snowflake.judged import JudgedLoad
from pipekit.warehouses.snowflake.parquet import land_parquet
from pipekit.warehouses.snowflake.stages import StagedFiles, staged

if TYPE_CHECKING:
    from pipekit.warehouses.snowflake.session import SnowflakeSession


@contextmanager
def prepare(warehouse: SnowflakeSession, load: FileLoad) -> Iterator[PlainCsvLoad | JudgedLoad]:
    """Land the files of a load.

    Raises:
        SourceError: A file does not keep the contract.
    """

    with staged(warehouse, load.source, load.files) as files:
        form = load.source.format
        headers = read_headers(warehouse, load, files) if isinstance(form, CsvFormat) else {}
        if not isinstance(form, CsvFormat) or load.on_error == "reject" or load.metadata:
            yield judged_load(warehouse, load, files, headers)
            return
        try:
            yield PlainCsvLoad(warehouse, load, files, headers)
        except BadValues as bad:
            # The transaction has ended by now, so that helpers may be made to find the record.
            judged_load(warehouse, load, files, headers)
            raise SourceError(bad.reason, column=bad.column, value=bad.value, kept=bad.kept, hint=bad.hint) from bad


def judged_load(
    warehouse: SnowflakeSession, load: FileLoad, files: StagedFiles, headers: dict[SourceFile, Header]
) -> JudgedLoad:
    """Land and judge.

    Raises:
        SourceError: A record or, with ``fail``, a value does not keep the contract.
    """
    form = load.source.format
    if isinstance(form, CsvFormat):
        landing = land_csv(warehouse, load, files, headers, form)
    elif isinstance(form, JsonFormat):
        landing = land_json(warehouse, load, files, form)
    else:
        landing = land_parquet(warehouse, load, files)
    return JudgedLoad(warehouse, load, files, landing)
