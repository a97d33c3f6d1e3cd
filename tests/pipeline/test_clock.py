"""The run's clock in sources and suites, on both engines: a day is backfilled by ``--as-of``."""

from __future__ import annotations

from pathlib import Path

import pytest
from engines import Project
from small_projects import load, problems, project, run, run_ok

FILE = """
sources:
  orders:
    uri: "in/{{ as_of | date('YYYY') }}/"
    pattern: "orders-{{ as_of | minus('1d') | date('YYYY-MM-DD') }}.csv"
    exclude: "*-{{ as_of | date('MON') }}.csv"
    format: {type: csv}
    columns: {id: integer, day: date, stamped: timestamp_tz, seen: timestamp_ntz}
steps:
  - id: orders
    type: load
    source: orders
    strategy: append
    when_it_is: x
    audit:
      new_rows:
        - expect_column_max_to_be_between: {column: stamped, min_value: "{{ as_of | minus('36h') }}", max_value: "{{ as_of }}"}
        - expect_column_min_to_be_between: {column: seen, min_value: "{{ as_of | minus('36h') }}", max_value: "{{ as_of }}"}
        - expect_column_values_to_be_between: {column: stamped, min_value: "{{ as_of | minus('36h') }}"}
        - expect_column_values_to_be_between: {column: seen, max_value: "{{ as_of }}", strict_max: true}
        - expect_column_quantile_values_to_be_between:
            {column: seen, quantile_ranges: {quantiles: [0.5], value_ranges: [["{{ as_of | minus('36h') }}", "{{ as_of }}"]]}}
        - expect_column_values_to_be_in_set: {column: day, value_set: ["{{ as_of | minus('1d') | date('YYYY-MM-DD') }}"]}
        - expect_column_values_to_not_be_null:
            column: id
            row_condition:
              {type: comparison, column: {name: day}, operator: "==", parameter: "{{ as_of | minus('24h') | date('YYYY-MM-DD') }}"}
        - unexpected_rows_expectation:
            unexpected_rows_query: SELECT * FROM {batch} WHERE stamped > {{ as_of }}
""".replace("    when_it_is: x\n", "")


def put(root: Path, day: str) -> None:
    folder = root / "in" / day[:4]
    folder.mkdir(parents=True, exist_ok=True)
    text = f"id,day,stamped,seen\n{day[-2:]},{day},{day}T10:00:00Z,{day} 10:00:00\n"
    (folder / f"orders-{day}.csv").write_text(text)


def test_a_day_is_backfilled_by_as_of(on: Project) -> None:
    for day in ("2023-12-31", "2024-01-01", "2024-01-02"):
        put(on.root, day)
    path = on.pipeline(FILE)
    for clock in ("2024-01-03", "2024-01-02T12:00:00+00:00", "2024-01-02"):
        run_ok(path, as_of=clock)
    assert on.execute("select id from orders order by 1") == [(1,), (2,)]
    checks = on.execute("select distinct status, count(*) from dq_check_logs group by 1")
    assert checks == [("PASSED", 16)]
    assert "no file matches 'orders-2024-01-03.csv'" in str(run(path, as_of="2024-01-04").steps[0].error)
    (on.root / "in/2024/orders-2024-01-03.csv").write_text("id,day,stamped,seen\n3,2024-01-02,2024-01-05T00:00:00Z,\n")
    failed = str(run(path, as_of="2024-01-04").steps[0].error)
    assert "5 of 8 checks failed" in failed
    assert on.execute("select id from orders order by 1") == [(1,), (2,)]


def test_a_definition_does_not_change_with_the_clock(tmp_path: Path) -> None:
    path = project(tmp_path, FILE)
    hashes = {load(path, as_of=clock).spec.steps[0].definition_hash for clock in ("2024-01-03", "2025-01-03")}
    assert len(hashes) == 1


def test_a_pipeline_that_is_read_once_and_run_later_has_the_clock_of_the_run(tmp_path: Path) -> None:
    path = project(tmp_path, FILE)
    spec = load(path).spec
    later = spec.changed(as_of=load(path, as_of="2031-05-02").spec.as_of)
    assert (later.sources["orders"].pattern, later.sources["orders"].exclude) == (
        ("orders-2031-05-01.csv",),
        ("*-May.csv",),
    )


SOURCE = "sources:\n  a: {uri: URI, format: {type: csv}, columns: {id: integer}}\nsteps:\n  - {id: a, type: load, source: a}\n"


@pytest.mark.parametrize(
    ("uri", "words"),
    [
        ("\"d/{{ as_of ~ '/' }}\"", "it is alone in its braces"),
        ("\"d/{{ as_of | replace('-', '') }}\"", "it is alone in its braces"),
        ("\"d/{{ 'x' if as_of else 'y' }}\"", "it is alone in its braces"),
        ("\"d/{{ 'x' if as_of == '2024' else 'y' }}\"", "it is alone in its braces"),
        ("\"d/{{ as_of | date('yyyy') }}\"", "date('yyyy'): a format is made of YYYY"),
        ('"d/{{ as_of | date }}"', "date"),
        ("\"d/{{ as_of | minus('1 month') }}\"", "'1 month' is not a length of time; write 30m, 12h, 1d or 2w"),
        ("\"d/{{ as_of | minus('99999999d') | date('DD') }}\"", "'99999999d' is too long"),
        ('"d/{{ as_of.year }}"', "it is alone in its braces"),
        ('"d/{{ as_of }}"', "give its format: as_of | date('YYYY-MM-DD')"),
        ("d, pattern: ['*', \"{{ as_of | plus('1d') }}.csv\"]", "give its format"),
        ("\"d/{{ as_of | date('DD') | minus('1d') }}\"", "plus and minus come before date"),
        ("\"d/{{ 'x' | date('DD') }}\"", "the filter date is for the run's clock"),
        ("\"s3://b-{{ as_of | date('DD') }}/x/\"", "may not be used in the name of a bucket"),
        ("\"s3://b/{{ as_of | date('DD') }}/\", stage: '@s'", "with stage it only names the stage's place"),
        ('d, description: "{{ as_of }}"', "description: the run's clock (as_of) is not allowed here"),
    ],
)
def test_mistakes(tmp_path: Path, uri: str, words: str) -> None:
    assert any(words in line for line in problems(project(tmp_path, SOURCE.replace("URI", uri))))


@pytest.mark.parametrize("pattern", ["{}", "['*.csv', {}]"])
def test_a_pattern_that_does_not_render_is_one_mistake(tmp_path: Path, pattern: str) -> None:
    written = pattern.format("\"{{ as_of | date('yyyy-mm-dd') }}\"")
    lines = problems(project(tmp_path, SOURCE.replace("URI", f"d, pattern: {written}")))
    assert len(lines) == 1
    assert "date('yyyy-mm-dd'): a format is made of" in lines[0]


def test_vars_have_no_clock_and_checks_no_clock_in_their_names(tmp_path: Path) -> None:
    check = '{expect_table_row_count_to_equal: {value: 1, name: "at {{ as_of }}"}}'
    step = f"steps:\n  - {{id: a, type: sql, sql: select 1 as a, audit: [{check}]}}\n"
    lines = problems(project(tmp_path, 'vars: {day: "{{ as_of }}"}\n' + step))
    assert [("is not allowed here" in line) for line in lines] == [True, True]


def test_one_stage_of_snowflake_serves_all_days(tmp_path: Path, snowflake_account: object) -> None:
    """``CREATE STAGE`` names the folder above the first one that moves."""
    from pipekit.source import Source
    from pipekit.warehouses.snowflake.stages import create_stage, stage_of

    written = Source.model_validate(
        {"name": "a", "uri": "s3://b/in/\ufdd60|YYYY\ufdd7/", "format": {"type": "csv"}, "columns": {"id": "integer"}}
    )
    target = snowflake_account.target()  # type: ignore[attr-defined]
    import json

    path = project(
        tmp_path,
        f"targets: {{sf: {json.dumps(target)}}}\ntarget: sf\nsteps:\n  - {{id: a, type: sql, sql: select 1 as a}}\n",
    )
    warehouse = load(path).spec.open()
    try:
        sources = [written.at(load(path, as_of=clock).spec.as_of) for clock in ("2024-01-01", "2025-01-01")]
        stages = [stage_of(warehouse, source) for source in sources]  # type: ignore[arg-type]
        made = {create_stage(warehouse, source, stage) for source, stage in zip(sources, stages, strict=True)}  # type: ignore[arg-type]
    finally:
        warehouse.close()
    assert len(made) == 1
    assert "URL = 's3://b/in/'" in made.pop()
    assert [stage.path for stage in stages] == ["2024/", "2025/"]
