"""Hooks, events, errors and pipekit's own tables, from their definitions."""

from __future__ import annotations

import dataclasses
import inspect
from collections.abc import Iterator
from typing import Any

from pipekit import errors as tree
from pipekit import events as happenings
from pipekit import own_tables
from pipekit.names import Table
from pipekit.plugins import hooks as specifications
from pipekit.source import Column
from reference.markdown import about, code, described, page, table


def hooks() -> str:
    """The page of the hooks that a plugin may implement."""
    text = f"{about(specifications)} [Write a plugin](../plugins.md) shows how they are used."
    return page("All hooks", text, _hooks())


def _hooks() -> Iterator[str]:
    marked = f"{specifications.PROJECT}_spec"
    for name, function in inspect.getmembers(specifications, inspect.isfunction):
        if hasattr(function, marked):
            yield f"## {name}"
            yield f"```python\ndef {name}{_signature(function)}\n```"
            yield about(function)


def _signature(function: Any) -> str:
    """As it is written, where annotations are no texts."""
    return str(inspect.signature(function)).replace("'", "")


def events() -> str:
    """The page of the events that a run emits."""
    stamps = table(("stamp", "type"), _fields(happenings.Event))
    text = f"{about(happenings)}\n\n## Stamps of every event\n\n{about(happenings.Event)}\n\n{stamps}"
    own = [each for each in happenings.Event.__subclasses__() if each.__module__ == happenings.__name__]
    return page("All events", text, (part for each in own for part in _event(each)))


def _event(kind: type[happenings.Event]) -> Iterator[str]:
    stamps = {field.name for field in dataclasses.fields(happenings.Event)}
    yield f"## {kind.__name__}"
    yield about(kind)
    yield table(("field", "type"), (row for row in _fields(kind) if row[0].strip("`") not in stamps))
    for each in kind.__subclasses__():
        yield from _event(each)


def _fields(kind: Any) -> Iterator[tuple[str, str]]:
    for field in dataclasses.fields(kind):
        yield code(field.name), code(field.type)


def errors() -> str:
    """The page of the errors, by the exit code that they give a command."""
    drawn = f"```text\n{inspect.cleandoc(tree.__doc__ or '')}\n```"
    text = (
        "What the command line ends with, and what [the library](../library.md) raises. The type says what to do; each"
        " error names what is wrong and where, what was left untouched, and what to do next."
    )
    return page("Errors and exit codes", f"{text}\n\n{drawn}", _error(tree.PipekitError))


def _error(kind: type[tree.PipekitError]) -> Iterator[str]:
    yield f"## {kind.__name__}"
    base = kind.__bases__[0]
    above = f"; a [{base.__name__}](#{base.__name__.lower()})" if issubclass(base, tree.PipekitError) else ""
    yield f"Exit code {kind.exit_code}{above}. {about(kind)}"
    yield table(("attribute", "means"), ((code(name), text) for name, text in described(kind).items()))
    for each in kind.__subclasses__():
        if each.__module__ == tree.__name__:
            yield from _error(each)


TABLES: tuple[tuple[Table, tuple[Column, ...], str], ...] = (
    (own_tables.LOG_TABLE, own_tables.LOG_COLUMNS, "What runs did: a row per event."),
    (own_tables.CHECK_TABLE, own_tables.CHECK_COLUMNS, "A row per verdict of a check."),
    (own_tables.LEDGER, own_tables.LEDGER_COLUMNS, "The ledger: a row per file and load."),
    (own_tables.CATALOG, own_tables.CATALOG_COLUMNS, "A row per feature."),
    (own_tables.CLAIMS, own_tables.CLAIM_COLUMNS, "A row per table that is appended to."),
    (own_tables.LOCKS, own_tables.LOCK_COLUMNS, "Which run holds which lock, where the warehouse keeps locks."),
)


def tables() -> str:
    """The page of the tables that pipekit keeps in the warehouse."""
    text = f"{about(own_tables)} [Logs](../logs.md) has queries on them."
    return page("All tables of pipekit", text, (part for each in TABLES for part in _table(*each)))


def _table(name: Table, columns: tuple[Column, ...], what: str) -> Iterator[str]:
    yield f"## {name}"
    yield what
    rows = ((code(column.name), str(column.type), column.description) for column in columns)
    yield table(("column", "type", "meaning"), rows)
