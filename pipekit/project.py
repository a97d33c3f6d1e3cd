"""A project's folder: where it begins, and the plugin files in it."""

from __future__ import annotations

from pathlib import Path


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


def plugin_files(root: Path) -> list[Path]:
    """The project's plugins, in the order in which they are imported: ``plugins/*.py`` without a leading ``_``."""
    return [path for path in sorted((root / "plugins").glob("*.py")) if not path.name.startswith("_")]
