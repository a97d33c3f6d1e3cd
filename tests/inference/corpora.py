"""Files made from schemas that are known, so that what is inferred from them can be judged."""

from __future__ import annotations

import csv
import datetime as dt
import gzip
import io
import json
import random
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

from workbooks import DATE, number, workbook

from pipekit.source import ColumnType

_WORDS = ("alpha", "Beta", "gamma delta", "Zoë", "x;y", "a,b", 'say "so"', "line\nbreak", "it's", "#1", "10 %", "N 5")


@dataclass(frozen=True)
class Kind:
    """A kind of column: its type, a value of it, and how CSV writes one."""

    type: str
    value: Callable[[random.Random], Any]
    write: Callable[[Any], str] = str
    only_text: bool = False


def _decimal(precision: int, scale: int) -> Callable[[random.Random], Decimal]:
    return lambda r: Decimal(r.randrange(-(10**precision) + 1, 10**precision)).scaleb(-scale)


def _day(r: random.Random) -> dt.date:
    return dt.date(1990, 1, 1) + dt.timedelta(days=r.randrange(15_000))


def _moment(r: random.Random) -> dt.datetime:
    return dt.datetime(2001, 1, 1) + dt.timedelta(seconds=r.randrange(800_000_000), microseconds=r.choice((0, 250_000)))


def _plain(value: Decimal) -> str:
    return format(value, "f")


KINDS = (
    Kind("integer", lambda r: r.randrange(-(10**6), 10**6)),
    Kind("integer", lambda r: r.choice((-(2**63), 2**63 - 1, 0, r.randrange(10**12)))),
    Kind("number(38,0)", lambda r: r.randrange(10**30, 10**31), only_text=True),
    Kind("number(10,2)", _decimal(10, 2), _plain),
    Kind("number(18,6)", _decimal(18, 6), _plain, only_text=True),
    Kind("float", lambda r: r.uniform(-1, 1) * 10 ** r.randrange(-12, 12), repr),
    Kind("boolean", lambda r: r.random() < 0.5, lambda value: str(value).lower()),
    Kind("date", _day),
    Kind("timestamp_ntz", _moment, lambda value: value.isoformat(" ")),
    Kind("timestamp_tz", lambda r: _moment(r).replace(tzinfo=dt.UTC), lambda value: value.isoformat()),
    Kind("varchar", lambda r: r.choice(_WORDS) + str(r.randrange(50))),
    Kind("varchar", lambda r: r.choice(("red", "green", "blue"))),
    Kind("varchar", lambda r: f"{r.randrange(100_000):05}"),
    Kind("varchar", lambda r: r.choice(("1e5", "77", "3e2", "12", "90")), only_text=True),
    Kind("varchar", lambda r: r.choice(("yes", "no", "1", "0"))),
    Kind("varchar", lambda r: r.choice(("NA", "n/a", "ok", "-"))),
    Kind("date", _day, lambda value: value.strftime("%d.%m.%Y"), only_text=True),
    Kind("date", _day, lambda value: value.strftime("%m/%d/%Y"), only_text=True),
    Kind("timestamp_ntz", _moment, lambda value: value.strftime("%Y/%m/%d %H:%M:%S.%f"), only_text=True),
)


@dataclass(frozen=True)
class Corpus:
    """Files in a folder, and what is known of them."""

    folder: Path
    types: dict[str, str]
    rows: int


def corpus(seed: int, folder: Path) -> Corpus:
    """Files of one source, in one of the formats."""
    r = random.Random(seed)
    write = (_csv, _csv, _csv, _json, _parquet, _avro, _excel)[seed % 7]
    known = [kind for kind in KINDS if write is _csv or not kind.only_text]
    if write is _excel:
        known = [kind for kind in known if kind.type in ("varchar", "date", "number(10,2)") or kind is KINDS[0]]
    kinds = [r.choice(known) for _ in range(r.randrange(3, 13))]
    words = ("id", "amount", "Name", "order date", "x.y", "é", "zip_code", "c")
    names = [f"{r.choice(words)}_{at}" for at in range(len(kinds))]
    if write is _avro:  # whose names are plain
        names = [f"c_{at}" for at in range(len(kinds))]
    elif write is not _csv:
        names = [name.replace(".", "_") for name in names]
    count, holes = r.randrange(30, 300), r.choice((0, 0.1))
    rows = [[None if r.random() < holes else kind.value(r) for kind in kinds] for _ in range(count)]
    rows[0] = [kind.value(r) for kind in kinds]
    folder.mkdir(parents=True)
    write(r, folder, names, kinds, rows)
    return Corpus(folder, {name: kind.type for name, kind in zip(names, kinds, strict=True)}, len(rows))


def _csv(r: random.Random, folder: Path, names: list[str], kinds: list[Kind], rows: list[list[Any]]) -> None:
    delimiter, encoding = r.choice((",", ";", "\t", "|")), r.choice(("utf-8", "utf-8-sig", "cp1252", "utf-16"))
    quoting, packed = r.choice((csv.QUOTE_MINIMAL, csv.QUOTE_ALL)), r.random() < 0.3
    half = r.randrange(1, len(rows))
    for at_file, part in enumerate((rows[:half], rows[half:])):
        order = r.sample(range(len(names)), len(names))
        out = io.StringIO(newline="")
        writer = csv.writer(out, delimiter=delimiter, quoting=quoting, lineterminator=r.choice(("\n", "\r\n")))
        writer.writerow([names[at] for at in order])
        for row in part:
            writer.writerow([None if row[at] is None else kinds[at].write(row[at]) for at in order])
        data = out.getvalue().encode(encoding)
        path = folder / f"orders-{at_file}.csv{'.gz' * packed}"
        path.write_bytes(gzip.compress(data) if packed else data)


def _as_json(value: Any) -> Any:
    if isinstance(value, Decimal):
        return float(value)
    return value.isoformat() if isinstance(value, (dt.date, dt.datetime)) else value


def _json(r: random.Random, folder: Path, names: list[str], kinds: list[Kind], rows: list[list[Any]]) -> None:
    records = [
        {name: _as_json(value) for name, value in zip(names, row, strict=True) if value is not None or r.random() < 0.5}
        for row in rows
    ]
    records = [{**record, "nested": {"deep": {"n": at}, "list": [at]}} for at, record in enumerate(records)]
    how = r.choice(("lines", "array", "root"))
    text = "\n".join(map(json.dumps, records))
    if how != "lines":
        text = json.dumps(records if how == "array" else {"data": {"items": records}, "next": None})
    (folder / "events.json").write_text(text, encoding="utf-8")


def _arrow(names: list[str], kinds: list[Kind], rows: list[list[Any]]) -> Any:
    import pyarrow as pa

    types = {
        "integer": pa.int64(),
        "float": pa.float64(),
        "boolean": pa.bool_(),
        "date": pa.date32(),
        "varchar": pa.string(),
    }
    types |= {"timestamp_ntz": pa.timestamp("us"), "timestamp_tz": pa.timestamp("us", "UTC")}
    columns = [
        pa.array([row[at] for row in rows], types.get(kind.type) or pa.decimal128(10, 2))
        for at, kind in enumerate(kinds)
    ]
    return pa.table(dict(zip(names, columns, strict=True)))


def _parquet(r: random.Random, folder: Path, names: list[str], kinds: list[Kind], rows: list[list[Any]]) -> None:
    import pyarrow.parquet as pq

    for at_file, day in enumerate(("2024-01-01", "2024-01-02")):
        (folder / f"dt={day}").mkdir()
        half = rows[at_file::2]
        pq.write_table(_arrow(names, kinds, half), folder / f"dt={day}" / f"part-{at_file}.parquet")


def _avro(r: random.Random, folder: Path, names: list[str], kinds: list[Kind], rows: list[list[Any]]) -> None:
    import fastavro

    logical = {
        "integer": "long",
        "float": "double",
        "boolean": "boolean",
        "varchar": "string",
        "date": {"type": "int", "logicalType": "date"},
        "timestamp_ntz": {"type": "long", "logicalType": "local-timestamp-micros"},
        "timestamp_tz": {"type": "long", "logicalType": "timestamp-micros"},
        "number(10,2)": {"type": "bytes", "logicalType": "decimal", "precision": 10, "scale": 2},
    }
    fields = [{"name": name, "type": ["null", logical[kind.type]]} for name, kind in zip(names, kinds, strict=True)]
    schema = fastavro.parse_schema({"type": "record", "name": "r", "fields": fields})
    with (folder / "rows.avro").open("wb") as stream:
        fastavro.writer(stream, schema, [dict(zip(names, row, strict=True)) for row in rows])


def _excel(r: random.Random, folder: Path, names: list[str], kinds: list[Kind], rows: list[list[Any]]) -> None:
    cells = [[_in_sheet(value) for value in row] for row in rows]
    (folder / "sheet.xlsx").write_bytes(workbook(Data=[list(names), *cells]))


def _in_sheet(value: Any) -> Any:
    if isinstance(value, dt.date):
        return number((value - dt.date(1899, 12, 30)).days, DATE)
    return value if value is None or isinstance(value, str) else number(value)


def holds(wide: str, narrow: str) -> bool:
    """Whether a column of the one type takes every value of the other."""
    one, other = ColumnType.parse(wide), ColumnType.parse(narrow)
    if one.kind in ("varchar", "variant") or one == other:
        return True
    if one.kind == "number" and other.kind in ("integer", "number"):
        whole = 19 if other.kind == "integer" else (other.precision or 0) - (other.scale or 0)
        return (one.scale or 0) >= (other.scale or 0) and (one.precision or 0) - (one.scale or 0) >= whole
    if one.kind == "float":
        return other.kind == "number" and (other.precision or 0) <= 15
    orders = [("date", "timestamp_ntz", "timestamp_tz")]
    return any(other.kind in order and one.kind in order[order.index(other.kind) :] for order in orders)
