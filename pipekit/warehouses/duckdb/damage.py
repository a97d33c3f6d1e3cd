"""A Parquet file that DuckDB cannot read to its end: which file, what is wrong with it, and what to do."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from pipekit.errors import BadFileError, QueryError, TransientError, WarehouseError, short
from pipekit.source import SourceFile

UNREADABLE = "is not a Parquet file that can be read"
_KIND = r"\A(?:[A-Z]\w+ )*(?:Error|TProtocolException): ?"
_FILE = r"\A(?:Failed to read (?:Parquet )?file|Parquet file) \(?[\"'].*?[\"']\)?:? ?"
# What DuckDB says of a file's content without its name; of its own database it says "Database file".
_CONTENT = r"(?<!Database file appears to be )corrupt|Parquet (?:file|metadata)|converted type"
AGAIN = "It is damaged or was not written to its end: fetch it again, or let it be written again."
"""The way out of a damaged file."""


@contextmanager
def as_damage(file: SourceFile, path: Path, what: str = "cannot be read") -> Iterator[None]:
    """Take errors of a statement that does nothing but read one file for errors of the file.

    Args:
        file: As listed.
        path: What DuckDB reads for it.
        what: The beginning of the sentence.
    """
    try:
        yield
    except TransientError:
        raise
    except WarehouseError as error:
        # Other errors of the system, such as a full disk, do not name the file and say nothing of it.
        if isinstance(error, QueryError) or str(path) in error.message or re.search(_CONTENT, error.message):
            text = error.message.partition("\n")[0].strip()
            bare = re.sub(_FILE, "", re.sub(_KIND, "", text)).strip(" :") or text
            raise BadFileError(f"{what}: {short(bare, 200)}", file=file.uri, hint=AGAIN) from error
        raise
