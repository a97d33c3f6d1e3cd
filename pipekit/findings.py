"""What ``pipekit doctor`` reports."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

from pipekit.errors import PipekitError


class Finding(NamedTuple):
    """One thing that ``pipekit doctor`` looked at: how it is, or what to do.

    Attributes:
        name: What was looked at.
        ok: Whether a run can use it.
        text: How it is, or what to do.
        empty: Whether it is a source without files.
        warns: Whether a step would fail as it is now, although nothing is broken.
    """

    name: str
    ok: bool
    text: str
    empty: bool = False
    warns: bool = False


def tried(name: str, look: Callable[[], str], remedy: str = "") -> Finding:
    """The finding about one thing. Whatever goes wrong becomes the finding, so that the rest is still checked.

    Args:
        name: What is looked at.
        look: Returns how it is.
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


def files_of(source: str, place: str, listing: Callable[[], Sequence[object]], remedy: str = "") -> Finding:
    """How many files a source has at its place; see ``tried``."""
    files: list[object] = []

    def look() -> str:
        files.extend(listing())
        return f"{len(files)} file{'s' if len(files) != 1 else ''} at {place}"

    finding = tried(f"source {source}", look, remedy)
    return finding._replace(empty=finding.ok and not files)
