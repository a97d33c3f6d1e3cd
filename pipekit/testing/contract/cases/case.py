"""What loading promises, as data: files, a source, and what comes of it. Every warehouse runs the same cases.

A case names the rows that are loaded. ``rejects`` are the bad records, as line, column (``None``: the record as a
whole) and words of the reason. With ``on_error: reject`` the rows are loaded and the rejects set aside; with
``fail`` the first reject is the error and nothing is loaded. ``error`` are words of an error in both modes.
"""

from __future__ import annotations

import bz2
import datetime as dt
import gzip
import io
import lzma
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

Row = tuple[Any, ...]
Reject = tuple[int | None, str | None, str]


@dataclass(frozen=True)
class LoadCase:
    """One promise.

    Attributes:
        id: For the test's name.
        files: Name and bytes.
        format: The source's ``format``.
        columns: The source's ``columns``.
        rows: The good rows, in any order.
        rejects: The bad records, in file order.
        error: Words that the error must hold; then nothing is loaded in either mode.
        more: Other keys of the source.
    """

    id: str
    files: Mapping[str, bytes]
    format: Mapping[str, Any]
    columns: Mapping[str, Any]
    rows: tuple[Row, ...] = ()
    rejects: tuple[Reject, ...] = ()
    error: tuple[str, ...] = ()
    more: Mapping[str, Any] = field(default_factory=dict)

    def __str__(self) -> str:
        return self.id


def xlsx() -> bytes:
    """The beginning of an Excel workbook."""
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w") as archive:
        archive.writestr("[Content_Types].xml", "<Types/>")
    return data.getvalue()


# Files under a wrong name, by the words of the id: their bytes, and words of the error.
OTHER_KINDS = {
    "gzip_data": (gzip.compress(b"a,b\n1,x\n"), "gzip data", "compression: gzip"),
    "bz2_data": (bz2.compress(b"a,b\n1,x\n"), "bz2 data", "compression: bz2"),
    "zstd_data": (b"\x28\xb5\x2f\xfd\x04\x00\x41\x00\x00", "zstd data", "compression: zstd"),
    "xz_data": (lzma.compress(b"a,b\n1,x\n"), "xz data", "compression: xz"),
    "a_zip_archive": (b"PK\x03\x04" + b"\x00" * 26 + b"a.csv", "a zip archive", "compression: zip"),
    "an_Excel_workbook": (xlsx(), "an Excel workbook", "type: excel"),
    "a_Parquet_file": (b"PAR1\x15\x04\x15", "a Parquet file", "type: parquet"),
    "an_HTML_page": (b"<!DOCTYPE html>\n<html></html>", "an HTML page", "error page"),
    "an_error_or_a_page_in_XML": (
        b"<?xml version='1.0'?>\n<Error><Code>AccessDenied</Code></Error>",
        "an error or a page in XML",
        "error of",
    ),
    "a_pointer_of_Git_LFS": (
        b"version https://git-lfs.github.com/spec/v1\noid sha256:aa\nsize 9\n",
        "a pointer of Git LFS",
        "git lfs pull",
    ),
    "a_bulk_request_of_Elasticsearch": (
        b'{"index":{"_id":"1"}}\n{"a":1,"b":"x"}\n',
        "a bulk request of Elasticsearch",
        "action lines",
    ),
    "a_bulk_request_without_ids": (
        b'{"create":{}}\n{"a":1,"b":"x"}\n',
        "a bulk request of Elasticsearch",
        "action lines",
    ),
}
CSV = {"type": "csv"}
JSON = {"type": "json"}
PARQUET = {"type": "parquet"}
AB = {"a": "integer", "b": "varchar"}
UTC = dt.UTC
# Words of the errors of files whose columns are not those that are declared.
MISSING = "the declared column 'b' is missing"
UNDECLARED = ("Declare it under sources.given.columns, or set `on_extra: ignore`.",)
TZ = dt.datetime(2024, 12, 31, 21, 30, tzinfo=UTC)
NTZ = dt.datetime(2024, 12, 31, 23, 30)
EPOCH = dt.datetime(1970, 1, 1)


def csv_case(
    id: str, data: bytes, rows: tuple[Row, ...] = (), rejects: tuple[Reject, ...] = (), **more: Any
) -> LoadCase:
    """A case of one file."""
    form = {**CSV, **more.pop("format", {})}
    columns = more.pop("columns", AB)
    return LoadCase(f"csv_{id}", {more.pop("name", "a.csv"): data}, form, columns, rows, rejects, **more)


def json_case(
    id: str, data: bytes, rows: tuple[Row, ...] = (), rejects: tuple[Reject, ...] = (), **more: Any
) -> LoadCase:
    """A case of one file."""
    form = {**JSON, **more.pop("format", {})}
    columns = more.pop("columns", AB)
    return LoadCase(f"json_{id}", {more.pop("name", "a.json"): data}, form, columns, rows, rejects, **more)
