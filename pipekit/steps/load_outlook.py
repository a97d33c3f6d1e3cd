"""What a load would do now, by the questions that its run asks (``load_work``); nothing is written."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from itertools import chain

from pipekit.errors import BadFileError, SourceError
from pipekit.events import FAILED, UNCHANGED
from pipekit.files.header_look import MOST, header_problems
from pipekit.files.patterns import OTHER_CASE, judge_of
from pipekit.files.places import local_path, scheme_of
from pipekit.materialize.outlook import counted, planned_move, shown
from pipekit.materialize.reconcile import difference
from pipekit.outlook import LeavingFile, Outlook, PlannedFile, PlannedTable, in_words
from pipekit.source import Listing, SourceFile
from pipekit.step import StepContext
from pipekit.steps import after_load, arrivals, ledger
from pipekit.steps.load_options import LoadOptions
from pipekit.steps.load_work import (
    NO_FILE,
    Load,
    Work,
    how_many,
    is_all_loaded,
    left_out,
    look,
    not_among,
    refuse_without_header,
    work_of,
)
from pipekit.warehouses.abilities import ShowsClustering
from pipekit.warehouses.contract import REJECT_COLUMNS, LoadedFile, SupportsReading

_AT_ONCE = 50


@dataclass(frozen=True)
class _Sorted:
    """A listing, compared with what the table was loaded from.

    Attributes:
        wanted: The files that have to be loaded.
        changed: URIs of those that were loaded with other content.
        known: URIs of those that were loaded as they are.
        gone: Files that were loaded and are not there any more: URI and size.
        looked_at: URIs of those whose headers were held against this very contract.
        replaced: How many rows leave an append's table, since the files that gave them came again.
    """

    wanted: tuple[SourceFile, ...]
    changed: frozenset[str] = frozenset()
    known: frozenset[str] = frozenset()
    gone: tuple[tuple[str, int], ...] = field(default=())
    looked_at: frozenset[str] = frozenset()
    replaced: int = 0


def outlook(options: LoadOptions, context: StepContext) -> Outlook:
    """What the load would do.

    Raises:
        SourceError: What the run would raise before it reads the files.
    """
    if context.full_refresh:
        after_load.refuse_rebuild(options)
    load = Load.of(options, context)
    left = after_load.left_behind(options, context, load.table)
    listed, memory = look(load)
    listed = _without(load, listed, left)
    work = "nothing" if memory.holds() else work_of(load, listed)
    found = _sorted_out(load, listed, work)
    unchanged = work == "nothing" or is_all_loaded(load, listed, found.wanted)
    if unchanged:
        files = _files(load, listed, found, {}, read=False)
        leaving = tuple(_leaving(load, left, not_among(listed, () if work == "nothing" else found.wanted)))
        reason = (f"{how_many(listed)}, nothing new" if listed else NO_FILE) + left_out(listed)
        return Outlook(UNCHANGED, (reason,), files=files, leaving=leaving)
    refuse_without_header(load, found.wanted)
    problems, notes = _looked_at(load, found)
    files = _files(load, listed, found, problems)
    error = _foreseen(load, found, problems)
    reasons = tuple(filter(None, (in_words(files), left_out(listed).removeprefix("; "))))
    if error is not None:
        return Outlook(FAILED, reasons, str(error), files, leaving=tuple(_leaving(load, left)), notes=tuple(notes))
    new = [file for file in found.wanted if file.uri not in problems]
    leaving = tuple(_leaving(load, left, not_among(listed, found.wanted), new))
    tables = tuple(_tables(load, work, found))
    return Outlook(reasons=reasons, files=files, tables=tables, leaving=leaving, notes=tuple(notes))


def _without(load: Load, listed: Listing, left: Sequence[after_load.Due]) -> Listing:
    """What the run will find: it first takes away what an earlier run left."""
    keys, root = {due.key for due in left}, load.context.project.root
    return Listing((file for file in listed if ledger.key_of(file, root) not in keys), listed.left_out)


def _leaving(
    load: Load,
    left: Sequence[after_load.Due],
    again: Sequence[SourceFile] = (),
    new: Sequence[SourceFile] = (),
) -> Iterable[LeavingFile]:
    """What the run moves and deletes: what an earlier run left, what lies there again, and what it loads."""
    root = f"{load.context.project.root}/"
    for due in (*left, *after_load.put_back(load.options, load.context, load.table, again)):
        yield LeavingFile(due.key, due.action, due.target and due.target.removeprefix(root), loaded=True)
    for file in new:
        action, target, _ = after_load.planned(load.options, load.context, LoadedFile(file, 0))
        if action is not None:
            name = ledger.key_of(file, load.context.project.root)
            yield LeavingFile(name, action, target and target.removeprefix(root), loaded=False)


def _sorted_out(load: Load, listed: Listing, work: Work) -> _Sorted:
    found = _compared(load, listed, work)
    is_asked_for = _asked_for(load)
    gone = () if load.options.after_load else tuple(each for each in found.gone if is_asked_for(each[0]))
    return replace(found, gone=gone)


def _asked_for(load: Load) -> Callable[[str], bool]:
    """Whether the source, with this clock, means a name: files of other days did not vanish."""
    root, here, judged = load.context.project.root, local_path(load.source.uri), judge_of(load.source)
    base = (here.as_posix() if here else load.source.uri.partition("://")[2]).rstrip("/")

    def is_asked_for(name: str) -> bool:
        at = name.partition("://")[2] if scheme_of(name) else (root / name).as_posix()
        verdict = judged(at[len(base) + 1 :]) if at.startswith(f"{base}/") else None
        return at == base or (verdict is not None and verdict[1] != OTHER_CASE)

    return is_asked_for


def _compared(load: Load, listed: Listing, work: Work) -> _Sorted:
    if not load.how.once_per_file:
        return _by_last_load(load, listed)
    wanted: list[SourceFile] = []
    changed: set[str] = set()
    replaced = 0
    for start in range(0, len(listed), _AT_ONCE):
        some = listed[start : start + _AT_ONCE]
        with arrivals.listed(load.context, some) as relation:
            on_changed = "add" if work == "anew" else load.on_changed
            found = arrivals.sorted_out(load.context, load.table, some, on_changed, relation)
        wanted += [some[number] for number in found.wanted]
        changed |= {some[number].uri for number in found.changed}
        replaced += sum(row.rows for number in found.changed for row in found.seen[number])
    same = frozenset(file.uri for file in listed) - {file.uri for file in wanted}
    gone = tuple(_gone(load, listed))
    return _Sorted(
        tuple(listed) if work == "anew" else tuple(wanted), frozenset(changed), same, gone, replaced=replaced
    )


def _by_last_load(load: Load, listed: Listing) -> _Sorted:
    last = ledger.last_load(load.context, load.table)
    same = frozenset(file.uri for file in listed if last.has(file))
    known = {file.uri: name for file in listed if (name := last.known(file)) is not None}
    gone = tuple((name, int(row[1] or 0)) for name, row in last.files.items() if name not in known.values())
    looked_at = same if last.definitions == {load.context.definition_hash} else frozenset()
    return _Sorted(tuple(listed), frozenset(known) - same, same, gone, looked_at)


def _gone(load: Load, listed: Listing) -> Iterable[tuple[str, int]]:
    root = load.context.project.root
    there = set(chain.from_iterable(ledger.names_of(file, root) for file in listed))
    return ((name, size) for name, size in ledger.loaded_names(load.context, load.table) if name not in there)


def _looked_at(load: Load, found: _Sorted) -> tuple[dict[str, SourceError], list[str]]:
    """What is wrong with the headers of files that were not loaded by this contract, and what was not looked at."""
    files = [file for file in found.wanted if file.uri not in found.looked_at]
    is_here = isinstance(load.warehouse, SupportsReading) or local_path(load.source.uri) is not None
    if not is_here or load.source.stage is not None:
        return {}, ["headers are not checked: only the warehouse reads the files"] if files else []
    more = [f"headers: only the first {MOST} of {len(files):,} files are checked"] if len(files) > MOST else []
    return header_problems(load.source, files), more


def _foreseen(load: Load, found: _Sorted, problems: dict[str, SourceError]) -> SourceError | None:
    """The error with which the load would end."""
    if load.options.on_bad_file != "skip":
        return next(iter(problems.values()), None)
    hard = [error for error in problems.values() if not isinstance(error, BadFileError)]
    all_bad = len(problems) == len(found.wanted)
    return next(iter(hard or (problems.values() if all_bad else ())), None)


def _files(
    load: Load, listed: Listing, found: _Sorted, problems: dict[str, SourceError], *, read: bool = True
) -> tuple[PlannedFile, ...]:
    wanted = {file.uri for file in found.wanted} - problems.keys() if read else set()

    def planned(file: SourceFile) -> PlannedFile:
        change = "changed" if file.uri in found.changed else "unchanged" if file.uri in found.known else "new"
        problem = problems[file.uri].reason if file.uri in problems else ""
        name = ledger.key_of(file, root)
        return PlannedFile(name, file.size_bytes, change, file.uri in wanted, problem)  # type: ignore[arg-type]

    root = load.context.project.root
    gone = (PlannedFile(name, size, "vanished", False) for name, size in found.gone)
    return (*map(planned, listed), *gone)


def _tables(load: Load, work: Work, found: _Sorted) -> Iterable[PlannedTable]:
    warehouse, fold = load.warehouse, load.warehouse.fold
    own = [(fold(column.name), warehouse.type_of(column)) for column in load.own_columns]
    columns = [*((column.name, column.type) for column in load.wanted), *own]
    if not warehouse.exists(load.table):
        yield PlannedTable(str(load.table), "created", columns=shown(columns), clustering=_clustering(load))
    elif work == "anew":
        yield planned_move(load.context, load.table, columns, fate="replaced", clustering=_clustering(load))
    else:
        changes = difference(warehouse, load.table, load.wanted, load.options, load.own_columns)
        fate, rows = counted(load.context, load.table, load.how)
        if load.how.once_per_file and found.changed and load.on_changed == "replace":
            fate, rows = "changed in part", found.replaced
        yield PlannedTable(
            str(load.table),
            fate,
            rows_at_risk=rows,
            added=shown((column.name, column.type) for column in changes.added),
            ignored=tuple(column.name for column in changes.ignored),
            widened=tuple(f"{old.name} {old.type} to {new.type}" for old, new in changes.wider),
            clustering=_clustering(load),
        )
    if load.options.on_error == "reject" and not warehouse.exists(load.rejects):
        names = ((fold(column.name), warehouse.type_of(column)) for column in REJECT_COLUMNS)
        yield PlannedTable(str(load.rejects), "created", columns=shown(names))


def _clustering(load: Load) -> str:
    """How the table is clustered, if that is to change."""
    warehouse, wanted = load.warehouse, [load.warehouse.fold(name) for name in load.options.cluster_by]
    if not wanted or not isinstance(warehouse, ShowsClustering):
        return ""
    now = warehouse.clustering_key(load.table) if warehouse.exists(load.table) else []
    return "" if now == wanted else f"from ({', '.join(now)}) to ({', '.join(wanted)})"
