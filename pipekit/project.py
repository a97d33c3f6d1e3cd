"""A project's folder: where it begins, and the plugin files in it."""

from __future__ import annotations

import os
import re
from functools import lru_cache
from pathlib import Path
from typing import Any


def find_root(path: Path) -> Path:
    """The project's root: the nearest folder above the file, up to the git root, that looks like a project.

    Such a folder holds ``templates/``, ``plugins/``, or a ``pyproject.toml`` with ``[tool.pipekit]``. If there is
    none, it is the file's own folder.
    """
    start = path.resolve().parent
    for folder in (start, *start.parents):
        if (folder / "templates").is_dir() or (folder / "plugins").is_dir() or _is_declared(folder):
            return folder
        if (folder / ".git").exists():
            break
    return start


def _is_declared(folder: Path) -> bool:
    try:
        return "[tool.pipekit]" in (folder / "pyproject.toml").read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        return False


def state_folder(root: Path) -> Path:
    """Where locks, records of runs and kept translations are: ``PIPEKIT_STATE``, the project's ``state``, ``.pipekit``.

    Raises:
        ValueError: The setting is not text.
    """
    return _folder(root, "state", ".pipekit")


def logs_folder(root: Path) -> Path:
    """Where the log file is: ``PIPEKIT_LOGS``, the project's ``logs``, or ``logs``.

    Raises:
        ValueError: As ``state_folder``.
    """
    return _folder(root, "logs", "logs")


def _folder(root: Path, name: str, default: str) -> Path:
    chosen = os.environ.get(f"PIPEKIT_{name.upper()}") or _settings(root).get(name, default)
    if not isinstance(chosen, str) or not chosen:
        raise ValueError(f"pyproject.toml: tool.pipekit.{name}: {chosen!r} is not the name of a folder")
    return root / Path(chosen).expanduser()


def _settings(root: Path) -> dict[str, Any]:
    """What ``[tool.pipekit]`` says; nothing where there is no such file."""
    try:
        text = (root / "pyproject.toml").read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        return {}  # it is another tool's business then
    if "pipekit" not in text or not re.search(r"\b(state|logs)\b['\"]?\s*=", text):
        return {}  # neither setting is there; to read a long file takes 5 ms, with tomllib, of each run
    return _read(text)


@lru_cache(maxsize=8)
def _read(text: str) -> dict[str, Any]:
    """The settings in the text of a ``pyproject.toml``. A run asks a dozen times, and a long file takes 10 ms."""
    import tomllib

    try:
        found = tomllib.loads(text).get("tool", {}).get("pipekit", {})
    except tomllib.TOMLDecodeError:
        return {}
    return found if isinstance(found, dict) else {}


def plugin_files(root: Path) -> list[Path]:
    """The project's plugins, in the order in which they are imported: ``plugins/*.py`` without a leading ``_``."""
    return [path for path in sorted((root / "plugins").glob("*.py")) if not path.name.startswith("_")]


def leads_out(path: Path, root: Path) -> bool:
    """Whether a path of the project is a link to something outside it."""
    return not path.resolve().is_relative_to(root.resolve())
