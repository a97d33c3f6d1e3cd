"""JSON records of a file, one by one, from lines, from arrays, or one after another."""

from __future__ import annotations

import codecs
import re
from collections import deque
from collections.abc import Generator, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from pipekit.errors import SKIP_FILE, BadFileError
from pipekit.files.json_paths import after_blanks, array_closes, end_of
from pipekit.files.json_text import NOT_JSON, problem_of
from pipekit.files.records import TOO_LONG, Record, physical_lines
from pipekit.formats.base import NO_UTF8

if TYPE_CHECKING:
    from pipekit.files.json_broken import Broken


def json_lines(path: Path) -> Iterator[Record]:
    """The records of a JSON lines file: every line that is not blank, and a document over several lines as one.

    What is inside such a document is not a record, also where it fills a line.

    Raises:
        BadFileError: No line holds an object, and one of them shows that a record is not on a line.
    """
    lines = ((number, *line) for number, line in enumerate(physical_lines(path), 1))
    ahead: deque[_Line] = deque()
    in_vain = 0
    shapes: dict[str, int] = {}  # of the lines up to the first object, and where each is first
    while ahead or (line := next(lines, None)):
        number, text, problem = ahead.popleft() if ahead else line  # type: ignore[misc]
        if "object" not in shapes and problem != TOO_LONG:
            shapes.setdefault(_shape(text.strip(_BLANKS)), number)
        if not problem and in_vain < _MOST_IN_VAIN and text.rstrip(_BLANKS).endswith(("{", "[", ",")):
            ahead, inside = _closed(text, ahead, lines)
            in_vain += 0 if inside else len(ahead)
            if inside:
                yield Record(number, "\n".join([text, *inside]), SPREAD)
                continue
        if problem or text.strip(" \t\r"):
            yield Record(number, text, problem)
    if "object" not in shapes and not shapes.keys().isdisjoint(("part", "broken")):
        for odd in ("part", "array", "empty"):
            if odd in shapes:
                raise BadFileError(NO_LINES, line=shapes[odd], hint=NO_LINES_HINT)


def _shape(line: str) -> str:
    """What a line is: an ``object`` or an ``empty`` one, an ``array`` (of objects), ``part`` of records, ``broken``."""
    if line == "{}":
        return "empty"
    if not line or end_of(line, 0) == len(line):
        return "object" if line.startswith("{") else "array" if re.match(r"\[\s*{", line) else "value"
    from pipekit.files.json_broken import is_part

    return "part" if is_part(line) else "broken"


NO_LINES = "no line is a JSON document, and this one looks like a part of an array, or of several records"
"""Why a file of lines is refused in which all may be bad because they are no records."""
NO_LINES_HINT = f"The beginning of the file seems to be damaged: ask for it again, or correct it. {SKIP_FILE}"


_Line = tuple[int, str, str | None]
SPREAD = "is a JSON document over several lines, in a file with a document on each line"
"""Why a document is bad whose parts, of which some may look like records, are on lines of their own."""
_MOST_LINES = 10_000
_MOST_IN_VAIN = 300_000  # lines looked at for the end of a document that has none


def _closed(text: str, ahead: deque[_Line], lines: Iterator[_Line]) -> tuple[deque[_Line], list[str]]:
    """The lines that are still ahead, and those in which the document ends that is open at the end of a line.

    There are none of the latter if the lines below cannot go on with it, as below a record that was cut off.
    """
    passed: deque[_Line] = deque()
    opened, before = _open(text, []), text.rstrip(_BLANKS)[-1]
    while opened and len(passed) < _MOST_LINES and (line := ahead.popleft() if ahead else next(lines, None)):
        passed.append(line)
        found = line[1].strip(_BLANKS)
        if line[2] or (found and not _goes_on(before, opened[-1], found)):
            break
        opened, before = _open(found, opened), found[-1:] or before
    inside = [line[1] for line in passed]
    whole = "\n".join([text, *inside]).strip(_BLANKS)
    if not opened and end_of(whole, 0) == len(whole):
        return ahead, inside
    passed.extend(ahead)
    return passed, []


def _open(text: str, opened: list[str]) -> list[str]:
    """The brackets that are open behind a text, given those before it."""
    found = [*opened]
    for token in _TOKEN.finditer(text):
        if token[0] in ("{", "["):
            found.append(token[0])
        elif token[0] in ("}", "]") and found:
            found.pop()
    return found


def _goes_on(before: str, bracket: str, text: str) -> bool:
    """Whether a line can be next in a document, by what is before it and the bracket that is open."""
    if text[0] in "}],":
        return True
    if bracket == "{" and before in "{,":
        return text[0] == '"'
    return before in "{[,:" or text[0] == ":"


def json_documents(path: Path) -> Iterator[Record]:
    """Documents one after another, over lines or without line ends between them, and the elements of each array.

    Raises:
        BadFileError: It is not clear where a broken document ends, so that good ones might be lost with it.
    """
    data = path.read_bytes().removeprefix(codecs.BOM_UTF8)
    documents = _Documents(data.decode(errors=_ESCAPED), is_whole=_is_utf_8(data))
    position = documents.begin()
    while position is not None:
        position = yield from documents.next(position)


_ESCAPED = "surrogateescape"  # keeps bytes that are not UTF-8, each as one character


def _is_utf_8(text: bytes) -> bool:
    try:
        text.decode()
    except UnicodeDecodeError:
        return False
    return True


class _Documents:
    """The documents of a text.

    Args:
        text: The text.
        is_whole: Whether no byte of it is held as an escape.
    """

    def __init__(self, text: str, *, is_whole: bool) -> None:
        self._text = text
        self._is_whole = is_whole
        self._line, self._counted = 1, 0
        self._number = 0
        self._broken: Broken | None = None

    def begin(self) -> int | None:
        """Where the first document begins."""
        return self._start(0)

    def _start(self, at: int) -> int | None:
        at = after_blanks(self._text, at)
        return at if at < len(self._text) else None

    def next(self, at: int) -> Generator[Record, None, int | None]:
        """The document that begins at ``at``, or the elements of the array; gives where the next one begins."""
        end = yield from self._elements(at) if self._text[at] == "[" else self._one(at)
        return self._start(end)

    def _one(self, at: int) -> Generator[Record, None, int]:
        end = end_of(self._text, at)
        behind = self._start(end) if end is not None else None
        is_broken = end is None or (behind is not None and self._text[behind] not in "{[")
        if is_broken:
            end = self._end_of_one(at, behind)
        assert end is not None
        yield self._record(at, end, broken=is_broken)
        return end

    def _elements(self, at: int) -> Generator[Record, None, int]:
        self._broken = None
        self._number = 0
        first = position = after_blanks(self._text, at + 1)
        mark = "["
        while mark != "]" and not (mark == "[" and array_closes(self._text, position)):
            has_comma = mark in "[,"
            end = end_of(self._text, position)
            behind = after_blanks(self._text, end) if end is not None else len(self._text)
            mark = self._text[behind : behind + 1]
            is_alone = mark in ("{", "[") and mark == self._text[position]  # a comma is missing
            is_broken = not (mark == "," or is_alone or array_closes(self._text, behind) or self._is_last(behind))
            if is_broken:
                if end is not None and mark == "]" and self._is_over(position, behind):
                    self._refuse_rest(position)
                end = self._broken_end(position, first)
                behind = after_blanks(self._text, end)
                mark = self._text[behind]
            assert end is not None
            yield self._record(position, end, broken=is_broken, has_comma=has_comma)
            begun, position = position, behind if is_alone else after_blanks(self._text, behind + 1)
            if self._text[position : position + 1] == '"' and self._text[begun] == "{" and not is_broken:
                self._refuse_closed_early(begun, position)
        return position if mark == "]" else position + 1

    def _is_last(self, at: int) -> bool:
        """Whether the array ends there, and nothing follows but its bracket again."""
        return self._text[at : at + 1] == "]" and re.compile(_ONLY_BRACKETS).match(self._text, at) is not None

    def _is_over(self, at: int, bracket: int) -> bool:
        """Whether the bracket behind a whole element is the array's own: a comma and another array follow it."""
        comma = after_blanks(self._text, bracket + 1)
        if self._text[at] == "[" or self._text[comma : comma + 1] != ",":
            return False
        return self._text.startswith("[", after_blanks(self._text, comma + 1))

    def _refuse_rest(self, at: int) -> None:
        from pipekit.files.json_broken import refusal

        raise refusal(self._text, at, self._line_of(at), self._number + 1)

    def _record(self, start: int, end: int, *, broken: bool, has_comma: bool = True) -> Record:
        self._line, self._counted = self._line_of(start), start
        self._number += 1
        raw = self._text[start:end]
        if not self._is_whole and not _is_utf_8(data := raw.encode(errors=_ESCAPED)):
            return Record(self._line, data.decode(errors="replace"), NO_UTF8)
        problem = problem_of(raw)[1] or NOT_JSON if broken else None
        return Record(self._line, raw, problem if has_comma or problem else _NO_COMMA)

    def _line_of(self, at: int) -> int:
        return self._line + self._text.count("\n", self._counted, at)

    def _refuse_closed_early(self, at: int, behind: int) -> None:
        """Refuse an object behind which another of its keys is, so that what was read may be a part of it."""
        from pipekit.files.json_broken import is_rest, refusal

        if is_rest(self._text, at, behind):
            raise refusal(self._text, behind, self._line_of(behind), self._number + 1)

    def _broken_end(self, at: int, first: int) -> int:
        """Where the broken element ends that begins at ``at``, of an array with its first one at ``first``."""
        from pipekit.files.json_broken import Broken, refusal

        self._broken = self._broken or Broken(self._text, first)
        end = self._broken.end(at)
        if end is None:
            raise refusal(self._text, at, self._line_of(at), self._number + 1)
        return end

    def _end_of_one(self, at: int, behind: int | None) -> int:
        """Where the broken document ends that begins at ``at``; ``behind`` is what follows, if it seems to be whole."""
        from pipekit.files.json_broken import Broken, refusal

        broken = Broken(self._text, after_blanks(self._text, 0), listed=False)
        end = broken.end(at) if behind is None or self._text[behind] in "}]" else None
        if end is None:
            raise refusal(self._text, at, self._line_of(at), None)
        return end


_ONLY_BRACKETS = r"\][ \t\r\n]*\][ \t\r\n]*\Z"
_NO_COMMA = "has no comma before it, as elements of an array must"


def layout_of(first: str) -> str:
    """``array``, ``lines`` or ``documents``, by the first line that is not blank.

    A line that holds a whole document, or a broken one, is the first of many. One that ends where a document is still
    open is the beginning of a document over several lines. Documents in one line have no line ends at all.
    """
    first = first.strip(_BLANKS).removeprefix("\ufeff")
    if first.startswith("["):
        return "array"
    end = end_of(first, 0)
    if end is None:
        return "documents" if first.endswith(("{", "[", ",")) or _SEVERAL.search(first) else "lines"
    rest = first[end:].lstrip(_BLANKS)
    several = (first.startswith("{") and rest.startswith("{")) or (rest and _SEVERAL.search(first))
    return "documents" if several else "lines"


_SEVERAL = re.compile(r'}[ \t]*{[ \t]*"')
_BLANKS = " \t\r\n"
_TOKEN = re.compile(r'"(?:[^"\\]|\\.)*"|[\[\]{},]', re.DOTALL)
