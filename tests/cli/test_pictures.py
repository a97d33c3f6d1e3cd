"""The pictures of docs/terminal.md, drawn from what a real run and real commands gave.

With PIPEKIT_PICTURES=1 they are made again.
"""

from __future__ import annotations

import io
import os
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from projects import MARKETING, REPOSITORY, copy_project, pipekit
from rich._export_format import CONSOLE_SVG_FORMAT
from rich.console import Console
from rich.terminal_theme import MONOKAI
from rich.text import Text
from small_projects import write

from pipekit.sinks.console import ConsoleSink
from pipekit.sinks.jsonl import read_events

from .test_output import screen

FOLDER = REPOSITORY / "docs/pictures"
# Without the fonts that rich would fetch from another host.
FORMAT = re.sub(r"\s*@font-face \{\{.*?\}\}|\s*<!--.*?-->", "", CONSOLE_SVG_FORMAT, flags=re.DOTALL)


@pytest.fixture(scope="module")
def shown(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = copy_project(tmp_path_factory.mktemp("pictures") / "project")
    pipekit(root, "run", MARKETING, "--quiet")
    text = (root / MARKETING).read_text(encoding="utf-8")
    wrong = text.replace("region, value_set", "regoin, value_set").replace("type: check", "type: chek")
    write(root, "pipelines/wrong.yaml", wrong)
    return root


def the_run(root: Path, console: Console) -> None:
    sink = ConsoleSink(console)
    for event in read_events(next((root / ".pipekit/runs").glob("*/*.jsonl"))):
        sink.handle(event)
    sink.close()


def command(*arguments: str) -> Callable[[Path, Console], None]:
    def run(root: Path, console: Console) -> None:
        console.print(Text.from_ansi(screen(root, console.width, *arguments).replace("\r", "")))

    return run


PICTURES: dict[str, tuple[int, Callable[[Path, Console], None]]] = {
    "terminal-run": (100, the_run),
    "terminal-narrow": (60, the_run),
    "terminal-plan": (100, command("plan", MARKETING)),
    "terminal-mistake": (100, command("validate", "pipelines/wrong.yaml")),
}


def picture(root: Path, name: str) -> str:
    width, draw = PICTURES[name]
    console = Console(record=True, width=width, file=io.StringIO(), highlight=False)
    draw(root, console)
    return console.export_svg(title=f"{width} columns", theme=MONOKAI, code_format=FORMAT, unique_id=name)


@pytest.mark.parametrize("name", PICTURES)
def test_a_picture_is_whole_and_fetches_nothing(shown: Path, name: str) -> None:
    svg = picture(shown, name)
    assert svg.startswith("<svg")
    assert set(re.findall(r"\w+://[\w.]+", svg)) == {"http://www.w3.org"}
    if os.environ.get("PIPEKIT_PICTURES"):
        (FOLDER / f"{name}.svg").write_text(svg, encoding="utf-8")
    assert (FOLDER / f"{name}.svg").is_file()
