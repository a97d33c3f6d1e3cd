"""`pipekit lineage`: from the header of a file to the last column, forward and back."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from projects import BANK, MARKETING, REPOSITORY
from small_projects import cli, load, problems, project

from pipekit.sql.origins import Ref

SHOP = """
name: shop
sources:
  orders:
    uri: in/
    pattern: "*.json"
    format: {type: json}
    columns:
      id: {type: integer, nullable: false}
      customer: {type: varchar, path: buyer.name}
      amount: number(10,2)
steps:
  - {id: raw, type: load, source: orders, metadata: true}
  - id: totals
    type: sql
    materialize: merge
    key: customer
    timestamps: true
    sql: select customer, sum(amount) as total from raw where id > 0 group by customer
  - id: ranked
    type: python
    call: code:rank
    inputs: [totals]
LINEAGE
  - {id: best, type: sql, sql: 'select place, customer from ranked where place < 3'}
"""
DECLARED = """\
    lineage:
      customer: totals.customer
      place: {direct: totals.total, indirect: [totals.customer]}
"""


def shop(folder: Path, lineage: str = DECLARED) -> Path:
    return project(folder, SHOP.replace("LINEAGE\n", lineage), plugins__code="def rank(totals):\n    return totals\n")


def test_back_to_the_path_in_the_file(tmp_path: Path) -> None:
    shop(tmp_path)
    assert cli(tmp_path, "lineage", "p.yaml", "best.place", code=0).stdout.splitlines() == [
        "best.place",
        "└─ ranked.place",
        "   ├─ totals.total",
        "   │  ├─ raw.amount",
        "   │  │  └─ orders: amount  (in the files)",
        "   │  └─ rows by: raw.customer, .id",
        "   └─ rows by: totals.customer",
        "",
        "From the files: orders: amount",
        "Rows by the files: orders: buyer.name, id",
    ]


def test_forward_from_the_path_in_the_file(tmp_path: Path) -> None:
    shop(tmp_path)
    assert cli(tmp_path, "lineage", "p.yaml", "orders.buyer.name", "--forward", code=0).stdout.splitlines() == [
        "orders: buyer.name  (in the files)",
        "└─ raw.customer",
        "   ├─ totals.customer",
        "   │  ├─ ranked.customer",
        "   │  │  └─ best.customer",
        "   │  └─ decides rows of: ranked.place",
        "   └─ decides rows of: totals.total",
    ]


def test_tables_and_the_columns_of_one(tmp_path: Path) -> None:
    shop(tmp_path)
    assert cli(tmp_path, "lineage", "p.yaml", code=0).stdout.splitlines() == [
        "best  (step best)",
        "└─ ranked  (step ranked)",
        "   └─ totals  (step totals)",
        "      └─ raw  (step raw)",
        "         └─ orders  (files)",
    ]
    assert cli(tmp_path, "lineage", "p.yaml", "totals", code=0).stdout.splitlines() == [
        "totals  (step totals)",
        "├─ customer ← raw.customer",
        "├─ total ← raw.amount",
        "├─ created_at",
        "├─ updated_at",
        "└─ rows by: raw.customer, .id",
    ]


def test_where_it_ends_the_reason_is_said(tmp_path: Path) -> None:
    shop(tmp_path, "")
    said = cli(tmp_path, "lineage", "p.yaml", "best.place", code=0).stdout
    why = "the step ranked (python) does not declare what its columns are made of"
    assert f"└─ ranked.place  (unknown from here on: {why})" in said
    assert (
        f"totals.total  (unknown from here on: {why})"
        in cli(tmp_path, "lineage", "p.yaml", "totals.total", "--forward", code=0).stdout
    )
    data = json.loads(cli(tmp_path, "lineage", "p.yaml", "best.place", "--json", code=0).stdout)
    assert data["unknown_before"] == {"ranked": why}


def test_as_json(tmp_path: Path) -> None:
    shop(tmp_path)
    tables = json.loads(cli(tmp_path, "lineage", "p.yaml", "--json", code=0).stdout)["tables"]
    assert tables["totals"]["columns"]["total"] == {
        "direct": [{"table": "raw", "column": "amount"}],
        "indirect": [{"table": "raw", "column": name} for name in ("*", "customer", "id")],
    }
    column = json.loads(cli(tmp_path, "lineage", "p.yaml", "orders.amount", "--forward", "--json", code=0).stdout)
    assert [each["column"] for each in column["all"]] == ["amount", "total", "place", "place", "customer"]


@pytest.mark.parametrize(
    ("column", "message"),
    [
        ("totals.totl", "totals has no column 'totl'; did you mean 'total'?"),
        ("total.total", "there is no table and no source 'total' in this pipeline; did you mean 'totals'?"),
    ],
)
def test_an_unknown_name_is_reported_with_the_nearest(column: str, message: str, tmp_path: Path) -> None:
    shop(tmp_path)
    assert message in cli(tmp_path, "lineage", "p.yaml", column, code=2).stderr


def test_declared_lineage_names_columns_of_the_inputs(tmp_path: Path) -> None:
    wrong = "    lineage: {place: [totals.totl, raw.id]}\n"
    said = problems(shop(tmp_path, wrong))
    assert any("place: totals has no column 'totl'; did you mean 'total'?" in line for line in said)
    assert any("place: 'raw.id' is not a table.column of an input; the inputs are totals" in line for line in said)


def test_lines_fit_the_terminal() -> None:
    for width in (60, 110):
        done = cli(REPOSITORY, "lineage", BANK, "bank_client_features.worth_a_call", code=0, COLUMNS=str(width))
        assert max(map(len, done.stdout.splitlines())) <= width


def test_two_writers_of_a_table_and_one_from_outside(tmp_path: Path) -> None:
    path = project(
        tmp_path,
        """
        external: [crm.people]
        steps:
          - {id: a, type: sql, sql: select name from crm.people, into: names, materialize: append, key: name}
          - {id: b, type: sql, sql: select alias as name from crm.people, into: names, materialize: append, key: name}
        """,
    )
    lineage = load(path).lineage()
    assert lineage.tables["names"].steps == ("a", "b")
    assert {str(ref) for ref in lineage.origin(Ref("names", "name")).direct} == {"crm.people.name", "crm.people.alias"}
    assert lineage.tables["crm.people"].steps == ()


def test_all_of_a_pipeline_is_followed() -> None:
    for file in (MARKETING, BANK):
        lineage = load(REPOSITORY / file).lineage()
        assert {name: table.unknown for name, table in lineage.tables.items() if table.unknown} == {}
        for name, table in lineage.tables.items():
            for column in table.columns or ():
                assert any(ref.in_files for ref in lineage.all_before(Ref(name, column)).all), f"{name}.{column}"
