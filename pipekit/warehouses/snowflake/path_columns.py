"""Columns whose value is in the path of a file, beside those that COPY has landed."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from pipekit.files.path_columns import path_columns, path_texts
from pipekit.files.waiting import one_by_one
from pipekit.names import Table
from pipekit.source import Column
from pipekit.warehouses.contract import FileLoad
from pipekit.warehouses.snowflake.casts import Value
from pipekit.warehouses.snowflake.landing import Landing
from pipekit.warehouses.snowflake.stages import StagedFiles

if TYPE_CHECKING:
    from pipekit.warehouses.snowflake.session import SnowflakeSession

PathTexts = dict[str, list[str | None]]
"""By the URI of a file."""


def texts_of_paths(load: FileLoad) -> PathTexts:
    """What the paths of the files say.

    Raises:
        BadFileError: A path does not fit.
    """
    calls = [lambda file=file: path_texts(load.source, file) for file in load.files]
    found = one_by_one(calls, all_bad=load.on_bad_file == "skip")
    return {file.uri: texts for file, texts in zip(load.files, found, strict=True)}


def with_path_columns(
    warehouse: SnowflakeSession, load: FileLoad, files: StagedFiles, landing: Landing, texts: PathTexts
) -> Landing:
    """The landing with the path's columns after those in the files."""
    columns = path_columns(load.source)
    if not columns:
        return landing
    names = [f"P{number}" for number in range(1, len(columns) + 1)]
    table = warehouse.scratch(Table(("pipekit_paths",)))
    warehouse.create_table(table, [Column.of(name, "varchar") for name in ("FILE", *names)], temporary=True)
    reported = [str(row[0]) for row in warehouse.execute(f'SELECT DISTINCT "FILE" FROM ({landing.query})').rows]
    if reported:
        warehouse.insert(table, ("FILE", *names), [(name, *texts[files.find(name).uri]) for name in reported])
    given = "".join(f', N."{name}"' for name in names)
    query = f'SELECT R.*{given} FROM ({landing.query}) AS R JOIN {warehouse.quote(table)} AS N ON R."FILE" = N."FILE"'
    values = tuple(Value(column, f'"{name}"') for column, name in zip(columns, names, strict=True))
    return replace(landing, query=query, values=(*landing.values, *values))
