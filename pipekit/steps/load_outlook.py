"""What a load would do now, by the questions that its run asks (``load_work``); nothing is written."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from itertools import chain

from pipekit.errors import BadFileError, SourceError
from pipekit.events import FAILED, UNCHANGED
from pipekit.files.header_look import MOST, header_problems
from pipekit.files.places import local_path
from pipekit.materialize.outlook import counted, planned_move, shown
from pipekit.materialize.reconcile import difference
from pipekit.outlook import Outlook, PlannedFile, PlannedTable, in_words
from pipekit.source import Listing, SourceFile
from pipekit.step import StepContext
from pipekit.steps import after_load, arrivals, ledger
from pipekit.steps.load_options import LoadOptions
from pipekit.steps.load_work import Load, Work, how_many, is_all_loaded, left_out, look, refuse_without_header, work_of
from pipekit.warehouses.abilities import ShowsClustering
from pipekit.warehouses.contract import REJECT_COLUMNS, SupportsReading

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
    """

    wanted: tuple[SourceFile, ...]
    changed: frozenset[str] = frozenset()
    known: frozenset[str] = frozenset()
    gone: tuple[tuple[str, int], ...] = field(default=())
    looked_at: frozenset[str] = frozenset()


def outlook(options: LoadOptions, context: StepContext) -> Outlook:
    """What the load would do.

    Raises:
        SourceError: What the run would raise before it reads the files.
    """
    if context.full_refresh:
        after_load.refuse_anew(options)
    load = Load.of(options, context)
    listed, memory = look(load)
    work = "nothing" if memory.holds() else work_of(load, listed)
    found = _sorted_out(load, listed, work)
    unchanged = work == "nothing" or is_all_loaded(load, listed, found.wanted)
    if unchanged:
        files = _files(load, listed, found, {}, read=False)
        return Outlook(UNCHANGED, (f"{how_many(listed)}, nothing new" + left_out(listed),), files=files)
    refuse_without_header(load, found.wanted)
    problems, notes = _looked_at(load, found)
    files = _files(load, listed, found, problems)
    error = _foreseen(load, found, problems)
    reasons = tuple(filter(None, (in_words(files), left_out(listed).removeprefix("; "))))
    if error is not None:
        return Outlook(FAILED, reasons, str(error), files, notes=tuple(notes))
    return Outlook(reasons=reasons, files=files, tables=tuple(_tables(load, work)), notes=tuple(notes))


def _sorted_out(load: Load, listed: Listing, work: Work) -> _Sorted:
    if not load.how.once_per_file:
        return _by_last_load(load, listed)
    wanted: list[SourceFile] = []
    changed: set[str] = set()
    for start in range(0, len(listed), _AT_ONCE):
        some = listed[start : start + _AT_ONCE]
        with arrivals.listed(load.context, some) as relation:
            on_changed = "add" if work == "anew" else load.on_changed
            found = arrivals.sorted_out(load.context, load.table, some, on_changed, relation)
        wanted += [some[number] for number in found.wanted]
        changed |= {some[number].uri for number in found.changed}
    same = frozenset(file.uri for file in listed) - {file.uri for file in wanted}
    gone = tuple(_gone(load, listed))
    return _Sorted(tuple(listed) if work == "anew" else tuple(wanted), frozenset(changed), same, gone)


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
        return {}, ["headers are not looked at: the files are read by the warehouse alone"] if files else []
    more = [f"headers: the first {MOST} of {len(files):,} files are looked at"] if len(files) > MOST else []
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


def _tables(load: Load, work: Work) -> Iterable[PlannedTable]:
    warehouse, fold = load.warehouse, load.warehouse.fold
    own = [(fold(column.name), warehouse.type_of(column)) for column in load.own_columns]
    columns = [*((column.name, column.type) for column in load.wanted), *own]
    if not warehouse.exists(load.table):
        yield PlannedTable(str(load.table), "created", columns=shown(columns), clustering=_clustering(load))
    elif work == "anew":
        yield planned_move(load.context, load.table, columns, fate="replaced", clustering=_clustering(load))
    else:
        changes = difference(warehouse, load.table, load.wanted, load.options.on_schema_change, load.own_columns)
        fate, rows = counted(load.context, load.table, load.how)
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
