"""The schema of a Parquet file as the file has it, which DuckDB's own types do not show in full."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from pipekit.files.headers import folded
from pipekit.sql.text import quoted
from pipekit.warehouses.contract import Session
from pipekit.warehouses.duckdb.plan import name, path_text

_MOST_DIGITS = 38
_INT96 = "INT96"


class Field(NamedTuple):
    """A column, or a field inside one.

    Attributes:
        name: As in the file.
        kind: How its values are stored; ``None`` if it has fields.
        digits: Of a decimal.
        wraps: Whether it only holds the elements of a list or a map.
        fields: The fields inside.
    """

    name: str
    kind: str | None
    digits: int
    wraps: bool
    fields: tuple[Field, ...]

    def all(self) -> Iterator[Field]:
        """It and everything inside."""
        yield self
        for each in self.fields:
            yield from each.all()

    @property
    def has_old_times(self) -> bool:
        """Whether it holds times of 96 bits."""
        return any(each.kind == _INT96 for each in self.all())

    @property
    def is_old_time(self) -> bool:
        """Whether it is a time of 96 bits itself."""
        return self.kind == _INT96

    def problem(self) -> str | None:
        """What DuckDB would read as something else, without an error."""
        for each in self.all():
            if each.digits > _MOST_DIGITS:
                return f"holds decimals of {each.digits} digits, and at most {_MOST_DIGITS} can be kept"
            names = [] if each.wraps else [field.name for field in each.fields]
            alike = next((one for one in names if [other.lower() for other in names].count(one.lower()) > 1), None)
            if alike:
                return f"has two fields {alike!r} inside, which differ at most in case"
        return None


def file_fields(warehouse: Session, path: Path) -> tuple[Field, ...]:
    """The columns of a Parquet file."""
    rows = warehouse.execute(
        "SELECT name, type, coalesce(num_children, 0), coalesce(precision, 0), converted_type "
        f"FROM parquet_schema({path_text(path)})"
    ).rows
    return _fields(iter(rows[1:]), rows[0][2])


def _fields(rows: Iterator[tuple[Any, ...]], count: int) -> tuple[Field, ...]:
    found = []
    for _ in range(count):
        name_, kind, children, digits, converted = next(rows)
        wraps = converted in ("LIST", "MAP", "MAP_KEY_VALUE")
        decimal = int(digits) if converted == "DECIMAL" else 0
        found.append(Field(name_, None if children else kind, decimal, wraps, _fields(rows, children)))
    return tuple(found)


def field_at(column: str, field: Field, path: Sequence[str | int]) -> str | None:
    """SQL of a field inside a column; ``None`` if there is none.

    Args:
        column: DuckDB's name of the column.
        field: The column.
        path: The names of the fields, from the column's own.
    """
    sql = name(column)
    for step in path[1:]:
        inside = [each for each in field.fields if folded(each.name) == folded(str(step))]
        if field.wraps or len(inside) != 1:
            return None
        field = inside[0]
        sql = f"struct_extract({sql}, {quoted(field.name)})"
    return sql
