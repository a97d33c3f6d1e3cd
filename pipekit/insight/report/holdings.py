"""The sections about data: tables and their columns with lineage, files, rejected records, the feature catalogue."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

from pipekit.insight.lineage import TableLineage
from pipekit.insight.report.facts import LoadedFile
from pipekit.insight.report.markup import Html, join, table, tag
from pipekit.insight.report.subject import Subject
from pipekit.names import fold
from pipekit.scrubbing import uri_without_secrets
from pipekit.sql.origins import ROWS, Ref

_LISTED_FILES = 160  # of all tables together, at most 8 and at least 2 of each


def tables(subject: Subject) -> Html:
    """Tables, then sources: each column with its type, what it means, and where it comes from."""
    described = _descriptions(subject)
    found = [_table(subject, each, described) for each in subject.lineage.tables.values()]
    return join([*found, *(_source(subject, name) for name in subject.lineage.sources)])


def _descriptions(subject: Subject) -> Mapping[Ref, str]:
    """What columns mean: as sources and features declare it."""
    found: dict[Ref, str] = {}
    for step in subject.spec.steps:
        into = str(getattr(step.options, "into", ""))
        source = subject.spec.sources.get(str(getattr(step.options, "source", "")))
        for column in source.columns if source is not None else ():
            found[Ref(into, fold(column.name, str.lower))] = column.description
        for name, feature in dict(getattr(step.options, "features", None) or {}).items():
            found[Ref(into, fold(name, str.lower))] = feature.description
    return found


def _table(subject: Subject, each: TableLineage, described: Mapping[Ref, str]) -> Html:
    types, anchor = subject.types(each.name), subject.table_ids[each.name]
    common = frozenset(ref for ref in each.rows if ref.column != ROWS)
    columns = []
    for name, origin in (each.columns or {}).items():
        ref = Ref(each.name, name)
        by = frozenset(other for other in origin.indirect if other.column != ROWS) - common
        comes = join([_refs(subject, origin.direct), _by(subject, by)])
        columns.append((ref, name, types.get(name, "").lower(), described.get(ref, ""), comes))
    steps = join((tag("a", step, href=f"#{subject.step_ids[step]}") for step in each.steps), ", ")
    parts = [
        tag("p", "Step ", steps) if steps else None,
        tag("p", "Rows by ", _refs(subject, common), class_="rows") if common else None,
        tag("p", f"Where its columns come from is not known: {each.unknown}") if each.unknown else None,
        _columns(subject, columns) if columns else None,
    ]
    summary = tag("summary", tag("b", each.name), None if each.steps else tag("small", "from outside the pipeline"))
    return tag("details", summary, tag("div", *parts), id=anchor)


def _source(subject: Subject, name: str) -> Html:
    source = subject.spec.sources[name]
    columns = [
        (Ref(name, each.source_name, in_files=True), each.source_name, str(each.type), each.description, "the files")
        for each in source.columns
    ]
    where = tag("p", tag("code", uri_without_secrets(source.uri)), " ", tag("code", ", ".join(source.pattern)))
    about = tag("p", source.description) if source.description else None
    summary = tag("summary", tag("b", name), tag("small", f"files, {source.format.type}"))
    parts = tag("div", about, where, _columns(subject, columns))
    return tag("details", summary, parts, id=subject.table_ids[f"files: {name}"])


def _columns(subject: Subject, columns: Sequence[tuple[Ref, str, str, str, str]]) -> Html:
    """Columns as (anchor, name, type, meaning, origin); meanings only where there is one."""
    means = any(meaning for _, _, _, meaning, _ in columns)
    rows = (
        tag(
            "tr",
            tag("td", name),
            tag("td", kind),
            tag("td", meaning) if means else None,
            tag("td", origin),
            id=subject.column_ids[ref],
        )
        for ref, name, kind, meaning, origin in columns
    )
    heads = ("Column", "Type", "Means", "Comes from") if means else ("Column", "Type", "Comes from")
    return tag("table", tag("thead", tag("tr", *(tag("th", each) for each in heads))), tag("tbody", *rows))


def _by(subject: Subject, refs: Iterable[Ref]) -> Html | None:
    found = _refs(subject, refs)
    return tag("small", " rows by ", found) if found else None


def _refs(subject: Subject, refs: Iterable[Ref]) -> Html:
    """Links to columns; a column of a table from outside has no row to link to."""
    ids = subject.column_ids
    return join((tag("a", str(ref), href=f"#{ids[ref]}") if ref in ids else str(ref) for ref in sorted(refs)), ", ")


def files(subject: Subject) -> Html:
    """How fresh each loaded table is: the files that were loaded last, newest first."""
    found = subject.facts.files
    most = max(2, min(8, _LISTED_FILES // max(len(found), 1)))
    rows = [row for name, listed in found.items() for row in _loaded(name, listed[:most])]
    heads = ("Table", "Loaded (UTC)", "File", "Rows", "Rejected", "Bytes", "Skipped")
    return table(heads, rows, label="Files that were loaded last") if rows else Html("")


def _loaded(name: str, found: Sequence[LoadedFile]) -> Iterator[Iterable[object]]:
    for number, each in enumerate(found):
        yield (
            tag("b", name) if number == 0 else "",
            f"{each.at:%Y-%m-%d %H:%M}",
            uri_without_secrets(each.uri),
            *(("" if not count else f"{count:,}", "n") for count in (each.rows, each.rejected, each.size)),
            each.skipped,
        )


def rejects(subject: Subject) -> Html:
    """Some of the records that were rejected last."""
    return join(
        tag(
            "details",
            tag("summary", tag("b", f"{name}_rejects"), tag("small", f"the last {len(rows)} rejected records")),
            tag("div", table(heads, ([_cell(value) for value in row] for row in rows), label=f"Rejects of {name}")),
        )
        for name, (heads, rows) in subject.facts.rejects.items()
        if rows
    )


def _cell(value: object) -> str:
    text = "" if value is None else str(value)
    return text if len(text) <= 200 else text[:199] + "…"


def features(subject: Subject) -> Html:
    """The feature catalogue."""
    ids = subject.column_ids
    rows = []
    for row in subject.facts.catalog:
        ref = Ref(str(row["feature_table"]), fold(str(row["feature_name"]), str.lower))
        name = tag("a", str(ref), href=f"#{ids[ref]}") if ref in ids else str(ref)
        made = tag("code", row["transformation"])
        rows.append(
            (name, row["description"], (tag("code", row["data_type"]), "w"), row["source_table"], made, row["quality"])
        )
    heads = ("Feature", "Means", "Type", "Source", "Made by", "Quality")
    return table(heads, rows, label="Feature catalogue") if rows else Html("")
