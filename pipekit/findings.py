"""What ``pipekit doctor`` reports."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Finding:
    """One thing that ``pipekit doctor`` looked at: how it is, or what to do."""

    name: str
    ok: bool
    text: str
