"""HTML as values: text is escaped when it enters, so that no cell, name or message can become markup."""

from __future__ import annotations

import html
import re
from collections.abc import Iterable
from typing import Any

from pipekit.scrubbing import scrub
from pipekit.sinks.text import printable

# What has no end tag, what may leave it out, what closes itself in SVG:
# https://html.spec.whatwg.org/multipage/syntax.html#optional-tags
_VOID = frozenset({"meta"})
_OPEN = frozenset({"li", "p", "td", "th", "tr", "thead", "tbody"})
_CLOSED = frozenset({"path", "rect"})
_PLAIN = re.compile(r"[\w#.:,-]+")


class Html(str):
    """Markup that is complete."""

    __slots__ = ()


def text(value: Any) -> Html:
    """A value as text: without secrets, control characters and direction marks made visible, escaped."""
    return value if isinstance(value, Html) else Html(html.escape(printable(scrub(str(value)))))


def tag(name: str, /, *children: Any, **attributes: Any) -> Html:
    """An element. ``class_`` is the attribute class, ``aria_label`` is aria-label; ``None`` and ``False`` are left out.

    Args:
        name: The element's name.
        children: Markup, or values that become text.
        attributes: Values that become text; ``True`` gives the bare name.
    """
    given = "".join(
        f" {key.strip('_').replace('_', '-')}" + ("" if value is True else f"={_quoted(text(value))}")
        for key, value in attributes.items()
        if value is not None and value is not False
    )
    inside = join(children)
    if name in _CLOSED and not inside:
        return Html(f"<{name}{given} />")
    return Html(f"<{name}{given}>{inside}" if name in _VOID or name in _OPEN else f"<{name}{given}>{inside}</{name}>")


def _quoted(value: str) -> str:
    return value if _PLAIN.fullmatch(value) else f'"{value}"'


def join(parts: Iterable[Any], between: str = "") -> Html:
    """Parts one after another; ``None`` is left out."""
    return Html(between.join(text(part) for part in parts if part is not None))


def table(heads: Iterable[str], rows: Iterable[Iterable[Any]], **attributes: Any) -> Html:
    """A table in a box that can be scrolled by keyboard. A cell that is ``(value, class)`` has a class."""
    head = tag("tr", *(tag("th", each) for each in heads))
    body = (tag("tr", *(_cell(each) for each in row)) for row in rows)
    label = attributes.pop("label", "Table")
    inner = tag("table", tag("thead", head), tag("tbody", *body), **attributes)
    return tag("div", inner, class_="box", tabindex="0", role="group", aria_label=label)


def _cell(value: Any) -> Html:
    if isinstance(value, tuple):
        return tag("td", value[0], class_=value[1])
    return tag("td", value)
