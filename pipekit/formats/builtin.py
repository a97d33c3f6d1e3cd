"""The formats that come with pipekit."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BeforeValidator, SerializeAsAny

from pipekit.formats.avro import AvroFormat, read_avro
from pipekit.formats.base import FileFormat, FormatType
from pipekit.formats.csv import CsvFormat
from pipekit.formats.excel import ExcelFormat, read_excel
from pipekit.formats.fixed_width import FixedWidthFormat, read_fixed_width
from pipekit.formats.json import JsonFormat
from pipekit.formats.parquet import ParquetFormat

BUILT_IN_FORMATS = (
    FormatType("csv", CsvFormat),
    FormatType("json", JsonFormat),
    FormatType("parquet", ParquetFormat),
    FormatType("avro", AvroFormat, read_avro),
    FormatType("excel", ExcelFormat, read_excel),
    FormatType("fixed_width", FixedWidthFormat, read_fixed_width),
)
_BY_NAME = {kind.name: kind for kind in BUILT_IN_FORMATS}


def _built_in(value: Any) -> Any:
    """A mapping as the built-in format that its ``type`` names; the reader of the file gives formats of plugins."""
    if not isinstance(value, dict):
        return value
    kind = _BY_NAME.get(value.get("type", ""))
    if kind is None:
        raise ValueError(f"type: {value.get('type')!r} is not one of {', '.join(_BY_NAME)}")
    return kind.bound(kind.options.model_validate(value))


Format = Annotated[SerializeAsAny[FileFormat], BeforeValidator(_built_in)]
