"""Small projects and their files, in an old and a new state: the shipped pipeline, appends, and files sent again."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml
from projects import BANK, MARKETING, MODELLED, REPOSITORY, copy_project

CUSTOMERS = 40
EVENTS = 120
_LANDING = "pipelines/data/marketing_engagement"
_PAGES = ("/", "/shop?page=2", "/shop", "/blog/été")
_TYPES = ("page_view", "search", "product_view", "add_to_cart", "purchase", "email_click")


@dataclass(frozen=True)
class Project:
    """A project that a harness can set up, change and run.

    Attributes:
        name: For messages.
        tables: Those whose rows are compared.
        make: Fills a folder with the project; returns the pipeline file, relative to the folder.
        change: Puts the files of the sources into their second state.
    """

    name: str
    tables: tuple[str, ...]
    make: Callable[[Path, Mapping[str, Any] | None], str]
    change: Callable[[Path], None] = field(repr=False)


def _customer(number: int, new: bool) -> dict[str, Any]:
    moved = new and number % 3 == 0
    return {
        "customer_id": number,
        "first_name": f"Name {number}",
        "last_name": 'of "several", words',
        "email": f"c{number}@example.com" if number % 7 else "nobody",
        "age": 18 + number % 60 + new,
        "gender": "female" if number % 2 else "",
        "address": "Calle Mayor 6,\nSevilla",
        "city": "Porto" if moved else "Sevilla",
        "country": "Spain",
        "region": ("North", "South", "East", "West", "Nroth")[number % 5],
        "income_band": "high",
        "signup_date": f"2023/{1 + number % 12:02}/{1 + number % 28:02}",
    }


def _event(number: int, new: bool) -> dict[str, Any]:
    return {
        "event_id": f"e{number // 2 if number % 40 == 1 else number:05}",
        "timestamp": f"2024-06-{1 + number % 28:02}T{number % 24:02}:{number % 60:02}:08.258Z",
        "user_id": number % (CUSTOMERS + 5),
        "event_type": _TYPES[number % len(_TYPES)],
        "page_url": "https://shop.example.com" + _PAGES[number % len(_PAGES)],
        "duration_ms": number * 10 + new,
        "device": {"type": "mobile" if number % 2 else "desktop"},
    }


def _write_csv(path: Path, rows: list[dict[str, Any]]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)


def _write_lines(path: Path, rows: list[dict[str, Any]], more: str = "") -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(json.dumps(row) + "\n" for row in rows) + more, encoding="utf-8")


def _landing(folder: Path, new: bool) -> None:
    """In the new state a third of the customers moved, some are new, and one event of 120 is broken."""
    customers = [_customer(number, new) for number in range(1, CUSTOMERS + 1 + 10 * new)]
    events = [_event(number, new) for number in range(EVENTS * (1 + new))]
    middle = len(customers) // 2
    _write_csv(folder / _LANDING / "customers/one.csv", customers[:middle])
    _write_csv(folder / _LANDING / "customers/two.csv", customers[middle:])
    _write_lines(
        folder / _LANDING / "clickstream/one.jsonl", events[:EVENTS], '{"event_id": 1, "user_id": "x"}\n' * new
    )
    _write_lines(folder / _LANDING / "clickstream/two.jsonl", events[EVENTS - 40 :])


def _with_target(folder: Path, file: str, target: Mapping[str, Any] | None) -> str:
    if target is not None:
        content = yaml.safe_load((folder / file).read_text(encoding="utf-8"))
        content |= {"targets": {"there": dict(target)}, "target": "there"}
        (folder / file).write_text(yaml.safe_dump(content, sort_keys=False), encoding="utf-8")
    return file


def _make_marketing(folder: Path, target: Mapping[str, Any] | None) -> str:
    copy_project(folder, ("templates", "pyproject.toml"))
    (folder / "pipelines").mkdir()
    (folder / MARKETING).write_text((REPOSITORY / MARKETING).read_text(encoding="utf-8"), encoding="utf-8")
    _landing(folder, new=False)
    return _with_target(folder, MARKETING, target)


MARKETING_PROJECT = Project(
    "marketing",
    MODELLED,
    _make_marketing,
    lambda folder: _landing(folder, new=True),
)

_BANK_FILE = "pipelines/data/bank_marketing/bank-additional.csv"
_CLIENTS = 1_001  # its suite wants a thousand


def _make_bank(folder: Path, target: Mapping[str, Any] | None) -> str:
    copy_project(folder, ("templates", "plugins", "pyproject.toml"))
    (folder / "pipelines").mkdir()
    (folder / BANK).write_text((REPOSITORY / BANK).read_text(encoding="utf-8"), encoding="utf-8")
    shared = Path("pipelines/shared/targets.yaml")
    (folder / shared).parent.mkdir()
    (folder / shared).write_text((REPOSITORY / shared).read_text(encoding="utf-8"), encoding="utf-8")
    _called(folder, 0)
    if target is not None:
        targets = {"local": dict(target)}  # the target that the file names
        (folder / shared).write_text(yaml.safe_dump({"targets": targets}, sort_keys=False), encoding="utf-8")
    return BANK


def _called(folder: Path, first: int) -> None:
    """A thousand rows of the bank's file, from one of them on."""
    header, *lines = (REPOSITORY / _BANK_FILE).read_text(encoding="utf-8").splitlines(keepends=True)
    (folder / _BANK_FILE).parent.mkdir(parents=True, exist_ok=True)
    (folder / _BANK_FILE).write_text("".join([header, *lines[first : first + _CLIENTS]]), encoding="utf-8")


BANK_PROJECT = Project(
    "bank",
    (
        "raw_bank_marketing",
        "bank_clients",
        "bank_campaign_outcome",
        "bank_information_value",
        "bank_client_scores",
        "bank_client_features",
    ),
    _make_bank,
    lambda folder: _called(folder, 500),
)

_APPENDING = """
name: appending
threads: 1
sources:
  lines:
    uri: landing
    format: {type: csv}
    columns: {id: integer, word: varchar}
suites:
  sound: [{expect_column_values_to_not_be_null: {column: id}}]
steps:
  - {id: everything, type: load, source: lines, strategy: append, audit: sound}
  - {id: latest, type: load, source: lines, when: changed, metadata: true}
  - {id: merged, type: load, source: lines, strategy: merge, key: id, audit: sound}
  - {id: words, type: sql, sql: "select word, count(*) as n from everything group by word", audit: [
      {expect_column_values_to_be_unique: {column: word}}]}
  - {id: history, type: sql, sql: "select id, word from everything", materialize: append, key: id}
  - {id: copied, type: sql, sql: "select id from merged", materialize: truncate_load}
"""


_BRIEF_STEPS = """
  - {id: everything, type: load, source: lines, strategy: append}
  - {id: latest, type: load, source: lines, audit: sound}
  - {id: words, type: sql, sql: "select word, count(*) as n from latest group by word"}
"""


def _make_appending(folder: Path, target: Mapping[str, Any] | None) -> str:
    return _make_lines(folder, target, _APPENDING)


def _make_brief(folder: Path, target: Mapping[str, Any] | None) -> str:
    head, _, _ = _APPENDING.partition("steps:\n")
    return _make_lines(folder, target, f"{head}steps:{_BRIEF_STEPS}")


def _make_lines(folder: Path, target: Mapping[str, Any] | None, text: str) -> str:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "pyproject.toml").write_text("[tool.pipekit]\n", encoding="utf-8")
    (folder / "appending.yaml").write_text(text, encoding="utf-8")
    _appended(folder, 0)
    return _with_target(folder, "appending.yaml", target)


def _appended(folder: Path, number: int) -> None:
    """One more file."""
    rows = [{"id": number * 10 + index, "word": "old" if number == 0 else f"new {index % 3}"} for index in range(10)]
    _write_csv(folder / f"landing/file{number}.csv", rows)


APPENDING_PROJECT = Project(
    "appending",
    ("everything", "latest", "merged", "words", "history", "copied"),
    _make_appending,
    lambda folder: _appended(folder, 1),
)

_REPLACING = """
name: replacing
threads: 1
sources:
  sales:
    uri: landing
    format: {type: csv}
    columns: {id: integer, day: date, amount: integer}
suites:
  sound: [{expect_column_values_to_not_be_null: {column: id}}]
steps:
  - {id: sales, type: load, source: sales, strategy: replace_where, where: "day >= '2024-07-02'", on_empty: allow, audit: sound}
  - {id: days, type: sql, sql: "select day, sum(amount) as amount from sales group by day", materialize: replace_where,
     partition_by: day}
"""


def _make_replacing(folder: Path, target: Mapping[str, Any] | None) -> str:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "pyproject.toml").write_text("[tool.pipekit]\n", encoding="utf-8")
    (folder / "replacing.yaml").write_text(_REPLACING, encoding="utf-8")
    _sold(folder, 10)
    return _with_target(folder, "replacing.yaml", target)


def _sold(folder: Path, amount: int) -> None:
    rows = [{"id": number, "day": f"2024-07-0{2 + number % 3}", "amount": amount} for number in range(12)]
    _write_csv(folder / "landing/sales.csv", rows)


REPLACING_PROJECT = Project("replacing", ("sales", "days"), _make_replacing, lambda folder: _sold(folder, 20))

_AUDITED_STEPS = """
  - {id: latest, type: load, source: lines}
  - {id: words, type: sql, sql: "select word, count(*) as n from latest group by word", audit: [
      {expect_column_values_to_be_unique: {column: word}}]}
"""


def _make_audited(folder: Path, target: Mapping[str, Any] | None) -> str:
    head, _, _ = _APPENDING.partition("steps:\n")
    return _make_lines(folder, target, f"{head}steps:{_AUDITED_STEPS}")


AUDITED_PROJECT = Project("audited", ("latest", "words"), _make_audited, lambda folder: _appended(folder, 1))

BRIEF_PROJECT = Project("brief", ("everything", "latest", "words"), _make_brief, lambda folder: _appended(folder, 1))


_RESENT_STEPS = """
  - {id: appended, type: load, source: lines, strategy: append, metadata: true, audit: sound}
  - {id: merged, type: load, source: lines, strategy: merge, key: id, audit: sound}
  - {id: words, type: sql, sql: "select word, count(*) as n from appended group by word"}
"""


def _make_resent(folder: Path, target: Mapping[str, Any] | None) -> str:
    head, _, _ = _APPENDING.partition("steps:\n")
    file = _make_lines(folder, target, f"{head}steps:{_RESENT_STEPS}")
    _appended(folder, 1)
    return file


def _resend(folder: Path) -> None:
    """The first file comes again with other content, fewer rows and other keys among them; another file is new."""
    rows = [{"id": number, "word": f"again {number % 2}"} for number in (0, 1, 2, 1000, 1001)]
    _write_csv(folder / "landing/file0.csv", rows)
    _appended(folder, 2)


RESENT_PROJECT = Project("resent", ("appended", "merged", "words"), _make_resent, _resend)
