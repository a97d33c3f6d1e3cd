"""A materialization that a plugin brings: for queries and for files, on both engines, and what is refused."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from emulator.fixtures import EmulatedSnowflake, emulated, s3  # noqa: F401 - fixtures
from small_projects import cli, load, problems, project, run_ok, write

import pipekit
from pipekit.errors import ChecksFailed

PLUGIN = Path(__file__).with_name("versions_plugin.py").read_text(encoding="utf-8")
FILE = """
sources:
  people:
    uri: in
    format: {{type: csv}}
    columns: {{id: integer, town: varchar}}
{target}
steps:
  - {{id: by_file, type: load, source: people, strategy: versions, key: id, audit: [
      {{expect_column_values_to_not_be_null: {{column: town}}}}]}}
  - {{id: raw, type: load, source: people}}
  - {{id: by_query, type: sql, sql: select * from raw, materialize: versions, key: id}}
"""
FIRST, SECOND = "2024-01-01T00:00:00+00:00", "2024-01-02T00:00:00+00:00"


@pytest.fixture(params=["duckdb", "snowflake"])
def path(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """The project's file, for each engine."""
    target = ""
    if request.param == "snowflake":
        account: EmulatedSnowflake = request.getfixturevalue("emulated")
        target = f"targets: {{there: {account.target()}}}\ntarget: there"
    return project(tmp_path, FILE.format(target=target), plugins__versions=PLUGIN)


def people(path: Path, *rows: str) -> None:
    write(path.parent, "in/people.csv", "\n".join(["id,town", *rows, ""]))


def versions(path: Path, table: str) -> list[tuple[Any, ...]]:
    spec = load(path).spec
    warehouse = spec.target.open(spec.root)
    try:
        found = warehouse.execute(f"SELECT id, town, valid_from, valid_to FROM {table} ORDER BY id, valid_from").rows
    finally:
        warehouse.close()
    return [(*row[:2], *(when and when.date().isoformat() for when in row[2:])) for row in found]


def test_versions_of_rows_by_query_and_by_file(path: Path) -> None:
    people(path, "1,Porto", "2,Faro")
    run_ok(path, as_of=FIRST)
    people(path, "1,Braga", "2,Faro", "3,")
    with pytest.raises(ChecksFailed):
        load(path, as_of=SECOND).run(select=["by_file"]).raise_for_status()
    old = [(1, "Porto", "2024-01-01", None), (2, "Faro", "2024-01-01", None)]
    assert versions(path, "by_file") == old
    people(path, "1,Braga", "2,Faro", "3,Evora")
    assert run_ok(path, as_of=SECOND).rows == {"by_file": 2, "raw": 3, "by_query": 2}
    new = [
        (1, "Porto", "2024-01-01", "2024-01-02"),
        (1, "Braga", "2024-01-02", None),
        (2, "Faro", "2024-01-01", None),
        (3, "Evora", "2024-01-02", None),
    ]
    assert versions(path, "by_file") == versions(path, "by_query") == new
    assert run_ok(path, as_of=SECOND).rows == {"by_file": 0, "raw": 3, "by_query": 0}
    assert versions(path, "by_file") == versions(path, "by_query") == new


def test_a_first_fill_that_fails_leaves_no_table(path: Path) -> None:
    people(path, "1,Porto", "1,Faro")
    result = load(path).run()
    spec = load(path).spec
    warehouse = spec.target.open(spec.root)
    for table in ("by_file", "by_query"):
        assert "the key (id) is NULL or not unique" in str(result.errors[table])
        assert not warehouse.exists(pipekit.Table.parse(table))
    warehouse.close()


MOVE = """
import pipekit
@pipekit.hookimpl
def pipekit_materializations():
    return [pipekit.Materialization({name!r}, lambda move: move.insert(), uses={uses!r})]
"""


def step(keys: str) -> str:
    return f"sources: {{s: {{uri: in, format: {{type: csv}}, columns: {{a: integer}}}}}}\nsteps: [{{id: a, {keys}}}]\n"


@pytest.mark.parametrize(
    ("keys", "expected"),
    [
        ("type: sql, sql: select 1 as a, materialize: versions", ["3: steps.a.materialize: versions needs key"]),
        ("type: load, source: s, strategy: versions", ["3: steps.a.strategy: versions needs key"]),
        ("type: load, source: s, strategy: versions, key: b", ["3: steps.a.key: the source s declares no column 'b'"]),
        ("type: sql, sql: select 1 as a, materialize: versions, key: a, since: a",
         ["3: steps.a.since: means nothing with materialize: versions; it belongs to append"]),
        ("type: sql, sql: select 1 as a, materialize: versions, key: a, to_colum: b", ["3: steps.a.to_colum: unknown key; did you mean 'to_column'?"]),
        ("type: sql, sql: select 1 as a, materialize: versions, key: a, to_column: [b]", ["3: steps.a.to_column: must be text"]),
        ("type: sql, sql: select 1 as a, from_column: b", ["3: steps.a.from_column: materialize is not given, so it is table, which takes no from_column; write materialize: versions, or remove"]),
        ("type: sql, sql: select 1 as a, materialize: version", ["3: steps.a.materialize: unknown materialize 'version'; did you mean 'versions'?; one of append, merge, "]),
        ("type: load, source: s, strategy: view", ["3: steps.a.strategy: view is for materialize, not for strategy; one of append, "]),
        ("type: sql, sql: select 1 as a, materialize: [a]", ["3: steps.a.materialize: unknown materialize ['a']"]),
        ("type: sql, materialize: versions, aduit: x", ["3: steps.a.materialize: versions needs key", "3: steps.a.aduit: unknown key; did you mean 'audit'?"]),
        ("type: python, call: 'versions:nope', materialize: view", ["3: steps.a.materialize: a view needs a query"]),
    ],
)  # fmt: skip
def test_mistakes_in_the_keys_of_a_materialization(tmp_path: Path, keys: str, expected: list[str]) -> None:
    path = project(tmp_path, step(keys), plugins__versions=PLUGIN)
    found = problems(path)
    assert [any(line.startswith(words) for line in found) for words in expected] == [True] * len(expected), found


def test_a_materialization_for_queries_only(tmp_path: Path) -> None:
    mine = MOVE.format(name="mine", uses=("materialize",))
    path = project(tmp_path, step("type: load, source: s, strategy: mine"), plugins__mine=mine)
    assert problems(path)[0].startswith("3: steps.a.strategy: mine is for materialize, not for strategy")
    path = project(tmp_path, step("type: sql, sql: select 1 as a, materialize: mine"))
    assert [run_ok(path).rows for _ in range(2)] == [{"a": 1}, {"a": 1}]


@pytest.mark.parametrize(("name", "uses"), [("merge", ("strategy",)), ("versions", ("materialize", "strategy"))])
def test_a_name_that_is_claimed_twice_is_refused(tmp_path: Path, name: str, uses: tuple[str, ...]) -> None:
    text = step("type: sql, sql: select 1 as a")
    path = project(tmp_path, text, plugins__a=PLUGIN, plugins__b=MOVE.format(name=name, uses=uses))
    by = "built-in materializations" if name == "merge" else "plugins/a.py"
    with pytest.raises(
        pipekit.PluginError, match=f"the materialization '{name}' is claimed by {by} and by plugins/b.py"
    ):
        load(path)


def test_one_name_may_mean_one_thing_for_queries_and_another_for_files(tmp_path: Path) -> None:
    mine = MOVE.format(name="table", uses=("strategy",))
    assert problems(project(tmp_path, step("type: load, source: s, strategy: table"), plugins__mine=mine)) == []


def test_the_schema_of_a_project_lists_its_own_materializations(tmp_path: Path) -> None:
    import json

    project(tmp_path, step("type: sql, sql: select 1 as a"), plugins__versions=PLUGIN)
    text = cli(tmp_path, "schema", code=0).stdout
    steps = {kind["properties"]["type"]["const"]: kind["properties"] for kind in _steps(json.loads(text))}
    assert "versions" in str(steps["sql"]["materialize"])
    assert "versions" in str(steps["load"]["strategy"])
    assert {"key", "since", "to_column"} <= set(steps["python"])
    assert "since" not in steps["load"]


def _steps(schema: Any) -> Any:
    steps = schema["properties"]["steps"]
    return steps.get("items", steps.get("anyOf", [steps])[0].get("items"))["oneOf"]


def test_a_value_that_cannot_work_is_refused() -> None:
    with pytest.raises(ValueError, match="needs either a move or remade_as"):
        pipekit.Materialization("nothing")
    with pytest.raises(ValueError, match="cannot serve a load"):
        pipekit.Materialization("both", remade_as="table")
