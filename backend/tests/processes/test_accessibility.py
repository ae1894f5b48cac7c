"""The HTML pages: axe-core finds no fault, they fit a narrow screen, and the keyboard's focus can be seen."""

from __future__ import annotations

import contextlib
import itertools
from typing import Any

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, ViewportSize

from tests.processes.conftest import SCHEMES, StartServer

# Chromium applies the page's styles to a link that has focus only when it was reached by the keyboard.
OUTLINE = "getComputedStyle(document.activeElement).outlineStyle"
TOO_WIDE = """
[...document.querySelectorAll("body *")].filter(each => each.getBoundingClientRect().right > innerWidth + 1)
    .map(each => each.outerHTML.slice(0, 80))
"""
LANDMARKS = "[...document.body.children].map(each => each.localName)"
HEADINGS = "[...document.querySelectorAll('h1, h2, h3, h4, h5, h6')].map(each => each.localName)"


def test_everybody_can_use_the_pages(browser: Browser, start_python_app: StartServer) -> None:
    server = start_python_app()
    server.book_something()
    for scheme, width in itertools.product(SCHEMES, (320, 1280)):
        viewport: ViewportSize = {"width": width, "height": 800}
        with contextlib.closing(browser.new_context(color_scheme=scheme, viewport=viewport)) as context:
            for path in ("/", "/dev/outbox"):
                page = context.new_page()
                page.goto(f"{server.url}{path}")
                assert faults(page) == [], f"of {path} in {scheme} mode, {width} pixels wide"


def faults(page: Page) -> list[Any]:
    """Return what axe-core finds, and which of our own rules the page breaks."""
    violations = Axe().run(page).response["violations"]
    found: list[Any] = [(each["id"], [node["html"] for node in each["nodes"]]) for each in violations]
    headings = page.evaluate(HEADINGS)
    rules = {
        "landmarks": page.evaluate(LANDMARKS) == ["header", "main", "footer"],
        "one navigation": page.locator("header nav").count() == 1,
        "headings": headings[0] == "h1" and set(headings[1:]) == {"h2"},
        "visible focus": outlines(page) == {"solid"},
    }
    return found + page.evaluate(TOO_WIDE) + [rule for rule, is_kept in rules.items() if not is_kept]


def outlines(page: Page) -> set[str]:
    """Press Tab from link to link, and return the outlines of all that have focus meanwhile."""
    seen = set()
    for _ in range(page.locator("a, summary").count()):
        page.keyboard.press("Tab")
        seen.add(page.evaluate(OUTLINE))
    return seen
