"""Where the command begins: before its modules are imported, which takes a while, Ctrl-C is seen to."""

from __future__ import annotations

from pipekit.cli.stopping import leave_at_once


def program() -> None:
    """Entry point: see ``process.program``."""
    leave_at_once()
    from pipekit.cli.process import program as begin

    begin()
