"""Python code of the project's ``plugins/`` folder, imported without touching ``sys.path``."""

from __future__ import annotations

import hashlib
import importlib
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

from pipekit.errors import PipekitError, PluginError


def import_from(folder: Path, name: str) -> ModuleType:
    """The module ``name`` (dots allowed) below ``folder``.

    It is imported once per process, in a package of its own, so that it does not clash with an installed module of
    the same name.

    Raises:
        PluginError: There is no such module, or importing it fails.
    """
    package = _package(folder)
    try:
        return importlib.import_module(f"{package}.{name}")
    except ModuleNotFoundError as error:
        if error.name and error.name.startswith(package):
            raise PluginError(f"{folder.name}/{name.replace('.', '/')}.py does not exist") from error
        raise PluginError(f"{folder.name}/{name}: needs the module {error.name}, which is not installed") from error
    except PipekitError:
        raise
    except Exception as error:
        raise PluginError(f"{folder.name}/{name}: {type(error).__name__}: {error}") from error


def function_from(folder: Path, reference: str) -> Callable[..., Any]:
    """The function that ``package.module:function`` means.

    Raises:
        PluginError: There is none.
    """
    name, _, attribute = reference.partition(":")
    if not name or not attribute:
        raise PluginError(f"{reference!r} is not of the form module:function")
    function: Callable[..., Any] | None = getattr(import_from(folder, name), attribute, None)
    if not callable(function):
        raise PluginError(f"{folder.name}/{name}: has no function {attribute!r}")
    return function


def source_of(folder: Path, reference: str) -> str:
    """The text of the module that ``package.module:function`` names; empty if it has none."""
    module = folder.joinpath(*reference.partition(":")[0].split("."))
    for path in (module.with_suffix(".py"), module / "__init__.py"):
        if path.is_file():
            return path.read_text(encoding="utf-8", errors="replace")
    return ""


def _package(folder: Path) -> str:
    name = f"_pipekit_project_{hashlib.sha256(str(folder.resolve()).encode()).hexdigest()[:12]}"
    if name not in sys.modules:
        package = ModuleType(name, f"Code of {folder}.")
        package.__path__ = [str(folder)]
        sys.modules[name] = package
    return name
