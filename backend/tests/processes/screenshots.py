"""Make the pictures of docs/pages, from demo data: `./test --screenshots`."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from playwright.sync_api import Page, sync_playwright

from tests.processes.servers import BACKEND, Program, Server, clean_environment, free_port
from tests.processes.site import NARROW, WIDE, Site

PICTURES = BACKEND.parent / "docs" / "pages"


def main() -> None:
    """Start a server on demo data, and open the pages that the README and the docs show."""
    browser_path = shutil.which("chromium")
    if browser_path is None:
        sys.exit("Chromium is needed: apt install chromium")
    PICTURES.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as name:
        folder, port = Path(name), free_port()
        settings = {"PORT": str(port), "DATABASE_URL": f"sqlite:///{folder / 'demo.db'}", "FLASK_APP": "app.py"}
        env = clean_environment(folder, **settings, CLINIC_NAME="Lindenhof Practice")
        prepare = [sys.executable, "-m", "flask", "prepare"]
        subprocess.run(prepare, cwd=BACKEND, env=env, check=True, capture_output=True)
        program = Program([sys.executable, "app.py"], cwd=BACKEND, env=env, log=folder / "server.log")
        try:
            server = Server(program, port).wait_until_healthy()
            with sync_playwright() as playwright:
                arguments = ["--no-sandbox", "--disable-gpu"]
                browser = playwright.chromium.launch(executable_path=browser_path, args=arguments)
                take_all(Site(browser, server.url))
                browser.close()
        finally:
            program.end()


def take_all(site: Site) -> None:
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
            take(page, site, "/desk", f"week_{width}")
            take(page, site, "/desk/hours", f"hours_{width}")
    with site.reader("doctor", scheme="dark") as context:
        take(context.new_page(), site, "/desk", "week_dark")


def take(page: Page, site: Site, path: str, name: str) -> None:
    page.goto(f"{site.url}{path}")
    keep(page, name)


def keep(page: Page, name: str) -> None:
    page.wait_for_load_state()
    page.screenshot(path=PICTURES / f"{name}.png", full_page=True)
    sys.stdout.write(f"docs/pages/{name}.png\n")


if __name__ == "__main__":
    main()
