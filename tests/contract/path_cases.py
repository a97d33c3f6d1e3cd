"""What loading promises for columns whose value is in the path of a file."""

from __future__ import annotations

import datetime as dt
import io
from collections.abc import Mapping
from typing import Any

from pipekit.testing.contract.cases import CSV, JSON, PARQUET, LoadCase, Reject, Row

DEEP = {"pattern": "**"}
_IN_FOLDER = {"type": "date", "path": "file://**/dt={date}/**"}


def _case(
    id: str, files: Mapping[str, bytes], columns: Mapping[str, Any], rows: tuple[Row, ...] = (), **more: Any
) -> LoadCase:
    rejects: tuple[Reject, ...] = more.pop("rejects", ())
    return LoadCase(f"path_{id}", files, more.pop("format", CSV), columns, rows, rejects, more=DEEP, **more)


def path_cases() -> tuple[LoadCase, ...]:
    """A function, because pyarrow takes a while to import."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    parquet = io.BytesIO()
    pq.write_table(pa.table({"a": [1], "dt": ["from the file"]}), parquet)
    first, second = dt.date(2024, 1, 31), dt.date(2024, 2, 1)
    return (
        _case(
            "partitions",
            {
                "dt=2024-01-31/city=M%C3%BCnchen%2FOst/a.csv": b"a,b\n1,x\n2,y\n",
                "dt=2024-02-01/city=__HIVE_DEFAULT_PARTITION__/b.csv": b"b,a\nz,3\n",
            },
            {
                "dt": {"type": "date", "path": "file://dt={date}/..."},
                "a": "integer",
                "city": {"type": "varchar", "path": "file://*/city={city}/"},
                "b": "varchar",
            },
            ((first, 1, "München/Ost", "x"), (first, 2, "München/Ost", "y"), (second, 3, None, "z")),
        ),
        _case(
            "part_of_the_name",
            {"sales_20240131.csv": b"1\n2\n"},
            {"day": {"type": "date", "format": "YYYYMMDD", "path": "file://sales_{day}.csv"}, "a": "integer"},
            ((first, 1), (first, 2)),
            format={**CSV, "header": False},
        ),
        _case(
            "bad_value_rejects_every_record",
            {"dt=2024-01-31/a.csv": b"a\n1\n", "dt=soon/b.csv": b"a\n2\nx\n"},
            {"dt": _IN_FOLDER, "a": "integer"},
            ((first, 1),),
            rejects=((2, "dt", "'soon' is not a date"), (3, "a", "'x' is not an integer")),
        ),
        _case(
            "that_is_not_utf_8",
            {"city=M%FCnchen/b.csv": b"a\n2\n"},
            {"city": {"type": "varchar", "path": "file://city={city}/**"}, "a": "integer"},
            error=("b.csv", "'M%FCnchen' in the path is not UTF-8"),
        ),
        _case(
            "null_in_a_required_column",
            {"dt=__HIVE_DEFAULT_PARTITION__/b.csv": b"a\n2\n"},
            {"dt": {**_IN_FOLDER, "nullable": False}, "a": "integer"},
            rejects=((2, "dt", "is NULL"),),
        ),
        _case(
            "that_does_not_fit",
            {"dt=2024-01-31/a.csv": b"a\n1\n", "other/b.csv": b"a\n2\n"},
            {"dt": _IN_FOLDER, "a": "integer"},
            error=("other/b.csv", "does not fit 'file://**/dt={date}/**'"),
        ),
        _case(
            "that_need_not_fit",
            {"dt=2024-01-31/a.csv": b"a\n1\n", "other/b.csv": b"a\n2\n"},
            {"dt": {**_IN_FOLDER, "optional": True}, "a": "integer"},
            ((first, 1), (None, 2)),
        ),
        _case(
            "that_fits_in_two_ways",
            {"dt=2024-01-31/dt=2024-02-01/a.csv": b"a\n1\n"},
            {"dt": _IN_FOLDER, "a": "integer"},
            error=("a.csv", "does not determine whether", "2024-01-31", "2024-02-01"),
        ),
        _case(
            "and_in_the_file",
            {"dt=2024-01-31/a.csv": b"a,dt\n1,x\n"},
            {"dt": _IN_FOLDER, "a": "integer"},
            error=("a.csv:1", "'dt'", "not declared"),
        ),
        _case(
            "json",
            {"dt=2024-01-31/a.json": b'{"a":1,"dt":"from the file"}\n{"a":2}\n'},
            {"dt": _IN_FOLDER, "a": "integer"},
            ((first, 1), (first, 2)),
            format=JSON,
        ),
        _case(
            "parquet",
            {"dt=2024-01-31/a.parquet": parquet.getvalue()},
            {"dt": _IN_FOLDER, "a": "integer"},
            ((first, 1),),
            format=PARQUET,
        ),
        _case(
            "fixed_width",
            {"dt=2024-01-31/a.txt": b"  1\n x2\n"},
            {"dt": _IN_FOLDER, "a": "integer"},
            ((first, 1),),
            rejects=((2, "a", "'x2'"),),
            format={"type": "fixed_width", "fields": {"a": 3}},
        ),
        LoadCase(
            "path_patterns_and_exclude",
            {
                name: b"a\n%d\n" % number
                for number, name in enumerate(
                    ("1.csv", "old.csv", "2.txt", "3.log", "2024/4.csv", "2024/old.csv", ".5.csv")
                )
            },
            CSV,
            {"a": "integer"},
            ((0,), (2,), (4,)),
            more={"pattern": ["*.csv", "*.txt", "2024/**"], "exclude": ["old.*", "2024/old.*"]},
        ),
        LoadCase(
            "path_temporary_files",
            {
                name: b"a\n%d\n" % number
                for number, name in enumerate(("1.csv", "2.csv.tmp", "3.csv~", "~$4.csv", "5.part", "6/7.crdownload"))
            },
            CSV,
            {"a": "integer"},
            ((0,),),
            more={"pattern": "**"},
        ),
        LoadCase(
            "path_hidden_files_on_request",
            {"a.csv": b"a\n1\n", ".b.csv": b"a\n2\n", ".c/d.csv": b"a\n3\n"},
            CSV,
            {"a": "integer"},
            ((1,), (2,), (3,)),
            more={"pattern": "**/*.csv", "include_hidden": True},
        ),
    )
