"""Jinja, sandboxed: what a pipeline file and a SQL template may say, and what cannot get through."""

from __future__ import annotations

import os
from collections.abc import Callable
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipekit.errors import TemplateError
from pipekit.pipeline.reading.values import FileValues
from pipekit.sql.dialect import PROJECT_SQL, Dialect
from pipekit.sql.sandbox import var_lookup
from pipekit.sql.templates import SqlTemplates
from pipekit.sql.text import SqlText
from pipekit.sql.translate import translate
from pipekit.warehouses.duckdb.dialect import DUCKDB
from pipekit.warehouses.snowflake.dialect import SNOWFLAKE

ESCAPES = [
    "{{ ''.__class__ }}",
    "{{ ''['__class__'] }}",
    "{{ ''|attr('__class__') }}",
    "{{ [''.__class__]|first }}",
    "{{ ['x']|map(attribute='__class__')|list }}",
    "{{ var.__globals__ }}",
    "{{ var.__globals__['os'].environ }}",
    "{{ var['__globals__'] }}",
    "{{ var.__closure__[0].cell_contents }}",
    "{{ var.__call__.__self__ }}",
    "{{ var|attr('__globals__') }}",
    "{{ cycler.__init__.__globals__ }}",
    "{{ cycler('a') }}",
    "{{ namespace(x=1).x }}",
    "{{ lipsum() }}",
    "{{ joiner() }}",
    "{{ dict(a=1) }}",
    "{{ range(10) }}",
    "{{ self.__init__ }}",
    "{{ self._TemplateReference__context }}",
    "{{ '{0.__class__}'.format('') }}",
    "{{ '{0.__globals__}'.format(var) }}",
    "{{ ('{0.__globals__}'|attr('format'))(var) }}",
    "{{ '{x.__class__}'.format_map({'x': 1}) }}",
    "{{ 'a' * 10000000000 }}",
    "{{ [1] * 10000000000 }}",
    "{{ 9 ** 9 ** 9 }}",
    "{{ open('/etc/passwd') }}",
    "{{ __import__('os') }}",
    "{% import 'os' as os %}{{ os }}",
    "{% include '/etc/passwd' %}",
    "{% include '../../secret.sql' %}",
    "{% extends '../secret.sql' %}",
    "{{ " + "(" * 3000 + "1" + ")" * 3000 + " }}",
]


def sql(tmp_path: Path, dialect: Dialect = DUCKDB, **values: Any) -> SqlTemplates:
    folder = tmp_path / "templates"
    folder.mkdir(exist_ok=True)
    return SqlTemplates(folder, dialect, {"var": var_lookup(values)})


@pytest.mark.parametrize("text", ESCAPES, ids=range(len(ESCAPES)))
def test_no_way_out_of_sql_templates(tmp_path: Path, text: str) -> None:
    (tmp_path / "secret.sql").write_text("select 'secret'")
    with pytest.raises(TemplateError):
        sql(tmp_path, x=1).render_text(text, {"as_of": SqlText("x")})


@pytest.mark.parametrize("text", ESCAPES, ids=range(len(ESCAPES)))
def test_no_way_out_of_pipeline_files(text: str) -> None:
    with pytest.raises(TemplateError):
        FileValues({"x": 1}, {}, Path()).render(text)


@pytest.mark.parametrize(
    "text", ["{{ env('HOME') }}", "{{ environ }}", "{{ os.environ }}", "{{ target }}", "{{ secrets }}"]
)
def test_sql_reaches_no_credential(tmp_path: Path, text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/canary")
    with pytest.raises(TemplateError, match="is undefined"):
        sql(tmp_path).render_text(text, {})


def test_what_a_file_may_say(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PK_A", "from outside")
    values = FileValues({"n": 5, "text": "t"}, {"twice": lambda x: x * 2}, Path())
    assert values.render("{{ env('PK_A') }}") == "from outside"
    assert values.render("{{ env('PK_B', 'else') }}") == "else"
    assert values.render("{{ var('n') }}") == 5
    assert values.render(" {{ var('n') + 1 }} ") == 6
    assert values.render("{{ var('n') }}{{ var('n') }}") == "55"
    assert values.render("{{ twice(var('n')) }} x") == "10 x"
    assert values.render("no { braces } 100%") == "no { braces } 100%"
    for text, words in [
        ("{{ env('PK_NOT_SET') }}", "the environment variable PK_NOT_SET is not set"),
        ("{{ var('m') }}", "the variable 'm' is not set; vars: n, text"),
        ("{{ nope }}", "'nope' is undefined"),
        ("a {{ var('n') }", "unexpected"),
        ("{{ var('n').real.nope }}", "has no attribute"),
        ("{{ 'x'|nope }}", "No filter named 'nope'"),
        ("{{ '{a}'.format() }}", "a"),
        ("{{ 1 / 0 }}", "division by zero"),
        ("{{ env }}", "gives a function"),
    ]:
        with pytest.raises(TemplateError, match=words.replace("(", r"\(")):
            values.render(text)


HOSTILE = [
    "plain",
    "it's",
    "''",
    "'; DROP TABLE t; --",
    "x' OR '1'='1",
    "\\",
    "\\'",
    "\\\\'; --",
    "a\\nb\\x41\\u0041",
    "-- comment",
    "/* comment */",
    '"quoted"',
    "$$dollar$$",
    "$1 ? :name %s {x}",
    "line\nbreak\r\ttab",
    "ünïcödé ✓ 雪 \U0001f600",
    "\u2019\u02bc\uff07",
    "{{ var('x') }}",
    "{% raw %}",
    "\x01\x7f",
    "e'\\''",
    "",
    "' || (select 1) || '",
]


def one(rendered: tuple[str, Dialect] | str) -> Any:
    text, dialect = rendered if isinstance(rendered, tuple) else (rendered, PROJECT_SQL)
    return duckdb.sql(translate(text, read=dialect, write=DUCKDB).sql).fetchall()[0]


@pytest.mark.parametrize("value", HOSTILE, ids=range(len(HOSTILE)))
def test_hostile_text_arrives_as_data(tmp_path: Path, value: str) -> None:
    templates = sql(tmp_path, x=value, many=[value, "other"])
    assert one(templates.render_text("select {{ var('x') }} as x", {})) == (value,)
    assert one(templates.render_text("select {{ var('x') }} in {{ var('many') }} as x", {})) == (True,)
    assert one(templates.render_text("select 1 as x -- {{ var('x') }}\n, 2 as y", {})) == (1, 2)
    assert one(templates.render_text("select 1 /* {{ var('x') }} */ as x", {})) == (1,)
    (tmp_path / "templates/duckdb").mkdir()
    (tmp_path / "templates/duckdb/native.sql").write_text("select {{ var('x') }} as x")
    assert one(templates.render_template("native.sql", {})) == (value,)


@given(st.text(alphabet=st.characters(exclude_categories=["Cs"], exclude_characters="\x00\ufdd0\ufdd1"), max_size=30))
def test_any_text_arrives_as_data(tmp_path_factory: pytest.TempPathFactory, value: str) -> None:
    templates = SqlTemplates(tmp_path_factory.getbasetemp(), DUCKDB, {"var": var_lookup({"x": value})})
    assert one(templates.render_text("select {{ var('x') }} as x", {})) == (value,)


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("select '{{ var('x') }}'", 1),
        ("select 1\nwhere a = 'it''s {{ var('x') }}'", 2),
        ("select\n\n  \"{{ var('x') }}\"", 3),
        ("select 'a\\'\n{{ var('x') }}'", 2),
        ("select $$ {{ var('x') }} $$", 1),
        ("select 'never closed {{ var('x') }}", 1),
    ],
)
def test_a_value_inside_quotes_is_refused_with_its_line(tmp_path: Path, text: str, line: int) -> None:
    with pytest.raises(TemplateError, match=r"is inside quotes; (leave the quotes out|for a name write)") as caught:
        sql(tmp_path, x=" or 1=1 --").render_text(text, {})
    assert caught.value.line == line


def test_quotes_beside_values_are_fine(tmp_path: Path) -> None:
    text = "select 'a' || {{ var('x') }} || 'b -- c' as x, \"y\".\"z\" /* it's */, 1 - {{ var('n') }} -- don't\nfrom (select 2 as z) as y"
    assert one(sql(tmp_path, x="-", n=-3).render_text(text.replace('"y"."z"', "y.z"), {})) == ("a-b -- c", 2, 4)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (5, 5),
        (-5, -5),
        (True, True),
        (None, None),
        (Decimal("-1.50"), Decimal("-1.50")),
        (date(2024, 7, 1), date(2024, 7, 1)),
        (datetime(2024, 7, 1, 12, 30), datetime(2024, 7, 1, 12, 30)),
        (float("inf"), float("inf")),
        (-1e300, -1e300),
    ],
)
def test_values_of_other_types(tmp_path: Path, value: object, expected: object) -> None:
    assert one(sql(tmp_path, x=value).render_text("select {{ var('x') }} as x", {})) == (expected,)


def test_a_time_with_a_zone(tmp_path: Path) -> None:
    value = datetime(2024, 7, 1, 12, 30, tzinfo=UTC)
    assert one(sql(tmp_path, x=value).render_text("select epoch({{ var('x') }}) as x", {})) == (value.timestamp(),)


def test_what_has_no_literal_is_refused(tmp_path: Path) -> None:
    for value in ({"a": 1}, [], object(), ["\ufdd0"], "\ufdd1"):
        with pytest.raises(TemplateError):
            sql(tmp_path, x=value).render_text("select {{ var('x') }}", {})
    with pytest.raises(TemplateError, match="cannot be put in as a value"):
        sql(tmp_path, x="a").render_text("{% set y %}{{ var('x') }}{% endset %}select {{ y }}", {})


def test_identifiers(tmp_path: Path) -> None:
    templates = sql(tmp_path, plain="Amount", odd="emp.var.rate", evil='x" from secrets --')
    connection = duckdb.connect()
    connection.execute('create table t as select 1 as amount, 2 as "emp.var.rate", 3 as "x"" from secrets --"')
    text = "select {{ var('plain') | ident }}, {{ var('odd') | ident }}, {{ var('evil') | ident }} from t"
    statement = translate(templates.render_text(text, {}), write=DUCKDB).sql
    assert connection.execute(statement).fetchone() == (1, 2, 3)
    for bad in ("", "a\x00b"):
        with pytest.raises(TemplateError, match="cannot name anything"):
            sql(tmp_path, x=bad).render_text("select {{ var('x') | ident }}", {})


def test_mistakes_name_template_and_line(tmp_path: Path) -> None:
    templates = sql(tmp_path)
    folder = tmp_path / "templates"
    for name, text, line, words in [
        ("undefined", "select 1,\n  2,\n  {{ nope }}\n", 3, "'nope' is undefined"),
        ("syntax", "select 1\n{% if %}\n", 2, "Expected an expression"),
        ("missing_var", "-- one\nselect {{ var('gone') }}\n", 2, "the variable 'gone' is not set"),
        ("nested", "select 1\nfrom ({% include 'gone.sql' %})\n", None, "there is no such template"),
    ]:
        (folder / f"{name}.sql").write_text(text)
        with pytest.raises(TemplateError) as caught:
            templates.render_template(f"{name}.sql", {})
        assert words in caught.value.message
        if line:
            assert (caught.value.template, caught.value.line) == (f"{name}.sql", line)


def test_the_template_of_the_dialect_wins_by_being_there(tmp_path: Path) -> None:
    folder = tmp_path / "templates"
    (folder / "duckdb").mkdir(parents=True)
    (folder / "x.sql").write_text("select 'common'")
    assert sql(tmp_path).render_template("x.sql", {}) == ("select 'common'", PROJECT_SQL)
    (folder / "duckdb/x.sql").write_text("select 'own'")
    assert sql(tmp_path).render_template("x.sql", {}) == ("select 'own'", DUCKDB)
    assert sql(tmp_path, SNOWFLAKE).render_template("x.sql", {}) == ("select 'common'", PROJECT_SQL)


def test_a_missing_template_names_the_nearest(tmp_path: Path) -> None:
    (tmp_path / "templates/marketing").mkdir(parents=True)
    (tmp_path / "templates/marketing/dim_customer.sql").write_text("select 1")
    with pytest.raises(TemplateError, match="no such template") as caught:
        sql(tmp_path).find("marketing/dim_custmer.sql")
    assert caught.value.hint == "did you mean marketing/dim_customer.sql?"


@pytest.mark.parametrize(
    "name", ["../secret.sql", "/etc/passwd", "a/../../secret.sql", "link.sql", "duckdb/../../secret.sql"]
)
def test_no_path_leads_out_of_the_templates(tmp_path: Path, name: str) -> None:
    (tmp_path / "secret.sql").write_text("select 'secret'")
    templates = sql(tmp_path)
    os.symlink(tmp_path / "secret.sql", tmp_path / "templates/link.sql")
    actions: list[Callable[[], Any]] = [
        lambda: templates.render_template(name, {}),
        lambda: templates.source(name),
        lambda: templates.render_text(f"{{% include '{name}' %}}", {}),
    ]
    for action in actions:
        with pytest.raises(TemplateError, match="leads out of"):
            action()


def test_a_template_that_is_not_utf_8_is_told(tmp_path: Path) -> None:
    templates = sql(tmp_path)
    (tmp_path / "templates/bad.sql").write_bytes(b"select '\xff'")
    with pytest.raises(TemplateError, match=r"bad\.sql"):
        templates.render_template("bad.sql", {})


@pytest.mark.parametrize(
    "text",
    [
        "{{ 'a' | center(10000000) }}",
        "{{ 'a'.ljust(10000000) }}",
        "{{ '%99999999d' | format(1) }}",
        "{{ '%*d' % (99999999, 1) }}",
        "{{ '{:>99999999}'.format(1) }}",
        "{{ '{:>{}}'.format(1, 99999999) }}",
        "{{ [1] | slice(99999999) | list }}",
        "{{ {} | tojson(indent=99999999) }}",
        "{{ ('a' * 99999) | replace('a', 'b' * 99999) }}",
        "{{ ('a' * 99999).replace('a', 'b' * 99999) }}",
        "{{ ('a' * 999999 ~ 'a' * 999999) * 2 ~ 'a' * 999999 * 9 }}",
    ],
)
def test_filters_and_methods_are_bounded_like_operators(text: str) -> None:
    with pytest.raises(TemplateError):
        FileValues({}, {}, Path()).render(text)


def test_values_with_long_numbers_are_values() -> None:
    text = "{{ env('PIPEKIT_NOT_SET', 'arn:aws:iam::123456789012:role/x') }} {{ 123456789012 | string }}"
    assert FileValues({}, {}, Path()).render(text) == "arn:aws:iam::123456789012:role/x 123456789012"
