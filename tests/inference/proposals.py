"""What is inferred from the files of a folder ``data``, and a run of it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pipekit
from pipekit.pipeline.reading.tree import read_yaml


def proposal_of(root: Path) -> tuple[Any, str]:
    """The proposal, which is written to ``p.yaml``, and its doubts."""
    found = pipekit.infer(root / "data", to=root / "p.yaml")
    (root / "p.yaml").write_text(found.text, encoding="utf-8")
    return read_yaml(root / "p.yaml", "p.yaml").plain(), "\n".join(map(str, found.doubts))


def run(root: Path) -> pipekit.RunResult:
    """A run of the proposal, which has to succeed."""
    result = pipekit.Pipeline.from_file(root / "p.yaml").run()
    assert result.ok, result.errors
    return result
