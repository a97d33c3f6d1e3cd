"""The columns of files that have types of their own: Parquet, Avro, Excel."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipekit.errors import SourceError
from pipekit.files.headers import folded
from pipekit.files.places import local_path
from pipekit.formats.base import FileFormat
from pipekit.formats.builtin import Formats
from pipekit.inference.model import Draft, Found, Proposal
from pipekit.source import type_of_arrow

if TYPE_CHECKING:
    import pyarrow as pa


def propose_from_types(draft: Draft) -> None:
    """Fill the columns of a draft by the types that its files have.

    Raises:
        SourceError: A file cannot be read, or is damaged.
    """
    kind = Formats()[draft.format["type"]]
    form = kind.bound(kind.options.model_validate(draft.format))
    types: dict[str, list[pa.DataType]] = {}
    names: dict[str, str] = {}
    seen: dict[str, int] = {}
    for each in draft.files:
        with read_as(form.type, each):
            fields = _fields(form, Path(local_path(each.file.uri) or each.file.uri))
        for name, found in fields:
            names.setdefault(folded(name), name)
            types.setdefault(folded(name), []).extend(found)
        for key in {folded(name) for name, _ in fields}:
            seen[key] = seen.get(key, 0) + 1
    for key, name in names.items():
        proposal = _proposal(name, types[key], one_by_one=form.reader is not None)
        proposal.optional = seen[key] < len(draft.files)
        draft.columns.append(proposal)


@contextmanager
def read_as(kind: str, found: Found) -> Iterator[None]:
    """What a reader says of a damaged file, as an error that names the file."""
    try:
        yield
    except (ValueError, OSError) as error:
        name = found.file.uri.rsplit("/", 1)[-1]
        raise SourceError(f"{name} cannot be read as {kind}: {error}", file=found.file.shown) from error


def _fields(form: FileFormat, path: Path) -> list[tuple[str, list[pa.DataType]]]:
    """The columns of a file, each with the types of its values."""
    if form.reader is None:
        import pyarrow.parquet as pq

        return [(field.name, [field.type]) for field in pq.read_schema(path)]
    found: dict[str, list[pa.DataType]] = {}
    for records in form.reader(form, path):
        for name, column in zip(records.values.schema.names, records.values.columns, strict=True):
            found.setdefault(name, []).extend(_types_in(column))
    return list(found.items())


def _types_in(column: Any) -> Iterator[Any]:
    import pyarrow as pa

    if not pa.types.is_union(column.type):
        if not pa.types.is_floating(column.type) or not _all_whole(column):
            yield column.type
        else:
            yield pa.int64()
        return
    for index in range(column.type.num_fields):
        if column.type.field(index).name != "null":
            child = column.type.field(index)
            semi = child.name in ("object", "array", "error")
            yield pa.list_(pa.null()) if semi else child.type


def _all_whole(column: Any) -> bool:
    """Whether floats are whole numbers, as every number of a sheet is a float."""
    import pyarrow.compute as pc

    return column.null_count < len(column) and bool(pc.all(pc.equal(pc.floor(column), column)).as_py())


def _proposal(name: str, types: Sequence[Any], *, one_by_one: bool) -> Proposal:
    """The column for values of some Arrow types; ``one_by_one``, if a load judges each value by its own type."""
    import pyarrow as pa

    texts = {_type_text(each) for each in types if not pa.types.is_null(each)}
    proposal = Proposal(name)
    if not texts:
        proposal.type = "variant"
        proposal.doubts.append("has no value: kept variant, which takes anything")
    elif len(texts) == 1:
        proposal.type = texts.pop()
    elif texts <= {"integer", "float"}:
        proposal.type = "float"
    elif one_by_one and texts == {"date", "timestamp_ntz"}:
        proposal.type = "timestamp_ntz"
    elif all(each == "integer" or each.startswith("number") for each in texts):
        scale = max(int(each.partition(",")[2].rstrip(")") or 0) for each in texts)
        proposal.type = f"number(38,{scale})"
    else:
        listed = ", ".join(sorted(texts))
        proposal.widen("variant", f"values of several types ({listed}): kept variant, which takes anything")
    return proposal


def _type_text(kind: Any) -> str:
    """The type of the contract that takes every value of an Arrow type."""
    import pyarrow as pa

    if pa.types.is_decimal(kind):  # another file may have more digits
        return f"number(38,{max(kind.scale, 0)})"
    return type_of_arrow(kind, otherwise="variant")
