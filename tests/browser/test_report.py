"""The report in a real browser: it works, it is accessible, and it obeys no name."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect, sync_playwright

from pipelines.published import connect
from pipelines.report import write_report
from pipelines.warehouse import DATABASE
from tests.support import Commands

CHROMIUM = shutil.which("chromium") or shutil.which("google-chrome")
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="no Chromium is installed")
WIDTHS = {"wide": 1280, "narrow": 390}
QUIETLY = ["--no-sandbox", "--disable-background-networking", "--disable-component-update"]
HOSTILE = '<img src=x onerror="window.obeyed = 1"><script>window.obeyed = 1</script>'


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=QUIETLY)
        yield browser
        browser.close()


def opened(browser: Browser, path: Path, **context: object) -> Page:
    """A page that fails its test for what it complains of, or asks the network for."""
    page = browser.new_context(**context).new_page()
    page.complaints = []
    page.on("console", lambda message: page.complaints.append(message.text))
    page.on("pageerror", lambda error: page.complaints.append(str(error)))
    page.on("request", lambda request: page.complaints.append(request.url))
    page.goto(path.as_uri())
    return page


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", WIDTHS)
def test_it_is_accessible_and_fits(browser: Browser, published: Commands, width: str, scheme: str):
    path = published.current / "report.html"
    viewport = {"width": WIDTHS[width], "height": 900}
    page = opened(browser, path, viewport=viewport, color_scheme=scheme)
    assert page.complaints == [path.as_uri()]
    assert page.evaluate("document.documentElement.scrollWidth") <= WIDTHS[width]
    found = Axe().run(page).response["violations"]
    assert {each["id"]: each["nodes"][0]["html"] for each in found} == {}


def test_every_section_says_something(browser: Browser, published: Commands):
    page = opened(browser, published.current / "report.html")
    for link in page.get_by_role("navigation").get_by_role("link").all():
        target = link.get_attribute("href")
        if target.startswith("#"):
            section = page.locator(target)
            assert len(section.inner_text()) > 100, target
        else:
            assert (published.current / target).is_file()
    assert page.locator("svg").count() >= 8
    assert not re.search(r"\b(nan|None|NaN|inf)\b", page.locator("main").inner_text())


def test_tables_are_sorted_and_filtered_by_keyboard(browser: Browser, published: Commands):
    page = opened(browser, published.current / "report.html")
    section = page.locator("#tests")
    median = section.get_by_role("button", name="median")
    column = [text.inner_text() for text in section.locator("thead button").all()].index("median")

    def shown() -> list[float]:
        cells = section.locator(f"tbody tr:visible td:nth-child({column + 1})").all_inner_texts()
        return [float(cell.replace(",", "")) for cell in cells]

    plan = shown()
    for order in (sorted(plan), sorted(plan, reverse=True)):
        median.press("Enter")
        assert shown() == order
    heading = section.locator("th[aria-sort]")
    expect(heading).to_have_attribute("aria-sort", "descending")
    section.get_by_role("searchbox").press_sequentially("torch.compile mobilenet")
    rows = section.locator("tbody tr:visible").all_inner_texts()
    assert 0 < len(rows) < len(plan)
    assert all("torch.compile" in row and "mobilenet" in row for row in rows)


def test_dates_and_shares_are_sorted_by_what_they_are(browser: Browser, published: Commands):
    page = opened(browser, published.current / "report.html")
    for section, heading in (("#hardware", "amd-epyc-genoa-1-thread x1"), ("#data", "newest run")):
        table = page.locator(f"{section} table").first
        button = table.get_by_role("button", name=heading)
        place = table.locator("thead button").all_inner_texts().index(heading) + 1
        button.press("Enter")
        cells = table.locator(f"tbody td:nth-child({place})").all_inner_texts()
        shown = [cell.split()[0] for cell in cells] if section == "#hardware" else cells
        assert shown == sorted(shown, key=float if section == "#hardware" else None)
        assert len(shown) > 1


def test_light_and_dark_can_be_chosen(browser: Browser, published: Commands):
    page = opened(browser, published.current / "report.html", color_scheme="light")

    def paper() -> str:
        return page.evaluate("getComputedStyle(document.body).backgroundColor")

    light = paper()
    page.get_by_role("button", name="Light or dark").click()
    assert paper() != light
    page.get_by_role("button", name="Light or dark").click()
    assert paper() == light


def test_it_prints_whole_tables(browser: Browser, published: Commands):
    page = opened(browser, published.current / "report.html")
    page.emulate_media(media="print")
    assert not page.get_by_role("searchbox").first.is_visible()
    tables = page.locator(".scrolling")
    assert tables.evaluate_all("all => all.every(each => each.scrollHeight <= each.clientHeight)")
    assert page.pdf().startswith(b"%PDF")


def test_names_are_text(browser: Browser, published: Commands, tmp_path: Path):
    shutil.copyfile(published.current / DATABASE, tmp_path / DATABASE)
    with connect(tmp_path / DATABASE) as con:
        for table, columns in {
            "features.configurations": ("configuration", "model_name", "model_type"),
            "analytics.combined_rankings": ("reason", "unit"),
            "analytics.hardware_recommendations": ("workload", "hardware", "framework", "unit"),
            "analytics.measurements": ("hardware",),
            "analytics.held_out_predictions": ("hardware", "unit", "metric"),
            "analytics.pareto_front": ("workload", "hardware", "framework"),
            "analytics.calibration": ("group_name",),
            "analytics.data_quality": ("file", "source"),
            "analytics.model_comparison": ("reason",),
        }.items():
            for column in columns:
                con.execute(f"update {table} set {column} = ?", [HOSTILE])
        con.execute("update analytics.builds set warnings = [?]", [HOSTILE])
        write_report(con, "throughput", tmp_path / "report.html", False)
    page = opened(browser, tmp_path / "report.html")
    assert page.complaints == [(tmp_path / "report.html").as_uri()]
    assert page.evaluate("window.obeyed === undefined")
    assert page.locator("img, main script").count() == 0
    for section in ("attention", "tests", "hardware", "fronts", "accuracy", "data", "models"):
        assert HOSTILE in page.locator(f"#{section}").text_content(), section
