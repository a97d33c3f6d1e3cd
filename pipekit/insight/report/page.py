"""The page: what the file says, what the runs left, and how it all hangs together, as one HTML text."""

from __future__ import annotations

import base64
import hashlib
from datetime import datetime
from functools import cache
from pathlib import Path

from pipekit.insight.report import sections
from pipekit.insight.report.markup import Html, join, tag
from pipekit.insight.report.subject import Subject

_SECTIONS = (
    ("Graph", "graph", sections.graph),
    ("Last run", "last-run", sections.last_run),
    ("Runs", "runs", sections.runs),
    ("Checks", "checks", sections.checks),
    ("Steps", "steps", sections.steps),
    ("Tables", "tables", sections.tables),
    ("Files", "files", sections.files),
    ("Rejects", "rejects", sections.rejects),
    ("Features", "features", sections.features),
)

_START = "<!doctype html>\n"
_MARK = tag("meta", name="generator", content="pipekit report")


def is_report(beginning: str) -> bool:
    """Whether a file that begins so is a report; ``beginning`` is its first 1,000 characters or more."""
    return beginning.replace("\r\n", "\n").startswith(_START) and _MARK in beginning


def report(subject: Subject, now: datetime) -> str:
    """The whole page.

    Args:
        subject: The pipeline, its lineage, and the facts of its runs.
        now: When the report is made.
    """
    parts = [(title, anchor, content) for title, anchor, make in _SECTIONS if (content := make(subject))]
    spec = subject.spec
    links = [tag("a", title, href=f"#{anchor}") for title, anchor, _ in parts]
    switch = tag("button", "Dark", id="theme", type="button", hidden=True, title="Switch between light and dark")
    header = tag(
        "header",
        tag("h1", spec.name),
        tag("p", spec.description) if spec.description else None,
        tag("p", f"Target {spec.target.name} ({spec.target.type.name}), {now:%Y-%m-%d %H:%M} UTC", class_="soft"),
    )
    body = (
        tag("a", "Skip to the content", href="#content", class_="skip-link"),
        header,
        tag("nav", *links, switch, aria_label="Sections"),
        tag(
            "main",
            sections.banner(subject),
            *(tag("section", tag("h2", title, id=anchor), each) for title, anchor, each in parts),
            id="content",
        ),
        tag("div", id="trace", role="dialog", aria_labelledby="trace-title", hidden=True),
        tag("script", Html(_asset("report.js"))),
    )
    head = (
        tag("meta", charset="utf-8"),
        _MARK,
        tag("meta", http_equiv="Content-Security-Policy", content=_policy()),
        tag("meta", name="viewport", content="width=device-width, initial-scale=1"),
        tag("meta", name="referrer", content="no-referrer"),
        tag("title", f"{spec.name}: report"),
        tag("style", Html(_asset("report.css"))),
    )
    return _START + tag("html", tag("head", *head), tag("body", join(body)), lang="en") + "\n"


@cache
def _asset(name: str) -> str:
    return Path(__file__).with_name(name).read_text(encoding="utf-8")


def _policy() -> str:
    """Nothing is loaded and nothing is run but the style and the script of the page itself.

    https://developer.mozilla.org/en-US/docs/Web/HTTP/Reference/Headers/Content-Security-Policy
    """
    digests = {
        name: base64.b64encode(hashlib.sha256(_asset(name).encode()).digest()).decode()
        for name in ("report.css", "report.js")
    }
    return (
        f"default-src 'none'; style-src 'sha256-{digests['report.css']}'; script-src 'sha256-{digests['report.js']}';"
        " base-uri 'none'; form-action 'none'"
    )
