"""Loading files into Snowflake: COPY into a temporary landing table, judge there, insert what is good.

COPY rounds fractions, turns one JSON type into another and cannot say what is wrong in the contract's words, so it
only reads: text from CSV and from formats that are read on this machine, VARIANT from JSON and Parquet. The insert into
the table is one statement, inside the caller's transaction, and takes only what keeps the contract; its count shows
whether that was everything.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING

from pipekit.errors import SKIP_FILE, BadFileError, PipekitError
from pipekit.files.path_columns import in_files, path_columns_last
from pipekit.warehouses.contract import FileLoad, PreparedLoad
from pipekit.warehouses.snowflake.carried import prepare_carried
from pipekit.warehouses.snowflake.csv import prepare_csv
from pipekit.warehouses.snowflake.errors import PlaceRefused
from pipekit.warehouses.snowflake.formats import refuse_packed
from pipekit.warehouses.snowflake.json import land_json
from pipekit.warehouses.snowflake.judged import JudgedLoad
from pipekit.warehouses.snowflake.landing import Landing, named_format, refused_names
from pipekit.warehouses.snowflake.parquet import land_parquet
from pipekit.warehouses.snowflake.path_columns import texts_of_paths, with_path_columns
from pipekit.warehouses.snowflake.stages import StagedFiles, refuse_replaced, staged

if TYPE_CHECKING:
    from pipekit.warehouses.snowflake.session import SnowflakeSession

    Reader = Callable[[SnowflakeSession, FileLoad, StagedFiles], AbstractContextManager[PreparedLoad]]
    Land = Callable[[SnowflakeSession, FileLoad, StagedFiles], Landing]


def _judged(land: Land) -> Reader:
    """The reader of a format whose records are all judged in the landing table."""

    @contextmanager
    def read(warehouse: SnowflakeSession, load: FileLoad, files: StagedFiles) -> Iterator[PreparedLoad]:
        texts = texts_of_paths(load)
        landing = land(warehouse, replace(load, source=in_files(load.source)), files)
        yield JudgedLoad(warehouse, load, files, with_path_columns(warehouse, load, files, landing, texts))

    return read


READERS: Mapping[str, Reader] = {"csv": prepare_csv, "json": _judged(land_json), "parquet": _judged(land_parquet)}


@contextmanager
def prepare(warehouse: SnowflakeSession, load: FileLoad) -> Iterator[PreparedLoad]:
    """Land the files of a load.

    Raises:
        BadFileError: A file cannot be read.
        SourceError: A file does not keep the contract.
        TransientError: A file was replaced after it was listed.
    """
    load = replace(load, source=path_columns_last(load.source))
    warehouse.begin_landing()
    if load.source.format.reader is not None:
        with prepare_carried(warehouse, load) as carried:
            yield carried
        return
    refuse_packed(load.source.format, load.files, every=load.on_bad_file == "skip")
    read = READERS[load.source.format.type]
    with ExitStack() as stack:
        files = stack.enter_context(staged(warehouse, load.source, load.files))
        try:
            prepared = stack.enter_context(read(warehouse, load, files))
        except PlaceRefused as error:
            raise _named(warehouse, load, files, error) from error
        refuse_replaced(warehouse, load.source, load.files)
        yield prepared


def _named(warehouse: SnowflakeSession, load: FileLoad, files: StagedFiles, error: PlaceRefused) -> PipekitError:
    """The refusal with the file that it is about: Snowflake does not name it."""
    form, every = named_format(warehouse, load), load.on_bad_file == "skip"
    names = refused_names(warehouse, form, files, list(files.names), every=every)
    hint = f"If it is archived, restore it or move it away. {SKIP_FILE}"
    reason = f"cannot be read: {error.message}"
    found = [BadFileError(reason, file=files.names[name].uri, hint=hint) for name in names]
    return BadFileError.together(found) if found else error
