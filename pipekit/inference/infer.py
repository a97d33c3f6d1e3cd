"""A pipeline file from what files hold: the whole way, top to bottom."""

from __future__ import annotations

import os
import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from pipekit.errors import PipekitError, Problem, SourceError, SpecError
from pipekit.files.headers import folded
from pipekit.files.json_paths import can_be_named, path_text
from pipekit.files.places import local_path
from pipekit.inference.ddl import columns_from
from pipekit.inference.documents import propose_from_documents
from pipekit.inference.footers import footer_lines
from pipekit.inference.gather import Gathered, brought_here, gather, looked_at
from pipekit.inference.grouping import drafts, grouped, path_columns
from pipekit.inference.model import Draft, Found, Proposal
from pipekit.inference.proof import measure, propose_times, prove, too_broken
from pipekit.inference.reading import scratch_database
from pipekit.inference.suites import proposed_suite, suite_from
from pipekit.inference.tables import propose_from_text
from pipekit.inference.typed_files import propose_from_types
from pipekit.inference.workbooks import leave_titles_out
from pipekit.inference.writing import written
from pipekit.pipeline.reading.keys import IDENTIFIER
from pipekit.pipeline.reading.read import read_pipeline
from pipekit.plugins.registry import Plugins
from pipekit.project import find_root
from pipekit.sql.reserved import RESERVED

if TYPE_CHECKING:
    from pipekit.warehouses.duckdb.warehouse import DuckDBWarehouse

_NO_RECORD = (
    "no record is there yet, only columns: the load has `on_empty: allow`, and that there are rows is a warning;"
    " remove `on_empty` and `severity` when files must hold records"
)
_NO_TYPES = "; no type could be found out: infer again from files with records, or write the types yourself"
_PLAIN_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


@dataclass(frozen=True)
class Doubt:
    """What a person should look at.

    Attributes:
        source: The source.
        column: Its column; ``None`` if it is about the source.
        text: What it is.
    """

    source: str
    column: str | None
    text: str

    def __str__(self) -> str:
        return f"{self.source}: {f'`{self.column}`: ' if self.column else ''}{self.text}"


@dataclass(frozen=True)
class Inferred:
    """What was found out.

    Attributes:
        text: The pipeline file.
        doubts: What a person should look at.
        left_out: Files that are in no source, each with the reason.
        sources: For each source in words what was looked at.
    """

    text: str
    doubts: tuple[Doubt, ...]
    left_out: tuple[tuple[str, str], ...]
    sources: tuple[str, ...]


@dataclass(frozen=True)
class Hints:
    """What is known beside the files.

    Attributes:
        ddl: A file of CREATE TABLE statements, whose columns are taken.
        suite: An exported suite of Great Expectations, which is taken in place of a proposed one.
        duckdb: The database file of the target.
        name: Of the pipeline; the name of the file if left out.
    """

    ddl: Path | None = None
    suite: Path | None = None
    duckdb: str | None = None
    name: str | None = None


def infer(
    *places: str | Path,
    to: str | Path = "pipeline.yaml",
    hints: Hints | None = None,
    say: Callable[[str], None] = lambda text: None,
) -> Inferred:
    """Propose a pipeline file for the files at some places. Nothing is written.

    Args:
        places: Files, folders, ``s3://`` and other places.
        to: Where the file is going to be, which decides what its paths are relative to.
        hints: What is known beside the files.
        say: Takes a line about what is being done.

    Returns:
        The file's text, and what a person should look at.

    Raises:
        SourceError: A place cannot be read, or holds no file that pipekit reads, or only files with too many broken
            records.
        SpecError: A place, or a file that is named by ``hints``, cannot be used.
    """
    hints, path = hints or Hints(), Path(to)
    if hints.name and not re.fullmatch(IDENTIFIER, hints.name):
        text = f"{hints.name!r} must be letters, digits, _ and -, and not begin with a digit"
        raise SpecError([Problem("the pipeline's name", 0, "", text)])
    tables = columns_from(hints.ddl) if hints.ddl else {}
    suite = suite_from(hints.suite) if hints.suite else None
    gathered = gather([str(place) for place in places], say)
    if not gathered.found:
        raise SourceError(_nothing(gathered), file=", ".join(map(str, places)))
    found = drafts(grouped(gathered.found), _relative(gathered.found, find_root(path)), gathered.beside)
    with TemporaryDirectory(prefix="pipekit-infer-") as folder, scratch_database() as warehouse:
        failed: dict[str, SourceError] = {}
        for number, draft in enumerate(found):
            say(f"reading {draft.name}: {_files(draft)}, {_size(draft.all_bytes)}")
            try:
                _look_at(warehouse, draft, Path(folder) / str(number), tables)
            except SourceError as error:
                failed[draft.name] = error
    refused = [(_shown(draft), reason) for draft in found if (reason := too_broken(draft))]
    refused += [(_shown(draft), failed[draft.name].reason) for draft in found if draft.name in failed]
    found = [draft for draft in found if draft.name not in failed and not too_broken(draft)]
    if not found and failed:
        raise next(iter(failed.values()))
    if not found:
        raise SourceError("nothing can be proposed: " + refused[0][1], file=refused[0][0], kept="Nothing was written.")
    if suite is not None and len(found) > 1:
        raise SpecError(
            [Problem(str(hints.suite), 0, "", f"is one suite, and there are {len(found)} sources; name one")]
        )
    suites = {draft.name: suite or proposed_suite(draft) for draft in found}
    text = written(hints.name or _pipeline_name(path), found, suites, hints.duckdb)
    _validate(text, path)
    return Inferred(
        text,
        tuple(_doubts(found)),
        (*gathered.left_out, *refused),
        tuple(f"{each.name}: {_looked(each)}" for each in found),
    )


def _shown(draft: Draft) -> str:
    return "/".join(part for part in (draft.uri.rstrip("/"), " ".join(draft.pattern[:3])) if part)


def _nothing(gathered: Gathered) -> str:
    listed = "; ".join(f"{file.rsplit('/', 1)[-1]} {why}" for file, why in gathered.left_out[:5])
    return "no file that pipekit reads" + (f": {listed}" if listed else " is there")


def _relative(found: Sequence[Found], root: Path) -> dict[str, str]:
    """How the pipeline file names each place: below the project's root by a relative path."""
    names = {}
    for place in {each.place for each in found}:
        local = local_path(place)
        if local is None:
            names[place] = place
            continue
        whole = local.resolve()
        inside = whole.is_relative_to(root.resolve())
        names[place] = (os.path.relpath(whole, root.resolve()) if inside else str(whole)) + "/" * whole.is_dir()
    return names


def _look_at(warehouse: DuckDBWarehouse, draft: Draft, folder: Path, tables: Mapping[str, list[Proposal]]) -> None:
    draft.files = brought_here(looked_at(draft.files), folder)
    first = draft.files[0]
    if first.root != draft.local and str(first.root).startswith(str(folder)):
        draft.local = first.root + (
            "" if not first.below else "/" + draft.local.removeprefix(_place_of(draft)).lstrip("/")
        )
    given = _given(draft, tables)
    if given is not None:
        draft.columns = given
    elif draft.format["type"] == "csv":
        if footer := footer_lines(draft):
            draft.format["skip_footer"] = footer
            draft.doubts.append(f"the last {footer} lines of each file are not records: left out by skip_footer")
        propose_from_text(warehouse, draft, _header(draft))
    elif draft.format["type"] == "json":
        propose_from_documents(warehouse, draft)
    else:
        if draft.format["type"] == "excel":
            leave_titles_out(draft)
        propose_from_types(draft)
    if not draft.columns:
        raise SourceError("holds no column", file=first.file.uri, kept="Nothing was written.")
    _name_columns(draft)
    known = {folded(each.name) for each in draft.columns}
    draft.columns += path_columns(draft.files, _under(draft), known)
    prove(warehouse, draft)
    measure(warehouse, draft)
    propose_times(draft, typed=given is not None)
    if not draft.rows:
        untyped = given is None and draft.format["type"] == "csv"
        draft.doubts.append(_NO_RECORD + _NO_TYPES * untyped)
    draft.notes.append(_looked(draft))
    if given is not None:
        draft.key = tuple(name for name in draft.key if any(each.name == name and not each.nullable for each in given))


def _place_of(draft: Draft) -> str:
    return draft.files[0].place


def _under(draft: Draft) -> str:
    return draft.local.removeprefix(draft.files[0].root).lstrip("/")


def _given(draft: Draft, tables: Mapping[str, list[Proposal]]) -> list[Proposal] | None:
    """The columns of a CREATE TABLE that is named like the source, or is the only one and fits."""
    if not tables:
        return None
    for name, columns in tables.items():
        if name in (draft.name, f"raw_{draft.name}") or len(tables) == 1:
            return [replace(each, notes=[*each.notes], doubts=[*each.doubts]) for each in columns]
    return None


def _header(draft: Draft) -> list[str]:
    """The columns of all files, in the order in which they come."""
    names: dict[str, str] = {}
    twice: set[str] = set()
    for each in draft.files:
        counts = Counter(map(folded, each.shape.names))
        twice |= {name for name, count in counts.items() if count > 1 or not name}
        for name in each.shape.names:
            names.setdefault(folded(name), name.strip())
    if twice:
        draft.on_extra = "ignore"
        listed = ", ".join(repr(names[key]) for key in sorted(twice))
        text = f"columns without a name of their own are left out: {listed}"
        if any(twice):
            first = int(draft.format.get("skip_lines", 0)) + 1
            text += (
                f"; `header: false` with `skip_lines: {first}` takes all columns by their place, each under a new name"
            )
        draft.doubts.append(text)
    if not names:
        return [f"column_{number}" for number in range(1, draft.files[0].shape.width + 1)]
    return [name for key, name in names.items() if key not in twice]


def _name_columns(draft: Draft) -> None:
    """Plain names, all different; the files' own ones become paths."""
    taken: set[str] = set()
    for each in draft.columns:
        written_name = each.name
        plain = written_name if _PLAIN_NAME.fullmatch(written_name) else _plain(written_name)
        if plain.upper() in RESERVED:
            each.doubts.append(f"{plain} is a reserved word of SQL: named c_{plain.lower()} here")
            plain = f"c_{plain.lower()}"
        name, number = plain, 2
        while name.lower() in taken:
            name, number = f"{plain}_{number}", number + 1
        taken.add(name.lower())
        if name != written_name:
            each.name = name
            if each.path is None:
                each.path = _own_path(draft, written_name)
                if not each.path:
                    draft.doubts.append(f"the key {written_name!r} is one that no path can name: left out")
    draft.columns = [each for each in draft.columns if each.path != ""]


def _own_path(draft: Draft, name: str) -> str:
    """The path of a column that has a name of its own in the files; empty if no path can name it."""
    if draft.format["type"] != "json":
        return name
    return path_text([name]) if can_be_named(name) else ""


def _plain(name: str) -> str:
    words = re.sub(r"[^A-Za-z0-9]+", "_", name).strip("_").lower() or "column"
    return f"c_{words}" if words[0].isdigit() else words


def _pipeline_name(path: Path) -> str:
    name = re.sub(r"[^A-Za-z0-9_-]+", "_", path.stem).strip("_-") or "pipeline"
    return name if not name[0].isdigit() else f"p_{name}"


def _validate(text: str, path: Path) -> None:
    """Read the text as `pipekit validate` does, so that what is written is valid."""
    root = find_root(path)
    with TemporaryDirectory(prefix="pipekit-infer-") as folder:
        file = Path(folder) / path.name
        file.write_text(text, encoding="utf-8")
        try:
            read_pipeline(file, Plugins(root, project_code=False).vocabulary)
        except SpecError as error:
            raise PipekitError(f"the proposed file is not valid, which is a bug of pipekit:\n{error}") from error


def _doubts(found: Sequence[Draft]) -> Iterator[Doubt]:
    for draft in found:
        yield from (Doubt(draft.name, None, text) for text in draft.doubts)
        for each in draft.columns:
            yield from (Doubt(draft.name, each.name, text) for text in each.doubts)


def _looked(draft: Draft) -> str:
    seen = sum(each.file.size_bytes for each in draft.files)
    files = _files(draft)
    if len(draft.files) < draft.all_files:
        part = f"{len(draft.files):,} of {files} were looked at, {_size(seen)} of {_size(draft.all_bytes)}"
        return f"{part}: {draft.rows:,} records"
    return f"{files}, {_size(draft.all_bytes)}, {draft.rows:,} records: all were looked at"


def _files(draft: Draft) -> str:
    return f"{draft.all_files:,} file{'s' * (draft.all_files != 1)}"


def _size(count: int) -> str:
    for unit in ("bytes", "kB", "MB"):
        if count < 1000:
            return f"{count:.0f} {unit}"
        count //= 1000
    return f"{count:.0f} GB"
