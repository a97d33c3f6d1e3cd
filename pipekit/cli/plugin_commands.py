"""Commands of plugins: called by name, and listed by ``pipekit --help``."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from pathlib import Path

import click

from pipekit.cli.options import project_plugins
from pipekit.project import find_root, plugin_files

_HOOK = b"pipekit_commands"
_ENTRY_POINTS = b"[pipekit]"


def plugin_commands() -> Mapping[str, click.Command]:
    """Commands of installed plugins and of the project's, by name.

    Raises:
        PluginError: A plugin cannot be used.
    """
    return project_plugins().commands()


def commands_for_help() -> tuple[Mapping[str, click.Command], str]:
    """Commands of plugins by name, and why they cannot be listed, if so.

    Plugins are imported only where one may add commands, since importing them takes ten times as long as the help.
    """
    if not (_project_may_add_commands() or _installed_may_add_commands()):
        return {}, ""
    from pipekit.errors import PluginError

    try:
        return plugin_commands(), ""
    except PluginError as error:
        return {}, f"Commands of plugins cannot be listed: {error}"


def _project_may_add_commands() -> bool:
    """Whether a plugin file of the project names the hook, or may get it by ``import *``."""
    texts = (_content(str(path)) for path in plugin_files(find_root(Path.cwd() / "pipeline.yaml")))
    return any(_HOOK in text or b"import *" in text for text in texts)


def _installed_may_add_commands() -> bool:
    """Whether an installed package declares entry points for pipekit; found without ``importlib.metadata`` (30 ms)."""
    for folder in sys.path:
        try:
            names = os.listdir(folder or ".")
        except OSError:
            continue
        for name in names:
            if name.endswith((".dist-info", ".egg-info")):
                declared = _content(f"{folder}/{name}/entry_points.txt")
                if _ENTRY_POINTS in declared:
                    return True
    return False


def _content(path: str) -> bytes:
    try:
        with open(path, "rb") as file:
            return file.read()
    except OSError:
        return b""
