"""What the commands print and write."""

from __future__ import annotations

import os
import pty
import resource
import subprocess
from collections.abc import Mapping
from pathlib import Path

import click
import pytest
from small_projects import PIPEKIT, cli, project

from pipekit.cli.output import write_whole

ROWS = """
sources:
  orders: {uri: data/, pattern: "*.csv", format: {type: csv}, columns: {order_id: integer, customer: varchar}}
suites:
  orders: [expect_column_values_to_be_in_set: {column: customer, value_set: [Ada], severity: warning}]
steps:
  - {id: load_orders_of_all_the_shops, type: load, source: orders, into: raw_orders, on_error: reject, audit: orders}
  - {id: orders_by_customer, type: sql, sql: "select customer, count(*) as number_of_orders from raw_orders group by 1"}
  - {id: a_view, type: sql, materialize: view, sql: "select * from orders_by_customer"}
"""
IDS = ("load_orders_of_all_the_shops", "orders_by_customer", "raw_orders", "number_of_orders", "data/orders.csv")


def screen(root: Path, width: int, *arguments: str, **more: str) -> str:
    """What a terminal of this width shows of a command, with the codes that it was sent."""
    ours, theirs = pty.openpty()
    given = {name: value for name, value in os.environ.items() if name not in ("COLUMNS", "NO_COLOR")}
    given |= {"COLUMNS": str(width), "TERM": "xterm-256color", **more}
    with subprocess.Popen([*PIPEKIT, *arguments], cwd=root, stdout=theirs, stderr=theirs, env=given):
        os.close(theirs)
        parts = []
        try:
            while part := os.read(ours, 65536):
                parts.append(part)
        except OSError:  # Linux says EIO when the other side is closed
            pass
    os.close(ours)
    return b"".join(parts).decode()


@pytest.fixture(scope="module")
def ran(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("ran")
    project(root, ROWS)
    (root / "data").mkdir()
    (root / "data/orders.csv").write_text("order_id,customer\n1,Ada\nx,Bo\n3,Cy\n")
    cli(root, "run", "p.yaml", "-q", code=0)
    return root


COMMANDS: Mapping[str, tuple[str, ...]] = {
    "run": ("run", "p.yaml"),
    "plan": ("plan", "p.yaml"),
    "validate": ("validate", "p.yaml"),
    "doctor": ("doctor", "p.yaml"),
    "runs": ("runs", "p.yaml", "last"),
    "lineage": ("lineage", "p.yaml", "a_view.number_of_orders"),
    "rejects": ("rejects", "p.yaml"),
    "show": ("show", "p.yaml", "orders_by_customer"),
    "sql": ("sql", "p.yaml", "select * from raw_orders_rejects"),
    "error": ("show", "p.yaml", "orders_by_customers_of_last_year"),
}


@pytest.mark.parametrize(
    "name", [pytest.param(n, marks=() if n in ("run", "rejects") else pytest.mark.long) for n in COMMANDS]
)
def test_no_id_is_broken_and_no_line_is_wider_than_a_terminal_of_60_columns(ran: Path, name: str) -> None:
    shown = click.unstyle(screen(ran, 60, *COMMANDS[name])).replace("\r", "\n")
    lines = [line.rstrip() for line in shown.split("\n")]
    assert [line for line in lines if len(line) > 60 and " " in line.strip(" +└─├│✓")] == []
    parts = {word[:size] for word in IDS for size in range(6, len(word))}
    assert [line for line in lines if line.split(" ")[-1] in parts - {"orders"}] == []


@pytest.mark.parametrize(
    ("given", "codes"), [({}, True), ({"NO_COLOR": "1"}, False), ({"TERM": "dumb"}, False)], ids=["", "no", "dumb"]
)
def test_colours_are_for_terminals_that_can_and_users_who_want_them(
    ran: Path, given: dict[str, str], codes: bool
) -> None:
    (ran / "wrong.yaml").write_text("name: w\nsteps: 5\n")
    assert ("\x1b[31m" in screen(ran, 80, "validate", "wrong.yaml", **given)) is codes


def test_an_encoding_without_these_signs_gets_ascii(ran: Path) -> None:
    shown = cli(ran, "lineage", "p.yaml", code=0, PYTHONIOENCODING="latin-1").stdout
    assert "`- orders_by_customer  (step orders_by_customer)" in shown
    assert "\\u" not in shown


def test_a_file_is_written_whole_or_not_at_all(tmp_path: Path) -> None:
    file = tmp_path / "out.yaml"
    file.write_text("what was there")
    file.chmod(0o640)
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, before[1]))  # as a disk that is full
    try:
        with pytest.raises(click.UsageError, match=r"--output .*out.yaml: cannot be written: File too large"):
            write_whole(file, "x" * 10_000)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert file.read_text() == "what was there"
    write_whole(file, "new")
    assert (file.read_text(), file.stat().st_mode & 0o777) == ("new", 0o640)
    assert list(tmp_path.iterdir()) == [file]
