"""The project's ``.env``: it lies in the root, it counts for the library as for the command, and its mistakes have a line."""

from __future__ import annotations

from pathlib import Path

import pytest
from small_projects import load, project

from pipekit import SpecError

FILE = "description: \"{{ env('OF_THE_FILE') }}\"\nsteps: [{id: t, type: sql, sql: select 1 as x}]\n"


def test_it_lies_in_the_root_and_the_environment_wins(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = project(tmp_path, FILE)
    (tmp_path / ".env").write_text("OF_THE_FILE=there\n")
    monkeypatch.setenv("OF_THE_FILE", "given")
    assert load(path).spec.description == "given"
    monkeypatch.delenv("OF_THE_FILE")
    assert load(path).spec.description == "there"


@pytest.mark.parametrize(
    ("data", "words"),
    [(b'A=1\nB = "x\n', ".env:2: is not NAME=VALUE"), (b"A=\xff\n", ".env: cannot be read: it is not UTF-8")],
)
def test_a_mistake_in_it_is_named(tmp_path: Path, data: bytes, words: str) -> None:
    path = project(tmp_path, FILE)
    (tmp_path / ".env").write_bytes(data)
    with pytest.raises(SpecError) as found:
        load(path)
    assert words in str(found.value)
