"""What is proposed for files with traps in them: everything loads, and what is doubtful is said."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import pytest
from small_projects import cli

import pipekit
from pipekit.errors import SourceError, SpecError
from pipekit.pipeline.reading.tree import read_yaml

TRAPS = {
    "zip": ("12345", "00815", "99999", "10115"),
    "plain": ("1", "2", "-3", "40"),
    "dotted": ("1,204", "1.204", "1,300", "2.500"),
    "either": ("01/02/2024", "03/04/2024", "05/06/2024", "07/08/2024"),
    "proved": ("01/31/2024", "03/04/2024", "05/06/2024", "07/08/2024"),
    "mixed_zones": ("2024-01-01T10:00:00Z", "2024-01-01T10:00:00+02:00", "2024-01-01 10:00:00", "2024-01-02T00:00:00Z"),
    "share": ("12.5%", "3%", "100%", "0.25%"),
    "huge": ("123456789012345678901234567890", "1", "2", "3"),
    "exponent": ("1e5", "77", "3e2", "12"),
    "measured": ("1.5e-7", "0.25", "3.0", "-2.5E+3"),
    "flag": ("yes", "no", "yes", "no"),
    "bit": ("0", "1", "1", "0"),
    "truth": ("true", "false", "TRUE", "false"),
    "late": ("1", "2", "NULL", "4"),
    "created_at": ("1700000000", "1700000001", "1700000002", "1700000003"),
    "clock": ("10:00", "23:59:59", "00:00:00.5", "12:30"),
    "nothing": ("", "", "", ""),
    "day": ("20240101", "20240102", "20240103", "20241231"),
}


@pytest.fixture(scope="module")
def landing(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("landing")
    _files(root / "data")
    return root


@pytest.fixture(scope="module")
def inferred(landing: Path) -> pipekit.Inferred:
    found = pipekit.infer(landing / "data", to=landing / "p.yaml")
    (landing / "p.yaml").write_text(found.text, encoding="utf-8")
    return found


@pytest.fixture(scope="module")
def proposed(landing: Path, inferred: pipekit.Inferred) -> Any:
    return read_yaml(landing / "p.yaml", "p.yaml").plain()


def _files(data: Path) -> None:
    data.mkdir()
    rows = zip(*TRAPS.values(), strict=True)
    lines = ["\t".join(TRAPS), *("\t".join(row) for row in rows)]
    (data / "traps.tsv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    euro = 'Ware;Preis;Menge\n"Öl; fein";1.204,50;3\nBrot;2,75;1\nTotal;1.207,25;\n'
    (data / "verkauf-2024-01.csv").write_bytes(euro.encode("cp1252"))
    (data / "shop.csv").write_text(
        "# made by hand\nid,country,sold,back\n1,NA,5,NA\n2,DE,-,1\n3,FR,7,0.5\n", encoding="utf-8"
    )
    for day in (1, 2):
        folder = data / "visits" / f"dt=2024-01-0{day}"
        folder.mkdir(parents=True)
        more = ',"late":"x"' if day == 2 else ""
        visits = [
            f'{{"id":{day}{n},"device":{{"os":"iOS","v":[1,2]}},"at":"2024-01-01T00:00:0{n}Z"{more}}}' for n in range(3)
        ]
        (folder / "part-0.json").write_bytes(gzip.compress("\n".join(visits).encode()))
    page = {
        "meta": {"next": None},
        "data": {"items": [{"sku": "a-1", "tags": ["x"], "x.y": 1}, {"sku": "b-2", "price": 1.25}]},
    }
    (data / "page.json").write_text(json.dumps(page), encoding="utf-8")
    machines = {f"m{n}.large": {"cores": n, "disk": {"gb": 10 * n}} for n in range(1, 4)}
    (data / "machines.json").write_text(json.dumps(machines), encoding="utf-8")
    (data / "nameless.csv").write_text("1,2.50,2024-01-01\n2,3.75,2024-01-02\n", encoding="utf-8")
    (data / "broken.csv").write_text("a,b\n1,2\n3,4,5\n" + "5,6\n" * 198, encoding="utf-8")
    (data / "scan.pdf").write_bytes(b"%PDF-1.7 ...")
    (data / "empty.csv").write_bytes(b"")


def _types(proposed: Any, source: str) -> dict[str, Any]:
    columns = proposed["sources"][source]["columns"]
    return {name: each if isinstance(each, str) else each["type"] for name, each in columns.items()}


def _doubts(inferred: pipekit.Inferred, source: str) -> dict[str | None, str]:
    found: dict[str | None, str] = {}
    for each in inferred.doubts:
        if each.source == source:
            found[each.column] = "; ".join(filter(None, [found.get(each.column), each.text]))
    return found


def test_all_files_load_as_proposed(landing: Path, inferred: pipekit.Inferred) -> None:
    result = pipekit.Pipeline.from_file(landing / "p.yaml").run()
    assert result.ok, result.errors
    rows = {
        "load_traps": 4,
        "load_verkauf": 2,
        "load_shop": 3,
        "load_visits": 6,
        "load_page": 2,
        "load_nameless": 2,
        "load_machines": 3,
    }
    assert result.rows == {**rows, "load_broken": 199}
    assert all(check.status == "PASSED" for check in result.checks)


def test_types_lose_nothing(proposed: Any) -> None:
    assert _types(proposed, "traps") == {
        "zip": "varchar",
        "plain": "integer",
        "dotted": "varchar",
        "either": "varchar",
        "proved": "date",
        "mixed_zones": "timestamp_tz",
        "share": "number(38,4)",
        "huge": "number(38,0)",
        "exponent": "varchar",
        "measured": "float",
        "flag": "varchar",
        "bit": "integer",
        "truth": "boolean",
        "late": "integer",
        "created_at": "timestamp_ntz",
        "clock": "time",
        "nothing": "varchar",
        "day": "date",
    }
    assert proposed["sources"]["traps"]["columns"]["proved"]["format"] == "MM/DD/YYYY"


@pytest.mark.parametrize(
    ("column", "said"),
    [
        ("zip", "1 of 4 begin with 0: kept varchar"),
        ("dotted", "values like 1,204 and like 1.204 both occur: kept varchar"),
        ("either", "day and month can be exchanged in all 4 values"),
        ("mixed_zones", "1 of 4 have no offset, and count as UTC"),
        ("share", "12.5% becomes 0.125"),
        ("exponent", "2 of 4 are like 1e5 beside whole numbers: kept varchar"),
        ("measured", "2 of 4 have an exponent: float"),
        ("flag", "boolean would take all values; kept varchar"),
        ("bit", "boolean would take all"),
        ("created_at", "since 1970"),
        ("nothing", "has no value in 4 records"),
        ("day", "eight digits that are all dates"),
        (None, "'NULL' stands for NULL in `late`, and then in every column"),
    ],
)
def test_doubts_are_said(landing: Path, inferred: pipekit.Inferred, column: str | None, said: str) -> None:
    doubt = _doubts(inferred, "traps")[column]
    assert said in doubt
    assert f"# DOUBT: {doubt}\n" in inferred.text


def test_what_a_tighter_type_would_reject_is_counted(inferred: pipekit.Inferred) -> None:
    assert "integer would reject 1 of 4" in inferred.text


def test_the_dialect_is_found(proposed: Any, inferred: pipekit.Inferred) -> None:
    sources = proposed["sources"]
    assert sources["traps"]["format"] == {"type": "csv", "delimiter": "\t", "null_values": ["", "NULL"]}
    wanted = {"type": "csv", "delimiter": ";", "encoding": "cp1252", "skip_footer": 1}
    separators = {"decimal_separator": ",", "thousands_separator": "."}
    assert sources["verkauf"]["format"] == {**wanted, **separators}
    assert _types(proposed, "verkauf") == {"Ware": "varchar", "Preis": "number(38,2)", "Menge": "integer"}
    assert sources["shop"]["format"] == {"type": "csv", "comment": "#", "null_values": ["", "-"]}
    assert sources["nameless"]["format"] == {"type": "csv", "header": False}
    assert _types(proposed, "nameless") == {"column_1": "integer", "column_2": "number(38,2)", "column_3": "date"}
    assert "need names" in _doubts(inferred, "nameless")[None]


def test_a_word_that_is_a_text_elsewhere_is_not_taken_for_null(proposed: Any, inferred: pipekit.Inferred) -> None:
    assert _types(proposed, "shop")["country"] == "varchar"
    assert "1 of 3 are 'NA': a text" in _doubts(inferred, "shop")["country"]
    assert proposed["sources"]["shop"]["columns"]["back"] == {"type": "number(38,1)", "null_values": ["NA"]}
    assert "'NA' stands for NULL here, and is a text in `country`" in _doubts(inferred, "shop")["back"]


def test_documents_become_columns(proposed: Any, inferred: pipekit.Inferred) -> None:
    visits = proposed["sources"]["visits"]
    assert visits["uri"].endswith("data/visits/")
    assert visits["columns"] == {
        "id": {"type": "integer", "nullable": False},
        "device_os": {"type": "varchar", "path": "device.os"},
        "device_v": {"type": "variant", "path": "device.v"},
        "at": "timestamp_tz",
        "late": {"type": "varchar", "optional": True},
        "dt": {"type": "date", "path": "file://dt={dt}/**"},
    }
    page = proposed["sources"]["page"]
    assert page["format"] == {"type": "json", "root": "data.items"}
    assert page["columns"]["price"] == "number(38,2)"
    assert page["columns"]["x_y"] == {"type": "integer", "path": '"x.y"'}


def test_records_by_their_keys_are_records(proposed: Any) -> None:
    machines = proposed["sources"]["machines"]
    assert machines["format"] == {"type": "json", "root": "*"}
    assert machines["columns"] == {
        "record_key": {"type": "varchar", "path": "^key", "nullable": False},
        "cores": "integer",
        "disk_gb": {"type": "integer", "path": "disk.gb"},
    }


def test_documents_without_keys_are_an_error(tmp_path: Path) -> None:
    (tmp_path / "empty.json").write_text("{}\n{}\n", encoding="utf-8")
    with pytest.raises(SourceError, match=r"empty\.json: holds no record with a key"):
        pipekit.infer(tmp_path, to=tmp_path / "p.yaml")


def test_a_file_with_many_broken_records_is_left_out(tmp_path: Path) -> None:
    """A share of rejects that lets it load would let anything load."""
    data = tmp_path / "data"
    data.mkdir()
    (data / "odd.csv").write_text("a,b\n1,2\n3,4,5\n6,7\n", encoding="utf-8")
    with pytest.raises(SourceError, match="more than 1% is no accident"):
        pipekit.infer(data, to=tmp_path / "p.yaml")
    (data / "good.csv").write_text("x,y\n1,2\n4,5\n", encoding="utf-8")
    found = pipekit.infer(data, to=tmp_path / "p.yaml")
    assert "max_rejects" not in found.text
    [(file, reason)] = found.left_out
    assert "odd" in file
    assert "records are broken" in reason


def test_broken_records_are_set_aside_and_said(proposed: Any, inferred: pipekit.Inferred) -> None:
    [step] = [step for step in proposed["steps"] if step["source"] == "broken"]
    assert (step["on_error"], step["max_rejects"]) == ("reject", "1%")
    assert "1 of 200 records are broken" in _doubts(inferred, "broken")[None]
    assert "broken.csv:3" in _doubts(inferred, "broken")[None]


def test_what_is_no_data_is_named(inferred: pipekit.Inferred) -> None:
    left_out = {Path(file).name: why for file, why in inferred.left_out}
    assert left_out["scan.pdf"] == "is not data, by its name"
    assert left_out["empty.csv"] == "is empty"


# The command --------------------------------------------------------------------------------------------------


ORDERS = "order_id,customer,amount\n1,Ada,19.90\n2,Grace,5.00\n"


def test_the_command_writes_a_file_that_runs_and_never_overwrites_it(tmp_path: Path) -> None:
    (tmp_path / "orders.csv").write_text(ORDERS, encoding="utf-8")
    done = cli(tmp_path, "infer", "orders.csv", "-o", "p.yaml", code=0)
    assert "p.yaml: 1 source, 0 doubts" in done.stdout
    assert "Next: pipekit run p.yaml" in done.stdout
    text = (tmp_path / "p.yaml").read_text(encoding="utf-8")
    assert "uri: orders.csv" in text
    again = cli(tmp_path, "infer", "orders.csv", "-o", "p.yaml", code=2)
    assert "exists already, and was left as it is" in again.stderr
    assert (tmp_path / "p.yaml").read_text(encoding="utf-8") == text


def test_columns_of_a_create_table_and_a_suite_of_great_expectations_are_taken(tmp_path: Path) -> None:
    (tmp_path / "orders.csv").write_text(ORDERS, encoding="utf-8")
    ddl = tmp_path / "orders.sql"
    ddl.write_text(
        "create or replace table shop.orders (order_id number(10,0) not null primary key, customer varchar(20) "
        "comment 'Who bought', amount number(10,2));",
        encoding="utf-8",
    )
    kwargs = {"column": "order_id", "mostly": None}
    exported = {"name": "s", "expectations": [{"type": "expect_column_values_to_be_unique", "kwargs": kwargs}]}
    suite = tmp_path / "suite.json"
    suite.write_text(json.dumps(exported), encoding="utf-8")
    hints = pipekit.Hints(ddl=ddl, suite=suite, duckdb="here.duckdb", name="shop")
    found = pipekit.infer(tmp_path / "orders.csv", to=tmp_path / "p.yaml", hints=hints)
    (tmp_path / "p.yaml").write_text(found.text, encoding="utf-8")
    data: Any = read_yaml(tmp_path / "p.yaml", "p.yaml").plain()
    assert data["name"] == "shop"
    assert data["targets"] == {"local": {"type": "duckdb", "path": "here.duckdb"}}
    assert data["sources"]["orders"]["columns"] == {
        "order_id": {"type": "number(10,0)", "nullable": False},
        "customer": {"type": "varchar(20)", "description": "Who bought"},
        "amount": "number(10,2)",
    }
    assert data["suites"] == {"orders": [{"expect_column_values_to_be_unique": {"column": "order_id"}}]}


@pytest.mark.parametrize(
    ("place", "error", "said"),
    [
        ("nowhere", SourceError, "there is no such folder or file"),
        ("nodata", SourceError, "no file that pipekit reads: scan.bin"),
        ("nodat", SourceError, "there is no such folder or file; did you mean 'nodata'"),
        ("S3://bucket/x", SpecError, "in lower case"),
        ("@landing/x", SpecError, "a stage, which Snowflake alone reads; name the bucket"),
    ],
)
def test_a_place_without_data_is_an_error(tmp_path: Path, place: str, error: type[Exception], said: str) -> None:
    (tmp_path / "nodata").mkdir()
    (tmp_path / "nodata" / "scan.bin").write_bytes(b"\x00\x01\x02" * 100)
    with pytest.raises(error, match=said):
        pipekit.infer(place if "/x" in place else tmp_path / place, to=tmp_path / "p.yaml")


def test_a_name_that_no_pipeline_can_have_is_refused(tmp_path: Path) -> None:
    (tmp_path / "orders.csv").write_text(ORDERS, encoding="utf-8")
    with pytest.raises(SpecError, match="'a b' must be letters, digits"):
        pipekit.infer(tmp_path / "orders.csv", hints=pipekit.Hints(name="a b"))


def test_numbers_that_count_since_1970_become_times_and_no_doubt_contradicts_the_suite(tmp_path: Path) -> None:
    lines = ["code,id,updated,seen_at,quantity,bit,batch,paid_time"]
    lines += [f"{n},{9 - n},170000000000{n},70000000{n},{n},{n % 2},2024010{n},170000000{n}" for n in range(1, 6)]
    (tmp_path / "orders.csv").write_text("\n".join(lines))
    inferred = pipekit.infer(tmp_path / "orders.csv", to=tmp_path / "p.yaml")

    (tmp_path / "p.yaml").write_text(inferred.text)
    data: Any = read_yaml(tmp_path / "p.yaml", "p.yaml").plain()
    columns = data["sources"]["orders"]["columns"]
    assert columns["updated"] == {"type": "timestamp_ntz", "format": "epoch_milliseconds"}
    assert columns["paid_time"] == {"type": "timestamp_ntz", "format": "epoch_seconds"}
    assert (columns["seen_at"], columns["id"]) == ("integer", {"type": "integer", "nullable": False})
    assert "2023-11-14 22:13:21 to 2023-11-14 22:13:25" in inferred.text
    assert "since 1970: timestamp_ntz; `integer` fits, too" in _doubts(inferred, "orders")["updated"]
    compared = [each for each in data["suites"]["orders"] if "expect_column_values_to_be_between" in each]
    assert [check["expect_column_values_to_be_between"]["column"] for check in compared] == ["quantity"]
    unique = {"expect_column_values_to_be_unique": {"column": "id"}}
    assert [each for each in data["suites"]["orders"] if "expect_column_values_to_be_unique" in each] == [unique]


def test_named_months_texts_with_numbers_and_a_suite_of_what_is_evident(tmp_path: Path) -> None:
    films: list[dict[str, Any]] = [
        {
            "title": 1776 if n == 7 else f"film {n}",
            "ratio": 1.5 if n == 7 else "wide",
            "out": f"Jun {n % 28 + 1:02d} 1998",
            "sent": f"Fri, {n % 28 + 1:02d} Jun 1998",
            "kind": "film",
            "note": 1776 if n == 7 else "none",
            "names": {"de": {"long": f"Film {n}"}},
        }
        for n in range(120)
    ]
    (tmp_path / "films.json").write_text(json.dumps(films), encoding="utf-8")
    (tmp_path / "few.json").write_text(json.dumps([{"word": "a", "kind": "film", "n": n} for n in range(20)]))
    (tmp_path / "pipeline.schema.json").write_text("{}")
    (tmp_path / "templates").mkdir()
    made = cli(tmp_path, "infer", "films.json", "few.json", "-o", "own/p.yaml")
    assert made.returncode == 0, made.stderr

    assert (tmp_path / "own/p.yaml").read_text().startswith("# yaml-language-server: $schema=../pipeline.schema.json\n")
    data: Any = read_yaml(tmp_path / "own/p.yaml", "p.yaml").plain()
    films_source = data["sources"]["films"]
    assert films_source["format"] == {"type": "json", "lenient": True}
    assert films_source["columns"]["title"] == "varchar"
    assert films_source["columns"]["ratio"] == "variant"
    assert films_source["columns"]["out"] == {"type": "date", "format": "MON DD YYYY"}
    assert films_source["columns"]["sent"] == {"type": "date", "format": "DY, DD MON YYYY"}
    assert "doubt: films: `title`, `note`: 1 of 120 are numbers, the others texts" in made.stderr
    checked = [(kind, each[kind].get("column")) for each in data["suites"]["films"] for kind in each]
    assert ("expect_column_values_to_not_be_null", "names_de_long") not in checked
    assert ("expect_column_values_to_be_in_set", "kind") in checked
    assert "expect_column_values_to_be_in_set" not in str(data["suites"]["few"])
    run = cli(tmp_path, "run", "own/p.yaml")
    assert run.returncode == 0, run.stderr


def test_where_no_name_says_it_the_values_show_what_identifies_a_record(tmp_path: Path) -> None:
    hours = [(f"2024-01-{n // 24 + 1:02d} {n % 24:02d}:00:00", line) for n in range(60) for line in ("A", "B")]
    rows = {
        "places": [
            "title,cc,size,built",
            *(f"the town {n},c{n},{n * n},{'2999' if n == 9 else 2001}-05-01" for n in range(60)),
        ],
        "rides": ["at,line,seats,mood", *(f"{at},{line},{n % 7},{n % 2}" for n, (at, line) in enumerate(hours))],
        "words": ["word,size", *(f"w{n % 5},{n % 3}" for n in range(60))],
        "paid": ["bill_id,size", *(f"b{min(n, 149)},{n}" for n in range(151))],
        "few": ["word,size", "a,1", "b,2"],
    }
    for name, lines in rows.items():
        (tmp_path / f"{name}.csv").write_text("\n".join(lines), encoding="utf-8")
    inferred = pipekit.infer(tmp_path, to=tmp_path / "p.yaml")

    (tmp_path / "p.yaml").write_text(inferred.text, encoding="utf-8")
    data: Any = read_yaml(tmp_path / "p.yaml", "p.yaml").plain()
    unique = {
        name: [each for each in suite if "unique" in str(each) and "warning" in str(each)]
        for name, suite in data["suites"].items()
    }
    assert unique == {
        "places": [{"expect_column_values_to_be_unique": {"column": "cc", "severity": "warning"}}],
        "rides": [{"expect_compound_columns_to_be_unique": {"column_list": ["at", "line"], "severity": "warning"}}],
        "words": [],
        "paid": [],
        "few": [],
    }
    assert "1 of 151 repeat an earlier value: no key" in _doubts(inferred, "paid")["bill_id"]
    assert "`cc` is taken for the key" in _doubts(inferred, "places")[None]
    assert "1 of 60 are later than today, up to 2999-05-01" in _doubts(inferred, "places")["built"]
    assert "`at`, `line` together are taken for the key" in _doubts(inferred, "rides")[None]
    assert "identify a record: no check can see one that is there twice" in _doubts(inferred, "words")[None]
    assert not _doubts(inferred, "few")


def test_the_sign_for_null_of_mysql_is_no_text(tmp_path: Path) -> None:
    (tmp_path / "a.tsv").write_text("name\tcity\nAda\t\\N\n\\N\tOslo\nBob\tRome\n")
    text = pipekit.infer(tmp_path, to=tmp_path / "p.yaml").text
    assert 'null_values: ["", "\\\\N"]' in text
