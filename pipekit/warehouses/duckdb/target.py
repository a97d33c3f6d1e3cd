"""The settings of a DuckDB target. Importing this costs no driver."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator

from pipekit.names import Table, fold
from pipekit.source import Names


class DuckDBTarget(BaseModel):
    """A target of type ``duckdb``.

    Attributes:
        path: The database file, relative to the project's root; made when it is not there.
        schema_name: ``schema`` in the file: where unqualified tables are; made when it is not there.
        allow_file_functions: Functions with which templates may read files, such as ``read_parquet``. Without any,
            DuckDB itself opens no file but the database and the files that loads read.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True, defer_build=True)

    type: Literal["duckdb"] = "duckdb"
    path: str = ".pipekit/warehouse.duckdb"
    schema_name: str = Field(default="main", alias="schema", min_length=1)
    allow_file_functions: Names = ()

    @field_validator("path")
    @classmethod
    def _file(cls, value: str) -> str:
        if re.match(r"\w{2,}:", value):
            raise ValueError(
                f"{value!r} is not the path of a file; a target of type duckdb is a database file on this machine"
            )
        if not value or value.endswith("/"):
            raise ValueError(f"{value!r} is a folder; name the database file, such as {value}warehouse.duckdb")
        return value

    def dataset(self, table: Table, root: Path) -> tuple[str, str]:
        """OpenLineage's name of a table. It has no rule for DuckDB: the namespace is the file."""
        path = root / self.path
        place = (path.stem, self.schema_name)[: 3 - len(table.parts)]
        return f"duckdb://{path}", ".".join(self.column(part) for part in (*place, *table.parts))

    def column(self, name: str) -> str:
        """A name in lower case: DuckDB compares names without it."""
        return fold(name, str.lower)
