"""Refresh the lock: resolve again, and keep the new ``constraints.txt`` only if the default tests are green on it.

    python tests/ranges/refresh.py

It never goes beyond the ranges of pyproject.toml; to widen one, change it there, see ``check.py`` green, then run this.
"""

from __future__ import annotations

import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from environments import LOCK, resolve, run

HEADER = "# What pipekit was tested with: made by tests/ranges/refresh.py, explained in docs/versions.md.\n"


def main() -> None:
    """Write the lock, if there is anything new and the tests are green on it."""
    with TemporaryDirectory() as scratch:
        new = Path(scratch) / "constraints.txt"
        resolve("test", new, "--universal", "--python-version", "3.11")
        text = HEADER + new.read_text()
        old = LOCK.read_text()
        if old == text:
            print("nothing is newer")
            return
        run(sys.executable, "-m", "venv", str(Path(scratch) / "venv"))
        python = str(Path(scratch) / "venv/bin/python")
        run(python, "-m", "pip", "install", "--quiet", "-c", str(new), "-e", ".[test]")
        LOCK.write_text(text)  # the tests read it
        try:
            run(python, "-m", "pytest")
        except BaseException:
            LOCK.write_text(old)
            raise
    print(f"{LOCK.name} is written")


if __name__ == "__main__":
    main()
