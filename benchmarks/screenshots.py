"""Takes the screenshots of the README from a published build, in Chromium.

python benchmarks/screenshots.py [--warehouse warehouse] [--output docs]
"""

from __future__ import annotations

import argparse
import io
import shutil
from pathlib import Path

from PIL import Image
from playwright.sync_api import Browser, sync_playwright

LINEAGE = (
    "#!/model/model.benchmart.hardware_recommendations?g_v=1&g_i=2%2Bhardware_recommendations%2B1"
)
DRAWN = 4_000  # milliseconds until the graph stands still


def main() -> None:
    """Write `report.png` and `lineage.png`."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--warehouse", type=Path, default=Path("warehouse"))
    parser.add_argument("--output", type=Path, default=Path("docs"))
    given = parser.parse_args()
    current = (given.warehouse / "current").resolve()
    with sync_playwright() as playwright:
        chromium = shutil.which("chromium")
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        report, lineage = ((current / name).as_uri() for name in ("report.html", "lineage.html"))
        take(browser, report, (1240, 1580), 0, given.output / "report.png")
        take(browser, lineage + LINEAGE, (1100, 520), DRAWN, given.output / "lineage.png")
        browser.close()


def take(browser: Browser, url: str, size: tuple[int, int], wait: int, path: Path) -> None:
    """Write what a window of that size shows of a page, in few colours."""
    viewport = dict(zip(("width", "height"), size, strict=True))
    page = browser.new_context(viewport=viewport, color_scheme="light").new_page()
    page.goto(url)
    page.wait_for_timeout(wait)
    shot = Image.open(io.BytesIO(page.screenshot())).convert("RGB")
    shot.quantize(128).save(path, optimize=True)


if __name__ == "__main__":
    main()
