"""`pipekit test --fuzz`: files from a contract, and the first that a load treats wrongly."""

from __future__ import annotations

from pathlib import Path

import pytest
from small_projects import cli, load, project

from pipekit.files.value_formats import FIRST_MICROSECOND, LAST_MICROSECOND, Epoch
from pipekit.warehouses.duckdb import casts

PIPELINE = """
sources:
  sent:
    uri: in/
    pattern: "*.csv"
    format: {type: csv, delimiter: ";", decimal_separator: ",", date_format: DD.MM.YYYY, null_values: ["NA"], trim: true}
    columns:
      id: {type: integer, nullable: false}
      amount: "number(10,2)"
      day: date
      at: {type: timestamp_tz, format: epoch_milliseconds}
      note: {type: varchar(20), null_values: ["007", "null"]}
  events:
    uri: in/
    format: {type: json}
    columns: {id: integer, kind: {type: varchar, path: "device.tags[1]"}, more: variant, done: boolean}
  below:
    uri: in/
    format: {type: json, root: "data.groups[*].users.*"}
    columns: {id: {type: integer, nullable: false}, kind: {type: varchar, path: "device.tags[1]"}, more: variant}
  sheets: {uri: in/, format: {type: parquet}, columns: {a: integer}}
steps:
  - {id: raw_sent, type: load, source: sent}
  - {id: raw_events, type: load, source: events}
  - {id: raw_below, type: load, source: below}
  - {id: raw_sheets, type: load, source: sheets}
"""


def test_what_loads_rightly_and_what_is_not_made(tmp_path: Path) -> None:
    path = project(tmp_path, PIPELINE)
    done = cli(tmp_path, "test", "p.yaml", "--fuzz", "12", "--seed", "3", code=0).stdout
    assert "sent: 12 files, each handled correctly" in done
    assert "events: 12 files, each handled correctly" in done
    assert "below: 12 files, each handled correctly" in done
    assert "sheets: files of the format parquet are not made" in done
    assert "--seed 3 makes the same files" in done
    assert not (tmp_path / "tests").exists()
    assert (
        "--junit does not go together with --fuzz"
        in cli(path.parent, "test", "p.yaml", "--fuzz", "--junit", "x", code=2).stderr
    )


def test_a_loader_that_is_broken_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = project(tmp_path, PIPELINE)

    def broken(kind: str, text: str, epoch: Epoch) -> tuple[str, str]:
        """As it once was: NULL is a bad value in the strict mode."""
        micros = f"TRY_CAST({text} || 'e{epoch.places}' AS BIGINT)"
        good = f"coalesce({micros} BETWEEN {FIRST_MICROSECOND} AND {LAST_MICROSECOND}, false)"
        return f"(regexp_full_match({text}, '{epoch.shape}') AND {good})", f"make_timestamptz({micros})"

    monkeypatch.setattr(casts, "_epoch", broken)
    found = {each.source: each for each in load(path).fuzz(60, seed=1)}["sent"]
    assert found.case == "a legal file"
    assert "a bad record" in found.problems[0]
    folder = tmp_path / "tests/fuzz/p-sent-1"
    assert found.folder is not None
    assert found.folder.samefile(folder)
    lines = (folder / "given.csv").read_text(encoding="utf-8").splitlines()
    assert len(lines) == 2  # the header, and one record of the plainest values but the one that shows it
    assert lines[1].split(";")[3] == "NA"
    outcome = load(path).test(folder / "test.yaml")[0]
    assert not outcome.passed
    monkeypatch.undo()
    assert load(path).test(folder / "test.yaml")[0].passed
