"""README and the pages say what is so: their commands run, their files validate, their links lead somewhere.

A comment above a fenced block says what the block is, where its language does not:

    <!-- file: PATH -->      the block is written to that file of the page's project
    <!-- output -->          each line occurs, in this order, in what the commands above it printed; ``...`` is a gap
    <!-- printed -->         all that they printed, line by line; ``...`` stands for what is left out of a line, or alone
                             for lines. What differs from run to run (times, ids, the folder) is not compared
    <!-- exit N -->          the last command above ends so
    <!-- not run: WHY -->    an example that cannot run here

Without one, ``sh`` blocks are run, in the order of the page and in a copy of the project of the page's own; ``python``
blocks too; a ``yaml`` block is a pipeline file, or sections of one, and must validate. ``<!-- external: a, b -->`` names
tables that such sections read.
"""

from __future__ import annotations

import itertools
import os
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import forked
import pytest
import yaml
from projects import REPOSITORY, copy_project, environment, pipekit
from pydantic import BaseModel

from pipekit import Pipeline
from pipekit.export.builtin import BUILT_IN_EXPORTERS
from pipekit.export.contract import Exporter
from pipekit.formats.avro import AvroFormat
from pipekit.formats.csv import CsvFormat
from pipekit.formats.excel import ExcelFormat
from pipekit.formats.fixed_width import FixedWidthFormat
from pipekit.formats.json import JsonFormat
from pipekit.formats.parquet import ParquetFormat
from pipekit.materialize.builtin import BUILT_IN
from pipekit.materialize.contract import Choice
from pipekit.materialize.into import Contract
from pipekit.pipeline.observers import OpenLineage, OpenTelemetry
from pipekit.pipeline.reading.keys import FileKeys, StepKeys
from pipekit.plugins.registry import Plugins
from pipekit.source import Column, Source
from pipekit.steps.check import CheckOptions
from pipekit.steps.feature_options import Feature, FeaturesOptions
from pipekit.steps.load_options import LoadOptions
from pipekit.steps.python import PythonOptions
from pipekit.steps.sql import SqlOptions
from pipekit.warehouses.duckdb.target import DuckDBTarget
from pipekit.warehouses.snowflake.target import SnowflakeTarget

DOCS = REPOSITORY / "docs"
PAGES = [REPOSITORY / "README.md", *sorted(DOCS.glob("*.md"))]
RUN_HERE = (
    "README.md",
    "airflow.md",
    "getting-started.md",
    "infer.md",
    "library.md",
    "lineage.md",
    "openlineage.md",
    "opentelemetry.md",
    "operations.md",
    "pipeline-file.md",
    "report.md",
    "plan.md",
    "schedulers.md",
    "snowflake-tasks.md",
    "step-functions.md",
    "steps.md",
    "testing.md",
)

_BLOCK = re.compile(r"^```(?P<language>\w*)\n(?P<text>.*?)^```$", re.MULTILINE | re.DOTALL)
_ABOVE = re.compile(r"<!-- (?P<word>not run|file|output|printed|exit|external):? ?(?P<rest>[^>]*?) -->\n+\Z")
_LINK = re.compile(r"\[[^\]]+\]\((?P<target>[^)\s]+)\)")


@dataclass(frozen=True)
class Block:
    """A fenced block and the comment above it."""

    language: str
    text: str
    line: int
    word: str = ""
    rest: str = ""


def blocks(page: Path) -> Iterator[Block]:
    text = page.read_text(encoding="utf-8")
    for match in _BLOCK.finditer(text):
        above = _ABOVE.search(text[: match.start()])
        words = (above["word"], above["rest"]) if above else ("", "")
        yield Block(match["language"], match["text"], text.count("\n", 0, match.start()) + 1, *words)


def ids(page: Path) -> str:
    return page.name


# Blocks --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("page", [page for page in PAGES if page.name in RUN_HERE], ids=ids)
def test_the_blocks_of_a_page(page: Path, tmp_path: Path) -> None:
    folder = copy_project(tmp_path / "project")
    printed = ""
    for block in blocks(page):
        place = f"{page.name}:{block.line}"
        if block.word == "not run":
            assert block.rest, f"{place}: say why it is not run"
        elif block.word == "file":
            put(folder, block)
        elif block.word == "output":
            assert_printed(block.text, printed, place)
        elif block.word == "printed":
            assert_word_for_word(block.text, printed, place)
        elif block.language == "sh":
            printed = run_commands(folder, block, place)
        elif block.language == "python":
            run_python(folder, block, place)
        elif block.language == "yaml":
            validate(folder, block, place)


def put(folder: Path, block: Block) -> None:
    path = folder / block.rest
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(block.text, encoding="utf-8")
    if block.language == "yaml" and path.parent.name == "pipelines" and "broken" not in path.name:
        Pipeline.from_file(path)


def run_commands(folder: Path, block: Block, place: str) -> str:
    """Run the block as a shell would; ``pip`` and ``pytest`` are left out, their way is tested by CI."""
    lines = [re.sub(r"^pip install .*?&& ", "", line) for line in block.text.splitlines()]
    script = "\n".join(line for line in lines if not line.startswith(("pip ", "pytest")))
    done = subprocess.run(
        ["sh", "-ec", script], cwd=folder, env=_shell(folder), capture_output=True, text=True, check=False, timeout=180
    )
    wanted = int(block.rest) if block.word == "exit" else 0
    assert done.returncode == wanted, f"{place}\n{done.stdout}{done.stderr}"
    return done.stdout + done.stderr


def _shell(folder: Path) -> dict[str, str]:
    """The environment of the commands; ``pipekit`` in it is forked."""
    given = environment()
    if not forked.suits(given):
        return given
    commands = folder.with_name("commands")
    commands.mkdir(exist_ok=True)
    forked.command(commands)
    return {**given, "PATH": f"{commands}{os.pathsep}{given['PATH']}"}


def run_python(folder: Path, block: Block, place: str) -> None:
    given = environment()
    if forked.suits(given):
        done = forked.run_code(block.text, folder, given, timeout=120)
    else:
        command = [sys.executable, "-c", block.text]
        done = subprocess.run(command, cwd=folder, env=given, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{place}\n{done.stderr}"


def assert_printed(text: str, printed: str, place: str) -> None:
    at = 0
    for line in text.splitlines():
        pattern = r"[^\n]*".join(re.escape(part.strip()) for part in line.strip().split("..."))
        found = re.compile(pattern).search(printed, at)
        assert found, f"{place}: {line!r} is not in\n{printed}"
        at = found.end()


LEFT_OUT = "..."
OF_A_RUN = {
    r"\b\d{8}T\d{6}-[0-9a-f]{8}\b": "RUN",
    r"\b\d{4}-\d\d-\d\d \d\d:\d\d:\d\d(\.\d+)?(\+00:00)?": "TIME",
    r"^\d\d:\d\d:\d\d\b": "TIME",
    r"\b[\d.]+ (ms|s)\b": "DURATION",
    r"\bprocess \d+ on [\w.-]+": "PROCESS",
    r"(python|pipekit|sqlglot|duckdb|great-expectations|pyarrow|snowflake-connector-python) [\d.]+": r"\1 VERSION",
    r"[^\s:]*/pipelines/data/": "FOLDER/pipelines/data/",
}
"""What is not the same in two runs, and what is compared in its place."""


def assert_word_for_word(text: str, printed: str, place: str) -> None:
    shown, lines = of_any_run(text), of_any_run(printed)
    at = 0
    for part, left_out_before, left_out_after in parts_of(shown):
        ends = range(at, len(lines) - len(part) + 1) if left_out_before else [at]
        ends = [len(lines) - len(part)] if not left_out_after and left_out_before else ends
        found = next((end for end in ends if end >= at and is_shown(part, lines[end : end + len(part)])), None)
        assert found is not None, f"{place}: not printed so: {part}\n" + "\n".join(lines)
        at = found + len(part)
    assert at == len(lines) or shown[-1] == LEFT_OUT, f"{place}: more was printed: {lines[at:]}"


def is_shown(part: list[str], lines: list[str]) -> bool:
    patterns = [".*".join(map(re.escape, line.split(LEFT_OUT))) for line in part]
    return all(re.fullmatch(pattern, line) for pattern, line in zip(patterns, lines, strict=True))


def parts_of(shown: list[str]) -> Iterator[tuple[list[str], bool, bool]]:
    """Lines that follow each other, and whether lines are left out before and after them."""
    gaps = [-1, *(number for number, line in enumerate(shown) if line == LEFT_OUT), len(shown)]
    for before, after in itertools.pairwise(gaps):
        if part := shown[before + 1 : after]:
            yield part, before >= 0, after < len(shown)


def of_any_run(text: str) -> list[str]:
    lines = [line.rstrip() for line in text.splitlines() if line.strip()]
    for pattern, instead in OF_A_RUN.items():
        lines = [re.sub(pattern, instead, line) for line in lines]
    return lines


def test_each_command_of_the_tutorial_is_followed_by_what_it_prints() -> None:
    seen = [block for block in blocks(DOCS / "getting-started.md") if block.word != "not run"]
    for command, next_one in zip(seen, [*seen[1:], None], strict=True):
        if command.language == "sh":
            assert next_one is not None, command.line
            assert next_one.word == "printed", f"getting-started.md:{command.line}"


BASE: dict[str, Any] = {
    "name": "example",
    "sources": {
        name: {"uri": "in/", "format": {"type": "csv"}, "columns": {"id": "integer", "amount": "number(10,2)"}}
        for name in ("orders", "events")
    },
    "steps": [{"id": "raw_orders", "type": "load", "source": "orders"}],
}


def validate(folder: Path, block: Block, place: str) -> None:
    """A whole pipeline file as it stands; sections of one, or a list of steps, with what they lack added."""
    data = yaml.safe_load(block.text)
    path = folder / "pipelines" / f"page_{block.line}.yaml"
    if isinstance(data, Mapping) and "name" in data:
        path.write_text(block.text, encoding="utf-8")
    else:
        sections = data if isinstance(data, Mapping) else {"steps": data}
        external = [name.strip() for name in block.rest.split(",")] if block.word == "external" else []
        sources = {**BASE["sources"], **sections.get("sources", {})}
        whole = {**BASE, "external": external, **sections, "sources": sources}
        path.write_text(yaml.safe_dump(whole), encoding="utf-8")
    try:
        Pipeline.from_file(path, target="local" if "targets" not in (data or {}) else None)
    except Exception as error:
        raise AssertionError(f"{place}: {error}") from error


# Links ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("page", PAGES, ids=ids)
def test_links_lead_to_files_and_headings(page: Path) -> None:
    text = _BLOCK.sub("", page.read_text(encoding="utf-8"))
    broken = []
    for target in (match["target"] for match in _LINK.finditer(text)):
        if "://" in target or target.startswith("mailto:"):
            continue
        name, _, heading = target.partition("#")
        path = (page.parent / name).resolve() if name else page
        if not path.exists() or (heading and heading not in headings(path)):
            broken.append(target)
    assert broken == []


def headings(page: Path) -> set[str]:
    """Anchors as GitHub makes them."""
    found = re.findall(r"^#+ (.+)$", _BLOCK.sub("", page.read_text(encoding="utf-8")), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).strip().replace(" ", "-") for heading in found}


@pytest.mark.parametrize("page", [page for page in PAGES if page.name not in RUN_HERE], ids=ids)
def test_another_page_with_code_has_a_test_of_its_own(page: Path) -> None:
    if any(block.language in ("sh", "python", "sql", "yaml") and block.word != "not run" for block in blocks(page)):
        others = [path for path in (REPOSITORY / "tests").rglob("test_*.py") if path.name != Path(__file__).name]
        assert any(page.name in path.read_text(encoding="utf-8") for path in others), f"no test reads {page.name}"


# Keys ----------------------------------------------------------------------------------------------------------

FILE_PAGE = {
    "The top level": FileKeys,
    "targets": DuckDBTarget,
    "sources": Source,
    "columns": Column,
    "csv": CsvFormat,
    "json": JsonFormat,
    "parquet": ParquetFormat,
    "excel": ExcelFormat,
    "avro": AvroFormat,
    "fixed_width": FixedWidthFormat,
    "steps": StepKeys,
}
STEP_PAGE = {
    "load": LoadOptions,
    "check": CheckOptions,
    "sql": SqlOptions,
    "The contract of a table": Contract,
    "features": FeaturesOptions,
    "A feature": Feature,
    "python": PythonOptions,
}

TELEMETRY_PAGES = {"OpenLineage": OpenLineage, "OpenTelemetry": OpenTelemetry}


@pytest.mark.parametrize(
    ("page", "heading", "model"),
    [
        *(("pipeline-file.md", heading, model) for heading, model in FILE_PAGE.items()),
        *(("steps.md", heading, model) for heading, model in STEP_PAGE.items()),
        *((f"{heading.lower()}.md", heading, model) for heading, model in TELEMETRY_PAGES.items()),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_every_key_is_in_its_table_with_its_default(page: str, heading: str, model: type[BaseModel]) -> None:
    """A table's first column is the key, its second the default, or what must be given."""
    text = (DOCS / page).read_text(encoding="utf-8")
    listed = listed_keys(text, heading)
    if "into" in model.model_fields and model is not LoadOptions:
        listed |= listed_keys(text, "Keys of every step that makes rows")

    assert listed == dict(keys_and_defaults(model))


def test_every_step_type_format_and_warehouse_is_compared_with_its_page() -> None:
    vocabulary = Plugins().vocabulary
    kinds = (*vocabulary.step_types.values(), *vocabulary.formats.values(), *vocabulary.warehouses.values())
    compared = {*FILE_PAGE.values(), *STEP_PAGE.values(), SnowflakeTarget}
    assert [kind.name for kind in kinds if kind.options not in compared] == []


@pytest.mark.parametrize("exporter", BUILT_IN_EXPORTERS, ids=lambda exporter: exporter.name)
@pytest.mark.parametrize("page", ["README.md", "docs/library.md", "docs/schedulers.md"])
def test_every_exporter_is_on_the_pages(page: str, exporter: Exporter[Any]) -> None:
    text = (REPOSITORY / page).read_text(encoding="utf-8")
    assert f"`{exporter.name}`" in text or f"`pipekit export {exporter.name}" in text


def test_every_key_of_a_snowflake_target_is_in_the_table_of_its_page() -> None:
    text = (
        (DOCS / "snowflake.md")
        .read_text(encoding="utf-8")
        .partition("## The target's keys")[2]
        .partition("\n\nA step")[0]
    )
    named = [key for keys in re.findall(r"^\| (`.+?) \|", text, re.MULTILINE) for key in re.findall(r"`(\w+)`", keys)]
    assert sorted(named) == sorted(key for key, _ in keys_and_defaults(SnowflakeTarget) if key != "type")


def test_every_key_of_a_materialization_is_in_the_table_with_its_default() -> None:
    text = (DOCS / "steps.md").read_text(encoding="utf-8")
    wanted = {key: default for how in BUILT_IN for key, default in keys_and_defaults(how.keys)}
    assert listed_keys(text, "Keys of the materializations") == wanted | {"key": "none"}
    assert all(f"| `{how.name}` |" in text for how in BUILT_IN)


def listed_keys(text: str, heading: str) -> dict[str, str]:
    """Key and default from the table of keys below a heading."""
    section = re.search(rf"^#+ `?{re.escape(heading)}`?\n(.*?)(?=^#+ |\Z)", text, re.MULTILINE | re.DOTALL)
    assert section, heading
    table = re.search(r"^\| key \| default \| means \|\n((?:\|.*\n)+)", section[1], re.MULTILINE)
    assert table, heading
    return dict(re.findall(r"^\| `(\w+)` \| ([^|]+?) \|", table[1], re.MULTILINE))


def keys_and_defaults(model: type[BaseModel]) -> Iterator[tuple[str, str]]:
    for name, field in model.model_fields.items():
        if model is Source and name == "name":
            continue  # the key under ``sources``
        if model is Column and name == "name":
            continue  # the key under ``columns``
        if name == "into":
            yield name, "the step's id"
            continue
        if model is DuckDBTarget and name == "type":
            yield name, "required"
            continue
        yield (
            field.alias or name,
            shown("required" if field.is_required() else field.get_default(call_default_factory=True)),
        )


def shown(default: Any) -> str:
    if isinstance(default, Choice):
        return f"`{default.how.name}`"
    if default == "required":
        return "required"
    if default is None or default in ((), "", {}):
        return "none"
    if isinstance(default, bool):
        return f"`{str(default).lower()}`"
    if isinstance(default, tuple):
        return f"`{list(default)}`".replace("'", '"')
    return f"`{default}`"


def test_the_readme_begins_with_two_commands() -> None:
    first, second = [block.text.strip() for block in blocks(REPOSITORY / "README.md") if block.language == "sh"][:2]

    assert first == "pip install -c constraints.txt . && pipekit run pipelines/marketing_engagement.yaml"
    assert second == 'pip install -c constraints.txt -e ".[test]" && pytest'


def test_every_command_of_the_readme_is_there(tmp_path: Path) -> None:
    sentence = re.search(r"On the command line: (.+?)\. ", (REPOSITORY / "README.md").read_text(encoding="utf-8"), re.S)
    assert sentence
    for command in re.findall(r"`(?:pipekit )?([a-z ]+)`", sentence[1]):
        assert pipekit(tmp_path, *command.split(), "--help").returncode == 0, command
