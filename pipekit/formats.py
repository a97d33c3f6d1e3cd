"""File formats: what ``format:`` says in a source."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field


class Model(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


Compression = Literal["auto", "none", "gzip", "zstd", "bz2"]


class CsvFormat(Model):
    """How CSV files are written. Date formats are in Snowflake's notation (``YYYY-MM-DD``, ``AUTO``)."""

    type: Literal["csv"]
    header: bool = True
    delimiter: str = Field(default=",", min_length=1, max_length=1)
    quote: str | None = Field(default='"', max_length=1)
    escape: str | None = Field(default=None, max_length=1)
    encoding: str = "utf-8"
    skip_lines: int = Field(default=0, ge=0)
    null_values: tuple[str, ...] = ("",)
    trim: bool = False
    comment: str | None = Field(default=None, max_length=1)
    date_format: str = "AUTO"
    timestamp_format: str = "AUTO"
    compression: Compression = "auto"


class JsonFormat(Model):
    """How JSON files are written: one document a line, or one array of documents."""

    type: Literal["json"]
    layout: Literal["auto", "lines", "array"] = "auto"
    root: str | None = None
    date_format: str = "AUTO"
    timestamp_format: str = "AUTO"
    compression: Compression = "auto"


class ParquetFormat(Model):
    """Parquet says everything itself."""

    type: Literal["parquet"]


Format = Annotated[CsvFormat | JsonFormat | ParquetFormat, Field(discriminator="type")]
