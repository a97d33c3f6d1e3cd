"""Fixtures that tests of several packages use."""

from __future__ import annotations

import atexit
import os
import shutil
import sys
import tempfile
from collections.abc import Iterator

import pytest
from browser import axe, browser, shown  # noqa: F401 - fixtures
from shop import seeded, shop  # noqa: F401 - fixtures

from pipekit import scrubbing

_GOOD, _STRICT = "test_good_records_are_loaded_and_bad_ones_set_aside", "test_the_strict_mode_loads_all_or_names_the"
_BYTECODE = "pipekit-bytecode-"
# What SQLite has to do with a load: the values and their types. Records are split by DuckDB, for it and before it.
_OF_SQLITE = ("csv_values", "json_values", "parquet")


def _compile_once() -> None:
    """Where Python is asked to write no bytecode beside the sources, have it in a folder of this run: a process that
    compiles pipekit anew takes half a second longer, and the tests start hundreds."""
    if os.environ.pop("PYTHONDONTWRITEBYTECODE", None) and "PYTHONPYCACHEPREFIX" not in os.environ:
        os.environ["PYTHONPYCACHEPREFIX"] = folder = tempfile.mkdtemp(prefix=_BYTECODE)
        atexit.register(shutil.rmtree, folder, ignore_errors=True)
    if _BYTECODE in os.environ.get("PYTHONPYCACHEPREFIX", ""):
        # Of what the test processes themselves import nothing: some tests write a plugin anew within a second.
        sys.dont_write_bytecode = True


_compile_once()


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Loads of the contract that repeat what others have shown are long: good files in the reject mode on the emulator,
    where a load takes half a second, and on SQLite, which reads files by way of DuckDB, all but those of values."""
    for item in items:
        values = getattr(getattr(item, "callspec", None), "params", {})
        case, on_sqlite = values.get("case"), "warehouses/sqlite" in item.nodeid
        if case is None or not item.name.startswith((_GOOD, _STRICT)):
            continue
        good = item.name.startswith(_GOOD)
        again = good and values.get("engine") == "snowflake" and not (case.rejects or case.error)
        if again or (on_sqlite and not (good and case.id.startswith(_OF_SQLITE))):
            item.add_marker(pytest.mark.long)


@pytest.fixture(autouse=True)
def secrets_of_one_test(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """What one test keeps secret, words of another's messages may be."""
    with monkeypatch.context() as own:
        own.setattr(scrubbing, "_KNOWN", scrubbing.Secrets())
        yield
