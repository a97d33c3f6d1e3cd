"""What is given besides a pipeline file: by options, and by the project's ``.env``."""

from __future__ import annotations

import io
import os
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from pipekit.errors import Problem, SpecError
from pipekit.pipeline.model import PipelineSpec
from pipekit.pipeline.reading.read import read_pipeline
from pipekit.plugins.registry import Plugins
from pipekit.runs.resume import EarlierRun


@dataclass(frozen=True)
class Given:
    """What is given besides a pipeline file.

    Attributes:
        target: A target's name.
        variables: Values that win over the file's.
        as_of: The clock.
    """

    target: str | None = None
    variables: Mapping[str, Any] = field(default_factory=dict)
    as_of: str | None = None

    def read(self, path: Path, plugins: Plugins) -> PipelineSpec:
        """The file, read with this."""
        return read_pipeline(path, plugins.vocabulary, target=self.target, variables=self.variables, as_of=self.as_of)

    def on(self, target: str) -> Given:
        """The same on a target."""
        return replace(self, target=target)

    def as_before(self, earlier: EarlierRun) -> Given:
        """What an earlier run was given, where nothing else is given now."""
        clock = earlier.as_of.isoformat() if earlier.as_of else None
        return replace(self, variables={**earlier.variables, **self.variables}, as_of=self.as_of or clock)


def _not_an_assignment(text: str, line: int) -> str:
    written = text.splitlines()[line - 1]
    if any(written.count(quote) % 2 for quote in "'\""):
        return "is not NAME=VALUE: a quote is not closed"
    return "is not NAME=VALUE; a remark begins with #"


def read_dotenv(root: Path) -> None:
    """Add the project's ``.env`` to the environment, which wins.

    Raises:
        SpecError: It cannot be read.
    """
    path = root / ".env"
    if not path.is_file():
        _forget_or_refuse(path, {})
        return
    from dotenv import dotenv_values, load_dotenv
    from dotenv.parser import parse_stream

    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        why = getattr(error, "strerror", "") or "it is not UTF-8"
        raise SpecError([Problem(str(path), 0, "", f"cannot be read: {why}")]) from error
    if odd := [line.original.line for line in parse_stream(io.StringIO(text)) if line.error]:
        raise SpecError([Problem(str(path), line, "", _not_an_assignment(text, line)) for line in odd])
    values = dotenv_values(path)
    _forget_or_refuse(path, values)
    new = {name for name in values if name not in os.environ}
    load_dotenv(path, override=False)
    _FROM_FILES.update({name: (path, os.environ[name]) for name in new if name in os.environ})


_FROM_FILES: dict[str, tuple[Path, str]] = {}
"""What files have added to the environment of this process: the file and the value, by name."""


def _forget_or_refuse(path: Path, values: Mapping[str, str | None]) -> None:
    """Unset what the file no longer sets; refuse a value that another project's ``.env`` has set otherwise.

    What has been set by others since stays.

    Raises:
        SpecError: The environment is one for the whole process, and would be the other project's for this one.
    """
    for name, (file, value) in list(_FROM_FILES.items()):
        if os.environ.get(name) != value:
            del _FROM_FILES[name]
        elif file == path:
            if values.get(name) != value:  # one that is the same must not be missing for a moment: threads may read it
                del os.environ[name], _FROM_FILES[name]
        elif values.get(name, value) != value:
            text = f"{name} is another value than in {file}, which this process has read already"
            raise SpecError([Problem(str(path), 0, "", f"{text}; use each project in a process of its own")])
