"""The report in a real browser: readable for all, no message, no request, the failed check two clicks away.

With PIPEKIT_PICTURES=1 the pictures of docs/report.md are made again.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest
from browser import PHONE, violations
from projects import MARKETING, REPOSITORY, copy_project
from small_projects import load, run

from insight.test_report import HOSTILE, large, shop
from pipekit import Pipeline

pytestmark = pytest.mark.browser


@pytest.fixture(scope="session")
def marketing(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The report of the shipped pipeline after some runs, in the last of which a check failed."""
    folder = copy_project(tmp_path_factory.mktemp("marketing"))
    for _ in range(4):
        assert Pipeline.from_file(folder / MARKETING).run().ok
    first = sorted((folder / "pipelines/data/marketing_engagement/customers").glob("*.csv"))[0]
    lines = first.read_text(encoding="utf-8").splitlines()
    first.write_text("\n".join([*lines, lines[1], lines[2]]) + "\n", encoding="utf-8")
    pipeline = Pipeline.from_file(folder / MARKETING)
    assert not pipeline.run().ok
    page = folder / "report.html"
    page.write_text(pipeline.report(), encoding="utf-8")
    return page


@pytest.fixture(scope="session")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = shop(tmp_path_factory.mktemp("hostile"))
    run(path)
    page = path.with_name("report.html")
    page.write_text(load(path).report(), encoding="utf-8")
    return page


def picture(page: Any, name: str, **options: Any) -> None:
    """A picture for the docs, if they are to be made again."""
    if os.environ.get("PIPEKIT_PICTURES"):
        file = REPOSITORY / "docs/pictures" / name
        file.parent.mkdir(exist_ok=True)
        page.screenshot(path=str(file), **options)
        assert file.stat().st_size < 150_000, name


@pytest.mark.parametrize(
    "options",
    [{}, {"color_scheme": "dark"}, PHONE, {**PHONE, "color_scheme": "dark"}],
    ids=["light", "dark", "phone", "dark phone"],
)
def test_axe_finds_nothing(marketing: Path, shown: Any, axe: str, options: dict[str, Any]) -> None:
    page = shown(marketing, **options)
    page.evaluate(axe)
    wrong = violations(page)
    page.evaluate("document.querySelectorAll('details').forEach((each) => { each.open = true; })")
    page.locator("#tables ~ details tr[id] button").first.click()
    assert [*wrong, *violations(page)] == []


def test_the_failed_check_is_two_clicks_away(marketing: Path, shown: Any) -> None:
    page = shown(marketing)
    picture(page, "report.png")
    page.locator(".banner a", has_text="expect_column_values_to_be_unique(customer_id)").click()
    details = page.locator("details:target")
    assert details.get_attribute("open") is not None
    assert "Samples of what failed" in details.inner_text()
    assert details.locator("pre").is_visible()
    picture(page, "failed-check.png", clip={"x": 0, "y": 0, "width": 1280, "height": 520})


def test_a_node_of_the_graph_opens_its_step_with_the_sql(marketing: Path, shown: Any) -> None:
    page = shown(marketing)
    page.locator("svg.graph a", has_text="fact_click_events").click()
    assert "qualify row_number() over" in page.locator("details:target pre").inner_text()
    page.locator("h2#last-run").scroll_into_view_if_needed()
    page.evaluate("document.getElementById('graph').scrollIntoView()")
    picture(page, "timeline.png", clip={"x": 0, "y": 0, "width": 1280, "height": 620})


def test_a_column_shows_its_lineage_and_gives_the_focus_back(marketing: Path, shown: Any) -> None:
    page = shown(marketing, viewport={"width": 1100, "height": 560})
    table = page.locator("#tables ~ details", has=page.locator("summary b", has_text="customer_features"))
    table.locator("summary").click()
    button = table.get_by_role("button", name="purchases", exact=True)
    button.click()
    panel = page.locator("#trace")
    said = panel.inner_text()
    for words in ("customer_features.purchases", "fact_click_events.event_type", "clickstream: event_type", "rows by"):
        assert words in said
    picture(page, "lineage.png")
    page.keyboard.press("Escape")
    assert panel.is_hidden()
    assert button.evaluate("(each) => each === document.activeElement")


def test_all_is_reached_by_keyboard(marketing: Path, shown: Any) -> None:
    page = shown(marketing)
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "Skip to the content"
    seen = []
    for _ in range(60):
        page.keyboard.press("Tab")
        seen.append(page.evaluate("document.activeElement.textContent.trim().slice(0, 120)"))
    assert "Checks" in seen
    assert "Dark" in seen
    assert any("expect_column_values_to_be_unique(customer_id)" in each for each in seen)
    assert any("load_customers" in each for each in seen)
    page.locator("summary").nth(2).focus()
    page.keyboard.press("Enter")
    assert page.locator("details").nth(2).get_attribute("open") is not None


def test_the_switch_wins_over_the_system(marketing: Path, shown: Any) -> None:
    page = shown(marketing, color_scheme="dark")
    background = "getComputedStyle(document.body).backgroundColor"
    dark = page.evaluate(background)
    picture(page, "report-dark.png")
    page.get_by_role("button", name="Light").click()
    assert page.evaluate(background) == "rgb(255, 255, 255)" != dark


def test_without_scripts_all_can_be_read(marketing: Path, shown: Any) -> None:
    page = shown(marketing, java_script_enabled=False)
    assert page.locator("#theme").is_hidden()
    page.locator("summary", has_text="customer_features").last.click()
    assert "Purchases ever." in page.locator("main").inner_text()
    page.locator(".banner a").nth(1).click()
    assert page.locator("details:target").count() == 1


def test_on_a_phone_nothing_is_wider_than_the_screen(marketing: Path, shown: Any) -> None:
    page = shown(marketing, **PHONE)
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    picture(page, "report-phone.png")


def test_what_is_hostile_stays_text(hostile: Path, shown: Any) -> None:
    page = shown(hostile)
    page.evaluate("document.querySelectorAll('details').forEach((each) => { each.open = true; })")
    assert HOSTILE in page.locator("main").inner_text()
    assert page.locator("img").count() == 0


def test_200_steps_are_shown_at_once(tmp_path: Path, shown: Any) -> None:
    path = large(tmp_path, 200, 3)
    file = tmp_path / "report.html"
    file.write_text(load(path).report(), encoding="utf-8")
    page = shown(file)
    timing = "performance.getEntriesByType('navigation')[0].domContentLoadedEventEnd"
    assert page.evaluate(timing) < 3000
    assert page.locator("svg.graph a").count() == 200
