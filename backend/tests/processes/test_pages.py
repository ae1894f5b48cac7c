"""Every page in Chromium: no link is broken, axe-core finds no fault, nothing is too wide, and nothing leaves the site.

`./test --pages` tries every page in each width, colour scheme and language.
"""

from __future__ import annotations

import itertools
from typing import Any
from urllib.parse import urlsplit

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page

from tests.processes.conftest import SCHEMES
from tests.processes.site import NARROW, NARROWEST, PEOPLE, WIDE, Site, crawl

BYTES_OF_A_PAGE = 30_000
OF_A_KIND, MANY_OF_A_KIND = 2, 100
# What only people of a role see; a visitor tries the pages that everybody sees.
OWN_PAGES = {"visitor": "/", "patient": ("/my", "/book"), "doctor": "/desk"}
# Rules that depend on width and colours; the others are tried once.
RULES_OF_LOOKS = {"runOnly": {"type": "rule", "values": ["color-contrast", "target-size"]}}
# In WCAG 2.2, level AA, but off by default.
EVERY_RULE = {"rules": {"target-size": {"enabled": True}}}
TOO_WIDE = """
document.documentElement.scrollWidth <= innerWidth ? [] :
    [...document.querySelectorAll("body *")].filter(each => each.getBoundingClientRect().right > innerWidth + 1)
        .map(each => each.outerHTML.slice(0, 80))
"""
WEIGHT = """
performance.getEntries().filter(each => each.entryType === "resource" || each.entryType === "navigation")
    .map(each => [each.name, each.decodedBodySize])
"""


@pytest.mark.parametrize("role", PEOPLE)
def test_every_link_works_and_every_page_can_be_used_by_everybody(site: Site, role: str) -> None:
    with site.reader(role) as context:
        paths = one_of_each(crawl(context, site.url, OF_A_KIND))
        page = context.new_page()
        for path in paths:
            if not path.startswith(OWN_PAGES[role]):
                continue
            page.emulate_media(color_scheme="light")
            page.set_viewport_size({"width": NARROW, "height": 800})
            site.go_to(page, path)
            assert weight(page) <= BYTES_OF_A_PAGE, path
            page.evaluate(Axe().axe_script)
            assert faults(page, EVERY_RULE) == [], path
            page.emulate_media(color_scheme="dark")
            assert faults(page, RULES_OF_LOOKS) == [], (path, "dark")
            page.set_viewport_size({"width": NARROWEST, "height": 800})
            assert page.evaluate(TOO_WIDE) == [], path


def one_of_each(kinds: dict[str, list[str]]) -> list[str]:
    """Return an address of each page, with the most values in its query that a link has."""
    by_page = {urlsplit(kind).path: paths[0] for kind, paths in sorted(kinds.items(), key=parts_of_query) if paths}
    return list(by_page.values())


def parts_of_query(kind: tuple[str, list[str]]) -> int:
    return urlsplit(kind[0]).query.count("&") + ("?" in kind[0])


@pytest.mark.pages
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("role", PEOPLE)
def test_the_whole_product_in_each_width_scheme_and_language(site: Site, role: str) -> None:
    with site.reader(role) as context:
        kinds = crawl(context, site.url, MANY_OF_A_KIND)
    pages = [path for paths in kinds.values() for path in paths[:2]]
    print(f"{role}: {sum(map(len, kinds.values()))} links work; {len(pages)} pages in each form")
    for width, scheme, language in itertools.product((NARROW, WIDE), SCHEMES, ("en", "de")):
        with site.reader(role, width=width, scheme=scheme, language=language) as context:
            page = context.new_page()
            for path in pages:
                site.go_to(page, path)
                page.evaluate(Axe().axe_script)
                assert faults(page, EVERY_RULE) == [], (path, width, scheme, language)
                assert page.evaluate(TOO_WIDE) == [], (path, width, scheme, language)
        print(f"{role}, {width} wide, {scheme}, {language}: no fault")


def faults(page: Page, options: dict[str, Any]) -> list[Any]:
    """Return what axe-core, which the page must have, finds: the rule, and the elements that break it."""
    violations = page.evaluate("options => axe.run(document, options)", options)["violations"]
    return [(each["id"], [node["html"] for node in each["nodes"]]) for each in violations]


def weight(page: Page) -> int:
    """Return the bytes of a page with all that it loads or has in its cache, without compression."""
    return sum(size for _, size in page.evaluate(WEIGHT))
