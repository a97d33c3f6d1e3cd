"""The columns of files whose values are text: their types, from all records."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from pipekit.files.headers import folded
from pipekit.files.places import local_path
from pipekit.files.shapes import NULL_SIGN
from pipekit.inference.choosing import settle
from pipekit.inference.ladder import (
    IN_TEXT,
    NUMBERS,
    Convert,
    Counts,
    Question,
    counts_of,
    expressions,
    first_look,
    narrowed,
    possible,
    real_value,
)
from pipekit.inference.looks import doubt_texts
from pipekit.inference.model import Draft, Proposal
from pipekit.inference.reading import one_row, over
from pipekit.source import Column, ColumnType, Source
from pipekit.warehouses.duckdb.casts import Conversion, convert_text

if TYPE_CHECKING:
    from pipekit.warehouses.duckdb.warehouse import DuckDBWarehouse

FIRST = 1_000
_LOOKED_AT = 1 << 20
_AT_ONCE = 60
_STYLES: tuple[Mapping[str, str], ...] = (
    {},
    {"thousands_separator": ","},
    {"decimal_separator": ","},
    {"decimal_separator": ",", "thousands_separator": "."},
    {"decimal_separator": ",", "thousands_separator": " "},
    {"thousands_separator": " "},
    {"thousands_separator": "'"},
    {"thousands_separator": "’"},
)


@dataclass(frozen=True)
class Profile:
    """What was counted.

    Attributes:
        counts: For each column.
        words: For each column the words in it that often stand for NULL.
        first: The first values of each column.
    """

    counts: Sequence[Counts]
    words: Sequence[tuple[str, ...]]
    first: Sequence[Sequence[str | None]]


def propose_from_text(warehouse: DuckDBWarehouse, draft: Draft, names: Sequence[str]) -> None:
    """Fill the columns of a draft whose files are text, and complete its format.

    Args:
        warehouse: For the counting.
        draft: What is known so far.
        names: The columns of the files, as they write them.
    """
    if _has_null_sign(draft):
        draft.format["null_values"] = ["", NULL_SIGN]
        draft.doubts.append(f"{NULL_SIGN!r} stands for NULL in every column")
    text = ColumnType(kind="varchar")
    columns = [
        Column(name=f"c{at}", type=text, path=name, optional=_lacking(draft, name)) for at, name in enumerate(names)
    ]
    contract = draft.source(columns)

    def ask(select: str) -> Profile:
        return _profiled(warehouse, draft, contract, select, len(columns))

    profile = over(warehouse, contract, draft.source_files, ask)
    draft.columns = [Proposal(name, optional=each.optional) for name, each in zip(names, columns, strict=True)]
    settle(draft, profile.counts, profile.words)
    doubt_texts(draft, profile.first, _STYLES)


def _has_null_sign(draft: Draft) -> bool:
    """Whether the first bytes of a file hold a whole value that is the sign for NULL; not of files that are packed."""
    ends = re.escape(str(draft.format.get("delimiter", ",")).encode()) + rb"\r\n"
    sign = re.compile(rb"(?:^|[%b])%b(?:[%b]|$)" % (ends, re.escape(NULL_SIGN.encode()), ends))
    for each in draft.files:
        with open(local_path(each.file.uri) or each.file.uri, "rb") as stream:
            if sign.search(stream.read(_LOOKED_AT)):
                return True
    return False


def _lacking(draft: Draft, name: str) -> bool:
    """Whether one of the files has no such column."""
    headers = [each.shape.names for each in draft.files if each.shape.names]
    return any(folded(name) not in map(folded, header) for header in headers)


def _profiled(warehouse: DuckDBWarehouse, draft: Draft, contract: Source, select: str, width: int) -> Profile:
    texts = [f"x{index}" for index in range(width)]
    values = first_values(warehouse, texts, select)
    looked, style = _first_look(values, contract)
    draft.format.update(style)
    styled = _restyled(contract, style)
    commas = [any("," in each for each in column if each) for column in values]
    may_be = [possible(each, IN_TEXT) for each in looked]
    questions = [
        Question(text, text, narrowed(counts, candidates), comma)
        for text, counts, candidates, comma in zip(texts, looked, may_be, commas, strict=True)
    ]
    counts = counted(warehouse, styled, questions, select, _convert)
    lost = [at for at, each in enumerate(counts) if len(questions[at].candidates) < len(may_be[at]) and _is_lost(each)]
    again = [Question(texts[at], texts[at], may_be[at], True) for at in lost]
    for at, each in zip(lost, counted(warehouse, styled, again, select, _convert) if again else (), strict=True):
        counts[at] = each
    return Profile(counts, [each.words_seen for each in counts], values)


def _convert(column: Column, question: Question, contract: Source) -> Conversion:
    return convert_text(column, question.text, contract)


def _is_lost(counts: Counts) -> bool:
    """Whether the type that took the first records does not take all."""
    return counts.real > 0 and counts.best(IN_TEXT) is None


def first_values(warehouse: DuckDBWarehouse, texts: Sequence[str], select: str) -> list[list[str | None]]:
    """The first values of each column."""
    rows = warehouse.execute(f"SELECT {', '.join(texts) or '1'} FROM ({select}) LIMIT {FIRST}").rows
    return [[row[at] for row in rows] for at in range(len(texts))]


def _restyled(contract: Source, keys: Mapping[str, Any]) -> Source:
    """The contract with other keys of its format."""
    return contract.model_copy(update={"format": contract.format.model_copy(update=dict(keys))})


def counted(
    warehouse: DuckDBWarehouse, contract: Source, questions: Sequence[Question], select: str, convert: Convert
) -> list[Counts]:
    """The answers, by one scan for some dozens of columns: to plan a statement takes the square of its length."""
    parts = [questions[at : at + _AT_ONCE] for at in range(0, len(questions), _AT_ONCE)]
    return [each for part in parts for each in _counted_at_once(warehouse, contract, part, select, convert)]


def _counted_at_once(
    warehouse: DuckDBWarehouse, contract: Source, questions: Sequence[Question], select: str, convert: Convert
) -> list[Counts]:
    named = [replace(each, value=f"v{at}", text=f"t{at}") for at, each in enumerate(questions)]
    asked = [expressions(each, contract, convert, f"r{at}") for at, each in enumerate(named)]
    inner = ", ".join(
        f"{each.value} AS v{at}, {each.text} AS t{at}, {real_value(each.text)} AS r{at}"
        for at, each in enumerate(questions)
    )
    counts = [each for part in asked for each in part]
    values = one_row(warehouse, counts, f"SELECT {inner} FROM ({select})")
    found = []
    for question, part in zip(questions, asked, strict=True):
        found.append(counts_of(question, values[: len(part)]))
        values = values[len(part) :]
    return found


def _first_look(values: Sequence[Sequence[str | None]], contract: Source) -> tuple[list[Counts], Mapping[str, str]]:
    """The first records under the way of writing numbers in which most columns are numbers."""
    plain = [first_look(column, IN_TEXT, contract.format) for column in values]
    best, style = plain, _STYLES[0]
    for keys in _STYLES[1:]:
        form = _restyled(contract, keys).format
        styled = [
            before if before.best(IN_TEXT) and not before.best(NUMBERS) else first_look(column, IN_TEXT, form)
            for column, before in zip(values, plain, strict=True)
        ]
        if _typed(styled) > _typed(best) and _explained(values, plain, styled, keys):
            best, style = styled, keys
    return best, style


def _typed(counts: Sequence[Counts]) -> int:
    return sum(each.best(IN_TEXT) is not None for each in counts)


def _explained(
    values: Sequence[Sequence[str | None]], plain: Sequence[Counts], styled: Sequence[Counts], keys: Mapping[str, str]
) -> bool:
    """Whether some value can be read in this way only: ``1,204`` alone may be either."""
    new = [
        column
        for column, before, after in zip(values, plain, styled, strict=True)
        if before.best(IN_TEXT) is None and after.best(IN_TEXT) is not None
    ]
    point = keys.get("decimal_separator", ".")
    if "," not in keys.values():
        return bool(new)
    return any(_shows(text or "", point) for column in new for text in column)


def _shows(text: str, point: str) -> bool:
    """Whether the sign is the decimal one: another number of digits than three is after it, or the other is before."""
    before, found, behind = text.strip(" %()-").rpartition(point)
    other = "." if point == "," else ","
    return bool(found) and (len(behind) != 3 or other in before) and other not in behind
