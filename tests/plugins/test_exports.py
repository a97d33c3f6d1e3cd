"""What plugins import: names of ``pipekit`` itself, each documented."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import pipekit

REPOSITORY = Path(__file__).resolve().parents[2]
DOCS = (REPOSITORY / "docs/plugins.md").read_text(encoding="utf-8")
PLUGINS = [*(REPOSITORY / "plugins").rglob("*.py"), REPOSITORY / "tests/materialize/versions_plugin.py"]


def imported(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (name.name for name in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield node.module or ""


@pytest.mark.parametrize("path", PLUGINS, ids=lambda path: path.name)
def test_plugins_import_pipekit_and_nothing_deeper(path: Path) -> None:
    deeper = [name for name in imported(ast.parse(path.read_text())) if name.startswith("pipekit.")]
    assert deeper == []


def test_every_exported_name_is_there_and_documented() -> None:
    section = DOCS.partition("## What pipekit exports")[2]
    assert sorted(re.findall(r"`(\w+)`", section.partition("| for | names |")[2])) == sorted(pipekit.__all__)
    assert all(getattr(pipekit, name) is not None for name in pipekit.__all__)


def test_importing_pipekit_imports_no_other_module_of_it() -> None:
    code = "import sys, pipekit; print([name for name in sys.modules if name.startswith('pipekit.')])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=REPOSITORY)
    assert done.stdout == "[]\n"
