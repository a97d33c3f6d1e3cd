"""How Snowflake loads records that another function has read on this machine: see ``files.carry``."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from pipekit.files.carry import carried_files
from pipekit.files.path_columns import in_files
from pipekit.formats.base import FileFormat
from pipekit.source import Column
from pipekit.warehouses.contract import FileLoad, PreparedLoad
from pipekit.warehouses.snowflake.casts import Value, foreign
from pipekit.warehouses.snowflake.dialect import text
from pipekit.warehouses.snowflake.judged import JudgedLoad
from pipekit.warehouses.snowflake.landing import NUMBER, Landing, copy_parquet, create_landing
from pipekit.warehouses.snowflake.path_columns import texts_of_paths, with_path_columns
from pipekit.warehouses.snowflake.stages import Stage, StagedFiles

if TYPE_CHECKING:
    from pipekit.warehouses.snowflake.session import SnowflakeSession

_PLACE = {"FILE": "VARCHAR", "ROWNO": "NUMBER(38,0)", "LINE": "NUMBER(38,0)"}
_VERDICTS = {"RAW": "VARCHAR", "WHOLE": "VARCHAR", "AT": "NUMBER(38,0)", "WHY": "VARCHAR"}


@contextmanager
def prepare_carried(warehouse: SnowflakeSession, load: FileLoad) -> Iterator[PreparedLoad]:
    """Read the files here, stage their records, and land them as text.

    Raises:
        SourceError: A file does not keep the contract.
        TransientError: A file was replaced after it was listed.
    """
    all_bad, inner, texts = load.on_bad_file == "skip", in_files(load.source), texts_of_paths(load)
    with carried_files(Path(tempfile.gettempdir()), inner, load.files, load.cancelled, all_bad=all_bad) as carried:
        load = replace(load, files=tuple(each.file for each in carried))
        landing = _land(warehouse, replace(load, source=inner), [each.path for each in carried])
    # The records name their file by its URI.
    files = StagedFiles(Stage("", "", ""), {file.uri: file for file in load.files})
    yield JudgedLoad(warehouse, load, files, with_path_columns(warehouse, load, files, landing, texts))


def _land(warehouse: SnowflakeSession, load: FileLoad, paths: list[Path]) -> Landing:
    values = tuple(_value(column, number, load.source.format) for number, column in enumerate(load.source.columns, 1))
    types = {**_PLACE, **_VERDICTS, **{f"V{number}": "VARCHAR" for number in range(1, len(values) + 1)}}
    landed = create_landing(warehouse, ", ".join(f'"{name}" {kind}' for name, kind in types.items()))
    if paths:
        copy_parquet(warehouse, landed, paths[0].parent, types)
    fields = ", ".join(f"{text(value.column.name)}, {value.text}" for value in values)
    record = f'COALESCE("RAW", TO_JSON(OBJECT_CONSTRUCT_KEEP_NULL({fields})))'
    place = f"IFF(\"LINE\" IS NULL, {NUMBER}, '')"
    return Landing(f"SELECT * FROM {landed}", values, line='"LINE"', place=place, record=record)


def _value(column: Column, number: int, form: FileFormat) -> Value:
    place, refusal = f'"V{number}"', f'IFF("AT" = {number}, "WHY", NULL)'
    more = foreign(column, place, form)
    return Value(column, place, refusal=f"COALESCE({refusal}, {more})" if more else refusal)
