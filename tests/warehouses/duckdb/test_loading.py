"""What is special to DuckDB's loading, beside the contract of all warehouses."""

from __future__ import annotations

import datetime as dt
import gzip
import io
import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pipekit.errors import SourceError
from pipekit.files.checks import check_source
from pipekit.formats import unpacked
from pipekit.source import Source
from pipekit.warehouses.contract import FileLoad
from pipekit.warehouses.duckdb import stage

from .conftest import LOADED_AT, TABLE

PLAIN = {"format": {"type": "csv"}, "columns": {"a": "integer", "b": "varchar"}}
EVENTS = {"format": {"type": "json"}, "columns": {"a": "integer", "b": "varchar"}}


@pytest.mark.parametrize("mode", ["fail", "reject"])
def test_metadata_columns(load: Any, mode: str) -> None:
    loaded = load({"1.csv": b"a,b\n1,x\n2,y\n", "2.csv": b"a,b\n3,z\n"}, PLAIN, on_error=mode, metadata=True)
    found = sorted((row[0], row[2].rpartition("/")[2], row[3]) for row in loaded.rows)
    assert found == [(1, "1.csv", 1), (2, "1.csv", 2), (3, "2.csv", 1)]
    assert {row[4:] for row in loaded.rows} == {(LOADED_AT, "run-1")}


def test_each_file_says_what_it_gave(load: Any) -> None:
    files = {"1.csv": b"a,b\n1,x\nq,y\n", "2.csv": b"a,b\n3,z\n", "3.csv": b""}
    loaded = load(files, PLAIN, on_error="reject")
    assert [(file.rows_loaded, file.rows_rejected) for file in loaded.files] == [(1, 1), (1, 0), (0, 0)]


@pytest.mark.parametrize("metadata", [False, True])
def test_small_documents_are_judged_together_and_each_bad_record_is_of_its_file(load: Any, metadata: bool) -> None:
    good = '{\n "a": %d,\n "b": "x"\n}\n'
    files = {f"{n}.json": (good % n * 2).encode() for n in range(1, 6)}
    files["2.json"] = (good % 20 + '{\n "a": "q",\n "b": "y"\n}\n' + '{\n "a": 1,,\n "b": "z"\n}\n').encode()
    files["4.json"] = (good % 40 + '{"a": "w", "b": "y"}\n').encode()

    loaded = load(files, EVENTS, on_error="reject", metadata=metadata)

    counts = [(file.rows_loaded, file.rows_rejected) for file in loaded.files]
    assert counts == [(2, 0), (1, 2), (2, 0), (1, 1), (2, 0)]
    rejects = sorted((row[4].rpartition("/")[2], row[0], row[1]) for row in loaded.rejects)
    assert rejects == [("2.json", 5, "a"), ("2.json", 9, None), ("4.json", 5, "a")]
    assert sorted(row[0] for row in loaded.rows) == [1, 1, 3, 3, 5, 5, 20, 40]
    if metadata:
        found = {(row[0], row[2].rpartition("/")[2], row[3]) for row in loaded.rows}
        assert {(20, "2.json", 1), (40, "4.json", 1), (5, "5.json", 2)} <= found


def test_rejects_say_all(load: Any) -> None:
    loaded = load({"1.csv": b"a,b\n1,x\nq,y\n"}, PLAIN, on_error="reject")
    line, column, reason, raw, file, run_id, at = loaded.rejects[0]
    assert (line, column, raw, run_id, at) == (3, "a", "q,y", "run-1", LOADED_AT)
    assert reason == "'q' is not an integer of 64 bits"
    assert file.endswith("1.csv")


def test_no_record_that_is_split_in_python_is_neither_loaded_nor_rejected(
    load: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A record is judged by one query and located, if it is bad, by another: they must agree."""
    files = {"1.csv": b'a,b\n1,x\nq,"y"z\nr,y\n'}  # the stray quote has the file split
    assert [(file.rows_loaded, file.rows_rejected) for file in load(files, PLAIN, on_error="reject").files] == [(1, 2)]
    located = stage.bad_only
    monkeypatch.setattr(stage, "bad_only", lambda *given: f"{located(*given)} AND bad <> 1")
    with pytest.raises(SourceError, match="3 records were read, of which 1 were set aside; 3 were judged, of which 2"):
        load(files, PLAIN, on_error="reject")


def test_a_huge_raw_record_is_shortened(load: Any) -> None:
    loaded = load({"1.csv": b"a,b\nq," + b"x" * 100_000 + b"\n"}, PLAIN, on_error="reject")
    assert 60_000 < len(loaded.rejects[0][3]) < 70_000


def test_the_first_bad_record_is_the_first_in_file_order_and_all_are_counted(load: Any) -> None:
    lines = [f"{number},x" for number in range(50_000)]
    for at in (40_000, 30_000, 45_000):
        lines[at] = "q,x"
    with pytest.raises(SourceError, match="3 bad records in all") as raised:
        load({"1.csv": ("a,b\n" + "\n".join(lines)).encode()}, PLAIN)
    assert raised.value.line == 30_002


def test_a_file_that_vanishes_after_it_was_listed(warehouse: Any, tmp_path: Path) -> None:
    (tmp_path / "1.csv").write_bytes(b"a,b\n1,x\n")
    source = Source.model_validate({"name": "s", "uri": str(tmp_path), "pattern": "*.csv", **PLAIN})
    files = warehouse.list_files(source)
    request = FileLoad(source, files, "fail", False, "run", LOADED_AT)
    warehouse.create_table(TABLE, source.columns)
    with warehouse.prepare_load(request) as prepared:
        (tmp_path / "1.csv").unlink()
        with pytest.raises(SourceError, match="gone"), warehouse.transaction():
            prepared.copy_into(TABLE)
    with pytest.raises(SourceError, match="gone"), warehouse.prepare_load(request):
        pass


def test_progress_ends_at_the_size_of_all_files(load: Any) -> None:
    files = {"1.csv": b"a,b\n1,x\n", "2.csv": b"", "3.csv": b"a,b\n2,y\n"}
    for mode in ("fail", "reject"):
        seen: list[tuple[int, int]] = []
        load(files, PLAIN, on_error=mode, progress=lambda *each, seen=seen: seen.append(each))
        assert seen[-1] == (16, 16)
        assert seen == sorted(seen)


def test_a_bomb_is_refused(load: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(unpacked, "_FREE_SIZE", 1 << 20)
    with pytest.raises(SourceError, match="a decompression bomb"):
        load({"1.csv.gz": gzip.compress(b"a,b\n" + b"\n" * (20 << 20))}, PLAIN)


def test_copies_of_files_are_removed(load: Any, warehouse: Any) -> None:
    load({"1.csv.gz": gzip.compress(b"a,b\n1,x\n")}, PLAIN)
    assert list(warehouse.files_folder.iterdir()) == []


def test_names_carry_no_sql(load: Any) -> None:
    odd = """a'"); DROP TABLE loaded; --"""
    header = '"' + odd.replace('"', '""') + '"'
    loaded = load({"it's.csv": f"{header}\n1\n".encode()}, {"format": {"type": "csv"}, "columns": {odd: "integer"}})
    assert loaded.rows == [(1,)]
    loaded = load(
        {"it's.json": json.dumps({odd: 1}).encode()}, {"format": {"type": "json"}, "columns": {odd: "integer"}}
    )
    assert loaded.rows == [(1,)]


def test_s3(warehouse: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    from moto.server import ThreadedMotoServer

    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0)
    server.start()
    try:
        host, port = server.get_host_and_port()
        for key, value in {
            "AWS_ENDPOINT_URL": f"http://{host}:{port}",
            "AWS_ACCESS_KEY_ID": "testing",
            "AWS_SECRET_ACCESS_KEY": "testing",
            "AWS_DEFAULT_REGION": "us-east-1",
        }.items():
            monkeypatch.setenv(key, value)
        _load_from_s3(warehouse)
    finally:
        server.stop()


def _load_from_s3(warehouse: Any) -> None:
    import s3fs

    store = s3fs.S3FileSystem(skip_instance_cache=True)
    store.mkdir("landing")
    for name, data in {"1.csv": b"a,b\n1,x\n", "2.csv.gz": gzip.compress(b"b,a\ny,2\n"), "sub/3.csv": b"no"}.items():
        store.pipe_file(f"landing/in/{name}", data)
    source = Source.model_validate({"name": "s", "uri": "s3://landing/in/", "pattern": "*.csv*", **PLAIN})
    files = warehouse.list_files(source)
    assert (files[0].uri, files[0].size_bytes) == ("s3://landing/in/1.csv", 8)
    assert all(file.etag and file.modified_at for file in files)
    warehouse.create_table(TABLE, source.columns)
    request = FileLoad(source, files, "fail", False, "run", LOADED_AT)
    with warehouse.prepare_load(request) as prepared, warehouse.transaction():
        prepared.copy_into(TABLE)
    assert sorted(warehouse.execute("SELECT * FROM loaded").rows) == [(1, "x"), (2, "y")]
    store.rm("landing/in/1.csv")
    with pytest.raises(SourceError, match="gone"), warehouse.prepare_load(request):
        pass
    assert len(warehouse.list_files(source)) == 1, "listings are not kept"
    with pytest.raises(SourceError, match="bucket"):
        warehouse.list_files(source.model_copy(update={"uri": "s3://nowhere/in/"}))


TEXTS = st.text(st.characters(exclude_categories=("Cs",), exclude_characters="\x00"), max_size=8)
ROWS = st.lists(
    st.tuples(
        st.none() | st.integers(-(2**63), 2**63 - 1),
        st.none() | TEXTS,
        st.none() | st.dates(dt.date(1, 1, 1)),
        st.none() | st.decimals(-9999, 9999, places=2, allow_nan=False),
    ),
    min_size=1,
    max_size=8,
)
MIXED = {"a": "integer", "b": "varchar", "c": "date", "d": "number(10,2)"}


@st.composite
def written(draw: st.DrawFn) -> tuple[dict[str, bytes], dict[str, Any], list[Any]]:
    """A table as a file in some dialect, its source, and its rows."""
    rows = draw(ROWS)
    kind = draw(st.sampled_from(["csv", "lines", "array", "parquet"]))
    if kind == "parquet":
        table = pa.table(
            [
                pa.array(list(values), type_)
                for values, type_ in zip(zip(*rows, strict=True), PARQUET_TYPES, strict=True)
            ],
            list(MIXED),
        )
        buffer = io.BytesIO()
        pq.write_table(table, buffer)
        return {"f.parquet": buffer.getvalue()}, {"format": {"type": "parquet"}, "columns": MIXED}, rows
    if kind == "csv":
        text, form = _as_csv(draw, rows)
    else:
        text, form = _as_json(draw, rows, kind), {"type": "json"}
    data = text.encode()
    if draw(st.booleans()):
        return {f"f.{form['type']}.gz": gzip.compress(data)}, {"format": form, "columns": MIXED}, rows
    return {f"f.{form['type']}": data}, {"format": form, "columns": MIXED}, rows


PARQUET_TYPES = (pa.int64(), pa.string(), pa.date32(), pa.decimal128(10, 2))


def _as_csv(draw: st.DrawFn, rows: list[Any]) -> tuple[str, dict[str, Any]]:
    delimiter, quote = draw(st.sampled_from(",;\t|")), draw(st.sampled_from("\"'"))
    newline = draw(st.sampled_from(["\n", "\r\n"]))
    always = draw(st.booleans())
    order = draw(st.permutations(range(4)))

    def cell(value: Any) -> str:
        if value is None:
            return ""
        text = value.isoformat() if isinstance(value, dt.date) else str(value)
        special = text == "" or text != text.strip() or any(c in text for c in (delimiter, quote, "\n", "\r"))
        return quote + text.replace(quote, quote * 2) + quote if always or special else text

    lines = [[list(MIXED)[index] for index in order], *([cell(row[index]) for index in order] for row in rows)]
    text = newline.join(delimiter.join(line) for line in lines) + (newline if draw(st.booleans()) else "")
    return text, {"type": "csv", "delimiter": delimiter, "quote": quote}


def _as_json(draw: st.DrawFn, rows: list[Any], kind: str) -> str:
    ascii_ = draw(st.booleans())
    documents = [
        "{"
        + ", ".join(
            f"{json.dumps(key)}: {value if isinstance(value, Decimal) else json.dumps(value, default=str, ensure_ascii=ascii_)}"
            for key, value in zip(MIXED, row, strict=True)
        )
        + "}"
        for row in rows
    ]
    if kind == "array":
        return "[" + draw(st.sampled_from([",", ",\n ", "\n,"])).join(documents) + "]"
    return "\n".join(documents)


SETTINGS = settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@SETTINGS
@given(written())
def test_any_table_in_any_dialect_loads_to_exactly_that_table(load: Any, case: Any) -> None:
    files, source, rows = case
    for mode in ("fail", "reject"):
        loaded = load(files, source, on_error=mode)
        assert sorted(loaded.rows, key=repr) == sorted(rows, key=repr)
        assert (loaded.records, loaded.rejected) == (len(rows), 0)


@SETTINGS
@given(
    st.lists(
        st.binary(max_size=12).filter(lambda line: b"\n" not in line and b"\r" not in line and b'"' not in line),
        max_size=12,
    )
)
def test_of_any_lines_each_is_loaded_or_rejected(load: Any, lines: list[bytes]) -> None:
    cells = [b'{"a":1,"b":"x"}', b"1,x", *lines]
    loaded = load({"f.json": b"\n".join(cells)}, EVENTS, on_error="reject")
    there = [line for line in cells if line.strip(b" \t\r")]
    assert len(loaded.rows) + len(loaded.rejects) == loaded.records == len(there)
    loaded = load({"f.csv": b"a,b\n" + b"\n".join(cells)}, PLAIN, on_error="reject")
    assert len(loaded.rows) + len(loaded.rejects) == loaded.records == len([line for line in cells if line])


@pytest.mark.parametrize(
    ("form", "columns", "words"),
    [
        ({"type": "csv", "date_format": "YYYY-QQ"}, {"a": "date"}, "format.date_format: 'YYYY-QQ'"),
        ({"type": "csv", "timestamp_format": "HH24:MI"}, {"a": "timestamp_ntz"}, "names no year"),
        ({"type": "csv", "encoding": "klingon"}, {"a": "date"}, "unknown text encoding 'klingon'"),
        ({"type": "json"}, {"a": {"type": "date", "path": "a..b"}}, "columns.a.path: 'a..b'"),
        ({"type": "json", "root": "[x]"}, {"a": "date"}, "format.root: '[x]'"),
        (
            {"type": "json", "root": "a.b[0]", "date_format": 'DD.MM."at"YYYY'},
            {"a": {"type": "date", "path": "x.y"}},
            None,
        ),
    ],
)
def test_a_source_is_checked_without_its_files(form: Any, columns: Any, words: str | None) -> None:
    found = check_source(Source.model_validate({"name": "s", "uri": "nowhere", "format": form, "columns": columns}))
    shown = [f"{key}: {text}" for key, text in found]
    assert shown == [] if words is None else words in shown[0]


def of_hundreds(value: str, *, second: bool = True) -> tuple[dict[str, bytes], dict[str, Any]]:
    """Files of 400 columns, and their source: three good rows, the value in column 301 of the next, and a good file."""
    kinds = {f"c{n}": "integer" if n % 2 else "varchar(3)" for n in range(400)}
    columns = {name: {"type": kind, "nullable": name != "c301"} for name, kind in kinds.items()}
    row = [str(n) for n in range(400)]
    good = [row, ["" if n != 301 else "-1" for n in range(400)], ["+07"] * 400]
    names = ",".join(columns)

    def text(*rows: list[str]) -> bytes:
        return "".join(f"{line}\n" for line in (names, *map(",".join, rows))).encode()

    files = {"1.csv": text(*good, [*row[:301], value, *row[302:]])}
    return files | ({"2.csv": text(*good)} if second else {}), {"format": {"type": "csv"}, "columns": columns}


@pytest.mark.parametrize("value", ["x", "", "1.5", " 7", "0x10", "9223372036854775808"])
def test_of_hundreds_of_columns_the_bad_value_is_found(load: Any, value: str) -> None:
    with pytest.raises(SourceError) as raised:
        load(*of_hundreds(value))
    assert (raised.value.line, raised.value.column) == (5, "c301")


def test_hundreds_of_columns_are_loaded_and_a_single_file_is_judged_too(load: Any) -> None:
    files, source = of_hundreds("2", second=False)
    loaded = load(files, source)
    assert [row[301] for row in loaded.rows] == [301, -1, 7, 2]
    assert [row[300] for row in loaded.rows] == ["300", None, "+07", "300"]
    with pytest.raises(SourceError) as raised:
        load(*of_hundreds("x", second=False))
    assert (raised.value.line, raised.value.column) == (5, "c301")
    names, first = files["1.csv"].split(b"\n")[:2]
    with pytest.raises(SourceError, match="at most 3 characters") as raised:
        load({"1.csv": names + b"\n1234" + first.removeprefix(b"0") + b"\n"}, source)
    assert raised.value.column == "c0"


def test_a_column_that_a_file_lacks_or_that_is_declared_twice_keeps_its_values(load: Any) -> None:
    columns = {
        "a": "integer",
        "again": {"type": "varchar", "path": "a"},
        "none": {"type": "integer", "optional": True},
        "b": "varchar",
    }
    source = {"format": {"type": "csv"}, "columns": columns, "on_extra": "ignore"}
    assert load({"1.csv": b"b,more,a\nx,y,1\n"}, source).rows == [(1, "1", None, "x")]


@pytest.mark.parametrize(
    ("name", "text", "way"),
    [("1.csv", "a,b\n1,Müller\n", "`encoding: cp1252`"), ("1.json", '{"a":1,"b":"Müller"}\n', "convert it to UTF-8")],
)
def test_of_a_file_in_another_encoding_the_way_out_is_one_of_its_format(
    load: Any, name: str, text: str, way: str
) -> None:
    kind = {"format": {"type": Path(name).suffix[1:]}}
    with pytest.raises(SourceError, match="the record is not UTF-8") as raised:
        load({name: text.encode("cp1252")}, {**PLAIN, **kind})
    assert way in str(raised.value.hint)
