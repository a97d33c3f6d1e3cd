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


def test_another_project_of_the_process_may_not_say_otherwise(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The environment is one for the whole process, so the value of the first project would count for the second."""
    monkeypatch.delenv("OF_THE_FILE", raising=False)
    monkeypatch.setattr("pipekit.given._FROM_FILES", {})
    one, two = project(tmp_path / "one", FILE), project(tmp_path / "two", FILE)
    (tmp_path / "one/.env").write_text("OF_THE_FILE=1st\n")
    (tmp_path / "two/.env").write_text("OF_THE_FILE=2nd\n")
    assert load(one).spec.description == "1st"
    with pytest.raises(SpecError, match=r"OF_THE_FILE is another value than in .*one/.env.*a process of its own"):
        load(two)
    (tmp_path / "one/.env").write_text("OF_THE_FILE=new\n")
    assert load(one).spec.description == "new"
    (tmp_path / "one/.env").unlink()
    with pytest.raises(SpecError, match="OF_THE_FILE"):
        load(one)
    assert load(two).spec.description == "2nd"
    monkeypatch.delenv("OF_THE_FILE")


def test_a_value_made_of_another_name_is_compared_as_it_was_set(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("OF_THE_FILE", raising=False)
    monkeypatch.setattr("pipekit.given._FROM_FILES", {})
    monkeypatch.setenv("HOST", "given")
    one, two = project(tmp_path / "one", FILE), project(tmp_path / "two", FILE)
    (tmp_path / "one/.env").write_text("HOST=own\nOF_THE_FILE=${HOST}/a\n")
    (tmp_path / "two/.env").write_text("OF_THE_FILE=other\n")
    assert load(one).spec.description == load(one).spec.description == "given/a"
    with pytest.raises(SpecError, match="OF_THE_FILE is another value"):
        load(two)
    monkeypatch.delenv("OF_THE_FILE")


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
