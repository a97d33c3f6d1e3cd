"""Table names and identifiers. Identifiers are quoted here and nowhere else."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

_PLAIN = re.compile(r"[A-Za-z_][A-Za-z0-9_$]*")


@dataclass(frozen=True)
class Table:
    """A table's name. ``parts`` runs from the widest to the narrowest: ``(database?, schema?, name)``."""

    parts: tuple[str, ...]

    @classmethod
    def parse(cls, text: str) -> Table:
        """Read ``name``, ``schema.name`` or ``database.schema.name``.

        Raises:
            ValueError: There is an empty part, more than three, or a NUL character.
        """
        parts = tuple(part.strip() for part in text.split("."))
        if "\x00" in text:
            raise ValueError(f"{text!r} is not a table name: it holds a NUL character")
        if not 1 <= len(parts) <= 3 or not all(parts):
            raise ValueError(f"{text!r} is not a table name; write table, schema.table or database.schema.table")
        return cls(parts)

    @property
    def name(self) -> str:
        """The last part."""
        return self.parts[-1]

    def beside(self, suffix: str) -> Table:
        """A table in the same schema whose name has ``suffix`` appended."""
        return Table((*self.parts[:-1], self.name + suffix))

    def __str__(self) -> str:
        return ".".join(self.parts)


def fold(name: str, to: Callable[[str], str]) -> str:
    """A plain name in the engine's case; any other (``emp.var.rate``) as it is."""
    return to(name) if _PLAIN.fullmatch(name) else name


def quote_identifier(name: str, to: Callable[[str], str]) -> str:
    """The one place where an identifier is quoted: folded by ``to`` if plain, inner quotes doubled.

    Raises:
        ValueError: The name is empty or holds a NUL.
    """
    if not name or "\x00" in name:
        raise ValueError(f"{name!r} cannot name anything")
    return '"' + fold(name, to).replace('"', '""') + '"'
