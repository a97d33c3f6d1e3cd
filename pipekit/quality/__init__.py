"""Suites of Great Expectations expectations, judged where the data is.

``read_suite`` checks a suite without Great Expectations; ``evaluate`` judges suites on a table, compiled into one
SELECT where aggregates decide, and through Great Expectations itself where they do not.
"""

from __future__ import annotations

from pipekit.quality.evaluate import evaluate, needs_great_expectations, preload, raise_for_failures
from pipekit.quality.schema import suite_schema
from pipekit.quality.suite import Expectation, Suite, read_suite

__all__ = [
    "Expectation",
    "Suite",
    "evaluate",
    "needs_great_expectations",
    "preload",
    "raise_for_failures",
    "read_suite",
    "suite_schema",
]
