"""Hostile values in every key whose value reaches SQL: never run, never changed."""

from __future__ import annotations

import json
from typing import Any

import pytest
from engines import Project
from small_projects import load, problems, write

VALUES = [
    "x'); DROP TABLE kept; --",
    "' OR 1=1 --",
    "\\' OR 1=1 --",
    "\\",
    "a\\nb\\\\'",
    'x"; DROP TABLE kept; --',
    "$$; DROP TABLE kept; $$",
    "/* */ -- \n; select 1",
    "{batch} {{3,5}} {} }{",
    "{{ env('HOME') }} {% if %} {# #}",
    "?, %s %(x)s :1 @x $1 &x ${x}",
    "",
    " lead, trail\t\r\n",
    "\u202egnp.exe \N{PILE OF POO} e\u0301 \u00e9",
    "[a-z]*?%_",
    "NULL",
]
# A name can hold no Jinja, which is rendered, and Snowflake knows no empty one.
NAMES = [value for value in VALUES if value.strip() and "{{" not in value and "/" not in value]


def named(number: int) -> str:
    return f"{{{{ var('v{number}') }}}}"


def shown(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)


def suite() -> list[dict[str, Any]]:
    checks: list[dict[str, Any]] = [
        {"expect_column_values_to_be_in_set": {"column": "v", "value_set": [named(n) for n in range(len(VALUES))]}}
    ]
    for number in range(len(VALUES)):
        query = f"select * from {{batch}} where v = {named(number)} and cast({{{{ as_of }}}} as date) = '2024-07-01'"
        condition = {"type": "comparison", "column": {"name": "v"}, "operator": "==", "parameter": named(number)}
        found = {"unexpected_rows_query": query, "name": f"query {number}", "severity": "warning"}
        one = {"value": 1, "row_condition": condition, "name": f"rows {number}"}
        checks += [{"unexpected_rows_expectation": found}, {"expect_table_row_count_to_equal": one}]
    return checks


def test_values_are_literals_wherever_they_reach_sql(on: Project) -> None:
    """In SQL, a template, a condition of replace_where, checks and row conditions, at a given clock."""
    rows = " union all ".join(f"select {named(n)} as v, {n} as n" for n in range(len(VALUES)))
    write(on.root, "templates/all.sql", f"select * from (\n{rows}\n) as said where v in ({{{{ var('v0') }}}}, v)")
    keeps = {"materialize": "replace_where", "where": f"v in ({', '.join(named(n) for n in range(len(VALUES)))})"}
    steps = [
        {"id": "kept", "type": "sql", "sql": "select 1 as x"},
        {"id": "said", "type": "sql", "template": "all.sql"},
        {"id": "part", "type": "sql", "sql": "select v, n from said", **keeps},
        {"id": "checked", "type": "check", "table": "part", "suite": suite()},
    ]
    path = on.pipeline(f"vars: {json.dumps({f'v{n}': 'x' for n in range(len(VALUES))})}\nsteps: {json.dumps(steps)}")
    given = {f"v{number}": value for number, value in enumerate(VALUES)}

    for _ in range(2):
        result = load(path, as_of="2024-07-01", vars=given).run()

        assert result.ok, result.errors
        assert on.execute("SELECT v, n FROM part ORDER BY n") == [(value, n) for n, value in enumerate(VALUES)]
        judged = {event.check_name: event.status for event in result.checks}
        assert judged == {name: "WARNED" if name.startswith("query") else "PASSED" for name in judged}
        assert len(judged) == 1 + 2 * len(VALUES)
        assert on.execute("SELECT x FROM kept") == [(1,)]


@pytest.mark.parametrize("form", ["csv", "json"])
def test_names_of_files_columns_and_keys_are_names(on: Project, form: str) -> None:
    """Through the reader, metadata, rejects, a replaced file, the ledger, checks and the log tables."""
    files = [name for name in NAMES if "\n" not in name]
    names = files if form == "csv" else NAMES  # a header is one line
    header = ",".join('"' + name.replace('"', '""') + '"' for name in names)
    bad = dict.fromkeys(names, "1") | {names[0]: "x"}

    def body(value: str) -> str:
        if form == "csv":
            return header + "\n" + ",".join([value] * len(names)) + "\n" + ",".join(bad.values()) + "\n"
        return json.dumps(dict.fromkeys(names, int(value))) + "\n" + json.dumps(bad) + "\n"

    source = {"uri": "landing", "format": {"type": form}, "columns": dict.fromkeys(names, "integer")}
    checks = [{"expect_column_values_to_not_be_null": {"column": name}} for name in names]
    step = {"id": "t", "type": "load", "source": "s", "strategy": "append", "metadata": True, "on_error": "reject"}
    steps = [{"id": "kept", "type": "sql", "sql": "select 1 as x"}, {**step, "max_rejects": 1000, "audit": checks}]
    path = on.pipeline(f"sources: {shown({'s': source})}\nsteps: {shown(steps)}")
    for value in ("1", "20"):
        for name in files:
            (on.root / "landing").mkdir(exist_ok=True)
            (on.root / "landing" / f"{name}.{form}").write_text(body(value), encoding="utf-8", newline="")

        result = load(path).run()

        assert result.ok, result.errors
        stored = on.execute(f"SELECT * FROM t ORDER BY {'_SOURCE_FILE' if on.schema != 'main' else '_source_file'}")
        assert [row[: len(names)] for row in stored] == [(int(value),) * len(names)] * len(files)
        uris = {str(on.root / "landing" / f"{name}.{form}") for name in files}
        assert {uri for (uri,) in on.execute("SELECT uri FROM ingestion_files")} == uris
        assert {uri for (uri,) in on.execute("SELECT source_file FROM t_rejects")} == uris
        assert on.execute("SELECT x FROM kept") == [(1,)]


def test_a_value_within_quotes_is_refused_and_a_clock_is_a_time(on: Project) -> None:
    query = "select * from {batch} where v = '{{ var(\"v\") }}'"
    steps = [
        {"id": "t", "type": "sql", "sql": "select 'a' as v"},
        {
            "id": "c",
            "type": "check",
            "table": "t",
            "suite": [{"unexpected_rows_expectation": {"unexpected_rows_query": query}}],
        },
    ]
    path = on.pipeline(f"vars: {{v: a}}\nsteps: {json.dumps(steps)}")

    [found] = problems(path)

    assert "c.suite[0].unexpected_rows_expectation.unexpected_rows_query" in found or "steps" in found
    assert "is inside quotes; leave the quotes out" in found
    assert any("is not a time" in text for text in problems(path, as_of="2024-07-01'; DROP TABLE kept; --"))
