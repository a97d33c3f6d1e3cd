"""What identifies a record: a column named like a key; where there is none, what the values show.

A key by its name is held by the audit. One by its values alone may be chance, so that it is a warning, and a doubt.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import combinations
from typing import TYPE_CHECKING

from pipekit.inference.model import Draft, Proposal
from pipekit.inference.reading import one_row

if TYPE_CHECKING:
    from pipekit.warehouses.duckdb.warehouse import DuckDBWarehouse

_KEY_NAME = re.compile(r"(^|_)(id|key|code|no|nr|number|uuid|guid|sku|isbn|email)$|^id|Id$|ID$")
_SURE_KEY = re.compile(r"_id$|^id_|Id$|ID$|(^|_)(key|uuid|guid)$", re.IGNORECASE)
_LEAST = 50  # in fewer records columns differ by chance
_CLOSE = 0.9  # an approximate count is that near
_EXCEPTIONS = 0.01
_FIRST = 5_000
_MOST_COLUMNS = 10
_MOST_TOGETHER = 3
_MOST_TRIED = 4
_LONGEST = 40

Valued = tuple[Proposal, str]


def named_like_key(each: Proposal) -> bool:
    """Whether a column's name and type are those of keys."""
    whole = each.type in ("integer", "varchar") or each.type.endswith(",0)")
    return whole and bool(_KEY_NAME.search(each.name))


def choose_key(warehouse: DuckDBWarehouse, draft: Draft, columns: Sequence[Valued], select: str) -> None:
    """Choose what identifies a record of a measured draft.

    Args:
        warehouse: For the counting.
        draft: Its ``key`` or ``likely_key`` is set, or a doubt says that there is none.
        columns: Those that were measured, each with the SQL of its value.
        select: The records.
    """
    unique = [each for each, _ in columns if named_like_key(each) and _is_unique(each)]
    if unique:
        key = min(unique, key=lambda each: _unlike_key(each.name, draft.name))
        draft.key, key.nullable = (key.name,), False
        for each in unique:
            if each is not key:
                each.notes.append("all values differ")
    elif draft.rows >= _LEAST and not _doubt_nearly_unique(columns):
        _choose_by_values(warehouse, draft, columns, select)


def _is_unique(each: Proposal) -> bool:
    stats = each.stats
    return stats is not None and 1 < stats.rows == stats.values == stats.distinct


def _doubt_nearly_unique(columns: Sequence[Valued]) -> bool:
    """Doubt each column that is named like a key, and is one but for a few records; whether there is one."""
    found = False
    for each, _ in columns:
        stats = each.stats
        if stats is None or stats.distinct is None or not named_like_key(each):
            continue
        again = stats.values - stats.distinct
        if stats.values == stats.rows and again <= stats.rows * _EXCEPTIONS:
            each.doubts.append(
                f"{again:,} of {stats.rows:,} repeat an earlier value: no key, unless these are mistakes"
            )
            found = True
    return found


def _unlike_key(name: str, source: str) -> int:
    """How little a name is that of the source's key: ``id`` and ``order_id`` of ``orders`` are most like one."""
    plain, own = (text.lower().replace("_", "") for text in (name, source))
    if plain in ("id", f"{own}id", f"{own.removesuffix('s')}id"):
        return 0
    return 1 if _SURE_KEY.search(name) else 2


def _choose_by_values(warehouse: DuckDBWarehouse, draft: Draft, columns: Sequence[Valued], select: str) -> None:
    full = [(each, value) for each, value in columns if _may_identify(each)]
    draft.likely_key = _single(warehouse, full, select) or _together(warehouse, full, select)
    if not draft.likely_key:
        text = "no column, and no two or three together, identify a record: no check can see one that is there twice"
    elif len(draft.likely_key) == 1:
        text = f"`{draft.likely_key[0]}` is taken for the key, since its values all differ; its name does not tell"
    else:
        listed = ", ".join(f"`{name}`" for name in draft.likely_key)
        text = f"{listed} together are taken for the key, since no two records agree in them; no single column is one"
    draft.doubts.append(text)


def _may_identify(each: Proposal) -> bool:
    """Whether a column is in each record, and of a type that keys have: no measure with decimals, no nested value."""
    stats, whole = each.stats, each.type in ("integer", "varchar", "date") or each.type.startswith("timestamp")
    if not stats or not whole or "." in (each.path or "").partition(".")[2]:
        return False
    return stats.values == stats.rows and (each.distinct or 0) > 1


def _single(warehouse: DuckDBWarehouse, columns: Sequence[Valued], select: str) -> tuple[str, ...]:
    """The column whose values all differ; of several, the one with the shortest: codes are shorter than names."""
    near = [(each, value) for each, value in columns if each.stats and _may_be_single(each)]
    asked = [sql for _, value in near for sql in (f"count(DISTINCT {value})", f"max(length({value}::VARCHAR))")]
    found = one_row(warehouse, asked, select) if asked else []
    unique = [
        (length, at)
        for at, ((each, _), distinct, length) in enumerate(zip(near, found[::2], found[1::2], strict=True))
        if each.stats and distinct == each.stats.rows and length <= _LONGEST
    ]
    return (near[min(unique)[1]][0].name,) if unique else ()


def _may_be_single(each: Proposal) -> bool:
    """Whether nearly all values seem to differ, and not as those of a measure or a time do."""
    if each.stats is None or (each.distinct or 0) < _CLOSE * each.stats.rows:
        return False
    if each.type == "integer":  # counted up, with few gaps
        return int(each.stats.high or 0) - int(each.stats.low or 0) < 2 * each.stats.rows
    return each.type == "varchar"


def _together(warehouse: DuckDBWarehouse, columns: Sequence[Valued], select: str) -> tuple[str, ...]:
    """The fewest and likeliest columns in which no two records agree.

    The first records are neighbours, in which most sets of columns agree somewhere: only the few sets that
    pass these are counted in all records.
    """
    chosen = sorted(columns, key=lambda each: _unlike_part(each[0]))[:_MOST_COLUMNS]
    sets = sorted(_sets(chosen), key=lambda each: (len(each), sum(_unlike_part(column) for column, _ in each)))
    if not sets:
        return ()
    first = f"SELECT * FROM ({select}) LIMIT {_FIRST}"
    rows, *distinct = one_row(warehouse, ["count(*)", *map(_counted, sets)], first)
    passed = [each for each, count in zip(sets, distinct, strict=True) if count == rows][:_MOST_TRIED]
    if not passed:
        return ()
    rows, *distinct = one_row(warehouse, ["count(*)", *map(_counted, passed)], select)
    unique = next((each for each, count in zip(passed, distinct, strict=True) if count == rows), ())
    names = {column.name for column, _ in unique}
    return tuple(column.name for column, _ in columns if column.name in names)


def _sets(columns: Sequence[Valued]) -> Iterator[tuple[Valued, ...]]:
    """Sets of columns that have values enough to tell all records apart."""
    for count in range(2, _MOST_TOGETHER + 1):
        for each in combinations(columns, count):
            possible = 1.0
            for column, _ in each:
                possible *= (column.distinct or 1) / _CLOSE
            if columns[0][0].stats and possible >= columns[0][0].stats.rows:
                yield each


def _unlike_part(each: Proposal) -> int:
    """How little a column is like a part of a key: ids, dates and texts are, other numbers may be measures."""
    if named_like_key(each) or each.type == "date" or each.type.startswith("timestamp"):
        return 0
    return 1 if each.type == "varchar" else 2


def _counted(columns: Sequence[Valued]) -> str:
    return f"count(DISTINCT hash({', '.join(value for _, value in columns)}))"
