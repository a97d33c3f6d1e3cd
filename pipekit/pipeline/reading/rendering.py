"""From the file to one rendered tree, with its lines: shared files are included, then values are rendered."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from pipekit.clock import holds_bare_clock, holds_clock
from pipekit.errors import Problem, SpecError, TemplateError
from pipekit.pipeline.model import Vocabulary
from pipekit.pipeline.reading.spots import spot
from pipekit.pipeline.reading.tree import Node, dotted, read_yaml
from pipekit.pipeline.reading.values import FileValues
from pipekit.quality.custom_sql import QUERY
from pipekit.scrubbing import hide_environment, texts_in
from pipekit.sql.sandbox import Variables

_NOT_SET = re.compile(r"\bthe variable '[^']*' is not set")
SHARED_SECTIONS = ("vars", "targets", "suites", "sources", "notify")
SQL_KEYS = ("sql", "where")  # rendered when they are translated, with values as literals


@dataclass
class Reading:
    """One reading of one file: its tree, as far as it is rendered, and every mistake so far.

    Attributes:
        path: The file.
        root: The project's root.
        vocabulary: What plugins add to the language.
        tree: The file as a tree; replaced as includes are put in and values are rendered.
        problems: The mistakes.
        doubts: What is probably a mistake and may be meant.
        given: Which of ``target`` and ``as_of`` were given beside the file, so that it is not to blame for them.
        absent: Mistakes about keys that are missing, by the places of those keys.
        misspelt: Places of keys that are written otherwise, as was noted; so they are not missing.
        variables: The values of ``vars``, once they are rendered.
        clock: The run's clock, as far as it is known.
    """

    path: Path
    root: Path
    vocabulary: Vocabulary
    tree: Node
    problems: list[Problem] = field(default_factory=list)
    doubts: list[Problem] = field(default_factory=list)
    given: Collection[str] = ()
    absent: dict[Sequence[str | int], Problem] = field(default_factory=dict)
    misspelt: set[Sequence[str | int]] = field(default_factory=set)
    variables: Variables = field(default_factory=lambda: Variables({}))
    clock: datetime = field(default_factory=lambda: datetime.now(UTC))

    @classmethod
    def of(cls, path: Path, root: Path, vocabulary: Vocabulary) -> Reading:
        """Begin to read a file.

        Raises:
            SpecError: It cannot be read, is not YAML, or is empty, or no mapping.
        """
        tree = read_yaml(path, shown_name(path))
        if tree.value is None or tree.value in ({}, []):
            raise SpecError([tree.problem("", "is empty; a pipeline needs a name and steps")])
        if not isinstance(tree.value, dict):
            found = "a list" if isinstance(tree.value, list) else "a single value"
            raise SpecError([tree.problem("", f"is {found}; a pipeline is a mapping: name: ..., steps: [...]")])
        return cls(path, root, vocabulary, tree)

    def note(self, path: Sequence[str | int], text: str) -> None:
        """Note a mistake at a place of the file."""
        self.problems.append(self.tree.at(path).problem(_shown(self.tree, path), text))

    def doubt(self, path: Sequence[str | int], text: str) -> None:
        """Note what is probably a mistake at a place of the file, and may be meant."""
        self.doubts.append(self.tree.at(path).problem(_shown(self.tree, path), text))

    def note_absent(self, path: Sequence[str | int], text: str, place: Sequence[str | int] | None = None) -> None:
        """Note that a key is missing: at ``place``, or where it would be."""
        self.note(path if place is None else place, text)
        self.absent[tuple(path)] = self.problems[-1]

    def causes(self) -> list[Problem]:
        """The mistakes, without those that are gone once a key is spelt as was proposed, or ``vars`` is a mapping."""
        gone = [problem for path, problem in self.absent.items() if path in self.misspelt]
        if self.has_noted(("vars",)):
            gone += [problem for problem in self.problems if _NOT_SET.search(problem.text)]
        return [problem for problem in self.problems if problem not in gone]

    def has_noted(self, path: Sequence[str | int]) -> bool:
        """Whether a mistake is noted at this very place, so that the value there is not the one that was meant."""
        shown = _shown(self.tree, path)
        return any(problem.key == shown for problem in self.problems)

    def has_noted_below(self, path: Sequence[str | int]) -> bool:
        """Whether a mistake is noted in a value below this place, so that the whole may be right without it."""
        shown = _shown(self.tree, path)
        return bool(shown) and any(problem.key.startswith((f"{shown}.", f"{shown}[")) for problem in self.problems)

    def note_sql(self, path: Sequence[str | int], error: TemplateError, file: Path | None) -> None:
        """Note a mistake in SQL at its own place: in the template's file, or in the text of this file.

        Args:
            path: The key that holds the SQL, or names the template.
            error: The mistake.
            file: The template's file, if the SQL is one.
        """
        self.problems.append(self._in_sql(path, error, file))

    def doubt_sql(self, path: Sequence[str | int], error: TemplateError, file: Path | None) -> None:
        """Note what is probably a mistake in SQL; see ``note_sql``."""
        self.doubts.append(self._in_sql(path, error, file))

    def _in_sql(self, path: Sequence[str | int], error: TemplateError, file: Path | None) -> Problem:
        text = "; ".join(part for part in (error.reason, error.hint) if part)
        key, node = _shown(self.tree, path), self.tree.at(path)
        if file is not None and error.line:
            return Problem(shown_name(file), error.line, key, text, error.column or 0)
        found = spot(node, error.line, error.column or 1) if error.line and not error.template else None
        if found is not None:
            return Problem(node.file, found[0], key, text, found[1] if error.column else 0)
        where = f"line {error.line} of the SQL: " if error.line and not error.template else ""
        return node.problem(key, f"{where}{error.template}: {text}" if error.template else where + text)

    def note_given(self, name: str, path: Sequence[str | int], text: str) -> None:
        """Note a mistake in what may have been given beside the file."""
        if name in self.given:
            self.problems.append(Problem(name, 0, "", text))
        else:
            self.note(path, text)

    def mapping(self, key: str) -> dict[str, Node]:
        """The children of a section; none if it is missing or not a mapping."""
        return _children(self.tree, key)

    def value(self, key: str, default: Any) -> Any:
        """The scalar under a key of the top level, or ``default``."""
        node = self.tree.get(key)
        return node.value if node is not None else default


def shown_name(path: Path) -> str:
    """A file's name in messages: relative to the current folder, if it is below."""
    try:
        return path.resolve().relative_to(Path.cwd()).as_posix()
    except ValueError:
        return str(path)


def _shown(tree: Node, path: Sequence[str | int]) -> str:
    """A path for messages: a step by its id, not by its position."""
    if len(path) < 2 or path[0] != "steps":
        return dotted(path)
    step = tree.at(path[:2]).get("id")
    return dotted(("steps", step.value, *path[2:]) if step and isinstance(step.value, str) else path)


def _children(tree: Node, key: str) -> dict[str, Node]:
    node = tree.get(key)
    return node.value if node and isinstance(node.value, dict) else {}


def as_list(node: Node | None) -> list[Any]:
    """A list as it is, a single value as a list of one, nothing as an empty list."""
    value = node.plain() if node is not None else []
    return value if isinstance(value, list) else [value]


def put_in_includes(reading: Reading) -> None:
    """Put the sections of shared files before the file's own, so that its own vars can build on shared ones."""
    tree = reading.tree
    shared: dict[str, dict[str, Node]] = {key: {} for key in SHARED_SECTIONS}
    for name in as_list(tree.get("include")):
        if isinstance(name, str):
            for key, children in _read_shared(reading, name).items():
                shared[key].update(children)
    merged = {}
    for key, children in shared.items():
        own = tree.get(key)
        if children and (own is None or isinstance(own.value, dict)):
            place = tree.at((key,))
            merged[key] = Node({**children, **(own.value if own else {})}, place.file, place.line)
    reading.tree = Node({**tree.value, **merged}, tree.file, tree.line)


def _read_shared(reading: Reading, name: str) -> dict[str, dict[str, Node]]:
    try:
        path = (reading.root / name).resolve()
        if not path.is_relative_to(reading.root.resolve()):
            reading.note(("include",), f"{name} is outside the project {reading.root}")
            return {}
        shared = read_yaml(path, shown_name(path))
    except ValueError as error:
        reading.note(("include",), f"{name!r} is not the name of a file: {error}")
        return {}
    except SpecError as error:
        if not path.exists():
            reading.note(("include",), f"{name}: there is no such file")
        else:
            reading.problems.extend(error.problems)
        return {}
    if not isinstance(shared.value, dict):
        reading.problems.append(shared.problem("", f"must hold {', '.join(SHARED_SECTIONS)}"))
        return {}
    for key, node in shared.value.items():
        if key not in SHARED_SECTIONS:
            text = f"a shared file holds only {', '.join(SHARED_SECTIONS)}"
            reading.problems.append(node.problem(dotted((key,)), text))
        elif not isinstance(node.value, dict):
            reading.problems.append(node.problem(dotted((key,)), "must be a mapping"))
    return {key: _children(shared, key) for key in SHARED_SECTIONS}


def render_variables(reading: Reading, given: Mapping[str, Any]) -> Variables:
    """The values of ``vars``, each able to use those above it; ``given`` ones win."""
    known = Variables(given)
    secret: set[str] = set()
    for name, node in reading.mapping("vars").items():
        known.used.add(name)
        if _takes_environment(node, secret):
            secret.add(name)
            for text in texts_in(given.get(name, [])):
                hide_environment(text)
        if name not in given:
            values = FileValues(known, reading.vocabulary.template_globals, reading.root)
            known[name] = _rendered(reading, node, ("vars", name), values).plain()
    return known


_CALL = re.compile(r"""\b(?:(env)|var)\s*\(\s*['"](\w+)""")


def _takes_environment(node: Node, known: Collection[str]) -> bool:
    """Whether a variable takes its value from the environment, itself or by one of the ``known`` ones that do.

    Another value that is given for it is a secret as that one is.
    """
    calls = (found for text in texts_in(node.plain()) for found in _CALL.finditer(text))
    return any(call[1] or call[2] in known for call in calls)


def render_tree(reading: Reading, values: FileValues, target: str | None) -> None:
    """Render everything but ``vars`` (they are rendered already), what is for targets that are not chosen, and SQL."""
    tree = reading.tree
    children = dict(tree.value)
    own = _rendered(reading, children["target"], ("target",), values).plain() if "target" in children else "local"
    chosen = target or own
    for key, node in tree.value.items():
        if key == "targets" and isinstance(node.value, dict):
            rendered = {
                name: _rendered(reading, child, (key, name), values) if name == chosen else child
                for name, child in node.value.items()
            }
            children[key] = Node(rendered, node.file, node.line)
        elif key == "notify" and isinstance(node.value, dict):
            told = {name: child for name, child in node.value.items() if _is_told(child, str(chosen))}
            rendered = {name: _rendered(reading, child, (key, name), values) for name, child in told.items()}
            children[key] = Node(rendered, node.file, node.line)
        elif key != "vars":
            children[key] = _rendered(reading, node, (key,), values)
    reading.tree = Node(children, tree.file, tree.line)


def _is_told(receiver: Node, target: str) -> bool:
    """Whether a receiver gets alerts of runs on a target."""
    targets = as_list(receiver.get("targets")) if isinstance(receiver.value, dict) else []
    return not targets or target in targets


def _rendered(reading: Reading, node: Node, path: tuple[str | int, ...], values: FileValues) -> Node:
    if isinstance(node.value, dict):
        children = {
            key: child if key in SQL_KEYS else _rendered(reading, child, (*path, key), values)
            for key, child in node.value.items()
        }
        return Node(children, node.file, node.line)
    if isinstance(node.value, list):
        items = [_rendered(reading, item, (*path, index), values) for index, item in enumerate(node.value)]
        return Node(items, node.file, node.line)
    if not isinstance(node.value, str):
        return node
    if path[-1] == QUERY:
        return _rendered_query(reading, node, path, values)
    try:
        value = values.render(node.value)
        if holds_clock(value) and not _may_move(path):
            raise TemplateError(_NO_CLOCK)
        if _names_files(path) and isinstance(value, str) and holds_bare_clock(value):
            raise TemplateError(_NO_DATE)
        return node if value == node.value else _wrap(value, node)
    except TemplateError as error:
        reading.note(path, error.message)
        return Node("", node.file, node.line)


_NO_CLOCK = (
    "the run's clock (as_of) is not allowed here: it may be used in uri, pattern and exclude of a source, in move_to,"
    " in the arguments of a suite, and in SQL"
)


_NO_DATE = (
    "as_of alone is a time with colons and an offset (2024-01-02T00:00:00+00:00), which names no file; give its"
    " format: as_of | date('YYYY-MM-DD')"
)


def _names_files(path: tuple[str | int, ...]) -> bool:
    """Whether a value that may depend on the run's clock is the name of a file or folder, or a pattern of names."""
    return path[0] == "sources" or path[2:] == ("move_to",)


def _may_move(path: tuple[str | int, ...]) -> bool:
    """Whether a value may depend on the run's clock, which is known only when the step is run."""
    if path[0] == "sources":
        return len(path) > 2 and path[2] in ("uri", "pattern", "exclude")
    if path[0] == "steps" and path[2:] == ("move_to",):
        return True
    in_suite = len(path) > 2 and (path[0] == "suites" or (path[0] == "steps" and path[2] in ("audit", "suite")))
    return in_suite and path[-1] not in ("name", "severity", "engine")


def _rendered_query(reading: Reading, node: Node, path: tuple[str | int, ...], values: FileValues) -> Node:
    try:
        return replace(node, value=values.query(node.value))
    except TemplateError as error:
        reading.note_sql(path, error, None)
        return Node("", node.file, node.line)


def _wrap(value: Any, place: Node) -> Node:
    if isinstance(value, dict):
        value = {str(key): _wrap(child, place) for key, child in value.items()}
    elif isinstance(value, (list, tuple)):
        value = [_wrap(item, place) for item in value]
    return Node(value, place.file, place.line)
