"""The shipped step type ``information_value``, in a real run on a DuckDB file."""

from __future__ import annotations

import math
import shutil
from pathlib import Path
from typing import Any

import pytest

from pipekit import Pipeline, QueryError, RunResult

PLUGIN = Path(__file__).resolve().parents[2] / "plugins" / "information_value.py"

# age: 8 of 10 known; ties at 20. job: "clown" is rare. happy: the target; one row does not say.
ROWS = """
    (20, 'cook', 'yes'), (20, 'cook', 'yes'), (20, 'cook', 'no'), (30, 'cook', 'no'), (40, 'nurse', 'no'),
    (50, 'nurse', 'yes'), (60, 'nurse', 'yes'), (70, 'nurse', 'yes'), (NULL, NULL, 'no'), (NULL, 'clown', 'no'),
    (99, 'diver', NULL)
"""


def project(folder: Path, options: str = "") -> Path:
    (folder / "plugins").mkdir()
    shutil.copy(PLUGIN, folder / "plugins")
    file = folder / "pipeline.yaml"
    file.write_text(
        f"""
name: people
steps:
  - id: people
    type: sql
    sql: SELECT * FROM (VALUES {" ".join(ROWS.split())}) AS t(age, job, happy)
  - id: evidence
    type: information_value
    table: people
    target: happy
    positive: "yes"
    bins: 2
    rare_share: 0.2
{options}
""",
        encoding="utf-8",
    )
    return file


def run(file: Path) -> tuple[Pipeline, RunResult]:
    pipeline = Pipeline.from_file(file)
    return pipeline, pipeline.run()


def evidence(positives: int, negatives: int) -> tuple[float, float]:
    """Weight and contribution of a bin, of 5 positives and 5 negatives in all."""
    weight = math.log(((positives + 0.5) / 5) / ((negatives + 0.5) / 5))
    return round(weight, 4), round((positives / 5 - negatives / 5) * weight, 6)


def rows_of(pipeline: Pipeline, column: str) -> list[dict[str, Any]]:
    found = [row for row in pipeline.read("evidence").to_pylist() if row["column_name"] == column]
    return sorted(found, key=lambda row: row["bin"])


def test_numbers_are_cut_by_quantile_and_equal_ones_stay_together(tmp_path: Path) -> None:
    pipeline, result = run(project(tmp_path))
    assert result.ok
    found = [
        (row["low"], row["high"], row["label"], row["row_count"], row["positives"]) for row in rows_of(pipeline, "age")
    ]
    assert found == [(20, 30, None, 4, 2), (40, 70, None, 4, 3), (None, None, "(missing)", 2, 0)]


def test_text_goes_by_value_with_rare_and_missing_ones_apart(tmp_path: Path) -> None:
    pipeline, _ = run(project(tmp_path))
    found = {row["label"]: (row["row_count"], row["positives"]) for row in rows_of(pipeline, "job")}
    assert found == {"cook": (4, 2), "nurse": (4, 3), "(rare values)": (1, 0), "(missing)": (1, 0)}


def test_weights_and_values_are_those_of_the_definition(tmp_path: Path) -> None:
    pipeline, _ = run(project(tmp_path))
    rows = rows_of(pipeline, "age")
    wanted = [evidence(2, 2), evidence(3, 1), evidence(0, 2)]
    assert [(float(row["weight_of_evidence"]), float(row["contribution"])) for row in rows] == wanted
    total = round(sum(contribution for _, contribution in wanted), 6)
    assert {float(row["information_value"]) for row in rows} == {total}
    assert {row["strength"] for row in rows} == {"strong"}


def test_only_the_columns_that_are_named(tmp_path: Path) -> None:
    pipeline, result = run(project(tmp_path, "    columns: [JOB]"))
    assert result.ok
    assert {row["column_name"] for row in pipeline.read("evidence").to_pylist()} == {"job"}


def test_a_column_that_is_not_there_is_told_with_the_nearest_one(tmp_path: Path) -> None:
    _, result = run(project(tmp_path, "    columns: [jobs]"))
    with pytest.raises(QueryError, match="people has no column 'jobs'") as caught:
        result.raise_for_status()
    assert "'job'" in str(caught.value)


def test_a_target_with_one_outcome_is_refused(tmp_path: Path) -> None:
    file = project(tmp_path)
    file.write_text(file.read_text("utf-8").replace('positive: "yes"', "positive: maybe"), "utf-8")
    _, result = run(file)
    with pytest.raises(QueryError, match="0 rows are 'maybe' and 10 are not"):
        result.raise_for_status()
