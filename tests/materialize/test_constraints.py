"""What a file says of output columns, on both engines: NOT NULL, primary key, defaults, descriptions, types."""

from __future__ import annotations

from pathlib import Path

import pytest
from engines import Project, snowflake_is_long
from small_projects import problems, project

from pipekit import SpecError

CONTRACT = """
    contract:
      primary_key: [id, part]
      columns:
        id: {type: integer, description: "The customer's key."}
        part: {description: Of the year.}
        name: {nullable: false}
        origin: {type: varchar(10), default: shop, description: Where it is from.}
"""
STEP = """
vars: {rows: "(1, 1, 'a')"}
steps:
  - id: t
    type: sql
    sql: select * from (values ROWS) as v(id, part, name)
    HOW
"""


def step(rows: str, how: str) -> str:
    return STEP.replace("ROWS", rows).replace("HOW", how) + CONTRACT


MERGE = "materialize: merge\n    key: [id, part]"


@pytest.mark.parametrize(
    ("on", "how"),
    [
        ("duckdb", "materialize: table"),
        ("duckdb", MERGE),
        ("snowflake", "materialize: table"),
        *(
            pytest.param(*each, marks=pytest.mark.long)
            for each in [
                ("duckdb", "materialize: truncate_load"),
                ("snowflake", "materialize: truncate_load"),
                ("snowflake", MERGE),
            ]
        ),
    ],
    indirect=["on"],
)
def test_constraints_hold_whatever_the_materialization(on: Project, how: str) -> None:
    good, keyed = "(1, 1, 'a'), (1, 2, 'b')", "merge" in how
    on.ok(step(good, how))
    on.ok(step(good, how))
    held = [(1, 1, "a", "shop"), (1, 2, "b", "shop")]
    assert on.execute("select * from t order by id, part") == held
    for bad, words in (
        ("(1, 1, 'a'), (2, 1, null)", "name is NOT NULL: 1 of 2 values are unexpected"),
        ("(1, 1, 'a'), (null, 1, 'x')", "id is NOT NULL" if not keyed else "the key (id, part) is NULL or not unique"),
        ("(1, 1, 'a'), (1, 1, 'b')", "primary key (id, part)" if not keyed else "is NULL or not unique"),
    ):
        error = str(on.run(step(bad, how)).steps[0].error)
        assert words in error, error
        assert on.execute("select * from t order by id, part") == held
    on.execute("insert into t (id, part, name) values (5, 5, 'by hand')")
    assert on.execute("select origin from t where id = 5") == [("shop",)]
    with pytest.raises(Exception, match=r"(?i)null"):
        on.execute("insert into t (id, part) values (6, 6)")


def test_descriptions_are_comments_in_the_database(tmp_path: Path) -> None:
    from small_projects import query, run_ok

    run_ok(project(tmp_path, step("(1, 1, 'a')", "materialize: table")))
    found = query(
        tmp_path, "select column_name, comment from duckdb_columns() where table_name = 't' order by column_index"
    )
    assert found == [
        ("id", "The customer's key."),
        ("part", "Of the year."),
        ("name", None),
        ("origin", "Where it is from."),
    ]


@snowflake_is_long
def test_a_key_of_one_column_and_an_append_that_breaks_it(on: Project) -> None:
    text = """
    steps:
      - {{id: t, type: sql, sql: "select {} as id, {} as n", materialize: append, since: n, contract: {{primary_key: id}}}}
    """
    on.ok(text.format(1, 1))
    on.ok(text.format(2, 2))
    error = str(on.run(text.format(1, 3)).steps[0].error)
    assert "primary key (id)" in error
    assert on.execute("select * from t order by 1") == [(1, 1), (2, 2)]


@snowflake_is_long
def test_types_of_the_file_are_those_of_the_rows(on: Project) -> None:
    text = "steps:\n  - {id: t, type: sql, sql: \"select 'x' as a\", contract: {columns: {a: integer}}}\n"
    assert "contract: a is " in str(on.run(text).steps[0].error)
    text = "steps:\n  - {id: t, type: sql, sql: \"select 'x' as a\", contract: {columns: {b: {description: B.}}}}\n"
    with pytest.raises(SpecError, match=r"contract.columns.b: t has no column 'b'"):
        on.run(text)


@pytest.mark.parametrize(
    ("contract", "words"),
    [
        ("materialize: view, contract: {primary_key: a}", "contract: means nothing with materialize: view"),
        ("contract: {columns: {a: intger}}", "unknown type 'intger'"),
        ("contract: {columns: {a: {nul: true}}}", "unknown key"),
        ("contract: {keys: a}", "unknown key"),
    ],
)
def test_mistakes(tmp_path: Path, contract: str, words: str) -> None:
    [line] = problems(project(tmp_path, f"steps:\n  - {{id: t, type: sql, sql: select 1 as a, {contract}}}\n"))
    assert words in line


OWN = """
steps:
  - {id: raw, type: sql, sql: "select * from (values ROWS) as v(id, n)"}
  - id: best
    type: sql
    materialize: merge
    key: id
    timestamps: true
    contract: {columns: {id: integer, n: "number(10,0)", times: integer}}
    sql: |
      select raw.id, greatest(raw.n, coalesce(best.n, raw.n))::number(10, 0) as n,
             (coalesce(best.times, 0) + 1)::integer as times
      from raw left join best on best.id = raw.id
"""


def test_a_merge_that_reads_its_own_table_works_on_its_first_run(on: Project) -> None:
    on.ok(OWN.replace("ROWS", "(1, 5), (2, 7)"))
    on.ok(OWN.replace("ROWS", "(1, 9), (2, 3)"))
    assert on.execute("select id, n, times from best order by 1") == [(1, 9, 2), (2, 7, 2)]


@snowflake_is_long
def test_an_increment_over_its_own_table_needs_no_declaration(on: Project) -> None:
    text = """
    steps:
      - {id: raw, type: sql, sql: "select * from (values ROWS) as v(id, n)"}
      - id: seen
        type: sql
        materialize: append
        key: id
        sql: select id, n from raw where n > (select coalesce(max(n), 0) from seen)
    """
    on.ok(text.replace("ROWS", "(1, 5), (2, 7)"))
    on.ok(text.replace("ROWS", "(1, 5), (2, 7), (3, 8), (4, 2)"))
    assert on.execute("select id from seen order by 1") == [(1,), (2,), (3,)]


@snowflake_is_long
def test_types_that_cannot_be_known_are_asked_for(on: Project) -> None:
    text = OWN.replace('    contract: {columns: {id: integer, n: "number(10,0)", times: integer}}\n', "")
    error = str(on.run(text.replace("ROWS", "(1, 5)").replace("::integer as times", " as times")).steps[1].error)
    if error != "None":
        assert "the query reads best, which it makes" in error
        assert "columns: {id: integer" in error
        with pytest.raises(Exception, match=r"(?i)best"):
            on.execute("select * from best")
