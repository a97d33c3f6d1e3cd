"""What the text of a regular expression says of its groups."""

from __future__ import annotations

import re

_TOKEN = re.compile(r"\\.|\[\^?\]?(?:\\.|[^\]])*\]|\(\?P<|\(\?[a-z]+\)|\(\?[a-z]*:|\(|\)|\||[?*]|\{0", re.DOTALL)


def groups_left_out(pattern: str) -> set[int]:
    """The groups, by number, that may take no part in a match: optional ones, and those in an alternative."""
    left_out: set[int] = set()
    levels: list[tuple[int, set[int]]] = [(0, set())]
    alternatives: set[int] = set()  # depths at which there are some
    number, closed, closed_at = 0, set[int](), -1
    for match in _TOKEN.finditer(pattern):
        token = match[0]
        if token in ("(", "(?P<") or token.endswith(":"):
            captures = not token.endswith(":")
            number += captures
            levels.append((number if captures else 0, set()))
        elif token == ")" and len(levels) > 1:
            if len(levels) - 1 in alternatives:
                left_out |= levels[-1][1]
                alternatives.discard(len(levels) - 1)
            own, inside = levels.pop()
            closed, closed_at = inside | ({own} if own else set()), match.end()
            levels[-1][1].update(closed)
        elif token == "|":
            alternatives.add(len(levels) - 1)
        elif token in ("?", "*", "{0") and match.start() == closed_at:
            left_out |= closed
    return left_out | (levels[0][1] if 0 in alternatives else set())
