"""`pipekit plan`: what it says is what the next run's events say, and it writes nothing."""

from __future__ import annotations

import io
import json
import os
import random
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

import duckdb
import pytest
from emulator.costs import by_step
from emulator.fixtures import EmulatedSnowflake
from engines import Project, emulated, s3, snowflake_account  # noqa: F401 - fixtures
from small_projects import cli, load, project, run_ok, snapshot, write

from pipekit.cli.plan_view import markdown, show_plan
from pipekit.events import Event, FileLoaded
from pipekit.names import Table
from pipekit.runs.plan import Plan

PIPELINE = """
threads: 1
sources:
  orders: {{uri: data/orders, format: {{type: csv}}, columns: {{id: integer, price: "number(10,2)"}}}}
  days: {{uri: data/days, format: {{type: csv}}, columns: {{day: date, n: integer}}}}
  notes: {{uri: data/notes, format: {{type: csv}}, columns: {{{columns}}}}}
steps:
  - {{id: orders, type: load, source: orders, strategy: append, on_changed: {on_changed}, metadata: true}}
  - {{id: days, type: load, source: days, when: changed, on_empty: {on_empty}}}
  - {{id: notes, type: load, source: notes, on_schema_change: {policy}, on_error: {on_error}, on_bad_file: skip}}
  - {{id: totals, type: sql, sql: "select count(*) as n{more} from orders, days"}}
  - {{id: kept, type: sql, materialize: merge, key: id, on_schema_change: {policy},
      sql: "select distinct id, 1 as one{more} from notes"}}
  - {{id: seen, type: sql, materialize: {seen}, sql: "select * from totals"}}
  - {{id: sane, type: check, table: orders, suite: [expect_column_values_to_not_be_null: {{column: id}}]}}
"""


@dataclass
class World:
    """A project that changes at random.

    Attributes:
        root: Its folder.
        chance: The source of chance.
        write_spec: Writes the pipeline file.
    """

    root: Path
    chance: random.Random
    write_spec: Callable[[str], Path]
    keys: dict[str, str] = field(
        default_factory=lambda: {
            "columns": "id: integer",
            "on_changed": "fail",
            "on_empty": "fail",
            "policy": "add",
            "on_error": "fail",
            "more": "",
            "seen": "table",
        }
    )
    files: int = 0
    columns: int = 0

    def spec(self) -> Path:
        return self.write_spec(PIPELINE.format(**self.keys))

    def add(self, place: str) -> None:
        self.files += 1
        heads = {"orders": "id,price", "days": "day,n", "notes": self._notes()}
        row = {"orders": f"{self.files},1.50", "days": "2024-05-01,3", "notes": ",".join(["7"] * (1 + self.columns))}
        write(self.root, f"data/{place}/f{self.files:04}.csv", f"{heads[place]}\n{row[place]}\n")

    def _notes(self) -> str:
        return ",".join(["id", *(f"c{number}" for number in range(self.columns))])

    def some(self, place: str) -> Path | None:
        files = sorted((self.root / "data" / place).glob("*.csv"))
        return self.chance.choice(files) if files else None

    def change(self) -> str:
        """Change something; what was changed."""
        changes = {
            "a new file": lambda: self.add(self._place()),
            "a new order": lambda: self.add("orders"),
            "other content": lambda: self._rewrite("9,9.99"),
            "the same content, written again": self._touch,
            "a file less": self._remove,
            "another header": self._spoil,
            "an empty file": lambda: write(self.root, f"data/{self._place()}/empty.csv", ""),
            "another query": lambda: self.keys.update(
                more=self.chance.choice(["", ", 2 as two", ", 2 as two, 3 as three"])
            ),
            "another column": self._widen,
            "other keys": self._choose,
            "nothing": lambda: None,
        }
        name = self.chance.choice(list(changes))
        changes[name]()
        return name

    def _place(self) -> str:
        return self.chance.choice(["orders", "days", "notes"])

    def _rewrite(self, row: str) -> None:
        file = self.some("orders")
        if file is not None:
            file.write_text(f"id,price\n{row}\n", encoding="utf-8")

    def _touch(self) -> None:
        for place in ("orders", "days"):
            file = self.some(place)
            if file is not None:
                file.write_bytes(file.read_bytes())
                os.utime(file, (1, 1_700_000_000 + self.chance.randrange(1000)))

    def _remove(self) -> None:
        file = self.some(self._place())
        if file is not None:
            file.unlink()

    def _spoil(self) -> None:
        write(
            self.root,
            f"data/{self._place()}/other.csv",
            self.chance.choice(["id,colour\n1,red\n", "day\n2024-01-01\n"]),
        )

    def _widen(self) -> None:
        if self.columns < 3:
            self.columns += 1
            names = [
                "id: integer",
                *(f"c{number}: {{type: integer, optional: true}}" for number in range(self.columns)),
            ]
            self.keys["columns"] = ", ".join(names)

    def _choose(self) -> None:
        self.keys["on_changed"] = self.chance.choice(["fail", "replace", "add"])
        self.keys["on_empty"] = self.chance.choice(["fail", "allow"])
        self.keys["policy"] = self.chance.choice(["add", "ignore", "fail", "widen"])
        self.keys["on_error"] = self.chance.choice(["fail", "reject"])

    def heal(self) -> None:
        """Take away what makes steps fail, so that the next changes are seen."""
        for path in (self.root / "data").rglob("*.csv"):
            if path.name in ("other.csv", "empty.csv"):
                path.unlink()
        for place in ("orders", "days", "notes"):
            if self.some(place) is None:
                self.add(place)
        self.keys["policy"], self.keys["on_changed"] = "add", "replace"


class Kept:
    """A sink that keeps events."""

    def __init__(self) -> None:
        self.events: list[Event] = []

    def handle(self, event: Event) -> None:
        self.events.append(event)

    def close(self) -> None:
        """Nothing to close."""


Tables = dict[str, tuple[int, tuple[str, ...]]]


def compared(path: Path, before: Tables, tables: Callable[[], Tables], **options: bool) -> tuple[Plan, Tables]:
    """Plan, run, and hold the run's events and the tables before and after against the plan."""
    pipeline, state = load(path), snapshot(path.parent)
    plan = pipeline.plan(**options)
    assert snapshot(path.parent) == state, "the plan has written something"
    kept = Kept()
    result = pipeline.run(sinks=[kept], **options)
    after = tables()
    assert plan.statuses == {step.step: step.status for step in result.steps}, (plan, result.errors)
    for step in plan.steps:
        read = sorted(
            Path(event.uri).name for event in kept.events if isinstance(event, FileLoaded) and event.step == step.id
        )
        if step.status == "SUCCEEDED":
            assert sorted(Path(file.uri).name for file in step.outlook.files if file.is_read) == read
        for table in step.outlook.tables:
            assert (table.fate == "created") == (table.name not in before), table
            had, has = before.get(table.name, (0, ()))[1], after.get(table.name, (0, ()))[1]
            if table.fate == "created":
                assert tuple(name.split()[0].lower() for name in table.columns) == has
                continue
            assert [name.split()[0].lower() for name in table.added] == [name for name in has if name not in had], table
            assert [name.lower() for name in table.dropped] == [name for name in had if name not in has], table
            if table.rows_at_risk is not None:
                whole = before[table.name][0]
                assert table.rows_at_risk <= whole if table.fate == "changed in part" else table.rows_at_risk == whole
    planned = {table.name for step in plan.steps if step.status == "SUCCEEDED" for table in step.outlook.tables}
    ours = ("ingestion_", "dq_", "pipekit_")
    assert {name for name in after if name not in before and not name.startswith(ours)} <= planned
    return plan, after


def tables_of(root: Path) -> Tables:
    path = root / ".pipekit/warehouse.duckdb"
    if not path.exists():
        return {}
    with duckdb.connect(str(path)) as connection:
        rows = connection.execute(
            "SELECT table_name, list(column_name ORDER BY column_index) FROM duckdb_columns() WHERE NOT internal GROUP BY 1"
        ).fetchall()
        return {
            name: (connection.execute(f'SELECT count(*) FROM "{name}"').fetchall()[0][0], tuple(columns))
            for name, columns in rows
        }


def grown(world: World, tables: Callable[[], Tables], changes: int) -> set[str]:
    """Change a world again and again, and compare each time; the statuses that were seen."""
    for place in ("orders", "days", "notes"):
        world.add(place)
    seen: set[str] = set()
    there: Tables = {}
    for _ in range(changes):
        done = [world.change() for _ in range(world.chance.choice([1, 1, 2]))]
        try:
            plan, there = compared(world.spec(), there, tables, full_refresh=world.chance.random() < 0.1)
        except AssertionError as error:
            raise AssertionError(f"after {done}: {error}") from error
        seen.update(plan.statuses.values())
        if "FAILED" in plan.statuses.values():
            world.heal()
    return seen


@pytest.mark.parametrize(("seed", "changes"), [(1, 10), pytest.param(2, 500, marks=pytest.mark.long)])
def test_what_the_plan_says_is_what_the_next_run_does(tmp_path: Path, seed: int, changes: int) -> None:
    world = World(tmp_path, random.Random(seed), lambda text: project(tmp_path, text))
    assert grown(world, lambda: tables_of(tmp_path), changes) == {"SUCCEEDED", "UNCHANGED", "FAILED", "SKIPPED"}


_READS = re.compile(r"\s*(SELECT|WITH|SHOW|DESC|DESCRIBE|LIST)\b", re.IGNORECASE)


def test_on_snowflake_it_is_the_same_and_only_reads(request: pytest.FixtureRequest, tmp_path: Path) -> None:
    account = request.getfixturevalue("snowflake_account")
    target = account.target()
    at = Project(tmp_path, f"targets: {{sf: {json.dumps(target)}}}\ntarget: sf\n", target["schema"], target["database"])
    (tmp_path / "templates").mkdir()

    def tables() -> Tables:
        found: Tables = {}
        with closing(load(tmp_path / "p.yaml").spec.open()) as warehouse:
            for name in ("orders", "days", "notes", "notes_rejects", "totals", "kept", "seen"):
                columns = tuple(column.name.lower() for column in warehouse.columns(Table((name,))))
                if columns:
                    found[name] = (int(warehouse.execute(f"SELECT count(*) FROM {name}").scalar()), columns)
        return found

    world = World(tmp_path, random.Random(3), at.pipeline)
    assert "SUCCEEDED" in grown(world, tables, 3)
    account.control(reset=True)
    load(tmp_path / "p.yaml").plan()
    sent = [statement["sql"] for statement in account.statements()]
    assert sent
    assert [sql for sql in sent if not _READS.match(sql)] == []
    _hold_statements_against_the_next_run(account, tmp_path / "p.yaml")


def _hold_statements_against_the_next_run(account: EmulatedSnowflake, path: Path) -> None:
    """After a run that changed nothing, the plan knows what the next one sends, all in all and on the warehouse."""
    load(path).run()
    load(path).run()
    plan = load(path).plan()
    account.control(reset=True)
    load(path).run()
    costs = by_step(account.statements(), of_run=())
    sent = {step: (len(cost.statements), len(cost.on_warehouse)) for step, cost in costs.items()}
    known = {step.id: (step.sent.statements, step.sent.on_warehouse) for step in plan.steps if step.sent}
    assert len(known) > 4
    assert known == {step: sent[step] for step in known}
    shown = io.StringIO()
    show_plan(plan, shown)
    total = tuple(sum(counts) for counts in zip(*known.values(), strict=True))
    assert f"; {total[0]} statements, {total[1]} on the warehouse, as when they last did so" in shown.getvalue()
    shutil.rmtree(path.parent / ".pipekit/runs/delivered")
    elsewhere = {step.id: step.sent for step in load(path).plan().steps if step.sent}
    assert {step: sent.statements for step, sent in elsewhere.items()} == {
        step: counts[0] for step, counts in known.items()
    }
    assert {sent.on_warehouse for sent in elsewhere.values()} == {None}


HELD = """
import sys, duckdb
held = duckdb.connect(sys.argv[1])
print("held", flush=True)
sys.stdin.read()
"""
ONE = """
sources:
  rows: {uri: data, format: {type: csv}, columns: {id: integer}}
steps:
  - {id: rows, type: load, source: rows, strategy: append}
  - {id: twice, type: sql, sql: 'select id * 2 as id from "ROWS"'}
"""


@pytest.fixture
def one(tmp_path: Path) -> Path:
    write(tmp_path, "data/a.csv", "id\n1\n2\n")
    return project(tmp_path, ONE)


def test_a_database_that_is_not_there_is_not_made(one: Path) -> None:
    state = snapshot(one.parent)
    plan = load(one).plan()
    assert snapshot(one.parent) == state
    assert [(step.id, step.wave, step.outlook.reasons[-1]) for step in plan.steps] == [
        ("rows", 1, "never ran"),
        ("twice", 2, "never ran"),
    ]


def test_a_read_only_database_can_be_planned_on(one: Path) -> None:
    run_ok(one)
    database = one.parent / ".pipekit/warehouse.duckdb"
    write(one.parent, "data/b.csv", "id\n3\n")
    database.chmod(0o400)
    plan = load(one).plan()
    assert plan.statuses == {"rows": "SUCCEEDED", "twice": "SUCCEEDED"}
    assert [(file.uri, file.change) for file in plan.steps[0].outlook.files] == [
        ("data/a.csv", "unchanged"),
        ("data/b.csv", "new"),
    ]


def test_a_database_that_another_process_writes_to_is_named(one: Path) -> None:
    run_ok(one)
    path = str(one.parent / ".pipekit/warehouse.duckdb")
    with subprocess.Popen([sys.executable, "-c", HELD, path], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as holder:
        assert holder.stdout is not None
        holder.stdout.readline()
        plan = load(one).plan()
        holder.communicate()
    assert f"pid {holder.pid}" in plan.notes[0]
    assert "a copy of all that was committed" in plan.notes[0]
    assert plan.statuses == {"rows": "UNCHANGED", "twice": "SUCCEEDED"}


def test_a_resumed_run_is_planned_as_one(one: Path) -> None:
    broken = project(one.parent, ONE.replace("id * 2", "id * 1 / 0"))
    assert not load(broken).run().ok
    mended = project(one.parent, ONE)
    plan = load(mended).plan(resume=True)
    assert plan.statuses == {"rows": "UNCHANGED", "twice": "SUCCEEDED"}
    assert plan.steps[0].outlook.reasons[0].startswith("finished in run ")
    assert any(reason.startswith("its definition changed since ") for reason in plan.steps[1].outlook.reasons)
    assert load(mended).run(resume=True).steps[0].status == "UNCHANGED"


@pytest.mark.parametrize("before", [False, True])
def test_a_step_whose_run_was_killed_did_not_end(one: Path, before: bool) -> None:
    if before:
        run_ok(one)
        write(one.parent, "data/b.csv", "id\n3\n")
    python = "from pipekit.runs import attempt; import os; attempt.Workers.result_of = lambda *_: os._exit(9)\n"
    python += f"import pipekit; pipekit.Pipeline.from_file({str(one)!r}).run()"
    assert subprocess.run([sys.executable, "-c", python], check=False, capture_output=True).returncode == 9
    reasons = load(one).plan().steps[0].outlook.reasons
    assert re.fullmatch(r"it started at 2\S+ \S+ and did not end", reasons[-1])
    run_ok(one)
    assert not any("did not end" in reason for step in load(one).plan().steps for reason in step.outlook.reasons)


def test_what_the_command_prints(one: Path) -> None:
    run_ok(one)
    write(one.parent, "data/b.csv", "number\n3\n")
    text = cli(one.parent, "plan", "p.yaml", "--sql", "out", code=0).stdout
    assert "x rows (load, append) would fail: 1 new file" in text
    assert "declared column 'id' is missing" in text
    assert "- twice (sql, table) skipped: it needs rows, which would fail" in text
    assert "2 steps: 1 would fail, 1 skipped" in text
    assert (one.parent / "out/local/twice.sql").read_text().startswith("-- twice: sql, table\nSELECT")
    found = json.loads(cli(one.parent, "plan", "p.yaml", "--json", code=0).stdout)
    assert [step["status"] for step in found["steps"]] == ["FAILED", "SKIPPED"]
    assert found["steps"][0]["files"][1]["problem"] == "the declared column 'id' is missing"
    comment = cli(one.parent, "plan", "p.yaml", "--format", "markdown", code=0).stdout
    assert (
        "| rows (load) | would fail |  | 1 new file<br>1 unchanged<br>data/b.csv: the declared column 'id' is missing |  |"
        in comment
    )


def test_the_sql_of_a_plan_holds_no_secret(tmp_path: Path) -> None:
    project(
        tmp_path,
        """
        vars: {tok: "{{ env('DBPW') }}", api_token: none given}
        steps:
          - {id: a, type: sql, sql: "select {{ var('tok') }} as t, {{ var('api_token') }} as u"}
          - {id: b, type: sql, sql: select 1 as n}
        """,
    )
    given = ("--sql", "out", "--var", "api_token=given-on-the-line")
    cli(tmp_path, "plan", "p.yaml", *given, code=0, DBPW="hunter2-and-more")
    hidden, plain = ((tmp_path / f"out/local/{name}.sql").read_text() for name in "ab")
    assert "hunter2" not in hidden
    assert "given-on" not in hidden
    assert "-- Secrets are shown as ***" in hidden
    assert "***" not in plain


def test_rows_of_a_changed_file_are_replaced_and_files_of_other_days_did_not_vanish(tmp_path: Path) -> None:
    names = ("x-{{ as_of | date('YYYY-MM-DD') }}.csv", "y*.csv")
    path = project(
        tmp_path,
        f"""
sources:
  x: {{uri: "data/", pattern: {json.dumps(names)}, format: {{type: csv}}, columns: {{id: integer}}}}
steps:
  - {{id: x, type: load, source: x, strategy: append, metadata: true}}
""",
    )
    for name in ("x-2024-07-01", "x-2024-07-02", "y1", "y2"):
        write(tmp_path, f"data/{name}.csv", "id\n1\n2\n")
    run_ok(path, as_of="2024-07-01")
    write(tmp_path, "data/y1.csv", "id\n1\n2\n3\n")
    (tmp_path / "data/y2.csv").unlink()
    out = io.StringIO()
    show_plan(load(path, as_of="2024-07-02").plan(), out)
    assert "runs: 1 new, 1 changed, 1 vanished files\n" in out.getvalue()
    assert "table x: changed in part, 2 rows replaced" in out.getvalue()


def test_names_from_files_cannot_write_the_comment(one: Path) -> None:
    write(one.parent, "data/<img src=x>|**b**.csv", "id\n3\n")
    write(one.parent, "data/[a](http:x).csv", "no\n3\n")
    assert "<img" not in (text := markdown(load(one).plan()))
    assert "[a](" not in text.partition("would fail**")[0]


@pytest.mark.parametrize("width", [60, 110])
def test_no_line_is_wider_than_the_terminal(one: Path, width: int, capsys: pytest.CaptureFixture[str]) -> None:
    show_plan(load(one).plan(), sys.stdout, width)
    assert max(map(len, capsys.readouterr().out.splitlines())) <= width
