"""The documentation as a site: whole, in strict order, and without a word to any other host."""

from __future__ import annotations

import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from browser import PHONE, violations
from projects import REPOSITORY

DOCS = REPOSITORY / "docs"
PAGES = ("index", "getting-started", "architecture", "reference/errors")


def build(folder: Path, repository: Path = REPOSITORY) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(repository / "docs/site/build.py"), str(folder)]
    return subprocess.run(command, cwd=folder.parent, capture_output=True, text=True, check=False, timeout=120)


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("site") / "site"
    done = build(folder)
    assert done.returncode == 0, done.stdout + done.stderr
    return folder


def test_a_folder_that_is_no_site_of_its_own_is_left(tmp_path: Path) -> None:
    (other := tmp_path / "other").mkdir()
    (other / "index.html").write_text("<p>of someone else</p>", encoding="utf-8")
    done = build(other)
    assert done.returncode == 1
    assert "was not built by this program; it is left as it is" in done.stderr
    assert (other / "index.html").exists()


def text_of(page: Path) -> str:
    return page.read_text(encoding="utf-8")


def test_the_site_is_whole(site: Path) -> None:
    pages = {str(path.relative_to(site).with_suffix("")) for path in site.rglob("*.html")}
    assert pages - {"404"} == {page.removesuffix(".md") for page in listed(navigation())}, (
        "a page is in no list of pages"
    )
    assert {page.stem for page in DOCS.glob("*.md")} < pages
    assert "Versions" in text_of(site / "index.html")
    assert "docs/versions.md" not in text_of(site / "index.html"), "pages are called by their titles"
    for page, words in {
        "keys": ("truncate_load", "private_key_file", "on_bad_file", "header_lines", "receiver"),
        "expectations": ("expect_column_values_to_be_unique", "expect_query_results_to_match_comparison"),
        "commands": ("pipekit run", "--full-refresh", "pipekit export stepfunctions", "pipekit logs prune"),
        "hooks": ("pipekit_step_types", "pipekit_commands"),
        "tables": ("ingestion_files", "replaced_by", "pipekit_locks"),
        "events": ("StepFinished", "KilledRun"),
        "errors": ("BadFileError", "Exit code 3"),
    }.items():
        text = text_of(site / f"reference/{page}.html")
        assert [word for word in words if word not in text] == [], page


def navigation() -> list[Any]:
    nav: list[Any] = tomllib.loads(text_of(DOCS / "site/zensical.toml"))["project"]["nav"]
    return nav


def listed(nav: list[Any]) -> Iterator[str]:
    for entry in nav:
        for target in entry.values():
            yield from [target] if isinstance(target, str) else listed(target)


def test_the_pages_are_sorted_by_what_they_are_for() -> None:
    assert [title for entry in navigation() for title in entry] == [
        "pipekit", "Tutorial", "How to", "Reference", "Explanation",
    ]  # fmt: skip


def test_a_heading_that_is_not_there_ends_the_build_and_the_earlier_site_stays(tmp_path: Path) -> None:
    shutil.copytree(DOCS, tmp_path / "docs", ignore=shutil.ignore_patterns("__pycache__"))
    (tmp_path / "README.md").write_text("# Home\n\n[x](docs/steps.md#nowhere)\n", encoding="utf-8")
    earlier = tmp_path / "site" / "index.html"
    earlier.parent.mkdir()
    earlier.write_text("earlier", encoding="utf-8")
    (earlier.parent / ".pipekit-docs").touch()

    done = build(earlier.parent, tmp_path)

    assert done.returncode == 1
    assert "index.md:3" in done.stderr
    assert "anchor does not exist" in done.stderr
    assert earlier.read_text(encoding="utf-8") == "earlier"


def test_what_a_page_loads_from_elsewhere_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(DOCS / "site"))
    import build as builder

    (tmp_path / "here.css").touch()
    page = '<link rel="stylesheet" href="./here.css?v=1"><img alt="" src="gone.png"><script src="https://cdn.example/x.js">'
    (tmp_path / "index.html").write_text(f'{page}</script><a href="https://example.com">no load</a>', encoding="utf-8")

    assert builder.not_there(tmp_path) == [
        "index.html loads gone.png, which is not in the site",
        "index.html loads https://cdn.example/x.js, which is not in the site",
    ]


# In a browser, from the disk: `shown` fails at any request that is not for a file, and at anything on the console.


@pytest.mark.browser
@pytest.mark.parametrize(
    ("pages", "options"),
    [
        (PAGES, {}),
        (PAGES[1:2], {"color_scheme": "dark"}),
        (PAGES[1:2], PHONE),
        (PAGES[-1:], {**PHONE, "color_scheme": "dark"}),
    ],
    ids=["light", "dark", "phone", "dark phone"],
)
def test_axe_finds_nothing(site: Path, shown: Any, axe: str, pages: tuple[str, ...], options: dict[str, Any]) -> None:
    for name in pages:
        page = shown(site / f"{name}.html", **options)
        page.evaluate(axe)
        assert violations(page) == [], name
        assert page.evaluate("document.documentElement.scrollWidth") <= options.get("viewport", {}).get("width", 1280)


@pytest.mark.browser
def test_search_works_from_the_disk(site: Path, shown: Any) -> None:
    page = shown(site / "index.html")
    page.get_by_role("button", name="Search").first.click()
    field = page.get_by_role("combobox", name="Search")
    field.press_sequentially("replaced_by")
    page.get_by_text("All tables of pipekit").last.wait_for()
    assert field.input_value() == "replaced_by"
