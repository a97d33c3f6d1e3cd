"""What a feature may say beside its expression, on both engines: default, where, hidden, a key by expression."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import pytest
from engines import Project, snowflake_is_long
from small_projects import problems, project

PEOPLE = """
  - id: people
    type: sql
    sql: |
      select * from (values (1, ' Ada@X.org', 'A', date '2024-01-02'), (2, 'bob@x.org', null, null),
                            (3, null, 'A', date '2024-02-01')) as v(id, mail, city, joined)
  - id: events
    type: sql
    sql: |
      select * from (values ('ada@x.org ', 'buy', 5), ('ADA@x.org', 'see', 7), ('bob@x.org', 'see', null),
                            ('eve@x.org', 'buy', 9), (null, 'buy', 1)) as v(who, kind, n)
"""
FEATURES = """
  - id: feats
    type: features
    from: people
    entity: {name: person, sql: "md5(lower(trim(coalesce(mail, 'nobody'))))"}
    update_frequency: daily
    features:
      town: {sql: city, default: "it''s {{ var('none') }}", description: Where.}
      since: {sql: joined, default: "2000-01-01"}
      all_events: {from: events, entity: &who {sql: md5(lower(trim(who)))}, sql: count(*), hidden: true}
      bought: {from: events, entity: *who, sql: count(*), where: kind = 'buy'}
      spent: {from: events, entity: *who, sql: sum(n), where: "kind = 'buy' -- sold", default: 0}
      seen:
        from: events
        entity: *who
        sql: max(n)
        where: kind = 'see'
        default: -1
        id: f-7
      twice: {sql: all_events * 2, hidden: true}
      share: {sql: "bought / nullif(all_events, 0)", default: 0.5}
      more: {sql: twice + 1}
      buyer: {sql: "nullif(bought > 0, false)", default: false}
      tpl: {template: tpl.sql, entity: {sql: md5(lower(trim(who)))}, default: none}
"""
WANTED = [
    (1, "A", dt.date(2024, 1, 2), 1, 5, 7, 0.5, 5, True, "x"),
    (2, "it''s {{ 1 }}", dt.date(2000, 1, 1), 0, 0, -1, 0.0, 3, False, "none"),
    (3, "A", dt.date(2024, 2, 1), 0, 0, -1, 0.5, 1, False, "none"),
]


def test_default_where_hidden_and_a_key_by_expression(on: Project) -> None:
    (on.root / "templates/tpl.sql").write_text("select lower(who) as who, 'x' as tpl from events where n = 5")
    on.ok("vars: {none: '{{ \"{{ 1 }}\" }}'}\nsteps:" + PEOPLE + FEATURES)
    rows = on.execute(
        "select p.id, f.town, f.since, f.bought, f.spent, f.seen, f.share, f.more, f.buyer, f.tpl from feats f"
        " join people p on f.person = md5(lower(trim(coalesce(p.mail, 'nobody')))) order by 1"
    )
    assert [(*row[:6], float(row[6]), *row[7:]) for row in rows] == WANTED
    names = "feature_name, feature_id, source_table, transformation, data_type, quality, step_name"
    catalog = {row[0]: row[1:] for row in on.execute(f"select {names} from feature_catalog")}
    assert "all_events" not in catalog
    assert "twice" not in catalog
    assert catalog["tpl"][:3] == ("feats.tpl", "events", "template tpl.sql; default none")
    assert catalog["seen"][:3] == ("f-7", "events", "max(n); where kind = 'see'; default -1")
    assert (catalog["more"][1], catalog["town"][1]) == ("events", "people"), "by way of hidden features"
    assert catalog["buyer"] == (
        "feats.buyer",
        "events",
        "nullif(bought > 0, false); default false",
        "boolean",
        "100.00% filled",
        "feats",
    )


RENAMED = "  - {id: t, type: features, from: people, entity: id, into: NAME, features: {FEATURE: {sql: id * 2}}}\n"


@snowflake_is_long
def test_rows_of_renamed_features_and_tables_leave_the_catalog(on: Project) -> None:
    def known(table: str, feature: str) -> list[tuple[str, str]]:
        on.ok("steps:\n" + PEOPLE + RENAMED.replace("NAME", table).replace("FEATURE", feature))
        return on.execute("select feature_table, feature_name from feature_catalog order by 1, 2")

    assert known("one", "a") == [("one", "a")]
    assert known("one", "b") == [("one", "b")]
    assert known("two", "b") == [("two", "b")]


@snowflake_is_long
def test_a_catalog_of_an_earlier_version_gets_the_new_columns(on: Project) -> None:
    on.ok("steps:\n" + PEOPLE)
    on.execute(
        "create table feature_catalog (feature_table varchar, feature_name varchar, description varchar,"
        " data_type varchar, source_table varchar, transformation varchar, update_frequency varchar, quality varchar,"
        " created_at timestamp_tz, updated_at timestamp_tz)"
        if on.schema != "main"
        else "create table feature_catalog (feature_table varchar, feature_name varchar, description varchar,"
        " data_type varchar, source_table varchar, transformation varchar, update_frequency varchar, quality varchar,"
        " created_at timestamptz, updated_at timestamptz)"
    )
    on.execute("insert into feature_catalog (feature_table, feature_name) values ('one', 'a'), ('other', 'x')")
    on.ok("steps:\n" + PEOPLE + RENAMED.replace("NAME", "one").replace("FEATURE", "a"))
    rows = on.execute("select feature_id, step_name, feature_name from feature_catalog order by 3")
    assert rows == [("one.a", "t", "a"), (None, None, "x")]


@pytest.mark.parametrize(
    ("feature", "words"),
    [
        ("f: {sql: city, where: id = 1}", "4: steps.t.features.f.where: means nothing without from"),
        ("f: {sql: city, hidden: true}", "4: steps.t.features: every feature is hidden"),
        ("f: {sql: city, hidden: true, quality: fine}", "4: steps.t.features.f.quality: means nothing with hidden"),
        ("f: {sql: count(*), from: people, where: idd = 1}", "steps.t.features.f.where: unknown column 'idd'"),
        ("f: {sql: count(*), from: people, entity: {sql: idd + 1}}", ".f.entity.sql: unknown column 'idd'"),
        ("f: {sql: count(*), from: people, entity: {name: x, sql: id}}", "4: steps.t.features.f.entity.name: unknown"),
        ("f: {sql: id, default: [1]}", "4: steps.t.features.f.default: must be a text, a number, true or false"),
        ("f: {sql: id, id: a}, g: {sql: id, id: a}", "4: steps.t.features: the id 'a' is given twice"),
    ],
)
def test_mistakes(tmp_path: Path, feature: str, words: str) -> None:
    step = f"  - {{id: t, type: features, from: people, entity: id, features: {{{feature}}}}}\n"
    path = project(tmp_path, f"steps:\n  - {{id: people, type: sql, sql: 'select 1 as id, 2 as city'}}\n{step}")
    [line] = problems(path)
    assert words in line


def test_a_mistake_in_the_key_stands_at_its_place(tmp_path: Path) -> None:
    step = "  - {id: t, type: features, from: people, entity: {name: k, sql: idd}, features: {f: {sql: '1'}}}\n"
    path = project(tmp_path, f"steps:\n  - {{id: people, type: sql, sql: 'select 1 as id'}}\n{step}")
    [line] = problems(path)
    assert "steps.t.entity.sql: unknown column 'idd'" in line
