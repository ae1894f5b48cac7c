"""Make the pictures of docs/pages, from demo data: `./test --screenshots`."""

from __future__ import annotations

import random
import re
import shutil
import sys
import tempfile
from datetime import date, timedelta
from pathlib import Path

from playwright.sync_api import Page, sync_playwright

from src.utils.clock import system_clock
from tests.processes.servers import BACKEND, Server, demo_server
from tests.processes.site import NARROW, WIDE, Site

NAMES = (
    "Mara Winter", "Theo Brandt", "Elif Yildiz", "Jonas Feld", "Nora Lindqvist", "Samuel Okoro", "Ida Muster",
    "Levi Sample", "Rosa Probe", "Emil Beispiel",
)  # fmt: skip
PICTURES = BACKEND.parent / "docs" / "pages"


def main() -> None:
    """Start a server on demo data, and open the pages that the README and the docs show."""
    browser_path = shutil.which("chromium")
    if browser_path is None:
        sys.exit("Chromium is needed: apt install chromium")
    PICTURES.mkdir(exist_ok=True)
    today = system_clock().date()
    monday = today + timedelta(days=7 - today.weekday())
    with tempfile.TemporaryDirectory() as name, demo_server(Path(name), CLINIC_NAME="Lindenhof Practice") as server:
        fill_next_week(server, monday)
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=browser_path, args=["--no-sandbox", "--disable-gpu"])
            take_all(Site(browser, server.url), monday)
            browser.close()


def fill_next_week(server: Server, monday: date) -> None:
    """Book some of the doctor's times in the next week, so that the pictures show a practice at work."""
    choice = random.Random(13)
    for number, name in enumerate(NAMES):
        token = server.join(name, f"patient{number}@patients.example")
        for visit_type in (4, 5, 6):
            query = f"?visit_type={visit_type}&from={monday}&until={monday + timedelta(days=4)}"
            times = server.call("GET", f"/patient/doctors/2/availability{query}", token=token).json()["data"]
            wanted = choice.choice(times)["slot_id"]
            server.call("POST", "/appointments", {"slot_id": wanted}, token)


def take_all(site: Site, monday: date) -> None:
    for width in (WIDE, NARROW):
        with site.reader("patient", width=width) as context:
            page = context.new_page()
            take(page, site, "/book", f"doctors_{width}")
            take(page, site, "/book/1", f"times_{width}")
            page.locator(".days a.chip").nth(3).click()
            keep(page, f"check_{width}")
            page.get_by_role("button", name=re.compile("Book")).click()
            keep(page, f"proof_{width}")
            take(page, site, "/my", f"mine_{width}")
        with site.reader("doctor", width=width) as context:
            page = context.new_page()
            take(page, site, f"/desk?from={monday}", f"week_{width}")
            take(page, site, "/desk/hours", f"hours_{width}")
    with site.reader("doctor", scheme="dark") as context:
        take(context.new_page(), site, f"/desk?from={monday}", "week_dark")


def take(page: Page, site: Site, path: str, name: str) -> None:
    page.goto(f"{site.url}{path}")
    keep(page, name)


def keep(page: Page, name: str) -> None:
    page.wait_for_load_state()
    page.screenshot(path=PICTURES / f"{name}.png", full_page=True)
    sys.stdout.write(f"docs/pages/{name}.png\n")


if __name__ == "__main__":
    main()
