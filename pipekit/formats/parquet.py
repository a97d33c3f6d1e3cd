"""``type: parquet``."""

from __future__ import annotations

from typing import Literal

from pipekit.formats.base import FileFormat, FormatType


class ParquetFormat(FileFormat):
    """Parquet files describe themselves: there are no keys."""

    type: Literal["parquet"]


FORMAT = FormatType("parquet", ParquetFormat)
