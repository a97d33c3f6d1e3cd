"""A new project runs at once, is wired for editors, and costs nothing that was there."""

from __future__ import annotations

import json
from pathlib import Path

import jsonschema
import pytest
from small_projects import cli

import pipekit
from pipekit.pipeline.reading.tree import read_yaml
from pipekit.starter.start import TakenError, start_project


def test_the_project_runs_at_once(tmp_path: Path) -> None:
    done = cli(tmp_path, "init", "shop", code=0)
    assert "cd shop\n  pipekit run pipelines/shop.yaml" in done.stdout
    pipeline = pipekit.Pipeline.from_file(tmp_path / "shop/pipelines/shop.yaml", as_of="2024-07-01")
    result = pipeline.run()
    assert result.ok, result.errors
    assert {check.status for check in result.checks} == {"PASSED"}
    ada = pipeline.read("customer_orders").to_pylist()
    assert {(row["name"], row["paid_orders"], float(row["paid_amount"])) for row in ada} == {
        ("Ada", 2, 23.3),
        ("Grace", 1, 5.0),
        ("Emmy", 1, 7.25),
    }
    outcomes = pipeline.test()
    assert len(outcomes) == 2
    assert [outcome.problems for outcome in outcomes if not outcome.passed] == []


def test_editors_are_wired(tmp_path: Path) -> None:
    start_project(tmp_path)
    settings = json.loads((tmp_path / ".vscode/settings.json").read_text(encoding="utf-8"))
    [(schema, files)] = settings["yaml.schemas"].items()
    assert [path.name for path in tmp_path.glob(files)] == ["shop.yaml"]
    validator = jsonschema.Draft202012Validator(json.loads((tmp_path / schema).read_text(encoding="utf-8")))
    spec = tmp_path / "pipelines/shop.yaml"
    assert validator.is_valid(read_yaml(spec, "shop.yaml").plain())
    named = spec.read_text(encoding="utf-8").splitlines()[0].partition("$schema=")[2]
    assert (spec.parent / named).resolve() == (tmp_path / schema).resolve()


def test_nothing_is_written_over(tmp_path: Path) -> None:
    (tmp_path / ".gitignore").write_text("mine\n", encoding="utf-8")
    with pytest.raises(TakenError, match=r"\.gitignore\nNothing was written"):
        start_project(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == [".gitignore"]
