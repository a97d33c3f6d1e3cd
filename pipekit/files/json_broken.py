"""Where reading can start again behind a broken document, so that it costs none of the good ones behind it.

An end is believed for one of three reasons: brackets, commas and colons are in order but for what the values look
like; each document begins a line of its own; or as many brackets are closed as opened. A record that is part of another
one is followed by the brackets of that, which are then too many. So nothing is believed where these are, and where an
end is not clear the file is refused.
"""

from __future__ import annotations

import json
import re

from pipekit.errors import SKIP_FILE, BadFileError, short
from pipekit.files.json_paths import after_blanks, array_closes, end_of
from pipekit.files.json_text import NOT_JSON, TOO_EARLY, problem_of

_BLANKS = " \t\r\n"
_NEXT = re.compile(r"[^:{\[ \t\r\n][ \t\r\n]*(?=[{\[])")
_SEAM = re.compile(r"[}\]][ \t\r\n]*[{\[]")  # in no document, but between two
_MARK = re.compile(r'"(?:[^"\\]|\\.)*"(?=[ \t\r\n]*[:,}\]])|[{}\[\]]|,[ \t\r\n]*(?=[{\[])', re.DOTALL)
_FIRST_KEY = re.compile(r'{[ \t\r\n]*("(?:[^"\\]|\\.)*")[ \t\r\n]*:')
_TOKEN = re.compile(r'[ \t\r\n]*(?:([{}\[\],:])|"(?:[^"\\]|\\.)*"|[^ \t\r\n"{}\[\],:]+)', re.DOTALL)
_MOST_IN_VAIN = 5_000_000  # characters looked at for ends that were not found
_OBJECT = re.compile(r'{[ \t\r\n]*"')
_SPREAD = re.compile(r"{[ \t]*\r?\n[ \t]")
_CLOSED = re.compile(r"\n\][ \t\r\n]*\Z")


class Broken:
    """The ends of broken documents in a text.

    Args:
        text: The text.
        first: Where the first of the documents begins.
        listed: Whether the documents are elements of a list; else they are one after another.
        inside: Whether the list is inside of a document, so that more than its bracket may follow.
    """

    def __init__(self, text: str, first: int, *, listed: bool = True, inside: bool = False) -> None:
        self._text = text
        self._listed = listed
        self._inside = inside
        self._has_arrays = text.startswith("[", first)  # among documents
        self._in_vain = 0
        self._indent = self._indent_of(first)

    def end(self, at: int) -> int | None:
        """Where the broken document ends that begins at ``at``; ``None`` if good ones might be lost with it."""
        if at == len(self._text):
            return None
        if self._listed and (self._text[at] == "," or self._closes(at)):
            return at  # there is nothing between two commas, or behind the last one
        end = self._by_tokens(at)
        if end is not None:
            return end
        end = self._by_lines(at)
        end = self._by_brackets(at) if end is None else end
        return None if end is None or self._holds_another(at, end) else end

    def _ends(self, at: int) -> bool:
        """Whether what is at ``at`` can be next to a document."""
        at = after_blanks(self._text, at)
        if self._listed:
            return self._text[at : at + 1] == "," or self._closes(at)
        return self._text[at : at + 1] in ("", "{", "[")

    def _closes(self, at: int) -> bool:
        """Whether the list ends there."""
        return array_closes(self._text, at) or (self._inside and self._text[at : at + 1] == "]")

    def _by_tokens(self, at: int) -> int | None:
        """The end of a value that is JSON but for its texts, names and words, and a comma before a bracket."""
        opened: list[str] = []
        wanted, before, start = "v{[" if self._in_vain < _MOST_IN_VAIN else "", "", at
        while (token := _TOKEN.match(self._text, at)) and (mark := token[1] or "v") in wanted:
            at = token.end()
            if mark in "{[":
                opened.append(mark)
            elif mark in "}]":
                opened.pop()
            if mark == ":":
                wanted = "v{["
            elif mark in "{[,":
                wanted = "v}" if opened[-1] == "{" else "v{[]"
            elif not opened:
                return at if self._ends(at) else None
            else:
                is_name = mark == "v" and opened[-1] == "{" and before in "{,"
                wanted = ":" if is_name else ",}" if opened[-1] == "{" else ",]"
            before = mark
        self._in_vain += at - start
        return None

    def _indent_of(self, at: int) -> str | None:
        """The blanks before a document that begins a line."""
        start = at
        while start and self._text[start - 1] in " \t":
            start -= 1
        return self._text[start:at] if start == 0 or self._text[start - 1] == "\n" else None

    def _by_lines(self, at: int) -> int | None:
        """The end of a document that begins a line, before another that begins one alike: no text holds a line end."""
        indent = self._indent_of(at)
        if indent is None or (self._indent is not None and indent != self._indent):
            return None
        behind = self._text.find(f"\n{indent}{{", at)
        is_last = behind < 0
        if is_last and self._listed:
            closed = _CLOSED.search(self._text, at)
            behind = closed.start() if closed and not self._inside else at
        part = self._text[at : None if is_last and not self._listed else behind].rstrip(_BLANKS)
        is_spread = self._indent if self._listed else _SPREAD.match(part) and part.endswith("\n}")
        if not part or ("\n" in part and not is_spread) or _SEAM.search(part):
            return None
        if not all(line.startswith(indent) for line in part.split("\n")[1:]):
            return None  # the end of another one
        if self._listed and not is_last:
            is_closed = (
                "\n" not in part or part.endswith(f"\n{indent}}},") or self._is_like(at, behind + 1 + len(indent))
            )
            return at + len(part) - 1 if part[-1] == "," and is_closed else None
        return None if "\n" not in part and not self._listed and is_part(part) else at + len(part)

    def _holds_another(self, at: int, end: int) -> bool:
        """Whether a whole document is at the end of a broken one, which then has ended before it."""
        end = at + len(self._text[at:end].rstrip(_BLANKS))
        return any(end_of(self._text, found.end()) == end for found in _NEXT.finditer(self._text, at, end))

    def _by_brackets(self, at: int) -> int | None:
        """The end where as many brackets are closed as opened, but for those in what is surely a text."""
        objects = lists = 0
        has_list = has_several = False
        for match in _MARK.finditer(self._text, at):
            mark, here = match[0][0], match.start()
            is_level = lists == 0 and (objects == 0 or not has_list)
            if mark == '"':
                continue
            if mark == ",":
                if self._listed and is_level and (objects <= 0 or self._is_like(at, match.end())):
                    return here if self._indent_of(at) in (None, self._indent_of(match.end())) else None
                if objects < 1 or lists < 1:
                    return None
                has_several = True
                continue
            if mark == "]" and self._listed and is_level and self._closes(here):
                return here if self._text[at] in "{[" else None
            objects += (mark == "{") - (mark == "}")
            lists += (mark == "[") - (mark == "]")
            has_list = has_list or mark in "[]"
            if self._listed and lists < 0:
                return None
            if not self._listed and _SEAM.match(self._text, here):
                return here + 1 if objects <= 0 and (lists == 0 or (lists < 0 and not self._has_arrays)) else None
        is_clear = lists >= 0 or self._text.startswith("]", at)  # an array's bracket once more
        is_clear = is_clear and (objects == lists == 0 or not has_several)
        return len(self._text.rstrip(_BLANKS)) if is_clear and not self._listed else None

    def _is_like(self, at: int, behind: int) -> bool:
        """Whether two objects begin with the same key: then the second is no part of the first, which has it once."""
        keys = [_FIRST_KEY.match(self._text, place) for place in (at, behind)]
        return all(keys) and len({key and key[1] for key in keys}) == 1


_WAY_OUT = (
    f"Ask for the whole file again, or correct it. {SKIP_FILE} In files with a document on each line a broken one "
    "costs itself alone."
)


def is_part(line: str) -> bool:
    """Whether a line that is no document is a bracket, an element of an array, or parts of several records."""
    if not line.strip("}], ") or _SEAM.search(line):
        return bool(line)
    end = end_of(line, 0) if line[0] == "{" else None
    if end is not None and line[end:].strip(_BLANKS) in (",", "]", "],"):
        return True
    opened = 0
    for match in _MARK.finditer(line):
        if match[0][0] == "," and (opened <= 0 or not _OBJECT.match(line)):
            return True
        opened += (match[0] == "[") - (match[0] == "]")
    return False


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
