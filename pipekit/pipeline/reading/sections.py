"""The sections of a pipeline file beside its steps: targets, sources, suites, the clock."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from pipekit.clock import fixed_part, holds_clock
from pipekit.files.checks import absent_place, check_source, doubts
from pipekit.files.places import check_spelling
from pipekit.formats.base import FileFormat
from pipekit.pipeline.model import Target
from pipekit.pipeline.reading.checking import checked, others_of
from pipekit.pipeline.reading.keys import IDENTIFIER
from pipekit.pipeline.reading.rendering import Reading, as_list
from pipekit.quality.suite import Suite, read_suite
from pipekit.source import Source
from pipekit.suggestions import did_you_mean, nearest
from pipekit.warehouses.builtin import LOCAL


def read_target(reading: Reading, name: str) -> Target | None:
    """The chosen target; ``None`` if it is missing or wrong, which is noted."""
    targets = reading.mapping("targets")
    types = reading.vocabulary.warehouses
    if not targets and name == "local":
        return replace(no_target(), name=name)
    if name not in targets:
        key = ("target",) if "target" in reading.tree.value else ("targets",)
        listed = f"; the targets are {', '.join(targets)}" if targets else "; the file has no targets"
        reading.note_given("target", key, f"there is no target {name!r}{did_you_mean(name, targets) or listed}")
        return None
    _check_other_targets(reading, name)
    data = targets[name].plain()
    path = ("targets", name)
    if isinstance(data, str):
        reading.note(path, _no_mapping(name, data, types))
        return None
    if not re.fullmatch(IDENTIFIER, name):
        reading.note(path, "a target's name is letters, digits, _ and -, and does not begin with a digit")
        return None
    kind = data.pop("type", None) if isinstance(data, dict) else None
    if not isinstance(kind, str) or kind not in types:
        text = f"unknown warehouse {kind!r}{did_you_mean(str(kind), types)}; one of {', '.join(sorted(types))}"
        reading.note((*path, "type"), text)
        return None
    options = checked(reading, types[kind].options, data, path, elsewhere=lambda: others_of(types, kind))
    _doubt_files(reading, path, data)
    return Target(name, types[kind], options) if options else None


def _doubt_files(reading: Reading, path: tuple[str, str], data: Mapping[str, Any]) -> None:
    """Note files of a login that are not there: they may be on the machine of the runs, so it is not a mistake yet."""
    for key in ("private_key_file", "token_file_path"):
        file = data.get(key)
        if isinstance(file, str) and file and "\n" not in file and not (reading.root / file).is_file():
            text = f"{file}: there is no such file on this machine; correct the path (it starts at the project's root)"
            reading.doubt((*path, key), text)


def _check_other_targets(reading: Reading, chosen: str) -> None:
    """Check only the type of targets that are not chosen: their values are not rendered."""
    types = reading.vocabulary.warehouses
    for name, node in reading.mapping("targets").items():
        kind = node.at(("type",)).value if node.get("type") else None
        if name != chosen and isinstance(kind, str) and "{" not in kind and kind not in types:
            reading.note(("targets", name, "type"), f"unknown warehouse {kind!r}{did_you_mean(kind, types)}")


def no_target() -> Target:
    """Stands in for a target that could not be read, so that the rest of the file can be checked."""
    return Target("", LOCAL, LOCAL.options())


def read_sources(reading: Reading, target: Target | None) -> dict[str, Source]:
    """The valid sources by name, with absolute places."""
    sources = {}
    for name, node in reading.mapping("sources").items():
        data = node.plain()
        if not isinstance(data, dict):
            reading.note(("sources", name), "must hold uri, format and columns")
            continue
        listed = data.get("columns")
        if isinstance(listed, list):
            reading.note(("sources", name, "columns"), _no_types(listed))
            data["columns"] = {"of_a_list": "varchar"}  # so that the rest of the source is looked at
        if "name" in data:
            reading.note(("sources", name, "name"), "unknown key; the key above is the name")
        form = _read_format(reading, name, data, target)
        if form is not None:
            data = {**data, "format": form}
        source = checked(reading, Source, {**data, "name": name}, ("sources", name))
        if source is None or source.format is _NO_FORMAT or isinstance(listed, list):
            continue
        now = source.at(reading.clock)
        if problem := check_spelling(now.uri) or _moves_too_far(source):
            reading.note(("sources", name, "uri"), problem)
            continue
        sources[name] = source.model_copy(update={"uri": _absolute(source.uri, reading.root)})
        mistakes = list(_mistakes(sources[name].at(reading.clock), target))
        for key, text in mistakes:
            if key not in _unrendered(reading, name):
                reading.note(("sources", name, *key.split(".")), text)
        for key, text in () if mistakes else doubts(now):
            reading.doubt(("sources", name, key), text)
        absent = None if mistakes or holds_clock(source.uri) else absent_place(sources[name])
        if absent:
            reading.doubt(("sources", name, "uri"), absent)
    return sources


def _unrendered(reading: Reading, source: str) -> list[str]:
    """Keys with patterns of which one did not render: that is noted, and what is in its place was never meant."""
    listed = {key: as_list(reading.tree.at(("sources", source)).get(key)) for key in ("pattern", "exclude")}
    places = [
        (key, place) for key, items in listed.items() for place in ((key,), *((key, n) for n in range(len(items))))
    ]
    return [key for key, place in places if reading.has_noted(("sources", source, *place))]


def _moves_too_far(source: Source) -> str | None:
    """What in a place the run's clock cannot move; ``None`` if it moves nothing, or a folder or file alone."""
    if not holds_clock(source.uri):
        return None
    if source.stage is not None:
        return "with stage it only names the stage's place; the run's clock may be used in pattern"
    scheme, _, rest = fixed_part(source.uri).rpartition("://")
    return "the run's clock may not be used in the name of a bucket or server" if scheme and "/" not in rest else None


def _mistakes(source: Source, target: Target | None) -> Iterable[tuple[str, str]]:
    """What no warehouse can do; if there is nothing, what the target's cannot do."""
    elsewhere = target is not None and target.type.reads_in_place(source)
    return list(check_source(source, read_elsewhere=elsewhere)) or (target.type.check_source(source) if target else ())


_NO_FORMAT = FileFormat(type="")  # in place of one that is wrong, so that the rest of a source is looked at


def _read_format(reading: Reading, source: str, data: Mapping[str, Any], target: Target | None) -> FileFormat | None:
    """The format of a source; ``_NO_FORMAT`` if it is wrong, which is noted, and ``None`` if it is not given."""
    keys, path = data.get("format"), ("sources", source, "format")
    if keys is None:
        return None
    if not isinstance(keys, dict):
        reading.note(path, _no_mapping("format", keys, reading.vocabulary.formats))
        return _NO_FORMAT
    known, name = reading.vocabulary.formats, keys.get("type")
    if not isinstance(name, str) or name not in known:
        unknown = "is missing" if name is None else f"unknown format {name!r}{did_you_mean(str(name), known)}"
        reading.note((*path, "type"), f"{unknown}; one of {', '.join(sorted(known))}")
        return _NO_FORMAT
    loaded = target.type.formats if target else None
    if target and loaded is not None and name not in loaded:
        others = ", ".join(sorted(loaded))
        reading.note((*path, "type"), f"{target.type.name} does not load the format {name!r}; it loads {others}")
        return _NO_FORMAT
    form = checked(reading, known[name].options, keys, path, elsewhere=lambda: others_of(known, name))
    return _NO_FORMAT if form is None else known[name].bound(form)


def _no_types(columns: list[Any]) -> str:
    """For columns that are a list; mostly it is one of their names."""
    names = [str(each.get("name", "...") if isinstance(each, dict) else each) for each in columns] or ["..."]
    return f"is a list, and each column needs its type; write columns: {{{names[0]}: varchar}}, one for each"


def _no_mapping(key: str, value: Any, types: Iterable[str]) -> str:
    """For a value that is where a mapping with a ``type`` must; mostly it is the type."""
    text = "must be a mapping (key: value)"
    if not isinstance(value, str):
        return text
    known = list(types)
    meant = value if value in known else nearest(value, known) or "..."
    return f"{text}; write {key}: {{type: {meant}}}"


def _absolute(uri: str, root: Path) -> str:
    if "://" in uri:
        return uri.removeprefix("file://") if uri.startswith("file://") else uri
    absolute = os.path.join(root, uri)
    return os.path.normpath(absolute) + ("/" if uri.endswith("/") else "")


def read_suites(reading: Reading) -> dict[str, Suite]:
    """The valid suites by name."""
    suites = {}
    for name, node in reading.mapping("suites").items():
        suite = checked_suite(reading, name, node.plain(), ("suites", name))
        if suite is not None:
            suites[name] = suite
    return suites


def checked_suite(reading: Reading, name: str, data: Any, path: tuple[str | int, ...]) -> Suite | None:
    """A suite from its value in the file; ``None`` if it is wrong, which is noted."""
    suite, problems = read_suite(name, data, reading.root, reading.variables)
    for inner, text in problems:
        if not reading.has_noted((*path, *inner)):
            reading.note((*path, *inner), text)
    return None if problems else suite


def read_clock(reading: Reading, text: str | None) -> datetime:
    """The run's clock: ``text`` as a time (UTC if it names no zone), or the present."""
    if text is None:
        return datetime.now(UTC)
    if not isinstance(text, str):
        return datetime.now(UTC)  # reported by FileKeys
    try:
        clock = datetime.fromisoformat(text)
        return clock.replace(tzinfo=UTC) if clock.tzinfo is None else clock.astimezone(UTC)
    except (ValueError, OverflowError):
        from pipekit.warehouses.duckdb.semantics.constants import unreadable  # imports sqlglot, for mistakes only

        _, _, why = (unreadable(text, "ntz") or "").partition(f"{text!r} is not a timestamp: ")
        reason = f": {why}" if why else "; write 2024-07-01 or 2024-07-01T12:00:00+02:00"
        reading.note_given("as_of", ("as_of",), f"{text!r} is not a time{reason}")
        return datetime.now(UTC)
