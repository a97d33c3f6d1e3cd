"""What ``pipekit doctor`` reports."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from pipekit.errors import PipekitError


@dataclass(frozen=True)
class Finding:
    """One thing that ``pipekit doctor`` looked at: how it is, or what to do."""

    name: str
    ok: bool
    text: str


def tried(name: str, look: Callable[[], str], remedy: str = "") -> Finding:
    """What a look at one thing finds. Whatever goes wrong is the finding, so that the next thing is looked at too.

    Args:
        name: What is looked at.
        look: Says how it is.
        remedy: What to do if it raises; by default what the error says itself.
    """
    try:
        return Finding(name, True, look())
    except PipekitError as error:
        advice = remedy or (error.hint or "").partition("\n")[0]
        return Finding(name, False, "; ".join(part for part in (error.message.splitlines()[0], advice) if part))
    except Exception as error:  # noqa: BLE001 - a driver's or a plugin's own; what else is wrong is worth knowing too
        said = (str(error).splitlines() or [""])[0]
        return Finding(name, False, "; ".join(part for part in (f"{type(error).__name__}: {said}", remedy) if part))
