"""``type: parquet``."""

from __future__ import annotations

from typing import Literal

from pipekit.formats.base import FileFormat, FormatType


class ParquetFormat(FileFormat):
    """Parquet files describe themselves.

    Attributes:
        verify_checksums: Whether every page is compared with its checksum; a page without one is refused then.
    """

    type: Literal["parquet"]
    verify_checksums: bool = False

    @property
    def compares_checksums(self) -> bool:
        """The key ``verify_checksums``."""
        return self.verify_checksums


FORMAT = FormatType("parquet", ParquetFormat)
