"""The HTML pages: axe-core finds no fault, they fit a narrow screen, and the keyboard's focus can be seen."""

from __future__ import annotations

import contextlib
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page

from tests.processes.conftest import StartServer

# Chromium applies the page's styles to a link that has focus only when it was reached by the keyboard.
OUTLINE = "getComputedStyle(document.activeElement).outlineStyle"
TOO_WIDE = """
[...document.querySelectorAll("body *")].filter(each => each.getBoundingClientRect().right > innerWidth + 1)
    .map(each => each.outerHTML.slice(0, 80))
"""
LANDMARKS = "[...document.body.children].map(each => each.localName)"
HEADINGS = "[...document.querySelectorAll('h1, h2, h3, h4, h5, h6')].map(each => each.localName)"


@pytest.mark.parametrize("path", ["/", "/dev/outbox"])
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [320, 1280])
def test_everybody_can_use_the_pages(
    browser: Browser, start_python_app: StartServer, path: str, scheme: Any, width: int
) -> None:
    server = start_python_app()
    server.book_something()
    with contextlib.closing(
        browser.new_context(color_scheme=scheme, viewport={"width": width, "height": 800})
    ) as context:
        page = context.new_page()
        page.goto(f"{server.url}{path}")
        violations = Axe().run(page).response["violations"]
        assert [(each["id"], [node["html"] for node in each["nodes"]]) for each in violations] == []
        assert page.evaluate(LANDMARKS) == ["header", "main", "footer"]
        assert page.locator("header nav").count() == 1
        headings = page.evaluate(HEADINGS)
        assert headings[0] == "h1"
        assert set(headings[1:]) == {"h2"}
        assert page.evaluate(TOO_WIDE) == []
        assert outlines(page) == {"solid"}


def outlines(page: Page) -> set[str]:
    """Press Tab from link to link, and return the outlines of all that have focus meanwhile."""
    seen = set()
    for _ in range(page.locator("a, summary").count()):
        page.keyboard.press("Tab")
        seen.add(page.evaluate(OUTLINE))
    return seen
