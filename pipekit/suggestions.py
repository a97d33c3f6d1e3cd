"""Suggestions for names that are not known: the nearest known one."""

from __future__ import annotations

from collections.abc import Iterable

_SAME_ELSEWHERE = {
    "depends_on": ("needs",),
    "dependencies": ("needs",),
    "unique_key": ("key",),
    "primary_key": ("key",),
    "incremental": ("merge",),
    "upsert": ("merge",),
    "overwrite": ("truncate_load", "table"),
    "replace": ("truncate_load", "table"),
    "append_new_columns": ("add",),
    "sync_all_columns": ("widen",),
    "partitioned_by": ("partition_by",),
    "database": ("path",),
    "query": ("sql",),
    "separator": ("delimiter",),
    "sep": ("delimiter",),
    "fields": ("columns",),
    "schema": ("columns",),
    "incremental_strategy": ("materialize",),
    "warn": ("warning",),
    "error": ("critical",),
    "total": ("sum",),
    "average": ("avg",),
    "mean": ("avg",),
    "string_agg": ("listagg",),
    "group_concat": ("listagg",),
    "date_diff": ("datediff",),
    "now": ("current_timestamp",),
}
"""What other tools call the same thing."""


def nearest(name: str, known: Iterable[str], *, alike: float = 0.5) -> str | None:
    """The known name that is spelt most like ``name``; ``None`` if none is near, or only ``name`` itself.

    Args:
        name: The name that is not known.
        known: Those that are.
        alike: The share of letters at least that must be alike.
    """
    from difflib import get_close_matches  # 5 ms, for mistakes only

    others = [other for other in known if other != name]
    return next(iter(get_close_matches(name, others, n=1, cutoff=alike)), None)


_CLEARLY = 0.7
_FEWEST_LETTERS = 3


def nearest_key(name: str, known: Iterable[str]) -> str | None:
    """The known key that is meant by ``name``: what another tool calls so, its beginning, or nearly the same letters.

    A short name shares many letters with others, as ``ident`` with ``into``: then one letter may differ, or the order.
    """
    keys = list(known)
    alike = [key for key in keys if key != name and _is_slip(name, key)]
    begun = [key for key in keys if len(name) >= _FEWEST_LETTERS and key.startswith(name) and key != name]
    return same_elsewhere(name, keys) or nearest(name, keys, alike=_CLEARLY) or next(iter(alike + begun), None)


def _is_slip(name: str, key: str) -> bool:
    if len(name) != len(key) or len(key) < _FEWEST_LETTERS:
        return False
    return sorted(name) == sorted(key) or sum(one != other for one, other in zip(name, key, strict=True)) == 1


def same_elsewhere(name: str, known: Iterable[str]) -> str | None:
    """The known name for what another tool calls ``name``; ``None`` if there is none."""
    names = list(known)
    return next((other for other in _SAME_ELSEWHERE.get(name, ()) if other in names), None)


def did_you_mean(name: str, known: Iterable[str], *, otherwise: str = "", alike: float = 0.5) -> str:
    """``; did you mean 'x'?`` for the end of a message; ``otherwise``, or nothing, if no known name is near."""
    names = list(known)
    near = same_elsewhere(name, names) or nearest(name, names, alike=alike)
    return f"; did you mean {near!r}?" if near else otherwise
