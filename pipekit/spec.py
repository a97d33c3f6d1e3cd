"""The pipeline file: read, rendered, validated. Every mistake is found before anything is opened or written."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from difflib import get_close_matches
from pathlib import Path
from typing import Annotated, Any, TypeVar

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, WithJsonSchema

from pipekit.errors import PluginError, Problem, SpecError, TemplateError
from pipekit.graph import Graph, GraphStep, TableKey
from pipekit.project import STATE_FOLDER, PipelineSpec, Step, Target, Vocabulary, _canonical, definition_hash
from pipekit.quality import Suite, read_suite
from pipekit.render import FileValues
from pipekit.source import Names, Source
from pipekit.sql import Translations
from pipekit.yaml_source import Node, dotted, read_yaml

MAX_STEPS = 5_000
OWN_TABLES = ("ingestion_logs", "dq_check_logs", "ingestion_files", "feature_catalog")
SHARED_SECTIONS = ("vars", "targets", "suites")
_DURATION = re.compile(r"(?P<number>\d+(?:\.\d+)?)\s*(?P<unit>ms|s|m|h)?")
_UNITS = {"ms": 0.001, "s": 1.0, None: 1.0, "m": 60.0, "h": 3600.0}
_IDENTIFIER = r"^[A-Za-z_][A-Za-z0-9_\-]*$"

ModelT = TypeVar("ModelT", bound=BaseModel)


def _seconds(value: Any) -> Any:
    match = _DURATION.fullmatch(str(value).strip())
    if not match or float(match["number"]) == 0:
        raise ValueError(f"{value!r} is not a duration; write 90s, 15m or 2h")
    return float(match["number"]) * _UNITS[match["unit"]]


Duration = Annotated[float, BeforeValidator(_seconds), WithJsonSchema({"type": ["string", "number"]})]


class _Keys(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class FileKeys(_Keys):
    """The top level of a pipeline file."""

    name: str = Field(pattern=_IDENTIFIER, description="The pipeline's name, in the log tables.")
    description: str = ""
    include: Names = Field(default=(), description="Files with targets, vars and suites shared by pipelines.")
    vars: dict[str, Any] = Field(default_factory=dict, description="Values for {{ var('name') }}.")
    targets: dict[str, Any] = Field(default_factory=dict, description="Warehouses by name.")
    target: str = Field(default="local", description="The target that is used unless --target names another.")
    sources: dict[str, Any] = Field(default_factory=dict)
    suites: dict[str, Any] = Field(default_factory=dict)
    external: Names = Field(default=(), description="Tables that steps read and no step makes.")
    as_of: str | None = Field(default=None, description="The run's clock, ISO 8601; now if left out.")
    threads: int = Field(default=4, ge=1, le=64, description="The most steps that run at once.")
    steps: list[dict[str, Any]] = Field(min_length=1, max_length=MAX_STEPS)


class StepKeys(_Keys):
    """The keys that every step has, whatever its type."""

    id: str = Field(pattern=_IDENTIFIER)
    type: str
    needs: Names = Field(default=(), description="Steps to wait for beside those that the data shows.")
    tags: Names = ()
    retries: int = Field(default=2, ge=0, le=20, description="Further tries after a transient failure.")
    timeout: Duration | None = Field(default=None, description="90s, 15m, 2h: then the step is stopped.")
    description: str = ""
    warehouse: str | None = Field(default=None, description="The virtual warehouse to run on, where there are such.")


@dataclass
class _Reading:
    """One reading of one file: what is known so far, and every mistake found on the way."""

    path: Path
    root: Path
    vocabulary: Vocabulary
    problems: list[Problem] = field(default_factory=list)

    def note(self, node: Node, path: Sequence[str | int], text: str) -> None:
        self.problems.append(node.at(path).problem(_shown(node, path), text))

    def shown(self, path: Path) -> str:
        """A file's name in messages: relative to where the user stands, if it is below."""
        try:
            return path.resolve().relative_to(Path.cwd()).as_posix()
        except ValueError:
            return str(path)


def _shown(tree: Node, path: Sequence[str | int]) -> str:
    """A path as a reader of the file would say it: a step by its id, not by its position."""
    if len(path) < 2 or path[0] != "steps":
        return dotted(path)
    step = tree.at(path[:2]).get("id")
    return dotted(("steps", step.value, *path[2:]) if step and isinstance(step.value, str) else path)


def find_root(path: Path) -> Path:
    """The project's root: the nearest folder above the file, up to the git root, that looks like a project.

    Such a folder holds ``templates/``, ``plugins/``, or a ``pyproject.toml`` with ``[tool.pipekit]``. If there is
    none, it is the file's own folder.
    """
    start = path.resolve().parent
    for folder in (start, *start.parents):
        if (folder / "templates").is_dir() or (folder / "plugins").is_dir() or _is_declared(folder):
            return folder
        if (folder / ".git").exists():
            break
    return start


def _is_declared(folder: Path) -> bool:
    try:
        return "[tool.pipekit]" in (folder / "pyproject.toml").read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        return False


def read_pipeline(
    path: Path,
    vocabulary: Vocabulary,
    *,
    target: str | None = None,
    variables: Mapping[str, Any] | None = None,
    as_of: str | None = None,
) -> PipelineSpec:
    """Read and validate a pipeline file.

    Args:
        path: The file.
        vocabulary: What plugins add to the language.
        target: A target's name, in place of the file's ``target``.
        variables: Values that win over the file's ``vars``.
        as_of: The clock, ISO 8601, in place of the file's ``as_of``.

    Raises:
        SpecError: With every mistake, each with its file and line.
    """
    reading = _Reading(path, find_root(path), vocabulary)
    tree = read_yaml(path, reading.shown(path))
    if not isinstance(tree.value, dict) or not tree.value:
        raise SpecError([tree.problem("", "is empty; a pipeline needs a name and steps")])
    tree = _with_includes(reading, tree)
    known = _render_variables(reading, tree, variables or {})
    values = FileValues(known, vocabulary.template_globals)
    tree = _rendered_tree(reading, tree, values, target)
    keys = _checked(reading, tree, FileKeys, tree.plain())
    chosen = _read_target(reading, tree, target or str(_mapping_value(tree, "target", "local")))
    sources = _read_sources(reading, tree, chosen)
    suites = _read_suites(reading, tree)
    given_clock = as_of or _mapping_value(tree, "as_of", None)
    clock = _read_clock(reading, tree, given_clock)
    steps = _read_steps(reading, tree)
    spec = PipelineSpec(
        name=keys.name if keys else "",
        description=keys.description if keys else "",
        path=reading.path,
        root=reading.root,
        target=chosen or _no_target(vocabulary),
        variables=known,
        sources=sources,
        suites=suites,
        as_of=clock,
        clock_given=given_clock is not None,
        threads=keys.threads if keys else 1,
        vocabulary=reading.vocabulary,
        translations=Translations(reading.root / STATE_FOLDER / "sql"),
        steps=tuple(step for _, step in steps),
    )
    spec = replace(spec, inline_suites=_read_references(reading, tree))
    nodes = _graph_steps(reading, tree, spec, steps)
    _check_tables(reading, tree, spec, nodes)
    graph = Graph(tuple(nodes.values()), _own_tables(spec))
    _check_order(reading, tree, graph, nodes, len(steps))
    if reading.problems:
        raise SpecError(reading.problems)
    hashed = tuple(replace(step, definition_hash=definition_hash(spec, step)) for step in spec.steps)
    return replace(spec, steps=hashed, graph=graph)


# Reading and rendering ----------------------------------------------------------------------------------------


def _with_includes(reading: _Reading, tree: Node) -> Node:
    """The tree with the sections of shared files before its own, so that its own vars can build on shared ones."""
    shared: dict[str, dict[str, Node]] = {key: {} for key in SHARED_SECTIONS}
    for name in _as_list(tree.get("include")):
        if isinstance(name, str):
            for key, children in _read_shared(reading, tree, name).items():
                shared[key].update(children)
    merged = {}
    for key, children in shared.items():
        own = tree.get(key)
        if children and (own is None or isinstance(own.value, dict)):
            place = tree.at((key,))
            merged[key] = Node({**children, **(own.value if own else {})}, place.file, place.line)
    return Node({**tree.value, **merged}, tree.file, tree.line)


def _read_shared(reading: _Reading, tree: Node, name: str) -> dict[str, dict[str, Node]]:
    try:
        path = (reading.root / name).resolve()
        if not path.is_relative_to(reading.root.resolve()):
            reading.note(tree, ("include",), f"{name} is outside the project {reading.root}")
            return {}
        shared = read_yaml(path, reading.shown(path))
    except ValueError as error:
        reading.note(tree, ("include",), f"{name!r} is no name of a file: {error}")
        return {}
    except SpecError as error:
        reading.problems.extend(error.problems)
        return {}
    if not isinstance(shared.value, dict):
        reading.problems.append(shared.problem("", f"must hold {', '.join(SHARED_SECTIONS)}"))
        return {}
    for key, node in shared.value.items():
        if key not in SHARED_SECTIONS:
            reading.note(shared, (key,), f"a shared file holds only {', '.join(SHARED_SECTIONS)}")
        elif not isinstance(node.value, dict):
            reading.note(shared, (key,), "must be a mapping")
    return {key: _mapping(shared, key) for key in SHARED_SECTIONS}


def _render_variables(reading: _Reading, tree: Node, given: Mapping[str, Any]) -> dict[str, Any]:
    known = dict(given)
    section = tree.get("vars")
    for name, node in section.value.items() if section and isinstance(section.value, dict) else ():
        if name not in given:
            values = FileValues(known, reading.vocabulary.template_globals)
            known[name] = _rendered(reading, node, ("vars", name), values).plain()
    return known


def _rendered_tree(reading: _Reading, tree: Node, values: FileValues, target: str | None) -> Node:
    """Everything rendered but ``vars`` (they are already), targets that are not chosen, and SQL."""
    children = dict(tree.value)
    own = _rendered(reading, children["target"], ("target",), values).plain() if "target" in children else "local"
    wanted = target or own
    for key, node in tree.value.items():
        if key == "targets" and isinstance(node.value, dict):
            rendered = {
                name: _rendered(reading, child, (key, name), values) if name == wanted else child
                for name, child in node.value.items()
            }
            children[key] = Node(rendered, node.file, node.line)
        elif key != "vars":
            children[key] = _rendered(reading, node, (key,), values)
    return Node(children, tree.file, tree.line)


def _rendered(reading: _Reading, node: Node, path: tuple[str | int, ...], values: FileValues) -> Node:
    if isinstance(node.value, dict):
        children = {
            key: child if key == "sql" else _rendered(reading, child, (*path, key), values)
            for key, child in node.value.items()
        }
        return Node(children, node.file, node.line)
    if isinstance(node.value, list):
        items = [_rendered(reading, item, (*path, index), values) for index, item in enumerate(node.value)]
        return Node(items, node.file, node.line)
    if not isinstance(node.value, str):
        return node
    try:
        return _wrap(values.render(node.value), node)
    except TemplateError as error:
        reading.problems.append(node.problem(dotted(path), error.message))
        return Node("", node.file, node.line)


def _wrap(value: Any, place: Node) -> Node:
    if isinstance(value, dict):
        value = {str(key): _wrap(child, place) for key, child in value.items()}
    elif isinstance(value, (list, tuple)):
        value = [_wrap(item, place) for item in value]
    return Node(value, place.file, place.line)


# Validation against models ------------------------------------------------------------------------------------


def _checked(
    reading: _Reading,
    tree: Node,
    model: type[ModelT],
    data: Any,
    path: tuple[str | int, ...] = (),
    also_known: Iterable[str] = (),
) -> ModelT | None:
    try:
        return model.model_validate(data)
    except ValidationError as error:
        told: set[tuple[str | int, ...]] = set()
        for item in sorted(error.errors(), key=lambda item: -len(item["loc"])):
            where = (*path, *_node_path(tree.at(path), item["loc"]))
            if not any(other[: len(where)] == where for other in told):  # a mistake below it says it better
                reading.note(tree, where, _explain(item, [*_keys_of(model), *also_known]))
            told.add(where)
        return None


def _node_path(node: Node, location: Sequence[str | int]) -> tuple[str | int, ...]:
    """Pydantic's location as a path in the file: union tags are left out, positions become names."""
    path: list[str | int] = []
    for number, part in enumerate(location):
        here = node.at(path).value
        if isinstance(here, dict) and isinstance(part, int) and part < len(here):
            path.append(list(here)[part])
        elif isinstance(here, dict):
            path += [part] if part in here or number == len(location) - 1 else []
        elif isinstance(here, list) and isinstance(part, int):
            path.append(part)
    return tuple(path)


_PLAIN_WORDS = {
    "missing": "is missing",
    "dict_type": "must be a mapping (key: value)",
    "model_type": "must be a mapping (key: value)",
    "list_type": "must be a list",
    "tuple_type": "must be a list",
}


def _explain(item: Mapping[str, Any], known: Sequence[str]) -> str:
    kind, text = item["type"], str(item["msg"])
    if kind == "extra_forbidden":
        return f"unknown key{_suggest(str(item['loc'][-1]), known)}"
    if kind in _PLAIN_WORDS:
        return _PLAIN_WORDS[kind]
    if kind == "union_tag_invalid":
        return f"{item['ctx']['tag']!r} is not one of {item['ctx']['expected_tags']}"
    if kind == "string_pattern_mismatch":
        return f"{item['input']!r} must be letters, digits, _ and -, and not begin with a digit"
    return text.removeprefix("Value error, ")


def _keys_of(model: type[BaseModel]) -> list[str]:
    schema = model.model_json_schema()
    parts = [schema, *schema.get("$defs", {}).values()]
    return sorted({key for part in parts for key in part.get("properties", {})})


def _suggest(name: str, known: Iterable[str]) -> str:
    near = get_close_matches(name, list(known), n=1, cutoff=0.5)
    return f"; did you mean {near[0]!r}?" if near else ""


def _mapping_value(tree: Node, key: str, default: Any) -> Any:
    node = tree.get(key)
    return node.value if node is not None else default


def _mapping(tree: Node, key: str) -> dict[str, Node]:
    node = tree.get(key)
    return node.value if node and isinstance(node.value, dict) else {}


# Sections -----------------------------------------------------------------------------------------------------


def _read_target(reading: _Reading, tree: Node, name: str) -> Target | None:
    targets = _mapping(tree, "targets")
    types = reading.vocabulary.warehouses
    if not targets and name == "local":
        return replace(_no_target(reading.vocabulary), name=name)
    if name not in targets:
        key = ("target",) if "target" in tree.value else ("targets",)
        reading.note(tree, key, f"there is no target {name!r}{_suggest(name, targets)}")
        return None
    data = targets[name].plain()
    path = ("targets", name)
    if not re.fullmatch(_IDENTIFIER, name):
        reading.note(tree, path, "a target's name is letters, digits, _ and -, and does not begin with a digit")
        return None
    kind = data.pop("type", None) if isinstance(data, dict) else None
    if not isinstance(kind, str) or kind not in types:
        text = f"unknown warehouse {kind!r}{_suggest(str(kind), types)}; one of {', '.join(sorted(types))}"
        reading.note(tree, (*path, "type"), text)
        return None
    options = _checked(reading, tree, types[kind].options, data, path)
    return Target(name, types[kind], options) if options else None


def _no_target(vocabulary: Vocabulary) -> Target:
    """Stands in for a target that could not be read, so that the rest of the file can be looked at."""
    duckdb = vocabulary.warehouses["duckdb"]
    return Target("", duckdb, duckdb.options())


def _read_sources(reading: _Reading, tree: Node, target: Target | None) -> dict[str, Source]:
    sources = {}
    for name, node in _mapping(tree, "sources").items():
        data = node.plain()
        if not isinstance(data, dict):
            reading.note(tree, ("sources", name), "must hold uri, format and columns")
            continue
        if "name" in data:
            reading.note(tree, ("sources", name, "name"), "unknown key; the key above is the name")
        source = _checked(reading, tree, Source, {**data, "name": name}, ("sources", name))
        if source is None:
            continue
        sources[name] = source.model_copy(update={"uri": _absolute(source.uri, reading.root)})
        refusal = target.type.check_source(sources[name]) if target else None
        if refusal:
            key, _, text = refusal.partition(": ")
            reading.note(tree, ("sources", name, *key.split(".")), text)
    return sources


def _absolute(uri: str, root: Path) -> str:
    if "://" in uri:
        return uri.removeprefix("file://") if uri.startswith("file://") else uri
    absolute = os.path.join(root, uri)
    return os.path.normpath(absolute) + ("/" if uri.endswith("/") else "")


def _read_suites(reading: _Reading, tree: Node) -> dict[str, Suite]:
    suites = {}
    for name, node in _mapping(tree, "suites").items():
        suite = _suite(reading, tree, name, node.plain(), ("suites", name))
        if suite is not None:
            suites[name] = suite
    return suites


def _suite(reading: _Reading, tree: Node, name: str, data: Any, path: tuple[str | int, ...]) -> Suite | None:
    suite, problems = read_suite(name, data, reading.root)
    for inner, text in problems:
        reading.note(tree, (*path, *inner), text)
    return None if problems else suite


def _read_clock(reading: _Reading, tree: Node, text: str | None) -> datetime:
    if text is None:
        return datetime.now(UTC)
    if not isinstance(text, str):
        return datetime.now(UTC)  # told by the model of the file
    try:
        clock = datetime.fromisoformat(text)
    except ValueError:
        reading.note(tree, ("as_of",), f"{text!r} is not a time; write 2024-07-01 or 2024-07-01T12:00:00+02:00")
        return datetime.now(UTC)
    return clock.replace(tzinfo=UTC) if clock.tzinfo is None else clock.astimezone(UTC)


# Steps --------------------------------------------------------------------------------------------------------


def _step_nodes(tree: Node) -> list[Node]:
    """The items of ``steps``; none if there are none, or more than may be (which is told already)."""
    node = tree.get("steps")
    return node.value if node and isinstance(node.value, list) and len(node.value) <= MAX_STEPS else []


def _read_steps(reading: _Reading, tree: Node) -> list[tuple[int, Step]]:
    steps: list[tuple[int, Step]] = []
    seen: dict[str, int] = {}
    for index, node in enumerate(_step_nodes(tree)):
        if not isinstance(node.value, dict):
            continue  # told by the model of the file
        step = _read_step(reading, tree, index, node.plain())
        if step is None:
            continue
        if step.id.lower() in seen:
            text = f"the id {step.id!r} is taken by the step in line {seen[step.id.lower()]}"
            reading.note(tree, ("steps", index, "id"), text)
            continue
        seen[step.id.lower()] = node.line
        steps.append((index, step))
    return steps


def _read_step(reading: _Reading, tree: Node, index: int, data: dict[str, Any]) -> Step | None:
    path = ("steps", index)
    types = reading.vocabulary.step_types
    kind = data.get("type")
    step_type = types.get(kind) if isinstance(kind, str) else None
    if isinstance(kind, str) and step_type is None:
        text = f"unknown step type {kind!r}{_suggest(str(kind), types)}; one of {', '.join(sorted(types))}"
        reading.note(tree, (*path, "type"), text)
    core = {key: value for key, value in data.items() if key in StepKeys.model_fields}
    keys = _checked(reading, tree, StepKeys, core, path)
    if step_type is None:
        return None
    rest = {key: value for key, value in data.items() if key not in StepKeys.model_fields}
    if "into" in step_type.options.model_fields:
        rest.setdefault("into", data["id"] if isinstance(data.get("id"), str) else "step")
    options = _checked(reading, tree, step_type.options, rest, path, also_known=StepKeys.model_fields)
    if options is None:
        return None
    if keys is None:  # the rest of the step is looked at all the same
        keys = StepKeys.model_construct(id=str(data.get("id", index)), type=step_type.name)
    core_values = {name: getattr(keys, name) for name in StepKeys.model_fields if name != "type"}
    return Step(type=step_type, options=options, **core_values)


def _read_references(reading: _Reading, tree: Node) -> dict[str, Suite]:
    """Check what steps name (sources, suites, other steps), and read the suites that stand inside steps."""
    inline: dict[str, Suite] = {}
    nodes = _step_nodes(tree)
    ids = {str(node.value["id"].value) for node in nodes if node.get("id")}
    for index, node in enumerate(nodes):
        for need in _as_list(node.get("needs")):
            _check_name(reading, tree, ("steps", index, "needs"), "step", need, ids)
            if node.at(("id",)).value == need:
                reading.note(tree, ("steps", index, "needs"), "a step cannot wait for itself")
        source = node.get("source")
        if source is not None and isinstance(source.value, str):
            _check_name(reading, tree, ("steps", index, "source"), "source", source.value, _mapping(tree, "sources"))
        for key in ("audit", "suite"):
            reference = node.get(key)
            if reference is not None:
                _read_reference(reading, tree, ("steps", index, key), reference.plain(), inline)
    return inline


def _as_list(node: Node | None) -> list[Any]:
    value = node.plain() if node is not None else []
    return value if isinstance(value, list) else [value]


def _check_name(
    reading: _Reading, tree: Node, path: tuple[str | int, ...], what: str, name: Any, known: Iterable[Any]
) -> None:
    names = set(known)
    if not isinstance(name, str) or name not in names:
        reading.note(tree, path, f"there is no {what} {name!r}{_suggest(str(name), names)}")


def _read_reference(
    reading: _Reading, tree: Node, path: tuple[str | int, ...], reference: Any, inline: dict[str, Suite]
) -> None:
    names = [reference] if isinstance(reference, str) else reference
    if isinstance(names, list) and names and all(isinstance(name, str) for name in names):
        for name in names:
            _check_name(reading, tree, path, "suite", name, _mapping(tree, "suites"))
        return
    step = tree.at(path[:2]).get("id")
    suite = _suite(reading, tree, str(step.value) if step else "", reference, path)
    if suite is not None:
        inline[_canonical(reference)] = suite


# Order --------------------------------------------------------------------------------------------------------


def _graph_steps(
    reading: _Reading, tree: Node, spec: PipelineSpec, steps: Sequence[tuple[int, Step]]
) -> dict[int, GraphStep]:
    graph_steps = ((index, _graph_step(reading, tree, spec, index, step)) for index, step in steps)
    return {index: node for index, node in graph_steps if node is not None}


def _graph_step(reading: _Reading, tree: Node, spec: PipelineSpec, index: int, step: Step) -> GraphStep | None:
    def tables(names: Callable[[Any, Any], Iterable[str]]) -> frozenset[tuple[str, ...]]:
        return frozenset(spec.table_key(name) for name in names(step.options, spec))

    try:
        return GraphStep(
            id=step.id,
            reads=tables(step.type.reads),
            writes=tables(step.type.writes),
            judges=tables(step.type.judges),
            needs=step.needs,
            tags=step.tags,
        )
    except TemplateError as error:
        place = ("steps", index, "template") if error.template else ("steps", index, "sql")
        where = f"line {error.line} of the SQL: " if error.line and not error.template else ""
        text = where + (error.reason if not error.template else error.message)
        reading.note(tree, place, "; ".join(part for part in (text, error.hint) if part))
    except PluginError as error:
        reading.note(tree, ("steps", index, "call"), error.message)
    except ValueError as error:
        reading.note(tree, ("steps", index), str(error))
    except KeyError:
        if not reading.problems:  # else: a source or suite that is not there, which is told already
            raise
    return None


def _check_tables(reading: _Reading, tree: Node, spec: PipelineSpec, nodes: Mapping[int, GraphStep]) -> None:
    made = {table for node in nodes.values() for table in node.writes}
    known = made | _external(reading, tree, spec) | _own_tables(spec)
    complete = len(nodes) == len(_step_nodes(tree))
    if not complete:
        return  # a step that could not be read may make the table that seems to be missing
    for index, node in nodes.items():
        for table in sorted((node.reads | node.judges) - known):
            near = _suggest(table[-1], {other[-1] for other in known})
            text = f"reads {'.'.join(table)}, which no step makes"
            text += near or "; if it is there already, declare it under external"
            reading.note(tree, ("steps", index, _reading_key(tree, index)), text)


def _external(reading: _Reading, tree: Node, spec: PipelineSpec) -> set[TableKey]:
    found = set()
    for name in _as_list(tree.get("external")):
        try:
            found.add(spec.table_key(str(name)))
        except ValueError as error:
            reading.note(tree, ("external",), str(error))
    return found


def _own_tables(spec: PipelineSpec) -> frozenset[TableKey]:
    return frozenset(spec.table_key(name) for name in OWN_TABLES)


def _reading_key(tree: Node, index: int) -> str:
    keys = tree.at(("steps", index)).value
    return next((key for key in ("table", "template", "sql", "from", "inputs") if key in keys), "id")


def _check_order(reading: _Reading, tree: Node, graph: Graph, nodes: Mapping[int, GraphStep], steps: int) -> None:
    known = {step.id for step in graph.steps}
    if len(known) < steps or any(need not in known for step in graph.steps for need in step.needs):
        return  # told already
    cycle = graph.cycle()
    if cycle:
        index = next(index for index, node in nodes.items() if node.id == cycle[0])
        reading.note(tree, ("steps", index), f"steps wait for each other: {' -> '.join(cycle)}")
