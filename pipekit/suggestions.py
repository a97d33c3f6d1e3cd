"""Suggestions for names that are not known: the nearest known one."""

from __future__ import annotations

from collections.abc import Iterable


def nearest(name: str, known: Iterable[str]) -> str | None:
    """The known name that is spelt most like ``name``; ``None`` if none is near, or only ``name`` itself."""
    from difflib import get_close_matches  # 5 ms, for mistakes only

    others = [other for other in known if other != name]
    return next(iter(get_close_matches(name, others, n=1, cutoff=0.5)), None)


def did_you_mean(name: str, known: Iterable[str], *, otherwise: str = "") -> str:
    """``; did you mean 'x'?`` for the end of a message; ``otherwise``, or nothing, if no known name is near."""
    near = nearest(name, known)
    return f"; did you mean {near!r}?" if near else otherwise
