"""Parquet files appended to each other, of which readers see the rows of the last one alone.

A file begins and ends with the magic bytes, so where two meet they stand twice:
https://github.com/apache/parquet-format#file-format
A reader goes by the last footer, whose offsets count from the beginning of the last file.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

from pipekit.errors import BadFileError
from pipekit.source import SourceFile

_SEAM = b"PAR1PAR1"
_MAGIC = len(_SEAM) // 2
_TAIL = _MAGIC + 4  # with the length of the footer above it
_FOOTER = re.compile(rb"\x15.\x19", re.DOTALL)  # its first two fields: the version, and the list of the schema
_SMALL = 1 << 20  # a search through so much costs less than to read the footer


def refuse_joined(path: Path, file: SourceFile, end: Callable[[], int]) -> None:
    """Refuse a file that others were put before.

    Args:
        path: The file.
        file: For the error.
        end: Gives the byte behind the last page, by the footer; asked of large files and of those that hold the seam.

    Raises:
        BadFileError: It holds more than its footer lists.
    """
    with path.open("rb") as stream:
        size = stream.seek(0, 2)
        stream.seek(max(size - _TAIL, 0))
        footer = size - _TAIL - int.from_bytes(stream.read(_MAGIC), "little")
        stream.seek(0)
        # The pages of the last file end before its footer, so it begins at most so far behind as is left between them.
        begins = _second(stream.read(size if size <= _SMALL else max(footer - end(), 0) + _TAIL))
    if begins and begins + end() <= footer:
        raise BadFileError(
            f"is several Parquet files in one: another one begins at byte {begins:,}, and only the rows of the "
            "last one could be read",
            file=file.uri,
            hint="Leave each a file of its own; Parquet files cannot be appended to each other.",
        )


def _second(data: bytes) -> int:
    """Where another file begins, behind the footer of the first; 0 if none does."""
    at = data.find(_SEAM)
    while at >= 0:
        length = int.from_bytes(data[at - 4 : at], "little")
        if _FOOTER.match(data, max(at - 4 - length, 0)):
            return at + _MAGIC
        at = data.find(_SEAM, at + 1)
    return 0


def end_of_pages(path: Path) -> int:
    """The byte behind the last page, where no engine is at hand to say it; 0 if the file has none."""
    import pyarrow.parquet as pq

    groups = pq.ParquetFile(path).metadata
    chunks = (
        groups.row_group(row).column(at) for row in range(groups.num_row_groups) for at in range(groups.num_columns)
    )
    starts = ((each.dictionary_page_offset or each.data_page_offset, each) for each in chunks)
    return max((min(start, each.data_page_offset) + each.total_compressed_size for start, each in starts), default=0)
