"""`pipekit test --record`: a test from the tables of a target, masked, that passes at once."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from engines import Project
from small_projects import cli, execute, load, project, run_ok, snapshot, write

from pipekit import PipekitError, Pipeline
from pipekit.trials.masking import Decisive, Masker

SELECT = """
    select o.order_id, c.customer_id, upper(c.name) as name, c.phone, o.status, o.amount, o.day,
           case when o.amount >= 100 then 'large' else 'small' end as size,
           uuid_string() as chance
    from raw_orders o join raw_customers c on lower(o.customer) = lower(c.customer_id)
    where o.status = 'paid' and o.day >= '2024-03-01' and c.email like '%@example.com'
"""
PIPELINE = f"""
sources:
  orders:
    uri: in/orders/
    format: {{type: csv}}
    columns: {{order_id: integer, customer: varchar, status: varchar, amount: "number(10,2)", day: date}}
  customers:
    uri: in/customers/
    format: {{type: csv}}
    columns:
      customer_id: varchar
      name: varchar
      email: varchar
      phone: {{type: varchar, sensitive: true}}
steps:
  - {{id: raw_orders, type: load, source: orders}}
  - {{id: raw_customers, type: load, source: customers}}
  - id: paid
    type: sql
    materialize: merge
    key: order_id
    audit:
      - expect_column_values_to_be_in_set: {{column: status, value_set: [paid, open]}}
      - expect_column_values_to_be_between: {{column: amount, min_value: 10, max_value: 2000}}
    sql: >{SELECT.replace(chr(10), chr(10) + "  ")}
  - {{id: nothing, type: sql, sql: "select order_id from raw_orders where amount < -5"}}
"""
CUSTOMERS = [
    f"C-{100 + n},Person{n} Miller,person{n}@example.{'com' if n % 2 else 'org'},0170 55{n:04}" for n in range(300)
]
ORDERS = [
    f"{5000 + n},c-{100 + n % 300},{'paid' if n % 7 == 3 else 'open'},{12 + n * 1.5:.2f},2024-0{1 + n % 6}-15"
    for n in range(1000)
]


@pytest.fixture
def pipeline(tmp_path: Path) -> Path:
    path = project(tmp_path, PIPELINE)
    write(tmp_path, "in/orders/a.csv", "order_id,customer,status,amount,day\n" + "\n".join(ORDERS) + "\n")
    write(tmp_path, "in/customers/a.csv", "customer_id,name,email,phone\n" + "\n".join(CUSTOMERS) + "\n")
    run_ok(path)
    return path


def found_in(pipeline: Path) -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load((pipeline.parent / "tests/p.yaml").read_text(encoding="utf-8"))["tests"]
    return found


def test_a_recorded_test_passes_and_shows_no_value_of_the_tables(pipeline: Path) -> None:
    done = load(pipeline).record("paid", rows=6)
    assert done.passed
    assert done.notes == ("paid.chance differs from run to run: not expected",)
    text = (pipeline.parent / "tests/p.yaml").read_text(encoding="utf-8")
    [test] = found_in(pipeline).values()
    customers, orders = test["given"]["raw_customers"], test["given"]["raw_orders"]
    assert 1 <= len(orders) <= 6
    assert 1 <= len(customers) <= 6
    shown = {str(value) for row in (*customers, *orders) for value in row.values()}
    real = {part for line in CUSTOMERS for part in line.split(",")[1:]}  # a short one may stand for another one
    assert not shown & real
    assert "Miller" not in text
    expected = test["expect"]["paid"]
    assert {row["customer_id"].lower() for row in expected} <= {row["customer"] for row in orders}
    assert {row["status"] for row in expected} == {"paid"}
    assert {row["size"] for row in expected} <= {"large", "small"}
    assert all(row["email"].endswith("@example.com") for row in customers if row["customer_id"] in str(expected))
    assert all(len(row["phone"]) == len("0170 550000") and row["phone"][4] == " " for row in customers)

    # The same again is not written again; other rows are a second test, and that is said.
    again = load(pipeline).record("paid", rows=6)
    assert (again.name, again.added, again.passed) == ("paid as recorded", False, True)
    assert (pipeline.parent / "tests/p.yaml").read_text(encoding="utf-8") == text
    tests, kept = pipeline.parent / "tests/p.yaml", pipeline.parent / "kept.yaml"
    kept.write_bytes(tests.read_bytes().replace(b"\n", b"\r\n"))
    tests.unlink()
    tests.symlink_to(kept)
    other = load(pipeline).record("paid", rows=2)
    assert tests.is_symlink()
    assert kept.read_bytes().count(b"\n") == kept.read_bytes().count(b"\r\n") > 20
    assert (other.name, other.added) == ("paid as recorded 2", True)
    assert "'paid as recorded' is there already, with other rows" in str(other.notes)
    assert (pipeline.parent / "tests/p.yaml").read_text(encoding="utf-8").startswith(text)
    assert all(outcome.passed for outcome in load(pipeline).test())


def test_what_the_rows_cannot_distinguish_is_said(tmp_path: Path) -> None:
    path = project(
        tmp_path,
        """
        sources:
          strikes: {uri: in/, format: {type: csv}, columns: {airport: varchar, cost: integer, kind: varchar}}
        steps:
          - {id: raw, type: load, source: strikes}
          - {id: costs, type: sql, sql: "select airport, sum(cost) as cost from raw where kind = 'bird' group by 1"}
        """,
    )
    write(tmp_path, "in/a.csv", "airport,cost,kind\na,0,bird\nb,0,bird\n")
    run_ok(path)
    assert load(path).record("costs").notes == (
        "not distinguished: raw.cost is 0 in all rows",
        "not distinguished: no recorded row of raw is dropped by WHERE",
        "not distinguished: each group has one row, so that sum, min and max are the same",
    )
    write(tmp_path, "in/b.csv", "airport,cost,kind\na,7,bird\na,8,plane\n")
    run_ok(path)
    execute(tmp_path, "DELETE FROM costs")  # so that the first rows of the input are taken
    assert not [note for note in load(path).record("costs").notes if "not distinguished" in note]


def test_rows_that_show_more_are_looked_for(tmp_path: Path) -> None:
    path = project(
        tmp_path,
        """
        sources:
          strikes: {uri: in/, format: {type: csv}, columns: {airport: varchar, cost: integer, kind: varchar}}
        steps:
          - {id: raw, type: load, source: strikes}
          - {id: costs, type: sql, sql: "select airport, sum(cost) as cost from raw r where r.kind = 'bird' group by 1"}
        """,
    )
    rows = ["a,0,bird", "b,0,bird"] * 50 + ["a,700,bird", "b,300,bird", "a,500,bird", "b,450,bird", "b,0,plane"]
    write(tmp_path, "in/a.csv", "airport,cost,kind\n" + "\n".join(rows) + "\n")
    run_ok(path)
    done = load(path).record("costs", rows=9)
    assert (done.passed, done.notes, done.given) == (True, (), {"raw": 9})
    [test] = found_in(path).values()
    costly = [row for row in test["given"]["raw"] if row["cost"]]
    assert len(costly) == 2
    assert len({row["airport"] for row in costly}) == 1  # so that sum and max differ
    assert len([row for row in test["given"]["raw"] if row["kind"] != "bird"]) == 1


@pytest.mark.parametrize("order", ["area", "area desc", "n desc, word"])
def test_groups_of_a_sample_have_several_rows_where_there_are_such(tmp_path: Path, order: str) -> None:
    """Sums are values of no input row but by chance: rows that have them must not be the whole sample, in whichever
    order the step's table has its rows. A GROUP BY gives them in any."""
    path = project(
        tmp_path,
        """
        sources:
          lands: {uri: in/, format: {type: json}, columns: {words: array, area: integer}}
        steps:
          - {id: raw, type: load, source: lands}
          - id: spoken
            type: sql
            sql: "select w.value::varchar as word, count(*) as n, sum(area) as area
                  from raw, lateral flatten(input => words) w group by 1"
        """,
    )
    lines = [f'{{"words": ["w{n % 3}", "x{n}"], "area": {10**n}}}' for n in range(6)]
    write(tmp_path, "in/a.json", "\n".join([*lines, '{"words": ["alone"], "area": 7}']) + "\n")
    run_ok(path)
    execute(tmp_path, f"CREATE OR REPLACE TABLE spoken AS SELECT * FROM spoken ORDER BY {order}")
    done = load(path).record("spoken")
    assert (done.passed, done.notes, done.given) == (True, (), {"raw": 7})
    [test] = found_in(path).values()
    assert max(row["n"] for row in test["expect"]["spoken"]) == 2


def test_what_is_kept_in_clear_and_what_never_is(pipeline: Path) -> None:
    done = cli(
        pipeline.parent, "test", "p.yaml", "--record", "paid", "--keep", "raw_customers.name", "--name", "n", code=0
    )
    assert "tests/p.yaml: 'n' is added: " in done.stdout
    assert "it passes" in done.stdout
    assert "chance differs from run to run" in done.stderr
    [test] = found_in(pipeline).values()
    assert all(row["name"].endswith(" Miller") for row in test["given"]["raw_customers"])
    before = snapshot(pipeline.parent / "tests")
    secret = cli(pipeline.parent, "test", "p.yaml", "--record", "paid", "--keep", "phone", code=1).stderr
    assert "raw_customers.phone is secret, so its values are masked in any case" in secret
    assert (
        "p.yaml: --keep nam: the step paid reads no such column; did you mean 'name'?"
        in cli(pipeline.parent, "test", "p.yaml", "--record", "paid", "--keep", "nam", code=2).stderr
    )
    assert "makes no row" in cli(pipeline.parent, "test", "p.yaml", "--record", "nothing", code=1).stderr
    assert "reads no table" in cli(pipeline.parent, "test", "p.yaml", "--record", "raw_orders", code=1).stderr
    unknown = cli(pipeline.parent, "test", "p.yaml", "--record", "piad", code=2).stderr
    assert "p.yaml: --record: there is no step 'piad'; did you mean 'paid'?" in unknown
    assert "--keep does not go together with" in cli(pipeline.parent, "test", "p.yaml", "--keep", "x", code=2).stderr
    assert (
        "-k does not go together with"
        in cli(pipeline.parent, "test", "p.yaml", "--record", "paid", "-k", "x", code=2).stderr
    )
    execute(pipeline.parent, "DROP TABLE raw_customers")
    assert (
        "there is no table raw_customers" in cli(pipeline.parent, "test", "p.yaml", "--record", "paid", code=1).stderr
    )
    (pipeline.parent / ".pipekit/masks.key").write_bytes(b"")
    assert (
        "masks.key does not hold a complete key"
        in cli(pipeline.parent, "test", "p.yaml", "--record", "paid", code=1).stderr
    )
    assert snapshot(pipeline.parent / "tests") == before


def test_a_column_that_decides_in_another_way_is_named(tmp_path: Path) -> None:
    path = project(
        tmp_path,
        """
        sources:
          words: {uri: in/, format: {type: csv}, columns: {id: integer, word: varchar}}
        steps:
          - {id: raw, type: load, source: words}
          - {id: equal, type: sql, sql: "select id, word from raw where md5(word) = md5(reverse(word))"}
        """,
    )
    write(tmp_path, "in/a.csv", "id,word\n1,kayak\n2,house\n")
    run_ok(path)
    with pytest.raises(PipekitError) as raised:
        load(path).record("equal")
    assert "with masked values the step makes no row" in str(raised.value)
    assert "--keep raw.word would keep what decides" in str(raised.value)
    assert not (tmp_path / "tests").exists()
    assert load(path).record("equal", keep=["word"]).passed


def test_a_join_that_masks_break_without_a_row_less_is_said(tmp_path: Path) -> None:
    path = project(
        tmp_path,
        """
        sources:
          a: {uri: a/, format: {type: csv}, columns: {mail: {type: varchar, sensitive: true}, d: integer}}
          b: {uri: b/, format: {type: csv}, columns: {mail: varchar}}
        steps:
          - {id: ra, type: load, source: a}
          - {id: rb, type: load, source: b}
          - {id: j, type: sql, sql: "select rb.mail, ra.d from rb left join ra on ra.mail = rb.mail where rb.mail like '%@x.com'"}
        """,
    )
    write(tmp_path, "a/a.csv", "mail,d\nada@x.com,1\nbob@x.com,2\n")
    write(tmp_path, "b/b.csv", "mail\nada@x.com\nbob@x.com\n")
    run_ok(path)
    assert any("j.d is NULL in 2 of 2 rows, and in 0 without masks" in note for note in load(path).record("j").notes)


@pytest.mark.parametrize("on", ["snowflake"], indirect=True)
def test_on_snowflake_few_rows_are_read(on: Project) -> None:
    path = on.pipeline(
        """
        steps:
          - {id: big, type: sql, sql: "select seq4() as id, 'Name ' || seq4() as name from table(generator(rowcount => 3000))"}
          - {id: some, type: sql, sql: "select id, upper(name) as name from big where id > 100"}
        """
    )
    run_ok(path)
    sent: list[str] = []
    recorded = _watched(load(path), sent).record("some", rows=3)
    assert recorded.passed
    assert (recorded.given, recorded.expected) == ({"big": 3}, {"some": 3})
    assert sent
    assert all("LIMIT" in sql for sql in sent if "FROM" in sql and '"BIG"' in sql.upper())


def _watched(pipeline: Pipeline, sent: list[str]) -> Pipeline:
    """The pipeline, whose statements on the target are noted."""
    look = type(pipeline.spec).look

    def looked(spec: Any) -> Any:
        warehouse, notice = look(spec)
        warehouse.observer = lambda sql, *rest: sent.append(sql)
        return warehouse, notice

    pipeline.spec.__dict__["look"] = lambda: looked(pipeline.spec)
    return pipeline


def test_masks_keep_form_equality_and_sides() -> None:
    decisive = Decisive.of(["select 1 from t where age >= 25 and state = 'Active' and day < '2024-03-10'"])
    masker = Masker(b"key", decisive)
    ages = list(range(100))
    masked = masker.column(ages)
    assert sorted(masked) == sorted(set(masked))
    assert all(
        (old >= 25) == (new >= 25) and len(str(old)) == len(str(new)) for old, new in zip(ages, masked, strict=True)
    )
    assert masker.column(["Active", "ACTIVE", None, True, 0, 1]) == ["Active", "ACTIVE", None, True, 0, 1]
    assert masker.column(["Active"], secret=True) != ["Active"]
    words = masker.column(["Anna", "anna", " ANNA ", "Otto"])
    assert words[0].lower() == words[1] == words[2].strip().lower() != words[3].lower()
    assert words[0][0].isupper()
    assert words[2] == f" {words[0].upper()} "
    number, text = masker.column([412, "412"])
    assert str(number) == text
    days = masker.column(["2024-03-09", "2024-03-11", "2024-03-09 00:00:00"])
    assert days[0] < "2024-03-10" < days[1]
    assert days[2].endswith(" 00:00:00")
    times = masker.column(["2024-03-11T10:11:12", "2024-03-11 23:00:00", "2024-03-12 10:11:12"])
    assert [each[:10] == days[1] for each in times] == [True, True, False]  # one day stays one day
    assert times[0][10:] != "T10:11:12"
    [noted, zoned, utc] = masker.column(
        ["2024-03-09 10:00 Anna called", "2024-03-09T10:11:12.5+01:00", "2024-03-09 10:11 UTC"]
    )
    assert "Anna called" not in noted
    assert zoned[:8] == utc[:8] == "2024-03-"
    assert zoned[10] == "T"
    assert (zoned[-6:], utc[-4:]) == ("+01:00", " UTC")
    documents = ['{"name": "Anna", "by": {"anna@example.com": 25}}', {"first name": "Anna", 417: 25}]
    assert re.fullmatch(
        r'\{"name": "[A-Z][a-z]{3}", "by": \{"[a-z]{4}@[a-z]{7}\.[a-z]{3}": 25\}\}', masker.column(documents)[0]
    )
    assert "anna" not in str(masker.column(documents)).lower()
    assert "first name" in masker.column(documents)[1]
    assert 417 not in masker.column(documents)[1]
    assert Masker(b"other", decisive).column(ages) != masked


def test_masks_keep_what_patterns_match() -> None:
    decisive = Decisive.of(["select 1 from t where a like 'y%' or b ilike '%#_' or regexp_like(c, '^[A-F]{2}-.*')"])
    values = ["y #1", "yet", "nor", "n x", "a #2", "ab-12", "xy-12"]
    masked = Masker(b"key", decisive).column(values)

    assert not set(values) & set(masked)
    for pattern in ("y.*", ".*#.", "[a-f]{2}-.*"):
        assert [bool(re.fullmatch(pattern, each)) for each in values] == [
            bool(re.fullmatch(pattern, each)) for each in masked
        ]


def test_what_a_pattern_looks_for_is_distinguished_or_said(tmp_path: Path) -> None:
    path = project(
        tmp_path,
        """
        sources: {given: {uri: in/, format: {type: json}, columns: {id: integer, stats: variant, mail: varchar}}}
        steps:
          - {id: raw, type: load, source: given}
          - id: supported
            type: sql
            sql: >-
              select r.id, count_if(f.value::varchar like 'y%') as versions
              from raw r, lateral flatten(input => r.stats) f group by r.id
          - id: lengths  # a mask that begins like that, by chance, is one of 17,576
            type: sql
            sql: >-
              select id, ascii(mail) < 98 and ascii(substr(mail, 2, 1)) < 98 and ascii(right(mail, 1)) < 98 as a from raw
        """,
    )
    rows = [{"id": n, "stats": {"1": "y" if n % 2 else "n", "2": "y #1"}, "mail": "abn"[n % 3] * 4} for n in range(12)]
    write(tmp_path, "in/a.json", "\n".join(map(json.dumps, rows)))
    run_ok(path)

    recorded = load(path).record("supported")
    assert recorded.passed
    tests = yaml.safe_load(recorded.file.read_text(encoding="utf-8"))
    assert {row["versions"] for row in tests["tests"]["supported as recorded"]["expect"]["supported"]} == {1, 2}
    assert any(
        "lengths.a is False in all rows, and differs without masks" in note
        for note in load(path).record("lengths").notes
    )


def test_a_sum_of_floats_is_not_expected_and_the_way_out_is_said(tmp_path: Path) -> None:
    path = project(
        tmp_path,
        """
        sources: {given: {uri: in/, format: {type: csv}, columns: {k: integer, v: float}}}
        steps:
          - {id: raw, type: load, source: given}
          - {id: plain, type: sql, sql: "select k, avg(v) as mean from raw group by k"}
          - {id: rounded, type: sql, sql: "select k, round(avg(v), 6) as mean from raw group by k"}
        """,
    )
    lines = [f"{n % 2},{(n * 7919 % 1000) / 997 + 10 ** (n % 7)}" for n in range(20)]
    write(tmp_path, "in/a.csv", "\n".join(["k,v", *lines, ""]))
    write(tmp_path, ".pipekit/masks.key", "5" * 64)  # with some keys the sums of masked values happen to be the same
    run_ok(path)

    assert any("plain.mean differs in its last digits" in note for note in load(path).record("plain").notes)
    assert not any("differs" in note for note in load(path).record("rounded").notes)


PIVOT = """
import pipekit

class Options(pipekit.StepOptions):
    into: str

def pivot(options, context):
    warehouse = context.warehouse
    kinds = [row[0] for row in warehouse.execute("SELECT DISTINCT kind FROM raw ORDER BY 1").rows]
    columns = ", ".join(f"sum(CASE WHEN kind = '{kind}' THEN 1 END) AS n_{kind}" for kind in kinds)
    warehouse.execute(f"CREATE OR REPLACE TABLE {options.into} AS SELECT {columns} FROM raw")
    return pipekit.StepResult()

@pipekit.hookimpl
def pipekit_step_types():
    return [pipekit.StepType("pivot", Options, pivot, lambda *_: ["raw"], lambda options, _: [options.into])]
"""


def test_columns_that_are_named_by_values_are_recorded_with_these_in_clear(tmp_path: Path) -> None:
    spec = """
sources: {s: {uri: in/, format: {type: csv}, columns: {kind: varchar}}}
steps:
  - {id: raw, type: load, source: s}
  - {id: wide, type: pivot}
"""
    path = project(tmp_path, spec, plugins__pivot=PIVOT)
    write(tmp_path, "in/a.csv", "kind\nfoo\nbar\nfoo\n")
    run_ok(path)
    done = cli(tmp_path, "test", "p.yaml", "--record", "wide", code=1)
    assert "with masked values wide has no column n_bar, n_foo: its columns depend on them" in done.stderr
    assert "--keep raw.kind would keep what decides" in done.stderr
    cli(tmp_path, "test", "p.yaml", "--record", "wide", "--keep", "kind", code=0)
    assert found_in(path)["wide as recorded"]["expect"] == {"wide": [{"n_bar": 1, "n_foo": 2}]}
