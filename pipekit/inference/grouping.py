"""Files grouped into sources: by folder, format, the stem of their names, and the columns that they begin with."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import PurePosixPath

from pipekit.files.headers import folded
from pipekit.files.path_columns import NO_VALUE
from pipekit.files.patterns import matcher
from pipekit.files.places import local_path
from pipekit.files.unpacking import PACKINGS
from pipekit.inference.model import Draft, Found, Proposal, Shape

_PARTITION = re.compile(r"([^=/]+)=([^/]*)")
_UUID = re.compile(r"[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}|[0-9a-f]{24,}", re.IGNORECASE)
_SUFFIXES = {suffix for packing in PACKINGS.values() for suffix in packing.suffixes}
_ENDINGS = {
    *_SUFFIXES,
    ".csv",
    ".tsv",
    ".txt",
    ".json",
    ".jsonl",
    ".ndjson",
    ".geojson",
    ".parquet",
    ".avro",
    ".xlsx",
    ".xlsm",
}
_ALIKE = 0.6
_FEWEST_NAMES = 3


@dataclass
class Group:
    """Files of one source.

    Attributes:
        files: In the order of their names.
        stem: What their names have in common.
    """

    files: list[Found] = field(default_factory=list)
    stem: str = ""

    @property
    def names(self) -> set[str]:
        """All columns of all files."""
        return {folded(name) for each in self.files for name in each.shape.names}


def grouped(files: Sequence[Found]) -> list[Group]:
    """The files as sources: see the module."""
    groups: list[Group] = []
    for each in sorted(_with_records(files), key=lambda each: each.file.uri):
        home = next((group for group in groups if _belongs(each, group)), None)
        if home is None:
            groups.append(Group([each], stem_of(each)))
        else:
            home.files.append(each)
            home.stem = _common(home.stem, stem_of(each))
    return _with_empty_pages(groups)


def _with_empty_pages(groups: Sequence[Group]) -> list[Group]:
    """The groups, in which the pages of an API that hold no record are beside those that do."""
    kept = []
    for group in groups:
        home = next((other for other in groups if other is not group and _is_page_of(group, other)), None)
        if home is None:
            kept.append(group)
        else:
            shape = home.files[0].shape
            pages = [replace(each, shape=shape) for each in group.files]
            home.files = sorted((*home.files, *pages), key=lambda each: each.file.uri)
    return kept


def _is_page_of(group: Group, home: Group) -> bool:
    """Whether each file of a group has an empty list where the files of another one have their records."""
    first = home.files[0]
    form = dict(first.shape.format)
    root = form.pop("root", "")
    return (
        form["type"] == "json"
        and root not in first.shape.empty_at
        and group.stem == home.stem
        and all(
            root in each.shape.empty_at
            and (folder_of(each), each.place) == (folder_of(first), first.place)
            and {key: value for key, value in each.shape.format.items() if key != "root"} == form
            for each in group.files
        )
    )


def _with_records(files: Sequence[Found]) -> list[Found]:
    """The files, of which those that are one JSON object each, as others with other names beside them, are one record.

    Such a folder (a file for each customer) is one source; what each object holds in a list belongs to its record.
    """
    beside: dict[tuple[str, str, bool], list[Found]] = {}
    for each in files:
        beside.setdefault((each.place, folder_of(each), bool(each.shape.document)), []).append(each)
    records = [each for (_, _, is_one), some in beside.items() if is_one for each in _alike(some)]
    taken = {each.file.uri for each in records}
    return [*(each for each in files if each.file.uri not in taken), *map(_as_record, records)]


def _alike(files: Sequence[Found]) -> list[Found]:
    """Those whose objects have most of the usual keys; none unless the words of their names differ."""
    counts = Counter(key for each in files for key in each.shape.document)
    usual = {key for key, count in counts.items() if 2 * count >= len(files)}
    fitting = [
        each
        for each in files
        if len(usual & {*each.shape.document}) >= _ALIKE * max(1, len(usual | {*each.shape.document}))
    ]
    return fitting if len({*map(stem_of, fitting)}) >= _FEWEST_NAMES and len(usual) > 1 else []


def _as_record(each: Found) -> Found:
    root = each.shape.format.get("root")
    form = {key: value for key, value in each.shape.format.items() if key != "root"}
    text = f"each file is one record; `root: {root}[*]` takes the objects in it, with its own values as `^.name`"
    doubts = (text,) if root and not root.endswith("*") else ()
    return replace(each, shape=Shape(form, each.shape.document, doubts=doubts, is_record=True))


def _belongs(each: Found, group: Group) -> bool:
    first = group.files[0]
    if (folder_of(each), each.place) != (folder_of(first), first.place) or not _same_format(each, first):
        return False
    if each.shape.is_record or first.shape.is_record:
        return each.shape.is_record and first.shape.is_record
    names, known = {folded(name) for name in each.shape.names}, group.names
    if not names and not known:
        return stem_of(each) == group.stem and each.shape.width == first.shape.width
    alike = len(names & known) / max(1, len(names | known))
    if stem_of(each) == group.stem:
        return alike >= _ALIKE
    return alike == 1 and bool(_common(stem_of(each), group.stem))


def _same_format(one: Found, other: Found) -> bool:
    return dict(one.shape.format) == dict(other.shape.format)


def folder_of(each: Found) -> str:
    """The folder of a file below its place, without the values of partitions."""
    parts = PurePosixPath(each.below).parent.parts
    return "/".join(_PARTITION.sub(r"\1=", part) for part in parts)


def stem_of(each: Found) -> str:
    """The words of a file's name, without dates, numbers, ids and endings."""
    name = _file_name(each)
    while (ending := PurePosixPath(name).suffix).lower() in _ENDINGS:
        name = name.removesuffix(ending)
    words = re.findall(r"[A-Za-z]+", _UUID.sub(" ", name))
    return "_".join(word.lower() for word in words if not re.fullmatch(r"[tz]|part|snappy|c", word, re.IGNORECASE))


def _common(one: str, other: str) -> str:
    words = []
    for left, right in zip(one.split("_"), other.split("_"), strict=False):
        if left != right:
            break
        words.append(left)
    return "_".join(words)


def drafts(groups: Sequence[Group], relative: Mapping[str, str], beside: Iterable[tuple[str, str]] = ()) -> list[Draft]:
    """A draft for each group, with a name and a pattern of its own.

    Args:
        groups: The groups.
        relative: For each place how the pipeline file names it.
        beside: Files that are in no group and must match no pattern: their places and paths below these.
    """
    everything = [(each.place, each.below) for group in groups for each in group.files] + [*beside]
    taken: set[str] = set()
    found = []
    for group in groups:
        name = _name(group, taken)
        taken.add(name)
        found.append(_draft(name, group, everything, relative))
    return found


def _draft(name: str, group: Group, everything: Sequence[tuple[str, str]], relative: Mapping[str, str]) -> Draft:
    first = group.files[0]
    place, under = relative[first.place], _fixed_folder(group)
    uri, local = place, first.root
    pattern: tuple[str, ...] = ()
    if first.below:
        uri = f"{place.rstrip('/')}/{under}" if under else f"{place.rstrip('/')}/"
        local = f"{first.root.rstrip('/')}/{under}"
        pattern = _pattern(group, [below for place, below in everything if place == first.place], under)
    draft = Draft(name, group.files, uri, pattern, local, dict(first.shape.format))
    draft.doubts += first.shape.doubts
    draft.all_files, draft.all_bytes = len(group.files), sum(each.file.size_bytes for each in group.files)
    return draft


def _name(group: Group, taken: set[str]) -> str:
    first = group.files[0]
    folders = [part for part in PurePosixPath(first.below).parent.parts if "=" not in part]
    place = PurePosixPath(first.place.rstrip("/")).name if first.below else ""
    words = group.stem or (folders[-1] if folders else place) or "source"
    name = re.sub(r"[^A-Za-z0-9_]+", "_", words).strip("_").lower() or "source"
    name = f"files_{name}" if name[0].isdigit() else name
    number = 2
    unique = name
    while unique in taken:
        unique, number = f"{name}_{number}", number + 1
    return unique


def _fixed_folder(group: Group) -> str:
    """The folder below the place that all files are in, down to the first partition; with a slash at its end."""
    paths = [PurePosixPath(each.below).parent.parts for each in group.files]
    fixed = []
    for parts in zip(*paths, strict=False):
        if len(set(parts)) > 1 or "=" in parts[0]:
            break
        fixed.append(parts[0])
    return "".join(f"{part}/" for part in fixed)


def _file_name(each: Found) -> str:
    """Of a place on the web without what is after the path."""
    name = each.file.uri if local_path(each.file.uri) else each.file.uri.partition("?")[0]
    return PurePosixPath(name).name


def _pattern(group: Group, there: Sequence[str], under: str) -> tuple[str, ...]:
    """The shortest pattern that means these files and no others that are there; else their names."""
    below = [each.below.removeprefix(under) for each in group.files]
    strange = {each.removeprefix(under) for each in there if each.startswith(under)} - {*below}
    deep = "**/" if any("/" in each for each in below) else ""
    names = [PurePosixPath(each).name for each in below]
    start, end = _shared(names), _shared([name[::-1] for name in names])[::-1]
    ending = (
        "".join(PurePosixPath(names[0]).suffixes[-2:])
        if len(names) == 1
        else end[end.find(".") :]
        if "." in end
        else ""
    )
    stem = re.sub(r"[0-9]+.*$", "", start) if len(names) > 1 else re.split(r"[0-9.]", names[0], maxsplit=1)[0]
    tried = (
        f"{deep}*{ending}",
        f"{deep}{_literal(stem)}*{ending}",
        f"{deep}{_literal(stem)}*",
        f"{deep}{_literal(start)}*" if len(names) > 1 else f"{deep}{_literal(names[0])}",
    )
    for pattern in tried:
        means = matcher([pattern])
        if all(map(means, below)) and not any(map(means, strange)):
            return (pattern,)
    return tuple(sorted(map(_literal, below)))


def _shared(names: Sequence[str]) -> str:
    first, last = min(names), max(names)
    length = next((at for at, (one, other) in enumerate(zip(first, last, strict=False)) if one != other), len(first))
    return first[:length]


def _literal(text: str) -> str:
    return re.sub(r"([*?\[])", r"[\1]", text)


def path_columns(group_files: Iterable[Found], under: str, known: set[str]) -> list[Proposal]:
    """Columns from folders named ``key=value``, unless the files have them."""
    values: dict[tuple[int, str], set[str]] = {}
    for each in group_files:
        for depth, part in enumerate(PurePosixPath(each.below.removeprefix(under)).parent.parts):
            if match := _PARTITION.fullmatch(part):
                values.setdefault((depth, match[1]), set()).add(match[2])
    found = []
    for (depth, key), seen in values.items():
        if folded(key) not in known:
            path = f"file://{'*/' * depth}{key}={{{key}}}/**"
            found.append(Proposal(key, _path_type(seen - {NO_VALUE}), path=path, notes=[f"{len(seen)} folders"]))
    return found


def _path_type(seen: set[str]) -> str:
    if not seen:
        return "varchar"
    if all(re.fullmatch(r"[0-9]{4}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])", each) for each in seen):
        return "date"
    plain = all(re.fullmatch(r"0|[1-9][0-9]{0,17}", each) for each in seen)
    return "integer" if plain else "varchar"
