"""Build the documentation as a site that needs no network, to be read from a web server or straight from the disk.

    python docs/site/build.py [FOLDER]

The pages are README and docs/*.md as they stand, and reference pages made from the code. Zensical builds them with
``--strict``: a link to a page or heading that is not there ends the build. Each file that a page loads must be in the
folder, too.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from html import unescape
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from urllib.parse import unquote, urlsplit

from reference import PAGES

SITE = Path(__file__).resolve().parent
DOCS = SITE.parent
REPOSITORY = DOCS.parent

# What a page loads by itself, as against the links that its reader may follow.
_LOADED = re.compile(r"<(?:script|img|source|iframe)\b[^>]*?\bsrc=\"([^\"]+)\"|<link\b[^>]*?\bhref=\"([^\"]+)\"")
_MARK = ".pipekit-docs"  # in a site that this program has built, so that only such a one is replaced
_COLOURS = re.compile(r"\x1b\[[\d;]*m")
_OF_README = re.compile(r"(?<=\]\()docs/")
_NAMED_BY_FILE = re.compile(r"\[(?:docs/)?[\w-]+\.md\](?=\((?P<page>[\w-]+\.md))")


def main(folder: Path) -> None:
    """Assemble the pages, build them, and look whether the site is whole; an earlier site is replaced at the end."""
    if folder.exists() and not (folder / _MARK).exists():
        sys.exit(f"{folder} is there and was not built by this program; it is left as it is")
    with TemporaryDirectory() as scratch:
        project = Path(scratch)
        assemble(project)
        command = [sys.executable, "-m", "zensical", "build", "--strict"]
        done = subprocess.run(command, cwd=project, check=False, capture_output=True, text=True)
        if done.returncode:
            sys.exit(_COLOURS.sub("", done.stdout + done.stderr.partition("Traceback")[0]))
        built = project / "site"
        if missing := not_there(built):
            sys.exit("\n".join(missing))
        if folder.exists():
            shutil.rmtree(folder)
        shutil.copytree(built, folder)
        (folder / _MARK).touch()
    print(f"{folder} ({len(list(folder.rglob('*.html')))} pages)")


def assemble(project: Path) -> None:
    """Put the generator's settings, all pages and what the theme needs where the generator finds them."""
    pages = project / "docs"
    shutil.copytree(DOCS, pages, ignore=shutil.ignore_patterns(SITE.name))
    shutil.copytree(SITE / "theme", pages / "theme")
    shutil.copy(SITE / "zensical.toml", project)
    readme = (REPOSITORY / "README.md").read_text(encoding="utf-8")
    (pages / "index.md").write_text(_OF_README.sub("", readme), encoding="utf-8")
    titles = dict(titled(tomllib.loads((SITE / "zensical.toml").read_text(encoding="utf-8"))["project"]["nav"]))
    for page in pages.glob("*.md"):
        text = page.read_text(encoding="utf-8")
        page.write_text(_NAMED_BY_FILE.sub(lambda link: f"[{titles[link['page']]}]", text), encoding="utf-8")
    (pages / "reference").mkdir()
    for name, text in PAGES.items():
        (pages / "reference" / f"{name}.md").write_text(text(), encoding="utf-8")


def titled(nav: list[Any]) -> Iterator[tuple[str, str]]:
    """Each page of the navigation, with its title there."""
    for entry in nav:
        for title, target in entry.items():
            if isinstance(target, str):
                yield target, title
            else:
                yield from titled(target)


def not_there(site: Path) -> list[str]:
    """Each file that a page loads and that is not in the site: of another host, or missing."""
    found = []
    for page in sorted(site.rglob("*.html")):
        for script, link in _LOADED.findall(page.read_text(encoding="utf-8")):
            address = urlsplit(unescape(script or link))
            if address.scheme == "data":
                continue
            base = site if address.path.startswith("/") else page.parent
            path = (base / unquote(address.path).lstrip("/")).resolve()
            if address.netloc or not path.is_relative_to(site.resolve()) or not path.is_file():
                found.append(f"{page.relative_to(site)} loads {script or link}, which is not in the site")
    return found


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else REPOSITORY / "site")
