"""The rules of the house that import-linter cannot hold: sizes, parameters, imports inside functions."""

from __future__ import annotations

import ast
import re
import tomllib
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest

REPOSITORY = Path(__file__).resolve().parents[1]
PACKAGE = REPOSITORY / "pipekit"
FILES = sorted(PACKAGE.rglob("*.py"))
MOST_LINES_OF_A_FILE = 400
MOST_LINES_OF_A_FUNCTION = 60
MOST_PARAMETERS = 6

Function = ast.FunctionDef | ast.AsyncFunctionDef


@cache
def tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


def functions() -> Iterator[tuple[str, Function]]:
    """Each function with its place; not the constructors of errors, whose parameters are the fields of a message."""
    for path in FILES:
        if path.name == "errors.py" and path.parent == PACKAGE:
            continue
        for node in ast.walk(tree(path)):
            if isinstance(node, Function):
                yield f"{path.parent.name}/{path.name}:{node.name}", node


def parameters(function: Function) -> int:
    names = [*function.args.posonlyargs, *function.args.args, *function.args.kwonlyargs]
    return len(names) - (bool(names) and names[0].arg in ("self", "cls"))


def test_files_are_short() -> None:
    lengths = {path: path.read_text(encoding="utf-8").count("\n") for path in FILES}
    assert {str(path): lines for path, lines in lengths.items() if lines > MOST_LINES_OF_A_FILE} == {}


def test_functions_are_short() -> None:
    lengths = {place: (node.end_lineno or 0) - node.lineno + 1 for place, node in functions()}
    assert {place: lines for place, lines in lengths.items() if lines > MOST_LINES_OF_A_FUNCTION} == {}


def test_functions_take_few_parameters() -> None:
    assert {place for place, node in functions() if parameters(node) > MOST_PARAMETERS} == set()


def reasons() -> dict[str, str]:
    """The modules of the table "Imports inside functions" in docs/architecture.md, with the reason of each."""
    text = (REPOSITORY / "docs/architecture.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| (`.+`) \| (.+) \|$", text.partition("| module | why late |")[2], re.MULTILINE)
    return {module: why for modules, why in rows for module in re.findall(r"`([\w.]+)`", modules)}


def late_imports() -> Iterator[tuple[str, Path]]:
    """Each module that is imported inside a function, and the file."""
    for path in FILES:
        for function in ast.walk(tree(path)):
            for node in ast.walk(function) if isinstance(function, Function) else ():
                if isinstance(node, ast.Import):
                    yield from ((alias.name, path) for alias in node.names)
                elif isinstance(node, ast.ImportFrom) and node.module == "pipekit.quality":
                    yield from ((f"{node.module}.{alias.name}", path) for alias in node.names)
                elif isinstance(node, ast.ImportFrom):
                    yield node.module or "", path


def test_an_import_inside_a_function_has_its_reason_on_the_page() -> None:
    known = reasons()
    used = set()
    for module, path in late_imports():
        listed = [name for name in known if module == name or module.startswith(f"{name}.")]
        assert listed, f"{path}: {module} is imported inside a function; docs/architecture.md gives no reason"
        if known[listed[0]].startswith("in `cli/` only"):
            assert path.parent.name == "cli", f"{path}: {module}"
        used.update(listed)
    assert known.keys() - used == set()


@pytest.mark.parametrize("path", sorted(path for path in PACKAGE.iterdir() if path.suffix == ".py" or path.is_dir()))
def test_each_room_is_on_the_page(path: Path) -> None:
    text = (REPOSITORY / "docs/architecture.md").read_text(encoding="utf-8").partition("## Where do I add")[0]
    name = f"{path.name}/" if path.is_dir() else path.stem
    assert path.name.startswith("__") or f"`{name}`" in text


def test_the_page_has_the_packages_in_the_order_of_imports() -> None:
    text = (REPOSITORY / "docs/architecture.md").read_text(encoding="utf-8")
    table = text.partition("| package or file |")[2].partition("\n\n")[0]
    found = [
        name for row in re.findall(r"^\| (`.+?) \|", table, re.MULTILINE) for name in re.findall(r"`(\w+)/?`", row)
    ]
    [layers] = [each["layers"] for each in contracts() if each.get("containers") == ["pipekit"]]
    assert found == layers


def test_the_tests_have_the_folders_of_the_source() -> None:
    across = {"benchmarks", "contract", "emulator", "ranges", "reliability", "shipped"}
    tests = {path.name for path in (REPOSITORY / "tests").iterdir() if path.is_dir() and list(path.rglob("*.py"))}
    source = {path.name for path in PACKAGE.iterdir() if path.is_dir() and list(path.rglob("*.py"))}
    assert tests - across - source == set()
    # Formats are tested where files are read; the library's door in tests/test_api.py.
    assert source - tests == {"api", "formats"}


def test_every_adapter_is_in_the_contract_that_keeps_them_apart() -> None:
    adapters = [f"pipekit.warehouses.{path.parent.name}" for path in (PACKAGE / "warehouses").glob("*/__init__.py")]
    [kept] = [each["modules"] for each in contracts() if each["type"] == "independence"]
    assert sorted(kept) == sorted(adapters)


def contracts() -> list[dict[str, Any]]:
    """The contracts of import-linter."""
    read = tomllib.loads((REPOSITORY / "pyproject.toml").read_text(encoding="utf-8"))
    found: list[dict[str, Any]] = read["tool"]["importlinter"]["contracts"]
    return found
