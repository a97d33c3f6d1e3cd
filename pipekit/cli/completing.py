"""What a shell proposes while a command is typed: names from the text of the project's files, so that it is quick.

Nothing is rendered, checked or opened; a file that cannot be read gives no names.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from pipekit.project import find_root, state_folder

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

    from pipekit.pipeline.reading.tree import Node

Proposed = list["CompletionItem"]
_SHARED = ("targets", "sources", "vars")
_DEEPEST = 3
_MOST_FILES = 300
_MOST_RUNS = 30
_LOG_TABLES = ("ingestion_logs", "dq_check_logs")


def specs(context: click.Context, parameter: click.Parameter, incomplete: str) -> Proposed:
    """The pipeline files below the current folder; any file, if none of them begins like this."""
    return _beginning(incomplete, _pipeline_files()) or files(context, parameter, incomplete)


def files(context: click.Context, parameter: click.Parameter, incomplete: str) -> Proposed:
    """Whatever the shell finds."""
    from click.shell_completion import CompletionItem

    return [CompletionItem(incomplete, type="file")]


def targets(context: click.Context, parameter: click.Parameter, incomplete: str) -> Proposed:
    """The targets of the file."""
    return _beginning(incomplete, _sections(context)["targets"])


def steps(context: click.Context, parameter: click.Parameter, incomplete: str) -> Proposed:
    """The steps of the file."""
    return _beginning(incomplete, (name for step in _steps(context) if (name := _text(step, "id"))))


def rejecting_steps(context: click.Context, parameter: click.Parameter, incomplete: str) -> Proposed:
    """The loads of the file that reject records."""
    rejecting = (step for step in _steps(context) if _text(step, "on_error") == "reject")
    return _beginning(incomplete, (_text(step, "id") for step in rejecting))


def choices(context: click.Context, parameter: click.Parameter, incomplete: str) -> Proposed:
    """What chooses steps: ids, with their upstream if ``+`` is before them, and tags."""
    ids = [name for step in _steps(context) if (name := _text(step, "id"))]
    if incomplete.startswith("+"):
        return _beginning(incomplete, (f"+{name}" for name in ids))
    tags = {tag for step in _steps(context) for tag in _texts(step.get("tags"))}
    return _beginning(incomplete, (*ids, *(f"{name}+" for name in ids if name == incomplete), *_tagged(tags)))


def tables(context: click.Context, parameter: click.Parameter, incomplete: str) -> Proposed:
    """The tables that the steps make, with their rejects, and the log tables."""
    return _beginning(incomplete, (*_columns_of_tables(context), *_LOG_TABLES))


def columns(context: click.Context, parameter: click.Parameter, incomplete: str) -> Proposed:
    """Tables and sources; and below one, the columns that the file declares."""
    known = _columns_of_tables(context) | _columns_of_sources(context)
    place, dot, _ = incomplete.rpartition(".")
    if dot and place in known:
        return _beginning(incomplete, (f"{place}.{name}" for name in known[place]))
    return _beginning(incomplete, known)


def runs(context: click.Context, parameter: click.Parameter, incomplete: str) -> Proposed:
    """The newest runs of the file that this machine recorded."""
    return _beginning(incomplete, _run_ids(context))


def runs_or_last(context: click.Context, parameter: click.Parameter, incomplete: str) -> Proposed:
    """``last``, and the newest runs."""
    return _beginning(incomplete, ("last", *_run_ids(context)))


def _beginning(incomplete: str, names: Iterable[str]) -> Proposed:
    """Those that begin like this. Line ends and control characters would be read by the shell or the terminal."""
    from click.shell_completion import CompletionItem

    fitting = (name for name in dict.fromkeys(names) if name.startswith(incomplete))
    return [CompletionItem(name) for name in fitting if name and name.isprintable()]


def _tagged(tags: Iterable[str]) -> list[str]:
    return [f"tag:{tag}" for tag in sorted(tags)]


def _pipeline_files() -> list[str]:
    """YAML files with steps, three folders deep at most."""
    found, seen = [], 0
    for folder, names, files in os.walk("."):
        deep = folder.count(os.sep)
        names[:] = sorted(n for n in names if n[0] not in "._" and n != "node_modules") if deep < _DEEPEST else []
        for name in sorted(files):
            if name.endswith((".yaml", ".yml")):
                seen += 1
                path = os.path.normpath(os.path.join(folder, name))
                if _has_steps(path):
                    found.append(path)
                if seen == _MOST_FILES:
                    return found
    return found


def _has_steps(path: str) -> bool:
    try:
        with open(path, "rb") as file:
            return any(line.startswith(b"steps:") for line in file)
    except OSError:
        return False


def _spec(context: click.Context) -> Path | None:
    """The file on the line; if it is not typed yet, the only one that there is.

    After an option without its value, click has not given it a name yet.
    """
    if given := context.params.get("spec") or next(iter(context.args), None):
        return Path(given).expanduser()
    files = _pipeline_files()
    return Path(files[0]) if len(files) == 1 else None


def _tree(context: click.Context) -> Node | None:
    spec = _spec(context)
    return _read(spec) if spec is not None else None


def _read(path: Path) -> Node | None:
    from pipekit.errors import SpecError
    from pipekit.pipeline.reading.tree import read_yaml

    with suppress(SpecError, ValueError):
        return read_yaml(path, str(path))
    return None


def _sections(context: click.Context) -> dict[str, dict[str, Node]]:
    """The sections that may be shared, those of included files too."""
    found: dict[str, dict[str, Node]] = {name: {} for name in _SHARED}
    tree, spec = _tree(context), _spec(context)
    if tree is None or spec is None:
        return found
    included = (_read(find_root(spec) / name) for name in _texts(tree.get("include")))
    for part in (*included, tree):
        for name in _SHARED:
            section = part.get(name) if part is not None else None
            if section is not None and isinstance(section.value, dict):
                found[name].update(section.value)
    return found


def _steps(context: click.Context) -> list[Node]:
    tree = _tree(context)
    steps = tree.get("steps") if tree is not None else None
    return steps.value if steps is not None and isinstance(steps.value, list) else []


def _columns_of_tables(context: click.Context) -> dict[str, list[str]]:
    sources = _columns_of_sources(context)
    found: dict[str, list[str]] = {}
    for step in _steps(context):
        table = _text(step, "into") or (_text(step, "id") if _text(step, "type") in ("sql", "features") else "")
        if table:
            entity = _texts(step.get("entity"))
            found[table] = [*sources.get(_text(step, "source"), []), *entity, *_keys(step.get("features"))]
        if table and _text(step, "on_error") == "reject":
            found[f"{table}_rejects"] = []
    return found


def _columns_of_sources(context: click.Context) -> dict[str, list[str]]:
    return {name: _keys(source.get("columns")) for name, source in _sections(context)["sources"].items()}


def _run_ids(context: click.Context) -> Iterator[str]:
    spec = _spec(context)
    if spec is None:
        return
    with suppress(OSError, ValueError):
        records = state_folder(find_root(spec)) / "runs"
        files = sorted((*records.glob("*.jsonl"), *records.glob("*/*.jsonl")), key=lambda file: file.name, reverse=True)
        begins = [header for file in files[:_MOST_RUNS] if (header := _header(file))]
        yield from (str(begin["run_id"]) for begin in begins if Path(begin["spec_path"]).resolve() == spec.resolve())


def _header(record: Path) -> dict[str, Any]:
    with suppress(OSError, ValueError), record.open(encoding="utf-8") as file:
        found = json.loads(file.readline())
        if isinstance(found, dict) and {"run_id", "spec_path"} <= found.keys():
            return found
    return {}


def _text(node: Node, key: str) -> str:
    child = node.get(key)
    return child.value if child is not None and isinstance(child.value, str) else ""


def _texts(node: Node | None) -> list[str]:
    """A list of texts, or one text; those in templates are not known."""
    if node is None:
        return []
    values = [child.value for child in node.value] if isinstance(node.value, list) else [node.value]
    return [value for value in values if isinstance(value, str) and "{{" not in value]


def _keys(node: Node | None) -> list[str]:
    return list(node.value) if node is not None and isinstance(node.value, dict) else []
