"""Whether an installed package has plugins for pipekit, found without ``importlib.metadata``, which takes 30 ms."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator

_GROUP = b"[pipekit]"


def may_have_plugins() -> bool:
    """Whether a package on ``sys.path`` declares entry points for pipekit, or is packed, so that this is not known."""
    return any(_declares(folder) for folder in sys.path)


def _declares(folder: str) -> bool:
    try:
        names = os.listdir(folder or ".")
    except NotADirectoryError:
        return True  # an archive
    except OSError:
        return False
    return any(_GROUP in content for content in _declarations(folder, names))


def _declarations(folder: str, names: list[str]) -> Iterator[bytes]:
    for name in names:
        if name.endswith((".dist-info", ".egg-info")):
            try:
                with open(f"{folder or '.'}/{name}/entry_points.txt", "rb") as file:
                    yield file.read()
            except OSError:
                continue
