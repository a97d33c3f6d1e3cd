"""Drawings as SVG: the graph of steps, the last run in time, rows and durations over runs. No styles inside."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from itertools import groupby
from typing import Any

from pipekit.insight.report.facts import Done, Verdict
from pipekit.insight.report.layout import layout
from pipekit.insight.report.markup import Html, join, tag, text
from pipekit.sinks.text import duration

BOX, HIGH, GAP, LINE = 176, 34, 56, 46
_MARKS = {"SUCCEEDED": "✓", "PASSED": "✓", "UNCHANGED": "=", "SKIPPED": "–", "WARNED": "!", "STARTED": "…"}
_MARKS |= dict.fromkeys(("FAILED", "ERROR", "ABANDONED"), "✕")
_KINDS = {"SUCCEEDED": "good", "PASSED": "good", "UNCHANGED": "same", "SKIPPED": "skip", "WARNED": "warn"}
_KINDS |= {"STARTED": "skip", "FAILED": "bad", "ERROR": "bad", "ABANDONED": "bad"}


def kind(status: str) -> str:
    """The class of a status: good, same, warn, skip or bad; none for what did not run."""
    return _KINDS.get(status, "none")


def mark(status: str) -> str:
    """A sign for a status, so that colour is not needed to tell it."""
    return _MARKS.get(status, "·")


def graph(needs: Mapping[str, Sequence[str]], links: Mapping[str, str], states: Mapping[str, Done]) -> Html:
    """The steps and what they wait for.

    Args:
        needs: Each step with those that it waits for.
        links: The anchor of each step.
        states: What each step did last.
    """
    found = layout(needs)
    wide, tall = found.layers * (BOX + GAP) - GAP + 4, found.height * LINE + HIGH + 4

    def at(place: tuple[int, float]) -> tuple[float, float]:
        return place[0] * (BOX + GAP) + 2, place[1] * LINE + 2

    lines = (tag("path", d=_curve([at(place) for place in line])) for line in found.lines.values())
    boxes = []
    for name, place in found.places.items():
        x, y = at(place)
        done = states.get(name)
        status = done.status if done else ""
        shown = name if len(name) <= 20 else name[:19] + "…"
        inner = (
            tag("title", name) if shown != name else None,
            tag("path", d=f"M{x:.0f} {y:.0f}h{BOX}v{HIGH}h-{BOX}z"),
            tag("text", f"{mark(status)} {shown}", x=f"{x + 10:.0f}", y=f"{y + 22:.0f}"),
        )
        boxes.append(tag("a", *inner, href=f"#{links[name]}", class_=kind(status)))
    return _svg(wide, tall, [tag("g", *lines, class_="lines"), *boxes], "Steps and what they wait for", "graph")


def _curve(points: Sequence[tuple[float, float]]) -> str:
    x, y = round(points[0][0] + BOX), round(points[0][1] + HIGH / 2)
    path = f"M{x} {y}"
    for number, (left, top) in enumerate(points[1:], 1):
        wide, high = round(left) - x, round(top + HIGH / 2) - y
        path += f"c{wide // 2} 0 {wide // 2} {high} {wide} {high}"
        x, y = x + wide, y + high
        if number < len(points) - 1:  # past a layer
            x += BOX
            path += f"h{BOX}"
    return path


def timeline(steps: Sequence[tuple[str, str, Done]]) -> Html:
    """The steps of one run in time, each a bar: (name, anchor, what it did), in the order in which they began."""
    spans = [(name, link, done, done.at - timedelta(milliseconds=done.duration_ms or 0)) for name, link, done in steps]
    spans.sort(key=lambda span: span[3])
    first = spans[0][3]
    whole = max((max(done.at for _, _, done, _ in spans) - first).total_seconds(), 0.001)
    wide, left, line = 900, 220, 24
    parts = []
    for step in range(5):
        x = left + (wide - left - 70) * step / 4
        parts.append(tag("path", d=f"M{x:.0f} 20V{24 + line * len(spans)}", class_="rule"))
        parts.append(tag("text", duration(round(whole * 250 * step)), x=f"{x:.0f}", y=14, class_="axis"))
    for number, (name, link, done, start) in enumerate(spans):
        scale = (wide - left - 70) / whole
        x, y = left + (start - first).total_seconds() * scale, 26 + line * number
        length = max((done.duration_ms or 0) / 1000 * scale, 2)
        took = duration(done.duration_ms) if done.duration_ms is not None else ""
        shown = name if len(name) <= 28 else name[:27] + "…"
        parts.append(
            tag(
                "a",
                tag("text", f"{mark(done.status)} {shown}", x=0, y=y + 13),
                tag("path", d=f"M{x:.0f} {y}h{length:.0f}v17h-{length:.0f}z"),
                tag("text", took, x=f"{x + length + 5:.0f}", y=y + 13, class_="axis"),
                href=f"#{link}",
                class_=kind(done.status),
            )
        )
    return _svg(wide, 30 + line * len(spans), parts, "The last run in time", "timeline")


def bars(runs: Sequence[tuple[str, datetime, float | None, str]], label: str) -> Html:
    """One bar for each run, the oldest first: (status, when, value, words for it)."""
    wide, tall, room = 900, 120, min(900 / max(len(runs), 1), 18)
    top = max((value for _, _, value, _ in runs if value is not None), default=0) or 1
    parts = [tag("path", d=f"M0 {tall}H{wide}", class_="rule")]
    for number, (status, at, value, words) in enumerate(runs):
        high = max((value or 0) / top * (tall - 6), 3)
        parts.append(
            tag(
                "rect",
                tag("title", f"{at:%Y-%m-%d %H:%M} {status.lower()}: {words}"),
                x=f"{number * room + 1:.1f}",
                y=f"{tall - high:.1f}",
                width=f"{min(room - 2, 16):.1f}",
                height=f"{high:.1f}",
                class_=kind(status),
            )
        )
    return _svg(wide, tall + 2, parts, label, "bars", picture=True)


def spark(values: Sequence[tuple[str, float | None]]) -> Html:
    """Small bars, the oldest first: (status, value). The last value is beside it as text."""
    top = max((value for _, value in values if value), default=0) or 1
    paths: dict[str, str] = {}
    ends: dict[str, tuple[int, int]] = {}
    for number, (status, value) in enumerate(values):
        name, high = kind(status), max(round((value or 0) / top * 16), 2)
        if name in ends:  # from the top of the last bar to the foot of this one
            paths[name] += f"m{4 * number + 2 - ends[name][0]} {ends[name][1]}v-{high}"
        else:
            paths[name] = f"M{4 * number + 2} 18v-{high}"
        ends[name] = (4 * number + 2, high)
    return _small(len(values), [tag("path", d=line, class_=name) for name, line in paths.items()], "")


def strip(verdicts: Sequence[Verdict]) -> Html:
    """What became of a check, run by run, the oldest first: a dashed line, which changes its colour."""
    kinds = [kind(each.status) for each in reversed(verdicts)]
    lines, start = [], 0
    for name, group in groupby(kinds):
        count = len(list(group))
        lines.append(tag("path", d=f"M{4 * start} 10h{4 * count}", class_=f"{name} dash"))
        start += count
    return _small(len(kinds), lines, f"passed in {kinds.count('good')} of {len(kinds)} runs")


def _small(count: int, parts: Sequence[Html], label: str) -> Html:
    about = {"role": "img", "aria_label": label} if label else {}
    return tag("svg", *parts, width=4 * count, **about)


def _svg(wide: float, tall: float, parts: Sequence[Any], label: str, name: str, *, picture: bool = False) -> Html:
    size = f'viewBox="0 0 {wide:.0f} {tall:.0f}" width="{wide:.0f}" height="{tall:.0f}"'
    role = "img" if picture else "group"  # a picture with links in it would hide them
    return Html(f'<svg class="{name}" role="{role}" aria-label="{text(label)}" {size}>{join(parts)}</svg>')
