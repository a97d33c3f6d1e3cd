"""`pipekit add`: a step for a template, in a pipeline file that is otherwise as it was."""

from __future__ import annotations

from pathlib import Path

import pytest
from projects import query

from pipekit import Pipeline, SpecError

HEAD = """\
name: shop  # mine
target: local
targets:
  local: {type: duckdb, path: w.duckdb}
sources:
  orders: {uri: in, pattern: "*.csv", format: {type: csv}, columns: {id: integer, city: varchar, day: date}}
"""
LOAD = """\
steps:
  - id: raw  # the load
    type: load
    source: orders

  # the end
"""
TAIL = "threads: 1\n"


@pytest.fixture
def shop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    for name in ("in", "templates"):
        (tmp_path / name).mkdir()
    (tmp_path / "pyproject.toml").write_text("[tool.pipekit]\n", encoding="utf-8")
    (tmp_path / "in/a.csv").write_text("id,city,day\n1,Rome,2024-01-01\n2,Rome,2024-01-01\n3,Oslo,2024-01-02\n")
    (tmp_path / "p.yaml").write_text(HEAD + LOAD + TAIL, encoding="utf-8")
    return tmp_path


def added(shop: Path, **templates: str) -> str:
    for name, sql in templates.items():
        (shop / f"templates/{name}.sql").write_text(sql, encoding="utf-8")
    Pipeline.from_file("p.yaml").add(*(f"templates/{name}.sql" for name in templates))
    return (shop / "p.yaml").read_bytes().decode()


def test_a_step_is_added_and_all_else_stays(shop: Path) -> None:
    text = added(
        shop,
        per_city="select city, count(*) as n from raw group by 1",
        per_day="select r.city as town, day, count(*) as n from raw r group by r.city, day",
        plain="select id from raw",
        first="select id, city from raw qualify row_number() over (partition by city order by id) = 1",
        upper_city="select upper(city) as city, count(*) as n from raw group by city",
    )

    step = """\
  - id: {0}
    type: sql
    template: {0}.sql
    audit:
      - expect_table_row_count_to_be_between: {{min_value: 1}}
"""
    before, behind = (HEAD + LOAD + TAIL).split("\n\n  # the end")
    assert text == (
        f"{before}\n"
        + step.format("per_city")
        + "      - expect_column_values_to_be_unique: {column: city}\n"
        + step.format("per_day")
        + "      - expect_compound_columns_to_be_unique: {column_list: [town, day]}\n"
        + step.format("plain")
        + step.format("first")
        + "      - expect_column_values_to_be_unique: {column: city}\n"
        + step.format("upper_city")
        + f"\n  # the end{behind}"
    )
    result = Pipeline.from_file("p.yaml").run()
    assert result.ok, result.errors
    assert query(shop, "select * from per_city order by 1", "w.duckdb") == [("Oslo", 1), ("Rome", 2)]


def test_line_ends_links_and_a_block_at_the_end_are_kept(shop: Path) -> None:
    steps = "steps:\n- id: one\n  type: sql\n  sql: |\n    select 1 as a\n    # no comment"
    (shop / "real.yaml").write_bytes((HEAD + steps.replace("# no", "-- # no")).replace("\n", "\r\n").encode())
    (shop / "p.yaml").unlink()
    (shop / "p.yaml").symlink_to("real.yaml")

    text = added(shop, two="select a from one")

    assert (shop / "p.yaml").is_symlink()
    assert "    -- # no comment\r\n- id: two\r\n  type: sql\r\n" in text
    assert text.count("\n") == text.count("\r\n")


@pytest.mark.parametrize(
    ("sql", "says"),
    [
        ("select nothing from raw", "templates/new.sql:1:8"),
        ("select id from elsewhere", "templates/new.sql:1:16: steps.new.template: reads elsewhere"),
        ("delete from raw", "templates/new.sql:1:1: DELETE is not allowed"),
    ],
)
def test_a_pipeline_that_would_be_wrong_stays_as_it_was(shop: Path, sql: str, says: str) -> None:
    with pytest.raises(SpecError) as caught:
        added(shop, new=sql)

    assert says in str(caught.value)
    assert (shop / "p.yaml").read_text(encoding="utf-8") == HEAD + LOAD + TAIL
    assert sorted(each.name for each in shop.glob("*p.yaml*")) == ["p.yaml"]


def test_a_mistake_of_the_added_step_has_no_line_of_the_file_that_lacks_it(shop: Path) -> None:
    """Such a line would be another's, or none."""
    with pytest.raises(SpecError) as caught:
        added(shop, RAW="select 1 as id")

    [problem] = caught.value.problems
    assert str(problem) == "p.yaml: steps.RAW.id: the id 'RAW' is taken by the step in line 8"


def test_what_cannot_be_added_is_named(shop: Path) -> None:
    pipeline = Pipeline.from_file("p.yaml")
    for file, says in (("templates/no.sql", "there is no file"), ("in/a.csv", "is not below templates")):
        with pytest.raises(SpecError, match=says):
            pipeline.add(file)
    (shop / "templates/duckdb").mkdir()
    (shop / "templates/duckdb/own.sql").write_text("select 1 as a", encoding="utf-8")
    with pytest.raises(SpecError, match="templates/duckdb/ holds what duckdb reads in place of a template"):
        pipeline.add("templates/duckdb/own.sql")
    added(shop, per_city="select city from raw")
    with pytest.raises(SpecError, match="'per_city' is there already"):
        added(shop, per_city="select city from raw")

    (shop / "p.yaml").write_text(HEAD + "steps: [{id: raw, type: load, source: orders}]\n", encoding="utf-8")
    with pytest.raises(SpecError, match=r"p\.yaml:7: steps: must be a list with a line for each step"):
        added(shop, other="select city from raw")


def test_an_alias_at_the_end_is_the_end(shop: Path) -> None:
    steps = "steps:\n  - {id: raw, type: load, source: orders, audit: &rows [expect_table_row_count_to_be_between: {min_value: 1}]}\n"
    last = "  - id: two\n    type: sql\n    sql: select id from raw\n    audit: *rows\n"
    (shop / "p.yaml").write_text(HEAD + steps + last, encoding="utf-8")

    assert added(shop, three="select id from two").startswith(HEAD + steps + last + "  - id: three\n")
