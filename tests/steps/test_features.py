"""``type: features``: one row an entity, and the catalog."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from small_projects import problems, project, query, run_ok

import pipekit
from pipekit.steps.feature_sql import is_count
from pipekit.testing.steps import StepRun, run_step

PEOPLE = [
    {"id": 1, "born": "2000-01-01", "city": "A"},
    {"id": 2, "born": "1990-01-01", "city": "B"},
    {"id": 3, "born": None, "city": "A"},
]
EVENTS = [
    {"who": 1, "kind": "buy", "n": 5},
    {"who": 1, "kind": "see", "n": 7},
    {"who": 3, "kind": "see", "n": None},
    {"who": 9, "kind": "buy", "n": 1},
]
TABLES = {"people": PEOPLE, "events": EVENTS}


def features(features: dict[str, Any], root: Path | None = None, tables: Any = None, **options: Any) -> StepRun:
    base = {"into": "t", "from": "people", "entity": "id"}
    return run_step("features", {**base, "features": features, **options}, tables or TABLES, root=root)


def column(run: StepRun, name: str) -> list[Any]:
    return [row[name] for row in run.rows("t")]


def test_expressions_aggregates_and_features_of_features() -> None:
    run = features(
        {
            "age": {"sql": "datediff('year', to_date(born), {{ as_of }})"},
            "events": {"sql": "count(*)", "from": "events", "entity": "who"},
            "bought": {"sql": "count_if(kind = 'buy')", "from": "events", "entity": "who"},
            "kinds": {"sql": "count(distinct kind)", "from": "events", "entity": "who"},
            "most": {"sql": "max(n)", "from": "events", "entity": "who"},
            "share": {"sql": "bought / nullif(events, 0)"},
        }
    )
    assert list(run.rows("t")[0]) == ["id", "age", "events", "bought", "kinds", "most", "share"]
    assert column(run, "age") == [24, 34, None]
    assert column(run, "events") == [2, 0, 1]  # counts of nobody are 0
    assert column(run, "bought") == [1, 0, 0]
    assert column(run, "kinds") == [2, 0, 1]
    assert column(run, "most") == [7, None, None]  # other aggregates are NULL
    assert column(run, "share") == [0.5, None, 0]
    assert run.result.rows == 3
    before = run.rows("t")
    run.again()
    assert run.rows("t") == before


def test_a_template_says_what_no_expression_can(tmp_path: Path) -> None:
    (tmp_path / "templates").mkdir()
    text = "with last as (select who, max(n) as top from events group by who)\nselect who, top from last -- the end"
    (tmp_path / "templates/top.sql").write_text(text)
    run = features({"top": {"template": "top.sql", "entity": "who"}, "more": {"sql": "coalesce(top, 0) + 1"}}, tmp_path)
    assert [(row["id"], row["top"], row["more"]) for row in run.rows("t")] == [(1, 7, 8), (2, None, 1), (3, None, 1)]


def catalog(run: StepRun) -> dict[str, dict[str, Any]]:
    return {row["feature_name"]: row for row in run.rows("feature_catalog")}


def test_the_catalog_has_one_row_a_feature_and_follows_the_file() -> None:
    declared = {
        "town": {"sql": "upper(city)", "description": "Where."},
        "bought": {
            "sql": "count_if(kind = 'buy')",
            "from": "events",
            "entity": "who",
            "data_type": "tally",
            "quality": "fine",
        },
        "most": {"sql": "max(n)", "from": "events", "entity": "who"},
    }
    run = features(declared, update_frequency="daily")
    rows = catalog(run)
    assert set(rows) == {"town", "bought", "most"}
    assert {key: rows["town"][key] for key in ("feature_table", "description", "data_type", "source_table", "transformation", "update_frequency", "quality")} == {
        "feature_table": "t", "description": "Where.", "data_type": "varchar", "source_table": "people", "transformation": "upper(city)",
        "update_frequency": "daily", "quality": "100.00% filled",
    }  # fmt: skip
    assert (rows["bought"]["data_type"], rows["bought"]["quality"], rows["bought"]["source_table"]) == (
        "tally",
        "fine",
        "events",
    )
    assert (rows["most"]["data_type"], rows["most"]["quality"]) == ("number", "33.33% filled")
    run.again()
    assert catalog(run) == rows  # nothing changed, so no stamp did
    run.warehouse.execute("update feature_catalog set description = 'old' where feature_name = 'town'")
    run.warehouse.execute("update feature_catalog set feature_name = 'gone' where feature_name = 'most'")
    run.again()
    again = catalog(run)
    assert set(again) == {"town", "bought", "most"}
    assert again["town"]["created_at"] == rows["town"]["created_at"] < again["town"]["updated_at"]
    assert again["bought"] == rows["bought"]


@pytest.mark.parametrize(
    "options",
    [
        {"materialize": "merge"},
        {"materialize": "truncate_load"},
        {"audit": [{"expect_column_values_to_be_unique": {"column": "id"}}]},
    ],
    ids=str,
)
def test_materializations_take_the_entity_as_key(options: dict[str, Any]) -> None:
    run = features({"town": {"sql": "city"}}, **options)
    run.again()
    assert column(run, "town") == ["A", "B", "A"]


def test_a_failed_audit_keeps_the_table_and_the_catalog() -> None:
    run = features({"town": {"sql": "city"}}, audit=[{"expect_column_values_to_be_unique": {"column": "id"}}])
    before, known = run.rows("t"), catalog(run)
    run.warehouse.execute("insert into people select * from people")
    with pytest.raises(pipekit.ChecksFailed):
        run.again()
    assert (run.rows("t"), catalog(run)) == (before, known)


@pytest.mark.parametrize(
    ("feature", "words"),
    [
        ("{sql: '1', template: x.sql}", "template: sql is given, too; keep one of them"),
        ("{description: x}", "give either sql or template"),
        ("{template: x.sql, from: people}", "from: means nothing with template"),
        ("{sql: '1', entity: who}", "entity: means nothing without from or template"),
        ("{sql: 'city +'}", "steps.t.features.f.sql: the SQL is incomplete"),
        ("{sql: '1', from: peple}", "reads peple, which no step makes; did you mean 'people'?"),
        ("{template: gone.sql}", "there is no such template"),
    ],
)
def test_mistakes(tmp_path: Path, feature: str, words: str) -> None:
    path = project(
        tmp_path,
        f"external: people\nsteps:\n  - {{id: t, type: features, from: people, entity: id, features: {{f: {feature}}}}}\n",
    )
    [line] = problems(path)
    assert words in line


def test_two_features_steps_do_not_wait_for_each_other_through_the_catalog(tmp_path: Path) -> None:
    path = project(
        tmp_path,
        """
        steps:
          - {id: second, type: features, from: first, entity: id, features: {g: {sql: f + 1}}}
          - {id: first, type: features, from: people, entity: id, features: {f: {sql: id * 2}}}
          - {id: people, type: sql, sql: select 1 as id}
          - {id: known, type: sql, sql: select feature_name from feature_catalog}
        """,
    )
    run_ok(path)
    assert query(tmp_path, "select * from second") == [(1, 3)]
    assert query(tmp_path, "select * from known order by 1") == [("f",), ("g",)]


@pytest.mark.parametrize(
    ("text", "counts"),
    [("count(*)", True), (" COUNT_IF(x = ')')", True), ("count(distinct f(x))", True), ("count(*) + 1", False), ("sum(x)", False),
     ("count(*) / count(x)", False), ("counter(x)", False), ("count(x = 'a)')", True)],
)  # fmt: skip
def test_what_is_a_count(text: str, counts: bool) -> None:
    assert is_count(text) is counts
