"""Receivers of alerts: the section ``notify`` of a pipeline file."""

from __future__ import annotations

import logging
import re
import shlex
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any, Literal
from urllib.parse import unquote

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, WithJsonSchema, model_validator

from pipekit.scrubbing import hide, hide_parts
from pipekit.source import Names

Kind = Literal["failure", "warning", "recovery"]
EXTRA = "pipekit-elt[notify]"
LONGEST_SECONDS = 120.0
_LONG_PART = 12


def _words(value: Any) -> Any:
    return tuple(shlex.split(value)) if isinstance(value, str) else value


def _listed(value: Any) -> Any:
    return (value,) if isinstance(value, str) else value


Words = Annotated[
    tuple[str, ...],
    BeforeValidator(_words),
    WithJsonSchema({"anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}}]}),
]
Kinds = Annotated[tuple[Kind, ...], BeforeValidator(_listed)]


class ReceiverKeys(BaseModel):
    """One receiver of alerts.

    Attributes:
        url: An address of apprise, for Slack, mail, Teams, a webhook and others. It is a secret: take it from the
            environment.
        command: A program and its arguments, which gets the alert as JSON on its standard input.
        on: What is reported: ``failure``; ``warning``, a run that succeeded with warned checks, skipped files or
            rejected records; ``recovery``, the first run that succeeds after a failure.
        targets: Only runs on these targets; on all if left out. Nothing else of the receiver is read for another one.
        timeout: The most seconds that a run waits for the receiver at its end.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, defer_build=True)

    url: str | None = None
    command: Words | None = Field(default=None, min_length=1)
    on: Kinds = Field(default=("failure", "recovery"), min_length=1)
    targets: Names = ()
    timeout: float = Field(default=10.0, gt=0, le=LONGEST_SECONDS)

    @model_validator(mode="after")
    def _one_way(self) -> ReceiverKeys:
        if (self.url is None) == (self.command is None):
            raise ValueError("needs url or command, and not both")
        return self


@dataclass(frozen=True)
class Receiver:
    """A receiver, ready for alerts.

    Attributes:
        name: Its name in the file; what messages call it.
        url: Where apprise sends to; empty for a command.
        command: A program and its arguments.
        on: The kinds of alerts that it gets.
        timeout: Seconds that a run waits for it.
    """

    name: str
    url: str = field(repr=False)
    command: tuple[str, ...]
    on: tuple[Kind, ...]
    timeout: float

    @classmethod
    def of(cls, name: str, keys: ReceiverKeys) -> Receiver:
        """The receiver that the file describes."""
        return cls(name, keys.url or "", keys.command or (), keys.on, keys.timeout)


def hide_address(url: str) -> None:
    """Hide the address of a receiver, and what of it could be used alone."""
    hide_parts(url)
    parts = re.split(r"[/?&=@:]+", url.partition("://")[2])
    hide({url, *(text for part in parts for text in (part, unquote(part)) if len(part) >= _LONG_PART)})


def problem_with(keys: ReceiverKeys, root: Path) -> tuple[str, str] | None:
    """The key that is wrong and why; ``None`` if both can be used. The address itself is never quoted.

    Args:
        keys: The receiver.
        root: Where its program is started.
    """
    if keys.url is not None:
        problem = _problem_with_address(keys.url)
        return ("url", problem) if problem else None
    program = (keys.command or ("",))[0]
    if shutil.which(program) or shutil.which(str(root / program)):
        return None
    return "command", f"there is no program {program!r} that can be run"


def _problem_with_address(url: str) -> str | None:
    try:
        import apprise
    except ImportError:
        return f"needs apprise: pip install '{EXTRA}'"
    if not url.strip():
        return "is empty"
    with _silent():
        if apprise.Apprise().add(url):
            return None
    service = re.match(r"[A-Za-z][A-Za-z0-9+.-]*(?=://)", url)
    of = f" of {service[0]}://" if service else ""
    return (
        f"is not an address{of} that apprise accepts: see https://appriseit.com/services/ (not shown: it is a secret)"
    )


@contextmanager
def _silent() -> Iterator[None]:
    """Keep apprise from logging, since it logs addresses that it cannot use."""
    logger = logging.getLogger("apprise")
    before, logger.disabled = logger.disabled, True
    try:
        yield
    finally:
        logger.disabled = before
