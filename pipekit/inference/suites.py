"""The suite that is proposed for a source, and suites taken from Great Expectations' own files."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from pipekit.errors import Problem, SpecError
from pipekit.inference.model import Draft, Proposal, Stats

Expectation = tuple[str, dict[str, Any]]
_WARNING = {"severity": "warning"}
_MOST_RARE = 2
_SURE_CONSTANT = 100  # fewer records do not show that a column has a single value
_DEEP = 2
_NO_MEASURE = re.compile(r"(^|_)(id|key|code|no|nr|number|zip|phone|year)$|Id$|ID$", re.IGNORECASE)


def proposed_suite(draft: Draft) -> list[Expectation]:
    """What holds of all files that were looked at; what may change by chance is a warning."""
    least = {"min_value": 1} if draft.rows else {"min_value": 1, **_WARNING}
    suite: list[Expectation] = [("expect_table_row_count_to_be_between", least)]
    for name in draft.key:
        suite.append(unique((name,)))
    if draft.likely_key:
        suite.append(unique(draft.likely_key, **_WARNING))
    for each in draft.columns:
        suite += _of(each, draft)
    return suite


def unique(columns: Sequence[str], **keys: str) -> Expectation:
    """The check that no two records agree in all of some columns."""
    if len(columns) == 1:
        return "expect_column_values_to_be_unique", {"column": columns[0], **keys}
    return "expect_compound_columns_to_be_unique", {"column_list": list(columns), **keys}


def _of(each: Proposal, draft: Draft) -> Iterator[Expectation]:
    stats = each.stats
    if stats is None or stats.rows < 2:
        return
    if stats.values == stats.rows and each.name not in draft.key and (each.path or "").count(".") < _DEEP:
        yield "expect_column_values_to_not_be_null", {"column": each.name, **_WARNING}
    if each.type == "varchar" and _is_set(stats):
        yield (
            "expect_column_values_to_be_in_set",
            {"column": each.name, "value_set": list(stats.values_seen), **_WARNING},
        )
    numeric = (each.type in ("integer", "float") or each.type.startswith("number")) and not each.maybe_no_number
    if numeric and stats.low is not None and float(stats.low) >= 0 and not _NO_MEASURE.search(each.name):
        yield "expect_column_values_to_be_between", {"column": each.name, "min_value": 0, **_WARNING}


def _is_set(stats: Stats) -> bool:
    """Whether the few values of a column occur often enough to be all there are."""
    least = _SURE_CONSTANT if len(stats.values_seen) == 1 else len(stats.values_seen) * _MOST_RARE * 2
    return bool(stats.values_seen) and stats.values >= least


def suite_from(path: Path) -> list[Expectation]:
    """The expectations of a suite that Great Expectations exported.

    Raises:
        SpecError: The file cannot be read, or is not a suite.
    """
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise SpecError([Problem(str(path), 0, "", f"cannot be read as JSON: {error}")]) from error
    found = data.get("expectations") if isinstance(data, dict) else None
    if not isinstance(found, list):
        raise SpecError(
            [Problem(str(path), 0, "", "is not a suite of Great Expectations: it has no list `expectations`")]
        )
    return [_from_exported(path, number, each) for number, each in enumerate(found)]


def _from_exported(path: Path, number: int, each: Any) -> Expectation:
    kind = (each.get("type") or each.get("expectation_type")) if isinstance(each, Mapping) else None
    if not isinstance(kind, str):
        raise SpecError([Problem(str(path), 0, f"expectations.{number}", "names no expectation")])
    arguments = {key: value for key, value in dict(each.get("kwargs") or {}).items() if value is not None}
    severity = each.get("severity")
    return kind, {**arguments, **({"severity": severity} if severity in ("warning", "info") else {})}
