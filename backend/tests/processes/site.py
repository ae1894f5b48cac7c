"""The pages of a server with demo data, as people of each role reach them in Chromium."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from html import unescape
from typing import Any, Literal
from urllib.parse import parse_qsl, urljoin, urlsplit

from playwright.sync_api import Browser, BrowserContext, Page

Scheme = Literal["light", "dark"]
# By role: the demo person, or nobody.
PEOPLE = {"visitor": None, "patient": "Ada Sample", "doctor": "Prof. Dr. Tobias Marrow"}
WIDE, NARROW, NARROWEST = 1280, 390, 320
NOT_OURS_TO_CRAWL = ("/docs", "/openapi.json", "/health", "/static/")
_LINK = re.compile(r'<a\b[^>]*?\bhref="([^"]*)"')


@dataclass
class Site:
    """A server whose pages somebody reads in Chromium; `complaints` is what the browser complained of."""

    browser: Browser
    url: str
    complaints: list[str] = field(default_factory=list)
    foreign: set[str] = field(default_factory=set)

    @contextmanager
    def reader(
        self,
        role: str,
        *,
        width: int = WIDE,
        scheme: Scheme = "light",
        language: str = "en",
        scripts: bool = True,
    ) -> Iterator[BrowserContext]:
        """Yield a browser in which somebody of this role is logged in."""
        options: dict[str, Any] = {"viewport": {"width": width, "height": 900}, "color_scheme": scheme}
        locale = {"en": "en-GB", "de": "de-DE"}[language]
        with closing(self.browser.new_context(java_script_enabled=scripts, locale=locale, **options)) as context:
            context.on("request", lambda request: self._note_request(request.url))
            context.on("console", lambda message: self._note(message.type, message.text, message.page))
            context.on("weberror", lambda error: self.complaints.append(str(error.error)))
            self.become(context, role)
            yield context

    def become(self, context: BrowserContext, role: str) -> None:
        person = PEOPLE[role]
        if person is not None:
            page = context.new_page()
            page.goto(self.url)
            page.get_by_role("button", name=person).click()
            # To close a page that still loads another one can hang.
            page.wait_for_url(re.compile("/(my|desk)$"))
            page.close()

    def open(self, context: BrowserContext, path: str) -> Page:
        page = context.new_page()
        self.go_to(page, path)
        return page

    def go_to(self, page: Page, path: str) -> None:
        answer = page.goto(urljoin(self.url, path))
        assert answer is not None
        assert answer.status < 400, (path, answer.status)

    def _note_request(self, url: str) -> None:
        parts = urlsplit(url)
        if parts.scheme in {"http", "https"} and f"{parts.scheme}://{parts.netloc}" != self.url:
            self.foreign.add(url)

    def _note(self, kind: str, text: str, page: Page | None) -> None:
        if kind in {"error", "warning"}:
            self.complaints.append(f"{page.url if page else '?'}: {text}")


def crawl(context: BrowserContext, url: str, most_of_a_kind: int) -> dict[str, list[str]]:
    """Follow every link from the front page, and return the paths by kind of page, without files to download.

    Paths are of one kind if only their numbers and the values of their queries differ; of a kind, only the first are
    opened. Fails on a link that leads to an error.
    """
    found: dict[str, list[str]] = {}
    waiting, seen = ["/"], {"/"}
    while waiting:
        path = waiting.pop(0)
        kind = kind_of(path)
        if len(found.setdefault(kind, [])) >= most_of_a_kind:
            continue
        found[kind].append(path)
        answer = context.request.get(urljoin(url, path), headers={"Accept": "text/html", "Sec-Fetch-Mode": "navigate"})
        assert answer.status < 400, (path, answer.status)
        if "text/html" not in answer.headers["content-type"]:
            found[kind].remove(path)
            continue
        for link in map(unescape, _LINK.findall(answer.text())):
            target = urlsplit(urljoin(answer.url, link))
            following = target.path + (f"?{target.query}" if target.query else "")
            is_ours = f"{target.scheme}://{target.netloc}" == url and not target.path.startswith(NOT_OURS_TO_CRAWL)
            if is_ours and following not in seen and "language=" not in target.query:
                seen.add(following)
                waiting.append(following)
    return found


def kind_of(path: str) -> str:
    parts = urlsplit(path)
    names = sorted({name for name, _ in parse_qsl(parts.query)})
    return re.sub(r"\d+", "N", parts.path) + ("?" + "&".join(names) if names else "")
