"""The proposal held against every file that was looked at, and what its values are."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from pipekit.errors import SourceError
from pipekit.inference.keys import choose_key, named_like_key
from pipekit.inference.model import Draft, Proposal, Stats
from pipekit.inference.reading import BadRecords, judged, loaded, one_row, over
from pipekit.source import SEMI_STRUCTURED
from pipekit.warehouses.duckdb.casts import convert_json, convert_text

if TYPE_CHECKING:
    from pipekit.warehouses.duckdb.warehouse import DuckDBWarehouse

_MOST_ROUNDS = 40
_FEW = 12
_ODD = 0.05  # a share so small is an exception
_LARGE = 64 << 20


def prove(warehouse: DuckDBWarehouse, draft: Draft) -> None:
    """Run the contract over the files, and widen what it rejects until it takes every record that can be one.

    Raises:
        SourceError: A file is damaged.
    """
    for _ in range(_MOST_ROUNDS):
        try:
            found = judged(warehouse, draft.source(), draft.source_files)
        except SourceError as error:
            if not _made_optional(draft, error):
                raise
            continue
        draft.rows = found.records
        if not _widened(draft, found):
            _say_what_is_broken(draft, found)
            return


def _made_optional(draft: Draft, error: SourceError) -> bool:
    """Let files lack the column that the error is about; whether it is about one."""
    proposal = next((each for each in draft.columns if each.name == error.column and not each.optional), None)
    if proposal is None:
        return False
    proposal.optional = True
    return True


def _widened(draft: Draft, found: BadRecords) -> bool:
    changed = False
    for column, count, reason in found.reasons:
        proposal = next((each for each in draft.columns if each.name == column), None)
        if proposal is not None and proposal.type not in ("varchar", "variant"):
            to = "variant" if draft.format["type"] not in ("csv", "fixed_width") and "text" not in reason else "varchar"
            to = "variant" if draft.format["type"] in ("excel", "avro", "parquet") else to
            was = proposal.type
            proposal.widen(to, f"{was} would reject {count:,} of {found.records:,} ({reason}): kept {to}")
            changed = True
        elif proposal is not None and proposal.type == "varchar" and draft.format["type"] == "json":
            proposal.widen("variant", f"varchar would reject {count:,} of {found.records:,}: kept variant")
            changed = True
    return changed


def _say_what_is_broken(draft: Draft, found: BadRecords) -> None:
    if not found.rejected:
        return
    reasons = "; ".join(f"{count:,} {reason}" for _, count, reason in found.reasons[:3])
    where = ", ".join(f"{file.rsplit('/', 1)[-1]}:{line}" for file, line in found.lines[:3])
    draft.rejected = found.rejected
    broken = f"{found.rejected:,} of {found.records:,} records are broken ({reasons}; {where})"
    draft.doubts.append(f"{broken}: set aside by `on_error: reject`")
    draft.broken = broken


def too_broken(draft: Draft) -> str | None:
    """Why nothing can be proposed for a draft: so many records are broken that its shape is another one."""
    if draft.rejected * 100 <= draft.rows:
        return None
    line = "" if draft.format.get("header", True) else ", such as a first line that is not a header of those below"
    return f"{draft.broken}: more than 1% is no accident{line}; fix the lines, or write the source by hand"


def measure(warehouse: DuckDBWarehouse, draft: Draft) -> None:
    """Count values, different values, bounds and sets of each column of the draft."""
    source = draft.source()
    large = sum(each.size_bytes for each in draft.source_files) > _LARGE
    if large and draft.format["type"] in ("csv", "json"):
        convert = convert_json if draft.format["type"] == "json" else convert_text
        values = [convert(column, f"x{at}", source).value for at, column in enumerate(source.columns)]
        over(warehouse, source, draft.source_files, lambda select: _look_at(warehouse, draft, select, values))
    else:
        values = [f"x{at}" for at in range(len(draft.columns))]
        _look_at(warehouse, draft, loaded(warehouse, source, draft.source_files), values)


def _look_at(warehouse: DuckDBWarehouse, draft: Draft, select: str, values: Sequence[str]) -> None:
    """Measure the columns of files, and choose the key from what is found."""
    in_files = [
        (each, value)
        for each, value in zip(draft.columns, values, strict=True)
        if not (each.path or "").startswith("file://")
    ]
    _measured(warehouse, in_files, select)
    choose_key(warehouse, draft, [(each, value) for each, value in in_files if each.stats], select)


def propose_times(draft: Draft, *, typed: bool) -> None:
    """Make times of whole numbers that are named like one and count since 1970, or doubt that they are numbers.

    Args:
        draft: The measured draft.
        typed: Whether its types are given: then they stay, and the doubt says what else fits.
    """
    if draft.format["type"] in _WITH_EPOCHS:
        for each in draft.columns:
            _propose_time(each, typed)


def _propose_time(each: Proposal, typed: bool) -> None:
    stats = each.stats
    if each.type != "integer" or not stats or stats.low is None or not _TIME_NAME.search(each.name):
        return
    low, high = int(stats.low), int(stats.high or 0)
    for unit, factor in (("seconds", 1), ("milliseconds", 1_000), ("microseconds", 1_000_000)):
        if not _YEAR_1990 * factor <= low <= high <= _YEAR_2050 * factor:
            continue
        if typed or low < _TEN_DIGITS:
            each.maybe_no_number = True
            each.doubts.append(f"may be times: integer; `{{type: timestamp_ntz, format: epoch_{unit}}}` fits, too")
            return
        each.type, each.format = "timestamp_ntz", f"epoch_{unit}"
        first, last = (
            str(datetime.fromtimestamp(number // factor, UTC).replace(tzinfo=None)) for number in (low, high)
        )
        each.stats = replace(stats, low=first, high=last)
        each.doubts.append(f"numbers that are all {unit} since 1970: timestamp_ntz; `integer` fits, too")
        return


def _measured(warehouse: DuckDBWarehouse, columns: Sequence[tuple[Proposal, str]], select: str) -> None:
    plain = [(each, value) for each, value in columns if each.type not in _NO_ORDER]
    unknown = [(each, value) for each, value in plain if each.distinct is None]
    if unknown:
        found = one_row(warehouse, [f"approx_count_distinct({value})" for _, value in unknown], select)
        for (each, _), distinct in zip(unknown, found, strict=True):
            each.distinct = int(distinct)
    rows, *counted = one_row(
        warehouse, ["count(*)", *(sql for each, value in plain for sql in _asked(each, value))], select
    )
    for each, _ in plain:
        there, low, high, exact, seen, later = counted[:6]
        counted = counted[6:]
        few = tuple(sorted(value for value in seen or () if value is not None))
        distinct = int(exact) if exact is not None else each.distinct
        each.stats = Stats(int(rows), int(there), distinct, low, high, few if len(few) <= _FEW else ())
        if later and later < there * _ODD:
            each.doubts.append(f"{later:,} of {there:,} are later than today, up to {high}; wrong years?")


def _asked(each: Proposal, value: str) -> tuple[str, ...]:
    """Aggregates of one column.

    They are: values, bounds, different values of what may be a key, the values themselves if they are few, and those
    later than today.
    """
    text = each.type in ("varchar", "boolean")
    few = text and 0 < (each.distinct or 0) <= _FEW * 1.3
    return (
        f"count({value})",
        "NULL" if text else f"min({value})::VARCHAR",
        "NULL" if text else f"max({value})::VARCHAR",
        f"count(DISTINCT {value})" if named_like_key(each) else "NULL",
        f"list(DISTINCT {value}::VARCHAR)" if few else "NULL",
        f"count(*) FILTER ({value} > current_date + 1)" if each.type.startswith(("date", "timestamp")) else "NULL",
    )


_TIME_NAME = re.compile(r"time|date|epoch|stamp|(^|_)ts($|_)|(^|_)at$|At$|(^|_)t$", re.IGNORECASE)
_WITH_EPOCHS = ("csv", "fixed_width", "json")
_TEN_DIGITS = 1_000_000_000  # fewer may be ids, or an amount
_YEAR_1990, _YEAR_2050 = 631_152_000, 2_524_608_000
_NO_ORDER = {*SEMI_STRUCTURED, "binary"}
