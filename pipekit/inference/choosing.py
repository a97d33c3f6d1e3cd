"""From counts to types: the narrowest one that is safe, and what a person should look at.

Safe means that nothing is lost, and that the next file of the same kind fits too: numbers keep room before the point, a
number with leading zeros stays text, and a date that can be read in two ways stays text.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from pipekit.inference.ladder import (
    AMBIGUOUS,
    BOOLEAN,
    COMPACT_DATE,
    DATE,
    FLOAT_,
    INTEGER_,
    NTZ,
    NUMBER,
    NUMBERS,
    TIME,
    TZ,
    WHOLE,
    WRITTEN,
    Candidate,
    Counts,
)
from pipekit.inference.model import Draft, Proposal

_MOST_SCALE = 9
_DAY_NAMES = re.compile(r"(^|_)(date|day|dt|datum|jour|fecha)(_|$)|date$|_on$|day$", re.IGNORECASE)


def settle(draft: Draft, counts: Sequence[Counts], words: Sequence[tuple[str, ...]]) -> None:
    """Choose a type for each column of a draft, and the words for NULL of the source."""
    for proposal, count in zip(draft.columns, counts, strict=True):
        choose(proposal, count)
    _settle_words(draft, counts, words)


def choose(proposal: Proposal, counts: Counts) -> None:
    """Choose the type of one column."""
    n = counts.values
    proposal.distinct = counts.distinct
    if not counts.rows:
        return
    if not counts.real:
        what = "has no value" if not n else "holds only words that often stand for NULL"
        proposal.doubts.append(f"{what} in {counts.rows:,} records: kept varchar")
        return
    order = (INTEGER_, WHOLE, NUMBER, BOOLEAN, DATE, TIME, NTZ, TZ, FLOAT_)
    best = counts.best(order) or counts.best([each for each in counts.fits if each.format])
    if best not in (INTEGER_, WHOLE) and _both_ways(counts):
        proposal.doubts.append("values like 1,204 and like 1.204 both occur: kept varchar")
    elif best is None:
        _explain_text(proposal, counts)
    elif best in NUMBERS:
        _number(proposal, counts, best)
    elif best is BOOLEAN:
        _boolean(proposal, counts)
    elif best in WRITTEN:
        _written(proposal, counts, best)
    else:
        _time(proposal, counts, best)


def _both_ways(counts: Counts) -> bool:
    """Whether the same sign may be before thousands in some values, and before decimals in others."""
    commas, points = (counts.other.get(f"{each}_groups", 0) for each in ("comma", "point"))
    return bool(commas and points) and commas + points >= counts.real * 0.5


def _take(proposal: Proposal, type_: str, format_: str | None = None) -> None:
    proposal.type, proposal.format = type_, format_


def _number(proposal: Proposal, counts: Counts, best: Candidate) -> None:
    n = counts.real
    if counts.zeros:
        proposal.doubts.append(f"{counts.zeros:,} of {n:,} begin with 0: kept varchar; a number would lose the zeros")
        return
    plus = counts.other.get("plus", 0)
    if best in (INTEGER_, WHOLE) and plus and not counts.other.get("minus"):
        proposal.doubts.append(f"{plus:,} of {n:,} begin with +, none with -: kept varchar; telephone numbers?")
    elif best is FLOAT_:
        _float(proposal, counts)
    elif best is NUMBER:
        most, fewest = counts.scale
        if most > _MOST_SCALE and fewest < most:
            _take(proposal, "float")
            proposal.doubts.append(f"up to {most} digits after the point: float; number(38,{most}) would keep them all")
        else:
            _take(proposal, f"number(38,{most})")
            _missing(proposal, counts, INTEGER_)
    else:
        _take(proposal, best.type)
        _integer_doubts(proposal, counts, best)


def _integer_doubts(proposal: Proposal, counts: Counts, best: Candidate) -> None:
    if best is WHOLE:
        _missing(proposal, counts, INTEGER_)
    if counts.fits.get(BOOLEAN) == counts.real:
        proposal.maybe_no_number = True
        proposal.doubts.append("only 0 and 1: integer; boolean would take all")
    if counts.fits.get(COMPACT_DATE) == counts.real and counts.digits == 8:
        if _DAY_NAMES.search(proposal.name):
            _take(proposal, "date", "YYYYMMDD")
            proposal.doubts.append("eight digits that are all dates: date; are they?")
        else:
            proposal.maybe_no_number = True
            proposal.doubts.append(
                "eight digits that are all dates: integer; `{type: date, format: YYYYMMDD}` fits, too"
            )


def _float(proposal: Proposal, counts: Counts) -> None:
    n = counts.real
    if counts.exponents and not counts.other.get("float_marks", 1):
        proposal.doubts.append(f"{counts.exponents:,} of {n:,} are like 1e5 beside whole numbers: kept varchar; ids?")
        return
    if not counts.exponents and counts.digits > 15:
        proposal.doubts.append(f"numbers of up to {counts.digits} digits: kept varchar; float would round them")
        return
    _take(proposal, "float")
    if counts.exponents:
        proposal.doubts.append(f"{counts.exponents:,} of {n:,} have an exponent: float, which rounds decimals")


def _boolean(proposal: Proposal, counts: Counts) -> None:
    if counts.other.get("true_false") == counts.real:
        _take(proposal, "boolean")
    else:
        proposal.doubts.append("boolean would take all values; kept varchar, since they are not true and false")


def _written(proposal: Proposal, counts: Counts, best: Candidate) -> None:
    scale = counts.scale[0] + (2 if best.format == "percent" else 0)
    if counts.zeros:
        proposal.doubts.append(f"{counts.zeros:,} of {counts.real:,} begin with 0: kept varchar")
        return
    _take(proposal, f"number(38,{min(scale, 12)})", best.format)
    what = {"percent": "12.5% becomes 0.125", "accounting": "(5) becomes -5", "trailing_minus": "5- becomes -5"}
    proposal.doubts.append(f"written as {best.format}: {what[best.format or '']}")


def _time(proposal: Proposal, counts: Counts, best: Candidate) -> None:
    twin = twin_of(best)
    if twin is not None and counts.fit(twin):
        both = f"{best.format} or {twin.format}"
        proposal.doubts.append(f"day and month can be exchanged in all {counts.real:,} values ({both}): kept varchar")
        return
    _take(proposal, best.type, best.format)
    if twin is not None and twin in counts.fits:
        proved = counts.real - counts.fits[twin]
        proposal.notes.append(f"{best.format} is proved by {proved:,} days above 12")
    zoned = counts.other.get("zoned", 0)
    if best is TZ and zoned < counts.real:
        proposal.doubts.append(f"{counts.real - zoned:,} of {counts.real:,} have no offset, and count as UTC")
    if best is NTZ:
        _missing(proposal, counts, DATE)


def twin_of(candidate: Candidate) -> Candidate | None:
    """The same format with day and month exchanged."""
    day, blank, clock = (candidate.format or "").partition(" ")
    return Candidate(candidate.type, AMBIGUOUS[day] + blank + clock) if day in AMBIGUOUS else None


def _missing(proposal: Proposal, counts: Counts, tighter: Candidate) -> None:
    fits = counts.fits.get(tighter)
    if fits is not None and counts.real * 0.5 <= fits < counts.real:
        proposal.notes.append(f"{tighter} would reject {counts.real - fits:,} of {counts.real:,}")


def _explain_text(proposal: Proposal, counts: Counts) -> None:
    near = max(counts.fits, key=lambda each: counts.fits[each], default=None)
    if near is None or counts.fits[near] < counts.real * 0.5:
        return
    text = f"{near} would reject {counts.real - counts.fits[near]:,} of {counts.real:,}"
    if near is not BOOLEAN and (counts.fits[near] >= counts.real * 0.8 or twin_of(near)):
        proposal.doubts.append(f"{text}: kept varchar")
    else:
        proposal.notes.append(text)


def _settle_words(draft: Draft, counts: Sequence[Counts], words: Sequence[tuple[str, ...]]) -> None:
    """Words for NULL where a column of numbers or dates needs them: for all columns, unless one would lose a text."""
    texts: dict[str, str] = {}
    for each, found in zip(draft.columns, words, strict=True):
        if each.type == "varchar":
            texts |= {word: each.name for word in found if word not in texts}
    wanted: dict[str, list[str]] = {}
    for proposal, count, found in zip(draft.columns, counts, words, strict=True):
        if proposal.type == "varchar" or not found:
            _note_words(proposal, count, found)
        elif clash := sorted(word for word in found if word and word in texts):
            proposal.null_values = tuple(sorted(found))
            where = ", ".join(f"{word!r} stands for NULL here, and is a text in `{texts[word]}`" for word in clash)
            proposal.doubts.append(where)
        else:
            for word in found:
                wanted.setdefault(word, []).append(proposal.name)
    if not wanted:
        return
    if "" in wanted:
        draft.format["quoted_nulls"] = True
    draft.format["null_values"] = ["", *sorted({*wanted, *draft.format.get("null_values", ())} - {""})]
    for word, columns in sorted(wanted.items()):
        listed = ", ".join(f"`{column}`" for column in columns)
        draft.doubts.append(
            f"{word!r} stands for NULL in {listed}, and then in every column"
            if word
            else f'"" in quotes stands for NULL in {listed}, and then in every column'
        )


def _note_words(proposal: Proposal, count: Counts, found: Sequence[str]) -> None:
    real = [word for word in found if word]
    if real and count.real:
        listed = ", ".join(map(repr, real))
        proposal.doubts.append(
            f"{count.words:,} of {count.values:,} are {listed}: a text, unless the column's `null_values` names it"
        )
