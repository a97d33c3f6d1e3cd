"""Commands of plugins: called by name, and listed by ``pipekit --help``."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import click

from pipekit.cli.options import project_plugins
from pipekit.plugins.installed import may_have_plugins
from pipekit.project import find_root, plugin_files

_HOOK = b"pipekit_commands"


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
    if not (_project_may_add_commands() or may_have_plugins()):
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


def _content(path: str) -> bytes:
    try:
        with open(path, "rb") as file:
            return file.read()
    except OSError:
        return b""
