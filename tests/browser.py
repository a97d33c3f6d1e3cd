"""A page in a real, headless Chromium, and axe-core, which finds what some readers cannot use."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

AXE = "axe-core@4.14.1"
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
# Without these it looks up hosts of its maker at each start.
QUIET = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking"]
QUIET += ["--disable-component-update", "--disable-sync"]
RULES = {"preload": False, "runOnly": ["wcag2a", "wcag2aa", "wcag21aa", "wcag22aa", "best-practice"]}


@pytest.fixture(scope="session")
def axe(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The source of axe-core, from npm."""
    folder = tmp_path_factory.mktemp("axe")
    command = ["npm", "install", "--no-audit", "--no-fund", "--prefix", str(folder), AXE]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 0, f"axe-core cannot be installed by npm:\n{done.stderr}"
    return (folder / "node_modules/axe-core/axe.min.js").read_text(encoding="utf-8")


@pytest.fixture(scope="session")
def browser() -> Iterator[Any]:
    from playwright.sync_api import sync_playwright

    assert CHROMIUM, "there is no chromium: apt-get install chromium"
    with sync_playwright() as playwright:
        found = playwright.chromium.launch(executable_path=CHROMIUM, args=QUIET)
        yield found
        found.close()


@pytest.fixture
def shown(browser: Any) -> Iterator[Any]:
    """Shows a file; at the end nothing was said on the console and nothing was asked of anyone."""
    said: list[str] = []
    pages = []

    def show(file: Path, anchor: str = "", **options: Any) -> Any:
        context = browser.new_context(**{"viewport": {"width": 1280, "height": 860}, **options})
        page = context.new_page()
        page.on("console", lambda message: said.append(message.text))
        page.on("pageerror", lambda error: said.append(str(error)))
        page.on("request", lambda each: said.append(each.url) if not each.url.startswith("file:") else None)
        page.on("dialog", lambda dialog: (said.append(f"dialog: {dialog.message}"), dialog.dismiss()))
        page.goto(file.as_uri() + anchor)
        pages.append(context)
        return page

    yield show
    for context in pages:
        context.close()
    assert said == []


PHONE = {"viewport": {"width": 390, "height": 844}, "has_touch": True}


def violations(page: Any) -> list[Any]:
    found = page.evaluate("(rules) => axe.run(document, rules)", RULES)["violations"]
    return [(each["id"], [node["html"][:150] for node in each["nodes"]][:4]) for each in found]
