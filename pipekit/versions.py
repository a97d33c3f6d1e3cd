"""The packages that pipekit depends on: which versions are installed, and whether those were tested.

Only their metadata is read, and only when a file is read, run or looked at by ``doctor``: nothing is imported.
"""

from __future__ import annotations

import platform
import re
from collections.abc import Iterator
from functools import cache
from importlib.metadata import PackageNotFoundError, distribution, requires, version
from typing import Any

from pipekit.errors import VersionError
from pipekit.findings import Finding

# pyproject.toml asks for the same one. From release to release sqlglot gives queries another meaning.
SQLGLOT = "30.22.0"
DISTRIBUTION = "pipekit-elt"  # what pip calls it; the package and the command are `pipekit`
# What each run records of its own: these versions decide which values it makes.
_TELLING = ("pipekit", "sqlglot", "duckdb", "great-expectations", "pyarrow", "snowflake-connector-python")


@cache
def tested_sqlglot() -> str:
    """The version of sqlglot, which is the one that was tested.

    Raises:
        VersionError: Another one is installed, or none.
    """
    found = _installed("sqlglot")
    if found == SQLGLOT:
        return found
    there = f"sqlglot {found} is installed" if found else "sqlglot is not installed"
    tested = f"pipekit {_installed(DISTRIBUTION)} was tested with {SQLGLOT} alone"
    raise VersionError(
        f"{there}, but {tested}, and the values that a query gives depend on it",
        hint=f"Install that one: {_remedy(f'sqlglot=={SQLGLOT}')}",
    )


@cache
def of_this_run() -> tuple[str, ...]:
    """``python 3.11.7``, ``duckdb 2.0.1`` and so on: what a run is recorded with."""
    found = ((name, _installed(DISTRIBUTION if name == "pipekit" else name)) for name in _TELLING)
    return (f"python {platform.python_version()}", *(f"{name} {there}" for name, there in found if there))


def findings() -> Iterator[Finding]:
    """What is outside the ranges that were tested, a finding each, with the remedy; else that all is inside."""
    from packaging.requirements import Requirement

    wanted = [Requirement(text) for text in requires(DISTRIBUTION) or ()]
    outside = [each for each in wanted if _applies(each) and not _fits(each)]
    for each in outside:
        there = _installed(each.name) or "not installed"
        tested = f"tested with {each.specifier}" if each.specifier else "needed"
        yield Finding(each.name, False, f"{there}; {tested}: {_remedy(f'{each.name}{each.specifier}')}")
    if not outside:
        yield Finding("versions", True, f"as tested: {', '.join(of_this_run())}")


def _applies(wanted: Any) -> bool:
    return wanted.marker is None or wanted.marker.evaluate({"extra": ""})


def _fits(wanted: Any) -> bool:
    there = _installed(wanted.name)
    return there is not None and wanted.specifier.contains(there, prereleases=True)


def _remedy(wanted: str) -> str:
    return f'python -m pip install "{wanted}"'


@cache
def _installed(name: str) -> str | None:
    try:
        written = distribution(name).read_text("METADATA") or ""
        # Its own line: ``version`` parses the whole page as an e-mail, which takes 2 ms per package.
        found = re.search(r"^Version: (\S+)$", written, re.MULTILINE)
        return found[1] if found else version(name)
    except PackageNotFoundError:
        return None
