"""The files at the places that are named, with what their first bytes say; copied here if they are elsewhere."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from pipekit.errors import Problem, SourceError, SpecError
from pipekit.files.listing import list_files, local_file
from pipekit.files.places import Store, check_place, check_spelling, local_path
from pipekit.inference.model import Found, Shape
from pipekit.inference.sniff import HEAD, sniff
from pipekit.source import Source, SourceFile
from pipekit.suggestions import did_you_mean

MOST_REMOTE_BYTES = 1 << 30
"""Of a source that is elsewhere so much is copied here and looked at."""


@dataclass(frozen=True)
class Gathered:
    """What is at the places.

    Attributes:
        found: Files that can be read.
        left_out: Others, by the reason.
        beside: The same by their place and their path below it.
    """

    found: tuple[Found, ...]
    left_out: tuple[tuple[str, str], ...]
    beside: tuple[tuple[str, str], ...] = ()


def gather(places: Sequence[str], say: Callable[[str], None] = lambda text: None) -> Gathered:
    """List the places and look at the beginning of each file.

    Args:
        places: Files, folders, or places that fsspec reaches.
        say: Takes a line about what is being done.

    Raises:
        SpecError: A place is written in a way that means none.
        SourceError: A place does not exist, or cannot be read.
    """
    problems = [
        Problem(place, 0, "", text)
        for place in places
        if (text := _is_stage(place) or check_spelling(place) or check_place(place))
    ]
    if problems:
        raise SpecError(problems)
    found: dict[str, Found] = {}
    left_out: dict[str, str] = {}
    beside = []
    for place in places:
        say(f"listing {place}")
        for each, why in _at(place):
            if why:
                left_out[each.file.shown] = why
                beside.append((each.place, each.below))
            else:
                found.setdefault(each.file.uri, each)
    return Gathered(tuple(found.values()), tuple(sorted(left_out.items())), tuple(beside))


def _is_stage(place: str) -> str | None:
    text = "is a stage, which Snowflake alone reads; name the bucket behind it, or files on this machine"
    return text if place.startswith("@") and not Path(place).exists() else None


def _at(place: str) -> Iterator[tuple[Found, str]]:
    local = local_path(place)
    if local and not local.exists():
        beside = [each.name for each in local.absolute().parent.glob("*")]
        near = did_you_mean(local.name, beside)
        hint = f"Relative paths start at the folder {Path.cwd()}."
        raise SourceError(f"there is no such folder or file{near}", file=place, hint=hint, kept="Nothing was written.")
    uri = str(local.absolute()) if local else place
    everything = Source.model_validate(
        {"name": "place", "uri": uri, "pattern": "**", "format": {"type": "parquet"}, "columns": {"x": "varchar"}}
    )
    try:
        files = list_files(everything)
    except SourceError as error:
        raise SourceError(error.message.replace("source 'place': ", ""), file=place, hint=error.hint) from error
    store = None if local else Store(uri)
    for file in files:
        below = file.uri.removeprefix(uri).lstrip("/")
        no_data = below and _NO_DATA.search(below.lower())
        shape, why = (None, "is not data, by its name") if no_data else _shape(file, store)
        yield Found(file, place, below, uri, shape or Shape({})), why


# Beside data, in folders; a place that names such a file means it.
_NO_DATA = re.compile(r"\.(?:md|rst|py|ipynb|r|sql|ya?ml|toml|cfg|ini|html?|css|js|ts|sh|png|jpe?g|gif|svg|pdf|log)$")


def _shape(file: SourceFile, store: Store | None) -> tuple[Shape | None, str]:
    if not file.size_bytes:
        return None, "is empty"
    try:
        if store is None:
            with Path(local_path(file.uri) or "").open("rb") as stream:
                return sniff(file, stream.read(HEAD), lambda: Path(local_path(file.uri) or "").open("rb"))
        with store.open(file) as stream:
            return sniff(file, stream.read(HEAD), lambda: store.open(file))
    except OSError as error:
        return None, f"cannot be read: {error.strerror or error}"


def brought_here(files: Sequence[Found], folder: Path) -> list[Found]:
    """The files on this machine: copies of those that are elsewhere, with the same paths below ``folder``.

    Raises:
        SourceError: One cannot be read.
    """
    stores: dict[str, Store] = {}
    return [each if local_path(each.file.uri) else _copied(each, folder, stores) for each in files]


def _copied(each: Found, folder: Path, stores: dict[str, Store]) -> Found:
    store = stores.setdefault(each.root, Store(each.root))
    below = each.below or each.file.uri.partition("?")[0].rsplit("/", 1)[-1]
    path = folder / below
    path.parent.mkdir(parents=True, exist_ok=True)
    with store.open(each.file) as source, path.open("wb") as target:
        shutil.copyfileobj(source, target, 1 << 20)
    return replace(each, file=local_file(path, path.stat()), root=str(folder if each.below else path))


def looked_at(files: Sequence[Found]) -> list[Found]:
    """Those of a source's files that are read: all that are on this machine, else some from its whole length."""
    total = sum(each.file.size_bytes for each in files)
    if total <= MOST_REMOTE_BYTES or all(local_path(each.file.uri) for each in files):
        return list(files)
    share = max(1, len(files) * MOST_REMOTE_BYTES // total)
    step = len(files) / share
    return [files[int(number * step)] for number in range(share)]
