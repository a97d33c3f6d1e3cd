"""Python code of the project's ``plugins/`` folder, imported without touching ``sys.path``."""

from __future__ import annotations

import hashlib
import importlib
import importlib.abc
import importlib.machinery
import importlib.util
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, redirect_stdout
from inspect import isfunction
from pathlib import Path
from types import ModuleType
from typing import Any

from pipekit.errors import PipekitError, PluginError
from pipekit.suggestions import did_you_mean


def import_from(folder: Path, name: str) -> ModuleType:
    """The module ``name`` (dots allowed) below ``folder``.

    It is imported once per process, in a package of its own, so that it does not clash with an installed module of
    the same name.

    Raises:
        PluginError: There is no such module, or importing it fails.
    """
    package = _package(folder)
    try:
        # Standard output may be a stream of JSON, which no print of a plugin may break.
        with redirect_stdout(sys.stderr), _helpers_of(folder):
            return importlib.import_module(f"{package}.{name}")
    except ModuleNotFoundError as error:
        if error.name and error.name.startswith(package):
            others = [".".join(file.relative_to(folder).with_suffix("").parts) for file in folder.rglob("*.py")]
            near = did_you_mean(name, others)
            raise PluginError(f"{folder.name}/{name.replace('.', '/')}.py does not exist{near}") from error
        place = line_in(error, folder) or f"{folder.name}/{name}"
        raise PluginError(f"{place}: needs the module {error.name}, which is not installed") from error
    except PipekitError:
        raise
    except SyntaxError as error:
        raise PluginError(_not_python(error, _shown(error.filename or name, folder))) from error
    except (Exception, SystemExit) as error:
        place = line_in(error, folder) or f"{folder.name}/{name}"
        raise PluginError(f"{place}: {what_happened(error)}") from error


def _not_python(error: SyntaxError, file: str) -> str:
    """A mistake in Python, with its place, and the line with a caret below it."""
    said = f"{file}:{error.lineno}: {error.msg}"
    if not error.text or not error.offset:
        return said
    number, text = f"  {error.lineno} | ", error.text.rstrip("\n")
    return f"{said}\n{number}{text}\n{' ' * (len(number) - 2)}| {' ' * (error.offset - 1)}^"


def what_happened(error: BaseException) -> str:
    """An exception of a plugin in words."""
    if isinstance(error, SystemExit):
        return f"called exit({'' if error.code is None else error.code!r}); a plugin must return or raise an error"
    return f"raised {type(error).__name__}: {error}"


def line_in(error: BaseException, folder: Path) -> str:
    """The last place in the code below ``folder`` through which an exception came; empty if there is none."""
    place, trace = "", error.__traceback__
    while trace is not None:
        file = trace.tb_frame.f_code.co_filename
        if Path(file).is_relative_to(folder):
            place = f"{_shown(file, folder)}:{trace.tb_lineno}"
        trace = trace.tb_next
    return place


def _shown(file: str, folder: Path) -> str:
    path = Path(file)
    return path.relative_to(folder.parent).as_posix() if path.is_relative_to(folder) else file


@contextmanager
def _helpers_of(folder: Path) -> Iterator[None]:
    """While the block runs, ``import helper`` and ``from plugins.helper import x`` find the project's own files.

    Installed modules win. The names are forgotten at the end, since another project may have helpers of the same names.
    """
    finder = _Helpers(folder)
    sys.meta_path.append(finder)
    try:
        yield
    finally:
        sys.meta_path.remove(finder)
        for name in finder.found:
            sys.modules.pop(name, None)


class _Helpers(importlib.abc.MetaPathFinder):
    """Finds the modules of a project's ``plugins/`` by the names under which people import them."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.found: list[str] = []

    def find_spec(self, fullname: str, path: Any, target: Any = None) -> Any:
        """See ``importlib``."""
        first, _, rest = fullname.partition(".")
        inside = rest if first == self._folder.name else fullname
        file = self._folder.joinpath(*inside.split(".")).with_suffix(".py") if inside else self._folder / "__init__.py"
        if first == self._folder.name and not rest:
            spec = importlib.machinery.ModuleSpec(fullname, None, is_package=True)
            spec.submodule_search_locations = []
        elif file.is_file():
            spec = importlib.util.spec_from_file_location(fullname, file)  # type: ignore[assignment]
        else:
            return None
        self.found.append(fullname)
        return spec


def function_from(folder: Path, reference: str) -> Callable[..., Any]:
    """The function that ``package.module:function`` means.

    Raises:
        PluginError: There is none.
    """
    name, _, attribute = reference.partition(":")
    if not name or not attribute:
        path, _, last = reference.rpartition(".")
        meant = f"; did you mean '{path}:{last}'?" if path and last and ":" not in reference else ""
        raise PluginError(f"{reference!r} is not of the form module:function{meant}")
    module = import_from(folder, name)
    function: Callable[..., Any] | None = getattr(module, attribute, None)
    if not callable(function):
        near = did_you_mean(attribute, [other for other, value in vars(module).items() if isfunction(value)])
        raise PluginError(f"{folder.name}/{name.replace('.', '/')}.py has no function {attribute!r}{near}")
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
