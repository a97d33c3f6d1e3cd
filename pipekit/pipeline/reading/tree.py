"""YAML as a tree of values that know their file and line.

Habits of YAML 1.2: ``no``, ``on`` and dates stay strings; duplicate keys and tags are refused. A file that unfolds
to more than ``MAX_NODES`` values (aliases of aliases of aliases) is refused before it costs memory.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from pipekit.errors import Problem, SpecError
from pipekit.pipeline.reading.invisible import around
from pipekit.pipeline.reading.typographic import typographic, with_equals_sign

MAX_NODES = 200_000
MAX_DEPTH = 40
MAX_BYTES = 8 * 1024 * 1024
_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_CORE_TAGS = {f"tag:yaml.org,2002:{name}" for name in ("str", "map", "seq")}
_NULL = re.compile(r"~|null|Null|NULL|")
_BOOL = re.compile(r"true|True|TRUE|false|False|FALSE")
_INT = re.compile(r"[-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+")
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?|[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)")
Path_ = Sequence[str | int]


@dataclass(frozen=True, slots=True)
class Node:
    """A value in a YAML file.

    Attributes:
        value: A scalar, a dict of nodes, or a list of nodes.
        file: The file, as the user named it.
        line: 1-based line of the value, or of its key where it has one.
        size: Values in this tree, itself included, with aliases unfolded.
        depth: Levels below this one, with aliases unfolded.
        span: Where a scalar begins and ends in the file, in characters.
    """

    value: Any
    file: str
    line: int
    size: int = 1
    depth: int = 0
    span: tuple[int, int] | None = None

    def plain(self) -> Any:
        """The same tree as dicts, lists and scalars."""
        if isinstance(self.value, dict):
            return {key: child.plain() for key, child in self.value.items()}
        if isinstance(self.value, list):
            return [child.plain() for child in self.value]
        return self.value

    @property
    def is_empty(self) -> bool:
        """Whether nothing is written after the key; ``null`` is something."""
        return self.value is None and self.span is not None and self.span[0] == self.span[1]

    def at(self, path: Path_) -> Node:
        """The node at the end of ``path``, or the deepest one on the way that exists."""
        node = self
        for part in path:
            children = node.value
            if isinstance(children, dict) and part in children:
                node = children[part]
            elif isinstance(children, list) and isinstance(part, int) and part < len(children):
                node = children[part]
            else:
                break
        return node

    def get(self, key: str) -> Node | None:
        """The child of that name, if this is a mapping that has one."""
        return self.value.get(key) if isinstance(self.value, dict) else None

    def problem(self, key: str, text: str) -> Problem:
        """A mistake at this place."""
        return Problem(self.file, self.line, key, text)


def read_yaml(path: Path, shown_as: str) -> Node:
    """Read one YAML file.

    Args:
        path: The file.
        shown_as: Its name in messages.

    Raises:
        SpecError: It cannot be read, is not YAML, or uses what is refused.
    """
    try:
        raw = path.read_bytes()
    except OSError as error:
        raise _refused(shown_as, 0, f"cannot be read: {error.strerror or error}") from error
    if len(raw) > MAX_BYTES:
        raise _refused(shown_as, 0, f"is larger than {MAX_BYTES // 1024 // 1024} MiB; a pipeline file is not")
    try:
        text = raw.decode("utf-8-sig")
        return _tree(text, shown_as)
    except UnicodeDecodeError as error:
        line = raw[: error.start].count(b"\n") + 1
        raise _refused(shown_as, line, "is not UTF-8") from error
    except yaml.MarkedYAMLError as error:
        from pipekit.pipeline.reading.broken import broken

        line, reason = broken(error, text)
        raise _refused(shown_as, line, f"not YAML: {reason}") from error
    except yaml.YAMLError as error:
        raise _refused(shown_as, 0, f"not YAML: {error}") from error


def _tree(text: str, file: str) -> Node:
    """The tree of a document.

    libyaml reads a line ahead and has, in some versions, a limit of nesting of its own. Python's loader has none, so
    it reaches ``MAX_DEPTH`` and reports that, and where.
    """
    try:
        return _Builder(text, file).document()
    except yaml.MarkedYAMLError as error:
        if _left_open(text, error) > MAX_DEPTH:
            with suppress(yaml.YAMLError):
                _Builder(text, file, yaml.SafeLoader).document()
        raise


def _left_open(text: str, error: yaml.MarkedYAMLError) -> int:
    """How many brackets of the line in which the loader stopped were still open."""
    line = text[: error.problem_mark.index].rpartition("\n")[2] if error.problem_mark else ""
    return sum(line.count(opening) - line.count(closing) for opening, closing in ("[]", "{}"))


def _refused(file: str, line: int, text: str, key: str = "") -> SpecError:
    return SpecError([Problem(file, line, key, text)])


_COMMA = (
    "{0!r} has no value: inside braces a comma ends a value; quote a value that holds one, as in "
    'type: "number(10,2)" or sql: "select a, b"'
)


class _Builder:
    """Builds the tree from libyaml's events, so that depth and size are checked on the way."""

    def __init__(self, text: str, file: str, loader: Any = _LOADER) -> None:
        self._events: Iterator[Any] = yaml.parse(text, Loader=loader)
        self._text = text
        self._file = file
        self._anchors: dict[str, Node] = {}

    def document(self) -> Node:
        next(self._events)  # stream start
        event = next(self._events)
        if isinstance(event, yaml.StreamEndEvent):
            return Node({}, self._file, 1)
        root = self._node(next(self._events), (), None)
        next(self._events)  # document end
        extra = next(self._events)
        if not isinstance(extra, yaml.StreamEndEvent):
            raise self._error(extra, (), "a second document; one file is one pipeline")
        return root

    def _node(self, event: Any, path: tuple[Any, ...], line: int | None) -> Node:
        line = line or _line(event)
        if isinstance(event, yaml.AliasEvent):
            return self._alias(event, path, line)
        self._refuse_tag(event, path)
        if len(path) > MAX_DEPTH:
            raise self._too_deep(event, path)
        if isinstance(event, yaml.ScalarEvent):
            # Quoted text, blocks and !!str stay text.
            if event.anchor and not event.value and event.implicit[0]:
                text = f"&{event.anchor} is an anchor with nothing after it, so there is no value; quote a text that"
                raise self._error(event, path, f"{text} begins with &")
            self._refuse_typographic(event, path)
            value = plain_scalar(event.value) if event.implicit[0] else event.value
            marks: Any = (event.start_mark, event.end_mark)
            node = Node(value, self._file, line, span=(marks[0].index, marks[1].index))
        elif isinstance(event, yaml.MappingStartEvent):
            node = self._mapping(path, line, flow=bool(event.flow_style))
        else:
            node = self._sequence(path, line)
        if node.size > MAX_NODES:
            raise self._error(event, path, f"unfolds to more than {MAX_NODES:,} values")
        if event.anchor:
            self._anchors[event.anchor] = node
        return node

    def _mapping(self, path: tuple[Any, ...], line: int, *, flow: bool) -> Node:
        event: Any
        children: dict[str, Node] = {}
        while not isinstance(event := next(self._events), yaml.MappingEndEvent):
            if not isinstance(event, yaml.ScalarEvent):
                raise self._error(event, path, self._not_a_key(event))
            key = event.value
            self._refuse_tag(event, (*path, key))
            if event.implicit[0] and (unseen := around(key)):
                raise self._error(event, path, f"a key {unseen}, which YAML does not read as a space; remove it")
            self._refuse_typographic(event, path)
            if key == "<<" and event.implicit[0]:
                raise self._error(event, (*path, key), "YAML 1.2 merges no mappings; write the keys themselves here")
            if key in children:
                raise self._error(event, (*path, key), f"is given twice; first in line {children[key].line}")
            given = next(self._events)
            if flow and self._has_no_colon(event, given):
                raise self._error(event, path, with_equals_sign(key) or _COMMA.format(key))
            children[key] = self._node(given, (*path, key), _line(event))
        return self._parent(children, children.values(), line)

    def _has_no_colon(self, key: Any, given: Any) -> bool:
        """Whether a key in braces has no value: mostly it is the rest of a value that a comma has cut."""
        if not isinstance(given, yaml.ScalarEvent) or given.value or not given.implicit[0]:
            return False
        end: Any = given.end_mark
        return ":" not in self._text[key.end_mark.index : end.index + 1]

    def _not_a_key(self, event: Any) -> str:
        begin = event.start_mark.index
        if self._text[max(begin - 1, 0) : begin + 1] == "{{":
            return "a value that begins with {{ must be quoted, as in \"{{ var('x') }}\""
        return "a key must be plain text"

    def _sequence(self, path: tuple[Any, ...], line: int) -> Node:
        event: Any
        items: list[Node] = []
        while not isinstance(event := next(self._events), yaml.SequenceEndEvent):
            items.append(self._node(event, (*path, len(items)), None))
        return self._parent(items, items, line)

    def _parent(self, value: Any, children: Iterable[Node], line: int) -> Node:
        size = 1 + sum(child.size for child in children)
        depth = 1 + max((child.depth for child in children), default=0)
        return Node(value, self._file, line, size, depth)

    def _alias(self, event: Any, path: tuple[Any, ...], line: int) -> Node:
        target = self._anchors.get(event.anchor)
        if target is None:
            raise self._error(event, path, f"*{event.anchor} names nothing above it; quote a text that begins with *")
        if len(path) + target.depth > MAX_DEPTH:
            raise self._too_deep(event, path)
        return Node(target.value, self._file, line, target.size, target.depth)

    def _refuse_tag(self, event: Any, path: tuple[Any, ...]) -> None:
        if event.tag is not None and event.tag not in _CORE_TAGS and event.tag != "!":
            raise self._error(
                event, path, f"the tag {event.tag} is refused, since tags can run code; quote a text that begins with !"
            )

    def _refuse_typographic(self, event: Any, path: tuple[Any, ...]) -> None:
        if event.implicit[0] and path[-1:] != ("description",) and (text := typographic(event.value)):
            raise self._error(event, path, text)

    def _too_deep(self, event: Any, path: tuple[Any, ...]) -> SpecError:
        return self._error(event, path[:3], f"nested more than {MAX_DEPTH} deep")

    def _error(self, event: Any, path: tuple[Any, ...], text: str) -> SpecError:
        return _refused(self._file, _line(event), text, dotted(path))


def _line(event: Any) -> int:
    return int(event.start_mark.line) + 1


def plain_scalar(text: str) -> Any:
    """What an unquoted scalar means in YAML 1.2: null, a boolean, a number, or the text itself."""
    if _NULL.fullmatch(text):
        return None
    if _BOOL.fullmatch(text):
        return text.lower() == "true"
    if len(text) <= 40 and _INT.fullmatch(text):
        return int(text, 8 if text.startswith("0o") else 16 if text.startswith("0x") else 10)
    if _FLOAT.fullmatch(text):
        return float(text.replace(".inf", "inf").replace(".Inf", "inf").replace(".INF", "inf").replace(".nan", "nan"))
    return text


def dotted(path: Path_) -> str:
    """A path as text: ``steps[2].audit``."""
    text = ""
    for part in path:
        text += f"[{part}]" if isinstance(part, int) else f".{part}" if text else str(part)
    return text
