"""Column types that hold all values of others: what ``SET DATA TYPE`` can do without losing anything."""

from __future__ import annotations

import re
from collections.abc import Callable

Widens = Callable[[str, str], bool]
"""Whether a column of the first type may be changed to the second one, every value staying as it is."""

_TYPE = re.compile(r"([A-Z_ 0-9]+?)\s*(?:\(\s*(\d+)\s*(?:,\s*(\d+)\s*)?\))?", re.IGNORECASE)


def never(old: str, new: str) -> bool:
    """For engines that change no column's type."""
    return False


def parts(type_text: str) -> tuple[str, int | None, int | None]:
    """A type's name in upper case and its arguments; a type that is written otherwise has none."""
    match = _TYPE.fullmatch(type_text.strip())
    if match is None:
        return type_text, None, None
    first, second = (int(part) if part else None for part in match.groups()[1:])
    return match[1].upper(), first, second


def longer(old: str, new: str, names: frozenset[str]) -> bool:
    """Whether both are one of the types that a length or a precision limits, and the new one has more of it.

    A number must keep its digits after the point: Snowflake changes a column's precision and never its scale.
    https://docs.snowflake.com/en/sql-reference/sql/alter-table-column
    """
    (name, size, scale), (new_name, new_size, new_scale) = parts(old), parts(new)
    if name != new_name or name not in names or size is None or new_size is None:
        return False
    return scale == new_scale and new_size > size
