"""The suites on the page about data quality are right, and it tells of every difference."""

from __future__ import annotations

import json
import re
from pathlib import Path

import yaml

from pipekit.quality import read_suite
from pipekit.quality.schema import catalogue

from .test_parity import DIFFERENCES
from .test_suite import EXPORTED

PAGE = (Path(__file__).parents[2] / "docs" / "quality.md").read_text(encoding="utf-8")


def test_every_suite_on_the_page_can_be_read(tmp_path: Path) -> None:
    (tmp_path / "suites").mkdir()
    (tmp_path / "suites" / "customers.json").write_text(json.dumps(EXPORTED))
    blocks = [yaml.safe_load(text) for text in re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL)]
    suites = [(name, data) for block in blocks for name, data in block["suites"].items()]
    assert len(suites) >= 5
    for name, data in suites:
        _, problems = read_suite(name, data, tmp_path)
        assert not problems


def test_declared_differences_and_refused_expectations_are_on_the_page() -> None:
    refused = [name for name, entry in catalogue()["expectations"].items() if "refused" in entry]
    told = PAGE.lower()
    missing = [cause for cause in DIFFERENCES if cause.removeprefix("a ") not in told]
    missing += [name for name in refused if name.removeprefix("expect_column_values") not in told]
    assert not missing
