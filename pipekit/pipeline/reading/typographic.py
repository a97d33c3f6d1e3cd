"""Signs of other writing in YAML: quotes of typography, as text programs set them by themselves, and ``name=shop``."""

from __future__ import annotations

import re

_DOUBLE = "“”„‟«»"
_SINGLE = "‘’‚‛‹›"
_ALL = _DOUBLE + _SINGLE


def typographic(text: str) -> str:
    """What is wrong with an unquoted text of YAML that stands in such quotes; empty if it does not.

    An apostrophe, or a word in quotes within a text, is meant: only a text that begins with one, and ends with one or
    has no other, was to be quoted.
    """
    first, last = text[:1], text[-1:]
    left_open = first in _DOUBLE and not any(each in _ALL for each in text[1:])
    in_quotes = first in _ALL and len(text) > 1 and last in _ALL + "\"'"
    if not text or not (left_open or in_quotes):
        return ""
    if not in_quotes:
        return f"{first} is a typographic quote, a letter to YAML; write straight ones around the whole value"
    inside = text.strip(_ALL + "\"'")
    quote = "'" if '"' in inside else '"'
    pair = " ".join(dict.fromkeys(each for each in (first, last) if each in _ALL))
    text = f"{pair} are typographic quotes, letters to YAML; write straight ones: {quote}{inside}{quote}"
    return f"{text}; if they belong to the value, put straight ones around all of it"


_ASSIGNED = r"\s*(?:- +)?(?P<key>[A-Za-z_]\w*)\s*=(?!=)\s*(?P<value>[^=].*?)\s*"


def with_equals_sign(row: str) -> str:
    """What is wrong with ``name=shop`` in place of ``name: shop``; empty for any other line."""
    found = re.fullmatch(_ASSIGNED, row)
    return f"'=' gives no value in YAML; write a colon and a space: {found['key']}: {found['value']}" if found else ""
