"""What hand-written scripts of every day do, said in one file, on both engines: one day's rows replaced, features with
a default, a filter and a key by expression, ids and descriptions in the catalog."""

from __future__ import annotations

from engines import Project
from small_projects import run_ok

FILE = """
sources:
  visits:
    uri: in/
    pattern: "visits-{{ as_of | date('YYYYMMDD') }}.csv"
    format: {type: csv}
    columns: {day: date, mail: varchar, spent: "number(8,2)"}
suites:
  visits:
    - expect_column_values_to_be_in_set: {column: day, value_set: ["{{ as_of | date('YYYY-MM-DD') }}"]}
    - expect_column_values_to_not_be_null: {column: mail, unexpected_index_column_names: [day, spent], severity: warning}
steps:
  - id: visits
    type: load
    source: visits
    strategy: replace_where
    where: day = to_date({{ as_of }})
    audit: {new_rows: visits}
    after_load: move
    move_to: "done/"
  - id: people
    type: sql
    sql: select distinct lower(trim(mail)) as mail from visits where mail is not null
    contract: {primary_key: mail, columns: {mail: {description: Who.}}}
  - id: person_features
    type: features
    from: people
    entity: {name: person, sql: md5(mail)}
    features:
      spent: {id: F1, description: Ever spent., from: visits, entity: &key {sql: md5(lower(trim(mail)))}, sql: sum(spent), default: 0}
      large: {id: F2, description: Large ones., from: visits, entity: *key, sql: count(*), where: spent > 50}
      is_good: {id: F3, description: Good., sql: large > 0}
"""


def put(on: Project, day: str, *rows: str) -> None:
    (on.root / "in").mkdir(exist_ok=True)
    name = f"visits-{day.replace('-', '')}.csv"
    (on.root / "in" / name).write_text("\n".join(["day,mail,spent", *(f"{day},{row}" for row in rows)]) + "\n")


def test_one_day_is_replaced_and_everything_follows(on: Project) -> None:
    path = on.pipeline(FILE)
    put(on, "2024-07-01", "Ada@x.org,10.00", "bob@x.org ,60.00")
    put(on, "2024-07-02", "ada@x.org,70.00", ",1.00")
    run_ok(path, as_of="2024-07-01")
    run_ok(path, as_of="2024-07-02")
    put(on, "2024-07-01", "Ada@x.org,12.50", "cid@x.org,")
    run_ok(path, as_of="2024-07-01")
    found = on.execute(
        "select p.mail, f.spent, f.large, f.is_good from person_features f join people p on f.person = md5(p.mail) order by 1"
    )
    assert [(mail, float(spent), large, good) for mail, spent, large, good in found] == [
        ("ada@x.org", 82.5, 1, True),
        ("cid@x.org", 0.0, 0, False),
    ]
    catalog = on.execute("select feature_id, feature_name, description, source_table from feature_catalog order by 1")
    assert catalog == [
        ("F1", "spent", "Ever spent.", "visits"),
        ("F2", "large", "Large ones.", "visits"),
        ("F3", "is_good", "Good.", "visits"),
    ]
    [(samples,)] = on.execute("select samples from dq_check_logs where status = 'WARNED'")
    assert "2024-07-02" in samples
    assert sorted(path.name for path in (on.root / "done").rglob("*.csv")) == [
        "visits-20240701.csv",
        "visits-20240701.csv",
        "visits-20240702.csv",
    ]
