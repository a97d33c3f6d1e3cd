"""Where the command begins: Ctrl-C is handled before its modules are imported, which takes a while."""

from __future__ import annotations

import gc

from pipekit.cli.stopping import leave_at_once

# Objects made between two looks for garbage. Python looks after 700, which takes 5 % of a short run.
OBJECTS_BETWEEN_COLLECTIONS = 50_000


def program() -> None:
    """Entry point: see ``process.program``."""
    leave_at_once()
    gc.set_threshold(OBJECTS_BETWEEN_COLLECTIONS)
    from pipekit.cli.process import program as begin

    begin()
