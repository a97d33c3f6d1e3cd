"""What is said beside a pipeline file: by options, and by the project's ``.env``."""

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
    """What is said beside a pipeline file.

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
        """What an earlier run was given, where this says nothing else."""
        clock = earlier.as_of.isoformat() if earlier.as_of else None
        return replace(self, variables={**earlier.variables, **self.variables}, as_of=self.as_of or clock)


def read_dotenv(root: Path) -> None:
    """Add the project's ``.env`` to the environment, which wins.

    Raises:
        SpecError: It cannot be read.
    """
    path = root / ".env"
    if not path.is_file():
        return
    from dotenv import dotenv_values, load_dotenv
    from dotenv.parser import parse_stream

    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        why = getattr(error, "strerror", "") or "it is not UTF-8"
        raise SpecError([Problem(str(path), 0, "", f"cannot be read: {why}")]) from error
    if odd := [line.original.line for line in parse_stream(io.StringIO(text)) if line.error]:
        raise SpecError([Problem(str(path), line, "", "is not NAME=VALUE; is a quote not closed?") for line in odd])
    _refuse_other_values(path, dotenv_values(path))
    load_dotenv(path, override=False)


_FROM_FILES: dict[str, tuple[Path, str]] = {}
"""What files have added to the environment of this process, by name."""


def _refuse_other_values(path: Path, values: Mapping[str, str | None]) -> None:
    """Refuse a file whose values differ from those that another project's ``.env`` has put into this process.

    A file that is read again, and has changed, counts as it is now.

    Raises:
        SpecError: It says otherwise than another project's; the environment is one for the whole process.
    """
    for name, value in values.items():
        other, set_to = _FROM_FILES.get(name, (path, None))
        if set_to is not None and os.environ.get(name) == set_to != value:
            if other != path:
                text = f"{name} is another value than in {other}, which this process has read already"
                raise SpecError([Problem(str(path), 0, "", f"{text}; use each project in a process of its own")])
            del os.environ[name]
        if value is not None and name not in os.environ:
            _FROM_FILES[name] = (path, value)
