"""The sections about runs: the banner, the graph, the last run, all runs, checks and steps. Each is empty if there is
nothing to show."""

from __future__ import annotations

from collections.abc import Sequence

from pipekit.insight.report import drawings
from pipekit.insight.report.facts import Done, Verdict
from pipekit.insight.report.holdings import features, files, rejects, tables
from pipekit.insight.report.markup import Html, join, table, tag
from pipekit.insight.report.subject import Subject
from pipekit.pipeline.model import Step
from pipekit.sinks.text import duration, number

__all__ = ["banner", "checks", "features", "files", "graph", "last_run", "rejects", "runs", "steps", "tables"]

_LISTED_RUNS, _BARS = 12, 80


def badge(status: str) -> Html:
    """A status as a word in its colour."""
    return tag("i", f"{drawings.mark(status)} {status.lower()}", class_=drawings.kind(status))


def _took(done: Done) -> str:
    return duration(done.duration_ms) if done.duration_ms is not None else ""


def _counted(rows: int | None) -> str:
    return "" if rows is None else number(rows, "row")


def _first_line(done: Done) -> str:
    return (done.error or done.message).partition("\n")[0]


def _rows(count: int | None) -> str:
    return "" if count is None else f"{count:,}"


def banner(subject: Subject) -> Html:
    """What must be seen first: how the last run ended, what failed in it, and which checks do."""
    runs = subject.facts.runs
    if not runs:
        return tag("div", tag("p", subject.facts.missing), class_="banner")
    last, failing = runs[0], subject.failing
    failed = [(step, done) for step, done in subject.in_last_run.items() if done.status == "FAILED"]
    critical = [verdict for verdict in failing if verdict.status != "WARNED"]
    kind = "bad" if drawings.kind(last.status) == "bad" or critical else "warn" if failing else "good"
    items = [
        tag(
            "li",
            "Step ",
            tag("a", step, href=f"#{subject.step_ids.get(step, 'steps')}"),
            f" failed: {_first_line(done)}",
        )
        for step, done in failed
    ]
    items += [
        tag(
            "li",
            tag("a", f"{verdict.table}: {verdict.name}", href=f"#{subject.check_ids[verdict.table, verdict.name]}"),
            f" {verdict.status.lower()}: {verdict.message}",
        )
        for verdict in failing
    ]
    head = tag("p", tag("b", "Last run "), badge(last.status), f" {last.at:%Y-%m-%d %H:%M} UTC, {_took(last)}")
    steps, judged = subject.in_last_run, subject.judged_last
    passed = sum(verdict.status == "PASSED" for verdict in judged)
    tiles = (
        (len(steps), "steps in the last run"),
        (_rows(sum(done.rows or 0 for done in steps.values())), "rows written"),
        (f"{passed} of {len(judged)}", "checks passed"),
        (len(subject.lineage.tables), "tables"),
    )
    boxes = tag("div", *(tag("div", tag("b", value), word) for value, word in tiles), class_="tiles")
    return join([tag("div", head, tag("ul", *items) if items else None, class_=f"banner {kind}"), boxes])


def graph(subject: Subject) -> Html:
    """The steps as a graph."""
    needs = {}
    order = {each.id: each.needs for each in subject.spec.order}
    while order:
        ready = [step for step, others in order.items() if all(other in needs for other in others)]
        for step in ready or list(order):
            needs[step] = [other for other in order.pop(step) if other in needs]
    drawing = drawings.graph(needs, subject.step_ids, subject.last)
    signs = tag("p", "✓ succeeded, = unchanged, – skipped, ✕ failed, · did not run", class_="soft")
    return join([_box(drawing, "Graph"), signs])


def last_run(subject: Subject) -> Html:
    """The last run in time."""
    began = [
        (step, subject.step_ids[step], done)
        for step, done in subject.in_last_run.items()
        if step in subject.step_ids and done.status != "SKIPPED"
    ]
    if not began:
        return Html("")
    longest = sorted(began, key=lambda each: -(each[2].duration_ms or 0))[:_BARS]
    note = tag("p", f"The {_BARS} longest of {len(began)} steps.") if len(began) > _BARS else None
    return join([_box(drawings.timeline(longest), "Timeline"), note])


def runs(subject: Subject) -> Html:
    """Durations and rows over runs, and the last ones as a list."""
    found = subject.facts.runs
    if not found:
        return Html("")
    rows: dict[str, int] = {}
    for history in subject.facts.steps.values():
        for done in history:
            rows[done.run_id] = rows.get(done.run_id, 0) + (done.rows or 0)
    took = [(run.status, run.at, run.duration_ms, _took(run)) for run in reversed(found)]
    wrote = [
        (run.status, run.at, rows.get(run.run_id, 0), f"{rows.get(run.run_id, 0):,} rows") for run in reversed(found)
    ]
    listed = (
        (
            (f"{run.at:%Y-%m-%d %H:%M}", "w"),
            badge(run.status),
            (_took(run), "n"),
            (_rows(rows.get(run.run_id)), "n"),
            run.message,
            tag("code", run.run_id),
        )
        for run in found[:_LISTED_RUNS]
    )
    list_of_runs = table(("When (UTC)", "Status", "Duration", "Rows", "Message", "Run"), listed, label="Runs")
    return join(
        [
            tag("h3", f"Duration of the {_last(len(found))}"),
            _box(drawings.bars(took, "Duration of each run"), "Durations"),
            tag("h3", "Rows written"),
            _box(drawings.bars(wrote, "Rows written by each run"), "Rows"),
            tag("details", tag("summary", f"The {_last(min(len(found), _LISTED_RUNS))}"), tag("div", list_of_runs)),
        ]
    )


def _last(runs: int) -> str:
    return "last run" if runs == 1 else f"last {runs} runs"


def checks(subject: Subject) -> Html:
    """Each check with its history: what failed in the last run comes first, what is no longer in the file last."""
    failing = {(verdict.table, verdict.name): number for number, verdict in enumerate(subject.failing)}

    def place(item: tuple[tuple[str, str], Sequence[Verdict]]) -> tuple[bool, int]:
        return subject.is_gone(item[1][0]), failing.get(item[0], len(failing))

    found = sorted(subject.facts.checks.items(), key=place)
    return join(_check(subject, verdicts) for _, verdicts in found)


def _check(subject: Subject, verdicts: Sequence[Verdict]) -> Html:
    last = verdicts[0]
    gone = subject.is_gone(last)
    said = "no longer in the file" if gone else last.severity
    end = tag("span", drawings.strip(verdicts[:50]), tag("small", said), class_="end")
    state = tag("i", f"was {last.status.lower()}") if gone else badge(last.status)
    summary = tag("summary", state, tag("b", last.table), last.name, end)
    step = tag("a", last.step, href=f"#{subject.step_ids[last.step]}") if last.step in subject.step_ids else last.step
    counted = f"{last.unexpected:,} of {last.of:,} values are not as expected" if last.of and last.unexpected else None
    bad = [verdict for verdict in verdicts if verdict.status != "PASSED"]
    parts = [
        tag("p", last.message) if last.message else None,
        tag("p", counted) if counted and not last.message else None,
        tag("p", f"Observed: {last.observed}") if last.observed and not last.message else None,
        _samples(bad[0], last) if bad else None,
        tag(
            "p",
            tag("code", last.expectation),
            " asked by step ",
            step,
            f", judged {last.at:%Y-%m-%d %H:%M} UTC",
            class_="soft",
        ),
        _history(verdicts) if bad else None,
    ]
    return tag("details", summary, tag("div", *parts), id=subject.check_ids[last.table, last.name])


def _samples(bad: Verdict, last: Verdict) -> Html | None:
    if not bad.samples:
        return None
    when = "Samples of what failed" if bad is last else f"Samples of what failed last, {bad.at:%Y-%m-%d %H:%M} UTC"
    return join([tag("h3", when), tag("pre", "\n".join(bad.samples))])


def _history(verdicts: Sequence[Verdict]) -> Html:
    rows = (
        ((f"{each.at:%Y-%m-%d %H:%M}", "w"), badge(each.status), each.observed, each.message)
        for each in [verdict for verdict in verdicts if verdict.status != "PASSED"][:10]
    )
    return join(
        [
            tag("h3", "When it did not pass"),
            table(("When (UTC)", "Status", "Observed", "Message"), rows, label="History"),
        ]
    )


def steps(subject: Subject) -> Html:
    """Each step: what it did last, over runs, its SQL."""
    return join(_step(subject, step) for step in subject.spec.steps)


def _step(subject: Subject, step: Step) -> Html:
    history = subject.facts.steps.get(step.id, ())
    last = history[0] if history else None
    end = None
    if last is not None:
        said = ", ".join(each for each in (_counted(last.rows), _took(last)) if each)
        took = [(done.status, float(done.duration_ms or 0)) for done in reversed(history[: subject.spark_runs])]
        end = tag("span", said, drawings.spark(took), class_="end")
    state = badge(last.status if last is not None else "not run")
    summary = tag("summary", state, tag("b", step.id), tag("small", step.type.name), end)
    sql = subject.sql(step)
    needs = sorted(subject.spec.graph.needs[step.id], key=list(subject.step_ids).index)
    parts = [
        tag("p", step.description) if step.description else None,
        tag("p", last.message) if last and last.message else None,
        tag("pre", last.error) if last and last.error else None,
        _links(subject, "Waits for", needs),
        _table_link(subject, step),
        tag("pre", sql) if sql else None,
    ]
    return tag("details", summary, tag("div", *parts), id=subject.step_ids[step.id])


def _links(subject: Subject, word: str, ids: Sequence[str]) -> Html | None:
    links = join((tag("a", each, href=f"#{subject.step_ids[each]}") for each in ids), ", ")
    return tag("p", f"{word} ", links) if ids else None


def _table_link(subject: Subject, step: Step) -> Html | None:
    name = str(getattr(step.options, "into", ""))
    anchor = subject.table_ids.get(name)
    return tag("p", "Writes ", tag("a", name, href=f"#{anchor}")) if anchor else None


def _box(drawing: Html, label: str) -> Html:
    return tag("div", drawing, class_="box", tabindex="0", role="group", aria_label=label)
