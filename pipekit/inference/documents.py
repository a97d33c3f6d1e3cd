"""The columns of JSON files: the keys of all records, down into objects, and their types."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pipekit.errors import SourceError
from pipekit.files.json_paths import can_be_named, path_text, pointer
from pipekit.inference.choosing import choose
from pipekit.inference.ladder import (
    BOOLEAN,
    IN_JSON_TEXT,
    NUMBERS,
    Candidate,
    Question,
    first_look,
    possible,
)
from pipekit.inference.model import Draft, Proposal
from pipekit.inference.reading import one_row, over
from pipekit.inference.tables import counted, first_values
from pipekit.source import Column, ColumnType, Source
from pipekit.sql.text import quoted
from pipekit.warehouses.duckdb.casts import Conversion, convert_json, read_as_text

if TYPE_CHECKING:
    from pipekit.warehouses.duckdb.warehouse import DuckDBWarehouse

_MOST_KEYS = 60
_MOST_COLUMNS = 1_000
_MOST_DEPTH = 4
_NUMBERS = ("UBIGINT", "BIGINT", "HUGEINT", "UHUGEINT", "DOUBLE")
_MIXED = "JSON"
_VALUES = ("VARCHAR", *_NUMBERS)
_SURE_DIGITS = 15  # every engine writes such a number as it was written
_WHOLE = Column(name="document", type=ColumnType(kind="variant"), path="$")


@dataclass(frozen=True)
class _Leaf:
    """A key that becomes a column: its path, and what its values are (``None``: they differ, or are lists)."""

    steps: tuple[str, ...]
    kind: str | None
    why: str = ""

    @property
    def value(self) -> str:
        """SQL of the value as JSON, in which JSON's null is NULL."""
        return f"nullif((x0->{quoted(pointer(self.steps))})::VARCHAR, 'null')::JSON"

    @property
    def text(self) -> str:
        """SQL of the value as text: that of a JSON string without its quotes."""
        return f"(x0->>{quoted(pointer(self.steps))})"

    @property
    def candidates(self) -> tuple[Candidate, ...]:
        """What may be its type."""
        if self.kind == "VARCHAR":
            return IN_JSON_TEXT
        return (BOOLEAN,) if self.kind == "BOOLEAN" else NUMBERS if self.kind in _NUMBERS else ()


def propose_from_documents(warehouse: DuckDBWarehouse, draft: Draft) -> None:
    """Fill the columns of a draft of JSON files."""
    contract = draft.source([_WHOLE])

    def ask(select: str) -> None:
        [rows, structure] = one_row(warehouse, ["count(*)", "json_group_structure(x0)"], select)
        draft.rows = int(rows)
        leaves = list(_leaves_of(json.loads(structure or "{}")))
        draft.columns = [_proposal(leaf) for leaf in leaves]
        if not leaves:
            raise SourceError("holds no record with a key", file=draft.source_files[0].uri)
        if len(leaves) > _MOST_COLUMNS:
            text = f"holds records of {len(leaves):,} different keys, of which at most {_MOST_COLUMNS:,} are looked at"
            raise SourceError(text, file=draft.source_files[0].uri, kept="Nothing was written.")
        _ask_types(warehouse, draft, leaves, select)
        if draft.files[0].shape.is_record:
            _ask_missing(warehouse, draft, leaves, select)

    over(warehouse, contract, draft.source_files, ask)
    root = str(draft.format.get("root", ""))
    if root.endswith("*"):
        draft.columns.insert(0, Proposal("record_key", path="^key", distinct=draft.rows))
    elif root.endswith("*[*]"):
        draft.columns.insert(0, Proposal("record_key", path="^^key"))


def _leaves_of(structure: Any) -> Iterator[_Leaf]:
    """The keys of records that are objects; of records that are plain values the value."""
    return (
        _leaves(structure, ())
        if isinstance(structure, dict)
        else iter([_Leaf((), structure)] if structure in _VALUES else [])
    )


def _leaves(structure: Any, above: tuple[str, ...]) -> Iterator[_Leaf]:
    for key, kind in structure.items() if isinstance(structure, dict) else ():
        steps = (*above, key)
        if isinstance(kind, dict) and (why := _not_columns(kind, steps)) is None:
            yield from _leaves(kind, steps)
        elif isinstance(kind, dict):
            yield _Leaf(steps, None, why or "")
        elif isinstance(kind, list):
            yield _Leaf(steps, None, "a list")
        elif kind == _MIXED:
            yield _Leaf(steps, kind, "values of several types, or objects without keys")
        else:
            yield _Leaf(steps, kind)


def _not_columns(kind: dict[str, Any], steps: Sequence[str]) -> str | None:
    """Why the keys of an object are not columns."""
    if not kind:
        return "an object without keys"
    if len(kind) > _MOST_KEYS:
        return f"an object of {len(kind)} different keys"
    if len(steps) >= _MOST_DEPTH:
        return "an object deep inside"
    if all(key.isdecimal() for key in kind):
        return "an object of numbered keys"
    if not all(map(can_be_named, (*kind, *steps))):
        return "an object with keys that no path can name"
    return None


def _proposal(leaf: _Leaf) -> Proposal:
    plain = len(leaf.steps) == 1
    if not leaf.steps:
        return Proposal("value", path="$")
    found = Proposal("_".join(leaf.steps), path=None if plain else path_text(leaf.steps))
    if leaf.kind in (None, "NULL", _MIXED):
        found.type = "variant"
        found.notes += [leaf.why] if leaf.why else []
    if leaf.kind == "NULL":
        found.doubts.append("is null in every record: kept variant, which takes anything")
    return found


def _ask_types(warehouse: DuckDBWarehouse, draft: Draft, leaves: Sequence[_Leaf], select: str) -> None:
    contract = draft.source([_WHOLE])
    asked = [(leaf, proposal) for leaf, proposal in zip(leaves, draft.columns, strict=True) if leaf.candidates]
    values = first_values(warehouse, [leaf.text for leaf, _ in asked], select)
    looked = [
        first_look(column, leaf.candidates, contract.format) for column, (leaf, _) in zip(values, asked, strict=True)
    ]
    questions = [
        Question(leaf.value, leaf.text, possible(counts, leaf.candidates))
        for (leaf, _), counts in zip(asked, looked, strict=True)
    ]
    found = counted(warehouse, contract, questions, select, _convert)
    for (leaf, proposal), counts in zip(asked, found, strict=True):
        choose(proposal, counts)
        _as_in_json(leaf, proposal, counts.words_seen)
    _ask_mixed(warehouse, draft, leaves, select)


def _ask_mixed(warehouse: DuckDBWarehouse, draft: Draft, leaves: Sequence[_Leaf], select: str) -> None:
    """Texts among which some are written as whole numbers (a film named 1776) become varchar, by ``lenient``."""
    mixed = [(leaf, each) for leaf, each in zip(leaves, draft.columns, strict=True) if leaf.kind == _MIXED]
    if not mixed:
        return
    kinds = [f"json_type(x0, {quoted(pointer(leaf.steps))})" for leaf, _ in mixed]
    asked = [
        f"count(*) FILTER ({condition})"
        for kind, (leaf, _) in zip(kinds, mixed, strict=True)
        for condition in (
            f"{kind} = 'VARCHAR'",
            f"{kind} IN ('UBIGINT', 'BIGINT') AND strlen({leaf.text}) <= {_SURE_DIGITS}",
            f"{kind} <> 'NULL'",
        )
    ]
    counts = [int(each) for each in one_row(warehouse, asked, select)]
    for at, (_, proposal) in enumerate(mixed):
        texts, numbers, values = counts[at * 3 : at * 3 + 3]
        if texts + numbers == values and texts > numbers > 0:
            proposal.type, proposal.notes = "varchar", []
            draft.format["lenient"] = True
            proposal.doubts.append(
                f"{numbers:,} of {values:,} are numbers, the others texts: varchar; `lenient` of the format takes both"
            )


def _ask_missing(warehouse: DuckDBWarehouse, draft: Draft, leaves: Sequence[_Leaf], select: str) -> None:
    """Columns whose key some records lack, where each file is a record, are optional."""
    counts = one_row(warehouse, [f"count(json_type(x0, {quoted(pointer(leaf.steps))}))" for leaf in leaves], select)
    for proposal, count in zip(draft.columns, counts, strict=True):
        proposal.optional = int(count) < draft.rows


def _convert(column: Column, question: Question, contract: Source) -> Conversion:
    return convert_json(column, question.text if read_as_text(column, contract) else question.value, contract)


def _as_in_json(leaf: _Leaf, proposal: Proposal, nulls: tuple[str, ...]) -> None:
    """What JSON is stricter about: a number is not text, and a text stands for NULL only where the column says so."""
    if leaf.kind == "VARCHAR" and nulls and proposal.type != "varchar":
        proposal.null_values = tuple(sorted(nulls))
        proposal.doubts.append(f"{', '.join(map(repr, proposal.null_values))} stands for NULL here")
    if leaf.kind != "VARCHAR" and proposal.type == "varchar":
        proposal.widen("variant", "a number is not a varchar in JSON: kept variant, with all its digits")
