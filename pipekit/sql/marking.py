"""Marks in what is rendered: how ``places`` knows which line of a template a piece of text comes from."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Any

from jinja2.ext import Extension
from jinja2.lexer import Token

from pipekit.sql.places import CLOSE, OPEN

_LINE_ENDS = re.compile(r"\r\n|\r|\n")


class Marking(Extension):
    """Marks each line of a template's own text with its place.

    Args:
        environment: The environment that it belongs to.
    """

    def __init__(self, environment: Any) -> None:
        super().__init__(environment)
        self.templates: list[str | None] = []
        self._source = ""
        self._begins: list[int] = []

    def preprocess(self, source: str, name: str | None, filename: str | None = None) -> str:
        """Find where each piece of text begins; the source stays as it is."""
        self.templates.append(name)
        self._source, self._begins, at = _LINE_ENDS.sub("\n", source), [], 0
        for _, kind, value in self.environment.lexer.tokeniter(source, name, filename):
            found = self._source.find(value, at)
            at = found if found >= 0 else at
            if kind == "data":
                self._begins.append(at)
            at += len(value)
        return source

    def filter_stream(self, stream: Any) -> Iterable[Token]:
        """Put marks into each piece of text."""
        number, begins = len(self.templates) - 1, iter(self._begins)
        for token in stream:
            if token.type == "data":
                yield Token(token.lineno, "data", "".join(self._marked(token.value, next(begins, 0), number)))
            else:
                yield token

    def _marked(self, text: str, begin: int, template: int) -> Iterator[str]:
        for line in text.splitlines(keepends=True):
            row = self._source.count("\n", 0, begin) + 1
            column = begin - (self._source.rfind("\n", 0, begin) + 1) + 1
            yield f"{OPEN}{template},{row},{column},{len(line.rstrip())}{CLOSE}{line}"
            begin += len(line)
