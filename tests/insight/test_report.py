"""`pipekit report`: one HTML file that says what is so, loads nothing, and takes nothing in a cell for markup."""

from __future__ import annotations

import base64
import hashlib
import itertools
import json
import os
import re
import time
from collections import Counter
from datetime import UTC, datetime, timedelta
from html.parser import HTMLParser
from pathlib import Path

import pyarrow as pa
import pytest
from engines import Project, emulated, on, s3, snowflake_account  # noqa: F401 - fixtures
from small_projects import cli, load, project, run, run_ok

from pipekit.insight.report.layout import layout
from pipekit.own_tables import CHECK_COLUMNS, CHECK_TABLE, LEDGER, LEDGER_COLUMNS, LOG_COLUMNS, LOG_TABLE
from pipekit.warehouses.duckdb.warehouse import DuckDBWarehouse

HOSTILE = "<img src=x onerror=alert(1)>"
SHOP = f"""
name: shop
description: "{HOSTILE} & more"
sources:
  orders:
    uri: in/
    pattern: "*.csv"
    format: {{type: csv}}
    columns:
      id: {{type: integer, description: "The order's key; </script><script>alert(2)</script>"}}
      who: varchar
      amount: number(10,2)
suites:
  named:
    - expect_column_values_to_not_match_regex: {{column: who, regex: "<", severity: warning}}
    - expect_column_values_to_be_between: {{column: amount, min_value: 0}}
steps:
  - {{id: orders, type: load, source: orders, on_error: reject}}
  - {{id: judged, type: check, table: orders, suite: named}}
  - id: totals
    type: sql
    description: What each of them spent.
    sql: select who, sum(amount) as total from orders where id > 0 group by who
  - id: facts
    type: features
    from: totals
    entity: who
    features:
      spent: {{sql: round(total), description: Spent in all.}}
"""
ROWS = f"id,who,amount\n1,{HOSTILE},2.50\n2,Ada,3\nx,\x1b[31mred\u202e,1\n"


class Page(HTMLParser):
    """A page, taken apart."""

    def __init__(self, text: str) -> None:
        super().__init__(convert_charrefs=True)
        self.text = text
        self.ids: list[str] = []
        self.links: list[str] = []
        self.elements: Counter[str] = Counter()
        self.attributes: set[str] = set()
        self.words: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements[tag] += 1
        self.attributes |= {name for name, _ in attrs}
        given = dict(attrs)
        self.ids += [given["id"] or ""] if "id" in given else []
        self.links += [given["href"] or ""] if "href" in given else []

    def handle_data(self, data: str) -> None:
        self.words.append(data)

    @property
    def said(self) -> str:
        return " ".join(" ".join(self.words).split())


def shop(folder: Path) -> Path:
    (folder / "in").mkdir(parents=True)
    (folder / "in/a.csv").write_text(ROWS, encoding="utf-8")
    return project(folder, SHOP)


@pytest.fixture(scope="module")
def ran(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project that ran twice; in the second run a check failed."""
    path = shop(tmp_path_factory.mktemp("shop"))
    assert run(path).ok
    (path.parent / "in/a.csv").write_text(ROWS.replace("2.50", "-2.50"), encoding="utf-8")
    assert not run(path).ok
    return path


@pytest.fixture(scope="module")
def page(ran: Path) -> Page:
    return Page(load(ran).report())


def test_what_failed_is_said_first_and_leads_to_its_samples(page: Page) -> None:
    said = page.said
    assert said.index("Step judged failed:") < said.index("Graph Last run") or "Step judged failed:" in said
    assert "orders: expect_column_values_to_be_between(amount) failed" in said
    [link] = re.findall(r"<a href=(#k\d+)>orders: expect_column_values_to_be_between", page.text)
    details = page.text.partition(f"<details id={link[1:]}>")[2].partition("</details>")[0]
    assert "Samples of what failed" in details
    assert "-2.50" in details
    assert "skipped" in said


def test_a_check_that_was_taken_out_is_history(tmp_path: Path) -> None:
    text = """
    steps:
      - id: t
        type: sql
        sql: select 1 as id union all select 1
        audit:
          - expect_column_values_to_be_unique: {column: id, severity: warning}
          - expect_column_values_to_not_be_null: {column: id}
    """
    run_ok(project(tmp_path, text))
    path = project(
        tmp_path, text.replace("          - expect_column_values_to_be_unique: {column: id, severity: warning}\n", "")
    )
    run_ok(path)

    said = Page(load(path).report()).said

    assert "1 of 1 checks passed" in said
    assert "unique(id) warned" not in said
    assert said.index("not_be_null(id)") < said.index("was warned") < said.index("no longer in the file")


def test_each_section_says_what_is_so(page: Page) -> None:
    for words in (
        "Duration of the last 2 runs",
        "orders_rejects",
        "'x' is no integer" if "'x' is no integer" in page.said else "bad",
        "What each of them spent.",
        "select who, sum(amount) as total from orders where id > 0 group by who",
        "Spent in all.",
        "Rows by orders.id",
        "orders: who",
        "a.csv",
    ):
        assert words in page.said, words


def test_nothing_of_the_data_becomes_markup(page: Page) -> None:
    assert page.elements["img"] == 0
    assert page.elements["script"] == 1
    assert page.elements["style"] == 1
    assert not {name for name in page.attributes if name.startswith("on") or name in ("style", "src", "action")}
    assert HOSTILE in page.said
    assert "</script><script>alert(2)</script>" in page.said
    assert "\x1b" not in page.text
    assert "\u202e" not in page.text
    assert "\\x1b[31mred\\u202e" in page.said


def test_nothing_is_loaded_from_elsewhere_and_nothing_else_may_run(page: Page) -> None:
    policy = re.search(r'http-equiv=Content-Security-Policy content="([^"]+)"', page.text)
    assert policy
    directives = dict(each.split(maxsplit=1) for each in policy[1].replace("&#x27;", "'").split("; "))
    assert directives["default-src"] == "'none'"
    for element, directive in (("style", "style-src"), ("script", "script-src")):
        inside = re.search(rf"<{element}>(.*?)</{element}>", page.text, re.DOTALL)
        assert inside
        digest = base64.b64encode(hashlib.sha256(inside[1].encode()).digest()).decode()
        assert directives[directive] == f"'sha256-{digest}'"
    assert all(link.startswith("#") for link in page.links)


def test_every_link_leads_somewhere(page: Page) -> None:
    assert [name for name, count in Counter(page.ids).items() if count > 1] == []
    assert {link[1:] for link in page.links} - set(page.ids) == set()


def test_the_command_writes_a_file_and_says_where_it_cannot(ran: Path, tmp_path: Path) -> None:
    out = tmp_path / "r.html"
    assert "r.html (" in cli(ran.parent, "report", "p.yaml", "-o", str(out), code=0).stdout
    assert out.read_text(encoding="utf-8").startswith("<!doctype html>")
    assert "cannot be written" in cli(ran.parent, "report", "p.yaml", "-o", str(tmp_path / "no/r.html"), code=2).stderr

    notes = tmp_path / "notes.html"
    notes.write_text("<!doctype html>\nmine")
    for mine in (notes, ran):
        before = mine.read_bytes()
        done = cli(ran.parent, "report", "p.yaml", "-o", str(mine), code=2)
        assert "left as it is; choose another name, or use --force" in " ".join(done.stderr.split())
        assert mine.read_bytes() == before
    cli(ran.parent, "report", "p.yaml", "-o", str(notes), "--force", code=0)
    notes.chmod(0o600)
    cli(ran.parent, "report", "p.yaml", "-o", str(notes), code=0)
    assert notes.stat().st_mode & 0o777 == 0o600
    assert sorted(file.name for file in tmp_path.iterdir()) == ["notes.html", "r.html"]


def test_before_the_first_run_nothing_is_made_and_the_file_is_shown(tmp_path: Path) -> None:
    path = shop(tmp_path)
    done = cli(tmp_path, "report", "p.yaml", code=0)
    page = Page((tmp_path / "report.html").read_text(encoding="utf-8"))
    assert "there is no database" in done.stderr
    assert "No history: there is no database" in page.said
    assert "not run" in page.said
    assert "orders.amount" in page.said
    assert not (path.parent / ".pipekit").exists()


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everything")
def test_a_database_that_cannot_be_written_is_read(ran: Path) -> None:
    file = ran.parent / ".pipekit/warehouse.duckdb"
    file.chmod(0o400)
    try:
        assert "Step judged failed:" in Page(load(ran).report()).said
    finally:
        file.chmod(0o600)


def test_secrets_are_hidden(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("API_TOKEN", "hush&<hush>")
    path = project(
        tmp_path,
        """
        vars: {token: "{{ env('API_TOKEN') }}"}
        steps:
          - {id: a, type: sql, sql: "select {{ var('token') }} as t"}
        """,
    )
    run(path)
    text = load(path).report()
    assert "hush" not in text
    assert "***" in text


def test_on_both_engines(on: Project) -> None:  # noqa: F811
    path = on.pipeline(
        """
        steps:
          - {id: a, type: sql, sql: "select 1 as n, 'x' as t"}
          - {id: b, type: check, table: a, suite: [{expect_column_values_to_be_in_set: {column: t, value_set: [y], severity: warning}}]}
          - {id: f, type: features, from: a, entity: n, features: {same: {sql: t, description: The same.}}}
        """
    )
    assert run(path).ok
    page = Page(load(path).report())
    assert "a: expect_column_values_to_be_in_set(t) warned" in page.said
    assert "The same." in page.said
    assert page.said.count("succeeded") >= 4


def test_a_graph_has_its_layers_in_order_and_no_boxes_on_each_other() -> None:
    needs = {"a": [], "b": [], "c": ["a"], "d": ["a", "b"], "e": ["c", "d"], "f": ["a", "e"]}
    found = layout(needs)
    assert all(found.places[other][0] < found.places[name][0] for name in needs for other in needs[name])
    assert len(set(found.places.values())) == len(needs)
    by_layer: dict[int, list[float]] = {}
    for layer, height in found.places.values():
        by_layer.setdefault(layer, []).append(height)
    for heights in by_layer.values():
        ordered = sorted(heights)
        assert all(after - before > 0.99 for before, after in itertools.pairwise(ordered))
    assert found.lines["a", "f"][0] == found.places["a"]
    assert len(found.lines["a", "f"]) == found.places["f"][0] - found.places["a"][0] + 1


# 200 steps -------------------------------------------------------------------------------------------------------
def large(folder: Path, steps: int, runs: int) -> Path:
    """A pipeline of many steps, with a history that its runs would have left."""
    (folder / "in").mkdir()
    made, lines = [], []
    for number in range(steps):
        if number < 0.3 * steps:
            lines.append(f"  - {{id: load_{number}, type: load, source: orders, into: raw_{number}}}")
            made.append(f"raw_{number}")
        elif number % 7 == 0:
            table = made[number * 31 % len(made)]
            suite = "[{expect_column_values_to_not_be_null: {column: id}}]"
            lines.append(f"  - {{id: check_{number}, type: check, table: {table}, suite: {suite}}}")
        else:
            one, other = made[-1 - number * 7 % 20], made[-1 - number * 13 % 30]
            sql = f"select a.id, a.who, sum(b.amount) as amount from {one} a left join {other} b on b.id = a.id group by 1, 2"
            lines.append(f'  - {{id: model_{number}, type: sql, sql: "{sql}"}}')
            made.append(f"model_{number}")
    source = SHOP.partition("sources:")[2].partition("suites:")[0]
    path = project(folder, "name: large\nsources:" + source + "steps:\n" + "\n".join(lines))
    spec = load(path).spec
    warehouse = spec.open()
    assert isinstance(warehouse, DuckDBWarehouse)
    for table, columns in ((LOG_TABLE, LOG_COLUMNS), (CHECK_TABLE, CHECK_COLUMNS), (LEDGER, LEDGER_COLUMNS)):
        warehouse.create_table(table, columns)
    logs, checks, files = [], [], []
    for run_number in range(runs):
        at = datetime.now(UTC) - timedelta(hours=6 * (runs - run_number))
        common = {"run_id": f"{at:%Y%m%dT%H%M%S}-{run_number:08x}", "pipeline": "large"}
        log = {**common, "log_level": "INFO", "attempt": 1, "records_loaded": run_number * 10, "message": "table"}
        logs.append({**log, "log_timestamp": at, "status": "STARTED", "step_name": None})
        for number, step in enumerate(spec.steps):
            then, bad = at + timedelta(seconds=number), (number + run_number) % 97 == 0
            status = "FAILED" if bad else "SUCCEEDED"
            ended = {"log_timestamp": then, "step_name": step.id, "step_type": step.type.name}
            logs.append({**log, **ended, "status": "STARTED"})
            logs.append({**log, **ended, "status": status, "duration_ms": number * 37 % 2900})
            if step.type.name == "check":
                judged = {
                    "step_name": step.id,
                    "table_name": made[0],
                    "check_name": f"check_{number}",
                    "run_time": then,
                }
                samples = json.dumps(["NULL"] * 5)
                checks.append({**common, **judged, "status": "FAILED" if bad else "PASSED", "samples": samples})
            elif step.type.name == "load":
                into = f"raw_{number}"
                files.append({**common, "table_name": into, "uri": "in/a.csv", "rows_loaded": 9, "loaded_at": then})
        logs.append(
            {**log, "log_timestamp": at + timedelta(seconds=300), "status": "SUCCEEDED", "duration_ms": 300_000}
        )
    for table, rows in ((LOG_TABLE, logs), (CHECK_TABLE, checks), (LEDGER, files)):
        names = list(dict.fromkeys(name for row in rows for name in row))
        data = pa.Table.from_pylist([{name: row.get(name) for name in names} for row in rows])
        warehouse.connection.register("made_rows", data)
        warehouse.execute(f"INSERT INTO {table} ({', '.join(names)}) SELECT {', '.join(names)} FROM made_rows")
    warehouse.close()
    return path


@pytest.mark.long
def test_200_steps_with_300_runs_are_300_kilobytes_and_a_second(tmp_path: Path) -> None:
    pipeline = load(large(tmp_path, 200, 300))
    took = []
    for _ in range(4):
        start = time.process_time()
        text = pipeline.report()
        took.append(time.process_time() - start)
    assert min(took) < 1
    assert len(text.encode()) < 300_000
    assert set(Page(text).ids) >= {link[1:] for link in Page(text).links}
