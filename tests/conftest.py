"""Fixtures that tests of several packages use."""

from __future__ import annotations

import gc
import os
import shutil
import sys
import zlib
from collections.abc import Iterator
from pathlib import Path

import pytest
from browser import axe, browser, shown  # noqa: F401 - fixtures
from shop import seeded, shop  # noqa: F401 - fixtures

from pipekit import scrubbing

_GOOD, _STRICT = "test_good_records_are_loaded_and_bad_ones_set_aside", "test_the_strict_mode_loads_all_or_names_the"
_BYTECODE, _ASKED = "pipekit-bytecode-", "TESTS_WRITE_NO_BYTECODE"
# What SQLite has to do with a load: the values and their types. Records are split by DuckDB, for it and before it.
_OF_SQLITE = ("csv_values", "json_values", "parquet")
_READ_BY_DUCKDB = ("excel_", "avro_", "fixed_")
_SHARE = 5
_ENOUGH_MEMORY = 8 * 2**30
# Python's own 700 makes looking for garbage a sixteenth of a test process's work.
_GARBAGE = (10_000, 20, 20)


def _compile_once() -> None:
    """Where Python is asked to write no bytecode, the processes that tests start may write it all the same: hundreds
    would compile pipekit again, half a second each. It stands where Python looks for it, so that what is installed with
    its bytecode is not compiled again either. Of what the test processes import nothing is written: some tests write a
    plugin again within a second."""
    if os.environ.pop("PYTHONDONTWRITEBYTECODE", None):
        os.environ[_ASKED] = "1"  # the workers inherit it
    if _ASKED in os.environ or _BYTECODE in os.environ.get("PYTHONPYCACHEPREFIX", ""):
        sys.dont_write_bytecode = True


def _keep_files_in_memory() -> None:
    """The folders of tests, where memory that is a file system has room for them: a run writes its files through to
    the disk, and on some disks waits longer for that than it works."""
    memory = Path("/dev/shm")
    if memory.is_dir() and os.access(memory, os.W_OK | os.X_OK) and shutil.disk_usage(memory).free > _ENOUGH_MEMORY:
        os.environ.setdefault("PYTEST_DEBUG_TEMPROOT", str(memory))


_compile_once()
_keep_files_in_memory()


def pytest_collectstart() -> None:
    """While modules are imported and tests made, nearly nothing is garbage."""
    gc.disable()


def pytest_collection_finish() -> None:
    """What is there by now stays to the end: no test looks for garbage in it, and less often in what comes."""
    gc.freeze()
    gc.set_threshold(*_GARBAGE)
    gc.enable()


def pytest_xdist_auto_num_workers() -> int:
    """One worker more than processors: a good part of the tests waits for the emulator, a process, or a clock."""
    return (os.cpu_count() or 1) + 1


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What repeats on the emulator what others have shown is long."""
    emulated: set[str] = set()
    for item in items:
        values = getattr(getattr(item, "callspec", None), "params", {})
        if values.get("on") == "snowflake" and len(values) > 1 and not item.get_closest_marker("on_both"):
            # Of a test with further parameters the first set runs on both engines, the others on DuckDB.
            test = item.nodeid.partition("[")[0]
            if test in emulated:
                item.add_marker(pytest.mark.long)
            emulated.add(test)
        case = values.get("case")
        if case is None or not item.name.startswith((_GOOD, _STRICT)):
            continue
        good, bad = item.name.startswith(_GOOD), bool(case.rejects or case.error)
        emulated_again = values.get("engine") == "snowflake" and _again_on_the_emulator(case.id, good=good, bad=bad)
        on_sqlite = "warehouses/sqlite" in item.nodeid
        if emulated_again or (on_sqlite and not (good and case.id.startswith(_OF_SQLITE))):
            item.add_marker(pytest.mark.long)


def _again_on_the_emulator(case: str, *, good: bool, bad: bool) -> bool:
    """A load takes a third of a second there, so each case is loaded in the mode that shows more of it: good records
    in the strict one, bad ones where they are set aside. A share of these is loaded in the strict mode too, and only a
    share of what an embedded DuckDB reads for any other warehouse."""
    chosen = zlib.crc32(case.encode()) % _SHARE == 0
    if not bad and good:
        return True
    return not chosen and (case.startswith(_READ_BY_DUCKDB) or (bad and not good))


@pytest.fixture(autouse=True)
def secrets_of_one_test(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """What one test keeps secret, words of another's messages may be."""
    with monkeypatch.context() as own:
        own.setattr(scrubbing, "_KNOWN", scrubbing.Secrets())
        yield
