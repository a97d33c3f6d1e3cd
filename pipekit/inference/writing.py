"""The proposal as a pipeline file, with comments."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from pipekit.inference.model import Draft, Proposal
from pipekit.inference.suites import Expectation
from pipekit.pipeline.written import flow as short_notation
from pipekit.pipeline.written import scalar as plain_scalar


def written(name: str, drafts: Sequence[Draft], suites: Mapping[str, Sequence[Expectation]], duckdb: str | None) -> str:
    """The text of the file."""
    lines = [
        "# Proposed by `pipekit infer` from what the files hold. It is yours now: correct what you know better.",
        "# Every file named here was read by this contract before it was written down.",
        f"name: {scalar(name)}",
    ]
    if duckdb:
        lines += ["targets:", f"  local: {{type: duckdb, path: {scalar(duckdb)}}}"]
    lines += ["sources:"]
    for draft in drafts:
        lines += _source(draft)
    lines += ["suites:"]
    for draft in drafts:
        lines += [f"  {draft.name}:", *(f"    - {kind}: {flow(arguments)}" for kind, arguments in suites[draft.name])]
    lines += ["steps:"]
    for draft in drafts:
        lines += _step(draft)
    return "\n".join(lines) + "\n"


def _source(draft: Draft) -> Iterator[str]:
    yield f"  {draft.name}:"
    yield from (f"    # {note}" for note in draft.notes)
    yield from (f"    # DOUBT: {doubt}" for doubt in draft.doubts)
    yield f"    uri: {scalar(draft.uri)}"
    if draft.pattern:
        yield f"    pattern: {scalar(draft.pattern[0]) if len(draft.pattern) == 1 else flow(list(draft.pattern))}"
    yield f"    format: {flow(draft.format)}"
    if draft.on_extra:
        yield f"    on_extra: {draft.on_extra}"
    yield "    columns:"
    for each in draft.columns:
        yield from (f"      # DOUBT: {doubt}" for doubt in each.doubts)
        yield f"      {scalar(each.name)}: {_column(each)}{_comment(each)}"


def _column(each: Proposal) -> str:
    keys: dict[str, Any] = {"type": each.type}
    keys |= {"path": each.path} if each.path else {}
    keys |= {"format": each.format} if each.format else {}
    keys |= {"null_values": each.null_values} if each.null_values else {}
    keys |= {"nullable": False} if not each.nullable else {}
    keys |= {"optional": True} if each.optional else {}
    keys |= {"description": each.description} if each.description else {}
    return each.type if len(keys) == 1 else flow(keys)


def _comment(each: Proposal) -> str:
    parts = list(each.notes)
    if (stats := each.stats) is not None and stats.values:
        if stats.values < stats.rows:
            parts.append(f"{stats.rows - stats.values:,} of {stats.rows:,} empty")
        if stats.values_seen:
            parts.append(f"{len(stats.values_seen)} value{'s' * (len(stats.values_seen) > 1)}")
        elif each.type not in ("varchar", "boolean") and stats.low != stats.high:
            parts.append(f"{stats.low} to {stats.high}")
    return f"  # {'; '.join(parts)}" if parts else ""


def _step(draft: Draft) -> Iterator[str]:
    yield f"  - id: load_{draft.name}"
    yield "    type: load"
    yield f"    source: {draft.name}"
    yield f"    into: raw_{draft.name}"
    if not draft.rows:
        yield "    on_empty: allow  # no record was there yet"
    if draft.rejected:
        share = min(100, max(1, -(-draft.rejected * 200 // max(1, draft.rows))))
        yield f"    on_error: reject  # {draft.rejected:,} of {draft.rows:,} were broken"
        yield f"    max_rejects: {share}%"
    yield f"    audit: {draft.name}"


def flow(value: Any) -> str:
    """A value in YAML's short notation."""
    return short_notation(value, scalar)


def scalar(value: Any) -> str:
    """A value, in quotes where YAML or Jinja would read it as something else."""
    text = str(value)
    return plain_scalar("{{ " + repr(text) + " }}" if any(mark in text for mark in ("{{", "{%", "{#")) else value)
