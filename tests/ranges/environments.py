"""Versions as uv resolves them, and virtual environments that hold them."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]
LOCK = REPOSITORY / "constraints.txt"


def resolve(extra: str, into: Path, *options: str) -> None:
    """Write exact versions of all that pyproject.toml asks for, a ``name==version`` a line."""
    uv(
        "pip", "compile", "pyproject.toml", "--extra", extra, *options,
        "--quiet", "--no-header", "--no-annotate", "--output-file", str(into),
    )  # fmt: skip


def uv(*arguments: str) -> None:
    """Run uv, which the tests' environment has."""
    run(sys.executable, "-m", "uv", *arguments)


def run(*command: str, **variables: str) -> None:
    """Run a command in the repository; if it fails, so does this program."""
    done = subprocess.run(command, cwd=REPOSITORY, env={**os.environ, **variables}, check=False)
    if done.returncode:
        sys.exit(done.returncode)
