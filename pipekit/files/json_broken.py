"""Where reading can start again behind a broken document, so that it costs none of the good ones behind it.

A lost quote turns texts inside out, a lost bracket shifts all that follows, and a list inside a record looks like the
list of records. So an end is believed only where the document behind it is whole, and either all that follows is, or
something besides says that the broken document ends there: its brackets, quotes apart, or its place on the line.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import NamedTuple

from pipekit.errors import BadFileError, short
from pipekit.files.json_paths import after_blanks, array_closes, end_of
from pipekit.files.json_text import NOT_JSON, TOO_EARLY, problem_of

_COMMA = re.compile(r",[ \t\r\n]*(?=[{\[])")
_NEXT = re.compile(r"(?<=[^:,\[{ \t\r\n])[ \t\r\n]*(?=[{\[])")
_TOKEN = re.compile(r'"(?:[^"\\]|\\.)*"|[\[\]{},"]', re.DOTALL)  # a quote by itself opens a text that never ends
_BEGINS = re.compile(r"""\[|{[ \t\r\n]*(?:"(?:[^"\\]|\\.)*"|'[^']*'|\w+)[ \t\r\n]*:""")
_SEAM = re.compile(r"\][ \t\r\n]*\[[ \t\r\n]*[{\[]")
_EMPTY = re.compile(r"{[ \t\r\n]*}")
_FIRST_KEY = re.compile(r'{[ \t\r\n]*("(?:[^"\\]|\\.)*")[ \t\r\n]*:')


class _Run(NamedTuple):
    """Whole documents one after another.

    Attributes:
        end: Where they end.
        closes: Whether nothing else follows them.
        goes_on: Whether another document should follow, which is broken.
    """

    end: int
    closes: bool
    goes_on: bool


class Broken:
    """The ends of broken documents in a text.

    Args:
        text: The text.
        listed: Whether the documents are elements of a list; else they are one after another.
        inside: Whether the list is inside of a document, so that more than its bracket may follow.
    """

    def __init__(self, text: str, *, listed: bool = True, inside: bool = False) -> None:
        self._text = text
        self._listed = listed
        self._inside = inside
        self._sure = -1  # up to there each place where brackets agree is an end
        self._by_tokens = False

    def end(self, at: int) -> int | None:
        """Where the broken document ends that begins at ``at``; ``None`` if good ones might be lost with it."""
        end = self._end(at)
        key = None if self._listed or end is None else _FIRST_KEY.match(self._text, at)
        if key and re.compile(r"\n{[ \t\r\n]*" + re.escape(key[1])).search(self._text, at, end or 0):
            return None  # one that begins a line like it may be a whole one
        if self._listed and end is not None and _SEAM.search(self._text, at, end):
            return None  # elements of another array may be in it
        return end

    def _end(self, at: int) -> int | None:
        if self._listed and self._text[at : at + 1] == ",":
            return at  # there is nothing between two commas
        level = None  # the first place where as many brackets are closed as opened
        token = self._token_end(at)
        passed = at
        for start, here, depth in self._places(at):
            if depth == 0 and level is None and _BEGINS.match(self._text, here):
                level = start
            if start <= self._sure:
                if level is not None or start == self._sure:
                    return start
                continue
            if here < passed or _EMPTY.match(self._text, here):  # brackets alone show nothing
                continue
            run = self._run(here)
            passed = max(run.end, here)
            agrees = depth == 0 or start == token or self._is_aligned(at, start, here)
            if (agrees and (run.closes or run.goes_on)) or (run.closes and self._looks_alike(at, start, here)):
                self._sure = start
                return start if level is None else level
            if run.closes or run.goes_on:
                return None
        return self._last(at, level, token)

    def _places(self, at: int) -> Iterator[tuple[int, int, int]]:
        """Where a document may end, where the next one then begins, and how many brackets are open between."""
        depth, counted = 0, at
        for match in (_COMMA if self._listed else _NEXT).finditer(self._text, at + 1):
            depth += self._opened(counted, match.start())
            counted = match.start()
            yield match.start(), match.end(), depth

    def _opened(self, start: int, end: int) -> int:
        count = self._text.count
        return sum(count(each, start, end) for each in "{[") - sum(count(each, start, end) for each in "}]")

    def _run(self, at: int) -> _Run:
        first = at
        while (end := end_of(self._text, at)) is not None:
            at = after_blanks(self._text, end)
            if self._closes(at):
                return _Run(at, True, False)
            mark = self._text[at : at + 1]
            if mark != "," if self._listed else mark not in ("{", "["):
                return _Run(at, False, False)
            at = after_blanks(self._text, at + 1) if self._listed else at
        return _Run(at, False, at > first)

    def _closes(self, at: int) -> bool:
        """Whether the last document has ended."""
        if not self._listed:
            return at == len(self._text)
        return array_closes(self._text, at) or (self._inside and self._text[at : at + 1] == "]")

    def _is_aligned(self, at: int, start: int, here: int) -> bool:
        """Whether two documents are at the same place of different lines: no text holds a line end."""
        blanks = self._text[start + self._listed : here]
        return "\n" in blanks and self._text.endswith(blanks, 0, at)

    def _looks_alike(self, at: int, start: int, here: int) -> bool:
        """Whether the document behind can be no part of the broken one: that has none in it, and they begin alike."""
        if self._inside or self._text.find("{", at + 1, start) >= 0:
            return False
        broken, behind = _FIRST_KEY.match(self._text, at), _FIRST_KEY.match(self._text, here)
        return broken is None or (behind is not None and broken[1] == behind[1])

    def _token_end(self, at: int) -> int | None:
        """Where the next comma or bracket of the list is, as far as quotes and brackets show."""
        depth = 0
        for token in _TOKEN.finditer(self._text, at):
            mark = token[0]
            if depth == 0 and self._listed and mark in (",", "]"):
                return token.start()
            depth += (mark in ("[", "{")) - (mark in ("]", "}"))
            if depth < 0:
                return None
            if depth == 0 and not self._listed and mark in ("]", "}"):
                return token.end()
        return None

    def _last(self, at: int, level: int | None, token: int | None) -> int | None:
        """The end where no whole document follows: the text's own end, if nothing is cut off there."""
        end = len(self._text.rstrip(" \t\r\n"))
        if self._listed:
            closed = not self._inside and self._text[end - 1 : end] == "]" and self._text[at : at + 1] in ("{", "[")
            end = end - 1 if closed else -1
        if end > at:
            opened = self._opened(at, end)
            if opened == 0:
                self._sure = end
                return end if level is None else level
            alone = (_COMMA if self._listed else _NEXT).search(self._text, at + 1, end) is None
            if alone and (opened < 0 or not self._listed):
                return end
        return token if self._closed_by_tokens(at) else None

    def _closed_by_tokens(self, at: int) -> bool:
        """Whether the list, or the document, is closed where quotes and brackets say so."""
        if self._by_tokens:
            return True
        depth = 0
        for token in _TOKEN.finditer(self._text, at):
            mark = token[0]
            if depth == 0 and mark == "]" and self._listed:
                self._by_tokens = self._closes(token.start())
                return self._by_tokens
            depth += (mark in ("[", "{")) - (mark in ("]", "}"))
            if depth < 0 or mark == '"':
                return False
        return False


_WAY_OUT = (
    "Ask for the whole file again, or correct it; `on_bad_file: skip` loads the others without it. In files with a "
    "document on each line a broken one costs itself alone."
)


def is_brackets(text: str, at: int) -> bool:
    """Whether nothing but brackets is between a document and the next one: then it has one too many."""
    return re.compile(r"[}\] \t\r\n]*(?:[{\[]|\Z)").match(text, at) is not None


def is_rest(text: str, at: int, behind: int) -> bool:
    """Whether a key and a value behind an object seem to be its own, so that it was closed too early.

    If it has that key itself, the key is of another object, whose bracket was lost.

    Args:
        text: The text.
        at: Where the object begins.
        behind: Where a text begins behind it.
    """
    key = re.compile(r'("(?:[^"\\]|\\.)*")[ \t\r\n]*:').match(text, behind)
    return key is not None and json.loads(key[1], strict=False) not in json.JSONDecoder().raw_decode(text, at)[0]


def refusal(text: str, at: int, line: int, element: int | None) -> BadFileError:
    """Why a file is refused in which good documents might be lost with a broken one.

    Args:
        text: The text.
        at: Where the broken document begins.
        line: The line of that.
        element: Which element of an array it is, from 1.
    """
    end = end_of(text, at)
    behind = after_blanks(text, end) if end is not None else at
    if behind >= len(text):
        where = f"before element {element:,}" if end is None else f"behind element {element:,}"
        return BadFileError(f"the array is cut off {where}, and what followed is lost", line=line, hint=_WAY_OUT)
    if element is not None and text[behind] == "]":
        found = short(text[after_blanks(text, behind + 1) :], 20)
        return BadFileError(f"{found!r} follows the array", line=line, hint=_WAY_OUT)
    which = "a document" if element is None else f"element {element:,} of the array"
    problem = problem_of(text[at:])[1] or NOT_JSON
    if element is not None and problem.endswith(TOO_EARLY):
        return BadFileError(
            f"the array is cut off in element {element:,}, and what followed is lost", line=line, hint=_WAY_OUT
        )
    reason = f"{which} {problem}; where the next one begins is not clear, so that good ones might be lost"
    return BadFileError(reason, line=line, hint=_WAY_OUT)
