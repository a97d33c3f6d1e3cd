"""CSV that is compressed: whole, damaged, or not as its name says."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import zipfile
from collections.abc import Mapping

from pipekit.testing.contract.cases.case import csv_case


def _zip(members: Mapping[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return buffer.getvalue()


def _zstd(data: bytes) -> bytes:
    import pyarrow as pa

    buffer = pa.BufferOutputStream()
    with pa.CompressedOutputStream(buffer, "zstd") as stream:
        stream.write(data)
    return buffer.getvalue().to_pybytes()  # type: ignore[no-any-return]


PACKED_CASES = (
    csv_case("gzip", gzip.compress(b"a,b\n1,x\n"), ((1, "x"),), name="a.csv.gz"),
    csv_case(
        "gzip_in_two_members",
        gzip.compress(b"a,b\n1,x\n") + gzip.compress(b"2,y\n"),
        ((1, "x"), (2, "y")),
        name="a.csv.gz",
    ),
    csv_case("bz2", bz2.compress(b"a,b\n1,x\n"), ((1, "x"),), name="a.csv.bz2"),
    csv_case("zstd", _zstd(b"a,b\n1,x\n"), ((1, "x"),), name="a.csv.zst"),
    csv_case("xz", lzma.compress(b"a,b\n1,x\n"), ((1, "x"),), name="a.csv.xz"),
    csv_case(
        "xz_in_two_streams_with_padding",
        lzma.compress(b"a,b\n1,x\n") + b"\0" * 8 + lzma.compress(b"2,y\n") + b"\0" * 4,
        ((1, "x"), (2, "y")),
        name="a.csv.xz",
    ),
    csv_case("truncated_xz", lzma.compress(b"a,b\n" + b"1,x\n" * 999)[:-20], error=("a.csv.xz", "xz"), name="a.csv.xz"),
    csv_case(
        "xz_with_a_damaged_second_stream",
        lzma.compress(b"a,b\n1,x\n") + b"rubbish",
        error=("a.csv.xz", "xz"),
        name="a.csv.xz",
    ),
    csv_case("zip", _zip({"in/a.csv": b"a,b\n1,x\n"}), ((1, "x"),), name="a.zip"),
    csv_case(
        "zip_with_what_an_archiver_adds",
        _zip({"in/": b"", "in/a.csv": b"a,b\n1,x\n", "__MACOSX/in/._a.csv": b"?", "in/.DS_Store": b"?"}),
        ((1, "x"),),
        name="a.csv.zip",
    ),
    csv_case("zip_of_two_files", _zip({"1.csv": b"a,b\n", "2.csv": b"a,b\n"}), error=("a.zip", "zip"), name="a.zip"),
    csv_case("zip_of_no_file", _zip({}), error=("a.zip", "zip"), name="a.zip"),
    csv_case("truncated_zip", _zip({"a.csv": b"a,b\n1,x\n" * 99})[:-30], error=("a.zip", "zip"), name="a.zip"),
    csv_case(
        "zip_with_a_wrong_checksum",
        _zip({"a.csv": b"a,b\n1,x\n"}).replace(b"1,x", b"2,x"),
        error=("a.zip", "zip"),
        name="a.zip",
    ),
    csv_case(
        "truncated_gzip", gzip.compress(b"a,b\n" + b"1,x\n" * 999)[:-12], error=("a.csv.gz", "gzip"), name="a.csv.gz"
    ),
    csv_case(
        "gzip_with_a_wrong_checksum",
        gzip.compress(b"a,b\n1,x\n")[:-8] + b"12345678",
        error=("a.csv.gz", "gzip"),
        name="a.csv.gz",
    ),
    csv_case(
        "not_gzip_at_all", b"a,b\n1,x\n", error=("a.csv.gz", "is not gzip data", "compression: none"), name="a.csv.gz"
    ),
    csv_case(
        "zstd_by_the_name_of_gzip",
        _zstd(b"a,b\n1,x\n"),
        error=("a.csv.gz", "is zstd data, not gzip data", "compression: zstd"),
        name="a.csv.gz",
    ),
    csv_case(
        "gzip_within_gzip",
        gzip.compress(gzip.compress(b"a,b\n1,x\n")),
        error=("a.csv.gz", "gzip data within gzip data", "Unpack it once"),
        name="a.csv.gz",
    ),
)
