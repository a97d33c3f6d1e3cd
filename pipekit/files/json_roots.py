"""Records that are below a root in JSON documents, and values of what is above them.

A root is a path in which ``[*]`` takes each element of a list and ``.*`` each value of an object: ``orders[*]``,
``users.*``, ``customers[*].orders[*]``. Without either at its end it is a list of records, or one. The path of a column
may begin with ``^``, the record that holds the list, ``^^``, the one above that, and so on. ``^key`` and ``^index`` are
the key or the place, from 0, under which a record is.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from json.decoder import scanstring  # type: ignore[attr-defined]
from typing import IO, NamedTuple

from pipekit.errors import SKIP_FILE, BadFileError, short
from pipekit.files.json_paths import after_blanks, end_of, member, off_the_way, parse_path
from pipekit.files.json_text import problem_of
from pipekit.source import Column
from pipekit.suggestions import did_you_mean

_PARTS = re.compile(r"\[\*\]|(?:^|\.)\*(?=[.\[]|$)")
_UP = re.compile(r"(\^+)(?:\.(.+)|(key|index))?")
RECORD = "$"
"""The key of a record in a line that also has values of what is above it."""
ODD = "!"
"""The key, in such a line, of what is wrong with a record because a value above it is in the way of a path."""


class Level(NamedTuple):
    """A list or an object of records.

    Attributes:
        steps: Where it is in the record that holds it.
        is_map: Whether it may be an object of records, by their keys.
    """

    steps: tuple[str | int, ...]
    is_map: bool


class Above(NamedTuple):
    """A value above a record.

    Attributes:
        up: How many records above; 1 is the one that holds the list.
        steps: Where the value is in that one.
        place: ``key`` or ``index`` if it is the key or the place under which the record below that one is.
    """

    up: int
    steps: tuple[str | int, ...]
    place: str | None = None


def parse_root(text: str) -> tuple[Level, ...]:
    """The levels of a root, from the document down.

    Raises:
        ValueError: It is no such path.
    """
    levels: list[Level] = []
    start = 0
    for match in _PARTS.finditer(text):
        levels.append(Level(_steps(text[start : match.start()], text), match[0] != "[*]"))
        start = match.end()
    if start < len(text) or not levels:
        levels.append(Level(_steps(text[start:], text), False))
    return tuple(levels)


def _steps(part: str, whole: str) -> tuple[str | int, ...]:
    try:
        if part and not part.startswith(".") and not whole.startswith(part):
            raise ValueError
        return parse_path(part.removeprefix(".")) if part else ()
    except ValueError:
        raise ValueError(f"{whole!r} is not a path like a.b[0].c, a.list[*] or a.map.*") from None


def parse_above(text: str) -> Above | None:
    """What a column's path means if it begins with ``^``; ``None`` if it does not.

    Raises:
        ValueError: It is no such path.
    """
    if not text.startswith("^"):
        return None
    match = _UP.fullmatch(text)
    if match is None:
        raise ValueError(f"{text!r} is not a path like ^.a.b, ^^.a, ^key or ^index")
    return Above(len(match[1]), parse_path(match[2]) if match[2] else (), match[3])


def paths_above(columns: Sequence[Column]) -> tuple[str, ...]:
    """The paths of columns that are above their record."""
    return tuple(dict.fromkeys(column.path for column in columns if column.path and column.path.startswith("^")))


def check_above(text: str, levels: Sequence[Level]) -> str | None:
    """What is wrong with a column's path that begins with ``^``, below such a root."""
    above = parse_above(text)
    if above is None:
        return None
    if not levels:
        return f"{text!r} is above the record, and the format has no `root`"
    if above.up > len(levels):
        return f"{text!r} is {above.up} records up, and the root has {len(levels)}"
    if above.place == "key" and not levels[-above.up].is_map:
        return f"{text!r} is the key in an object of records; write `root: name.*`"
    if above.place == "index" and levels[-above.up].is_map:
        return f"{text!r} is the place in a list, and the root has an object there"
    return None


class _Held(NamedTuple):
    """A document or record, and where it is."""

    start: int
    end: int
    place: str | int | None = None


class Below(NamedTuple):
    """What is asked of records below a root.

    Attributes:
        above: Paths of what else is wanted of the records above. Then a line is an object of the record, under
            ``RECORD``, and of these values, under their paths.
        may_be_missing: Whether a file may have no document with the root, as an empty page of an API.
        cut_broken: Whether a broken element of the list is a line of its own, so that the others are read. Without it,
            and where nothing shows where the element ends, a document with one is refused.
    """

    above: tuple[str, ...] = ()
    may_be_missing: bool = False
    cut_broken: bool = False


_NOT_CUT = (
    f"Correct the file. {SKIP_FILE} `on_error: reject` sets broken elements of a list aside where the "
    "rest of the document is whole, the ends of the elements are clear, and no column's path is above its record."
)
_CORRECT = f"Correct the file or `root`. {SKIP_FILE}"
_OUTSIDE = f"This is outside of the records at the root, so no reject can hold it: correct the file. {SKIP_FILE}"
NO_ROOT = "no document has anything at `root: {}`"


def _on_one_line(text: str, blank: str) -> str:
    """A record without line breaks. In a broken one they may be within a text, where a tab is as bad as they are."""
    return text.replace("\r", blank).replace("\n", blank)


class Documents:
    """The text of a file, and the records in it.

    Args:
        text: The text.
        root: Where the records are.
        uri: For errors.
    """

    def __init__(self, text: str, root: str, uri: str) -> None:
        self._text = text
        self._root = root
        self._levels = parse_root(root)
        self._uri = uri
        self._spans: list[tuple[int, int]] = []
        self._rooted = False  # whether a document has the root's first key
        self._cut: dict[str, str] = {}  # what is in the text for a broken element, and the element
        self._cuts_broken = False

    def write(self, target: IO[bytes], below: Below) -> None:
        """Write the records, one a line, otherwise as they are.

        Raises:
            BadFileError: A document is not JSON, or there is nothing at the root.
        """
        wanted = [(path, parsed) for path in below.above if (parsed := parse_above(path))]
        self._cuts_broken = below.cut_broken and not wanted
        documents = 0
        for document in self._documents():
            documents += 1
            self._spans = []
            for trail in self._below((document,), self._levels):
                record = self._text[trail[-1].start : trail[-1].end]
                self._spans.append((trail[-1].start, trail[-1].end))
                line = self._with_above(record, trail, wanted) if wanted else record
                line = _on_one_line(self._cut[line], "\t") if line in self._cut else _on_one_line(line, " ")
                target.write(line.encode() + b"\n")
            self._check_around(document)
        if documents and not self._rooted and not below.may_be_missing:
            raise self._nothing()

    def _nothing(self) -> BadFileError:
        """The error of a file without the root, with the keys that are where its first missing one would."""
        steps, depth = self._levels[0].steps, 0
        first = next(self._documents())
        value = json.loads(self._text[first.start : first.end])
        while depth < len(steps) and isinstance(value, dict) and steps[depth] in value:
            value, depth = value[steps[depth]], depth + 1
        keys = list(value) if isinstance(value, dict) else []
        near = did_you_mean(str(steps[depth]), keys) if depth < len(steps) else ""
        hint = f"The first document has {short(', '.join(map(repr, keys)), 300)} there." if keys else None
        return BadFileError(NO_ROOT.format(self._root) + near, file=self._uri, value=self._root, hint=hint)

    def _documents(self) -> Iterator[_Held]:
        """Each document, and each element of one that is a list."""
        at = after_blanks(self._text, 0)
        while at < len(self._text):
            end = self._document_end(at)
            if self._text[at] == "[":
                yield from self._elements(at)
            else:
                yield _Held(at, end)
            at = after_blanks(self._text, end)

    def _document_end(self, at: int) -> int:
        try:
            return self._end(at)
        except BadFileError:
            self._cut_broken(at)
        try:
            return self._end(at)
        except BadFileError as error:
            error.hint = _NOT_CUT
            raise

    def _cut_broken(self, at: int) -> None:
        """Put a string in the place of each broken element of the root's list, where that is possible."""
        for start, end in reversed(self._broken_elements(at)):
            element = self._text[start:end]
            stand_in = json.dumps(f"\0{len(self._cut)}")
            self._cut[stand_in] = element
            self._text = self._text[:start] + stand_in + "\n" * element.count("\n") + self._text[end:]

    def _broken_elements(self, at: int) -> list[tuple[int, int]]:
        """Where they are, as far as brackets show; none if the list or the end of one of them cannot be found."""
        if not self._cuts_broken or len(self._levels) != 1 or self._levels[0].is_map:
            return []
        try:
            for step in self._levels[0].steps:
                inner = member(self._text, at, step)
                if inner is None:
                    return []
                at = inner
        except (ValueError, IndexError, RecursionError):
            return []
        return self._broken_of(at) if self._text[at : at + 1] == "[" else []

    def _broken_of(self, at: int) -> list[tuple[int, int]]:
        """The broken elements of the list that begins at ``at``."""
        from pipekit.files.json_broken import Broken

        found: list[tuple[int, int]] = []
        mark, at = ",", after_blanks(self._text, at + 1)
        broken = Broken(self._text, at, inside=True)
        before = at
        while mark == ",":
            if self._text.startswith("{", before) and self._text.startswith('"', at):
                return []  # the one before it may have been closed too early
            end, before = end_of(self._text, at), at
            behind = after_blanks(self._text, end) if end is not None else at
            if end is None or self._text[behind : behind + 1] not in (",", "]", self._text[at]):
                end = broken.end(at)
                if end is None or end == at:
                    return []
                found.append((at, end))
            at = after_blanks(self._text, end)
            mark, at = self._text[at : at + 1], after_blanks(self._text, at + 1)
        return found if mark == "]" else []

    def _end(self, at: int) -> int:
        try:
            return json.JSONDecoder().raw_decode(self._text, at)[1]
        except (ValueError, RecursionError) as error:
            raise self._error(f"is not valid JSON: {error}", getattr(error, "pos", at)) from error

    def _error(self, reason: str, at: int, hint: str = "") -> BadFileError:
        line = 1 + self._text.count("\n", 0, at)
        return BadFileError(reason, file=self._uri, line=line, value=self._root, hint=hint or _CORRECT)

    def _below(self, trail: tuple[_Held, ...], levels: Sequence[Level]) -> Iterator[tuple[_Held, ...]]:
        if not levels:
            yield trail
            return
        for held in self._held(trail[-1], levels[0]):
            yield from self._below((*trail, held), levels[1:])

    def _held(self, parent: _Held, level: Level) -> Iterator[_Held]:
        """The records at a level. Where its last key is missing or null there are none, as in an API's empty page."""
        at = parent.start
        if level.steps and self._text[at] != "{":
            raise self._error("has something that is not a JSON object on the way to the root", at)
        for step in level.steps[:-1]:
            found = member(self._text, at, step)
            if found is None:
                raise self._error(f"there is nothing at `root: {self._root}`", parent.start)
            at = found
        last = member(self._text, at, level.steps[-1]) if level.steps else at
        self._rooted = self._rooted or last is not None
        if last is None or self._text.startswith("null", last):
            return
        if self._text[last] == "[":
            yield from self._elements(last)
        elif self._text[last] == "{" and level.is_map:
            yield from self._values(last)
        else:
            yield _Held(last, self._end(last), None if level.is_map else 0)

    def _elements(self, at: int) -> Iterator[_Held]:
        position, index = after_blanks(self._text, at + 1), 0
        while self._text[position] != "]":
            end = self._end(position)
            yield _Held(position, end, index)
            position, index = self._behind(end), index + 1

    def _values(self, at: int) -> Iterator[_Held]:
        position = after_blanks(self._text, at + 1)
        while self._text[position] == '"':
            key, position = scanstring(self._text, position + 1)
            position = after_blanks(self._text, after_blanks(self._text, position) + 1)
            end = self._end(position)
            yield _Held(position, end, key)
            position = self._behind(end)

    def _behind(self, at: int) -> int:
        """Where the next value begins, or the bracket that closes them."""
        at = after_blanks(self._text, at)
        return after_blanks(self._text, at + 1) if self._text[at] == "," else at

    def _with_above(self, record: str, trail: Sequence[_Held], wanted: Sequence[tuple[str, Above]]) -> str:
        values = [f"{json.dumps(RECORD)}:{record}"]
        odd = None
        for path, above in wanted:
            value = self._value(trail, above)
            values += [f"{json.dumps(path)}:{value}"] if value is not None else []
            if value is None and len(above.steps) > 1:
                odd = odd or self._odd_way(trail[-1 - above.up].start, above.steps)
        values += [f"{json.dumps(ODD)}:{json.dumps(odd)}"] if odd else []
        return "{" + ",".join(values) + "}"

    def _odd_way(self, at: int, steps: Sequence[str | int]) -> str | None:
        """As ``odd_way`` of ``json_text``, without reading all of the record that begins at ``at``."""
        for passed, step in enumerate(steps):
            if passed and self._text[at] != ("[" if isinstance(step, int) else "{"):
                value = json.JSONDecoder().raw_decode(self._text, at)[0]
                return None if value in (None, "", [], {}) else off_the_way(steps, passed)
            inner = member(self._text, at, step)
            if inner is None:
                return None
            at = inner
        return None

    def _value(self, trail: Sequence[_Held], above: Above) -> str | None:
        if above.place:
            place = trail[-above.up].place
            return None if isinstance(place, int) != (above.place == "index") else json.dumps(place)
        at: int | None = trail[-1 - above.up].start
        for step in above.steps:
            at = member(self._text, at, step) if at is not None else None
        return None if at is None else self._text[at : self._end(at)]

    def _check_around(self, document: _Held) -> None:
        """Hold what is around the records to RFC 8259, as the records themselves are."""
        parts, at = [], document.start
        for start, end in self._spans:
            parts += [self._text[at:start], "0"]
            at = end
        parts.append(self._text[at : document.end])
        problem = problem_of("".join(parts))[1]
        if problem:
            raise self._error(problem, document.start, _OUTSIDE)
