"""Every finding of the review is accounted for, and the tests that are named for it are there."""

from __future__ import annotations

from pathlib import Path

from warehouses.snowflake.findings import FINDINGS
from warehouses.snowflake.probes import PROBES

TESTS = Path(__file__).parents[2]


def test_each_finding_names_tests_that_are_there() -> None:
    assert set(FINDINGS) == {f"{kind}{number}" for kind in "WM" for number in range(1, 16)}
    missing = [
        named
        for finding in FINDINGS.values()
        for named in finding.shown_by
        if f"def {named.partition('::')[2]}(" not in (TESTS / named.partition("::")[0]).read_text(encoding="utf-8")
    ]
    assert missing == []
    assert all(finding.shown_by for finding in FINDINGS.values())


def test_an_account_is_asked_about_nearly_all_of_them() -> None:
    asked = {word for probe in PROBES for word in probe.about.split()}
    assert set(FINDINGS) - asked == {"M8", "M10", "M13"}  # hours of waiting, a role's rights, another cloud
