"""``type: avro``: Avro object container files, which carry their own schema."""

from __future__ import annotations

import sys
import zlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Literal

from pipekit.formats.base import FileFormat, FormatType, Records, batched
from pipekit.formats.columns import column_of


class AvroFormat(FileFormat):
    """Avro files describe themselves: there are no keys."""

    type: Literal["avro"]


def read_avro(form: AvroFormat, path: Path) -> Iterator[Records]:
    """The records of a file.

    Raises:
        ValueError: It is not such a file, is damaged, or its records are not records but single values.
    """
    import fastavro

    with path.open("rb") as stream:
        try:
            records = fastavro.reader(stream)
            names = _names(records.writer_schema)
            given = False
            for batch in batched(records):
                given = True
                yield _records(names, batch)
            if not given:
                yield _records(names, [])
        except OverflowError as error:
            raise ValueError(f"it holds a time outside of the years 1 to 9999, or is damaged: {error}") from error
        except _damage() as error:
            raise ValueError(f"the Avro data is damaged: {error}") from error


def _damage() -> tuple[type[Exception], ...]:
    """What reading damaged Avro data raises: by the reader, and by the codecs that it uses."""
    import lzma

    from fastavro.schema import SchemaParseException, UnknownType

    codecs = {"cramjam": "DecompressionError", "backports.zstd": "ZstdError"}
    others = (getattr(sys.modules.get(module), name, None) for module, name in codecs.items())
    known = (EOFError, LookupError, TypeError, zlib.error, lzma.LZMAError, SchemaParseException, UnknownType)
    return (*known, *filter(None, others))


def _names(schema: Any) -> list[str]:
    if not isinstance(schema, dict) or schema.get("type") != "record":
        raise ValueError("its schema is not a record, so it has no columns")
    return [field["name"] for field in schema["fields"]]


def _records(names: Sequence[str], rows: Sequence[Any]) -> Records:
    import pyarrow as pa

    return Records(pa.record_batch([column_of([row[name] for row in rows]) for name in names], names=list(names)))


FORMAT = FormatType("avro", AvroFormat, read_avro)
