"""The formats that come with pipekit."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from pipekit.formats.csv import CsvFormat
from pipekit.formats.json import JsonFormat
from pipekit.formats.parquet import ParquetFormat

Format = Annotated[CsvFormat | JsonFormat | ParquetFormat, Field(discriminator="type")]
