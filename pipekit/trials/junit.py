"""The outcomes of tests as JUnit's XML, which CI systems show."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from xml.etree import ElementTree as Xml

from pipekit.trials.run import Outcome

# What XML 1.0 allows: https://www.w3.org/TR/xml/#charsets
_FORBIDDEN = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def write_junit(path: Path, suite: str, outcomes: Sequence[Outcome]) -> None:
    """Write a file of one suite."""
    failed = sum(not outcome.passed for outcome in outcomes)
    total = sum(outcome.seconds for outcome in outcomes)
    counts = {"tests": str(len(outcomes)), "failures": str(failed), "errors": "0", "time": f"{total:.3f}"}
    root = Xml.Element("testsuites")
    parent = Xml.SubElement(root, "testsuite", {"name": _plain(suite), **counts})
    for outcome in outcomes:
        trial = outcome.trial
        named = {"name": _plain(trial.name), "classname": _plain(suite), "time": f"{outcome.seconds:.3f}"}
        case = Xml.SubElement(parent, "testcase", {**named, "file": _plain(trial.file), "line": str(trial.line)})
        if not outcome.passed:
            failure = Xml.SubElement(case, "failure", {"message": _plain(outcome.problems[0])})
            failure.text = _plain("\n".join(outcome.problems))
    path.parent.mkdir(parents=True, exist_ok=True)
    Xml.ElementTree(root).write(path, encoding="utf-8", xml_declaration=True)


def _plain(text: str) -> str:
    return _FORBIDDEN.sub("\N{REPLACEMENT CHARACTER}", text)
