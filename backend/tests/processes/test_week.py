"""Dragging over the open hours of a doctor's week, in Chromium."""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import parse_qs, urlsplit

import pytest
from playwright.sync_api import Locator, Page

from tests.processes.site import Site


@pytest.fixture
def week(site: Site) -> Iterator[Page]:
    """Yield the page of a week in which some hours are open one after the other; where it leads, nothing is."""
    with site.reader("doctor") as context:
        page = site.open(context, "/desk")
        page.route("**/desk/slots/new*", lambda route: route.fulfill(body="", content_type="text/html"))
        page.get_by_role("link", name="Later").click()
        page.get_by_role("link", name="Later").click()
        yield page


def open_hour(week: Page, begin: str) -> Locator:
    return week.locator(f'td.open a[href$="from={begin}"]').last


def drag(week: Page, first: tuple[Locator, float], last: tuple[Locator, float]) -> None:
    """Move the pressed mouse from a part of one cell to a part of another, counted from their tops."""
    points: list[tuple[float, float]] = []
    for place, part in (first, last):
        box = place.locator("xpath=..").bounding_box()
        assert box is not None
        points.append((box["x"] + box["width"] / 2, box["y"] + box["height"] * part))
    week.mouse.move(*points[0])
    week.mouse.down()
    week.mouse.move(*points[1], steps=5)


def wanted(address: str) -> dict[str, list[str]]:
    return parse_qs(urlsplit(address).query)


def test_dragging_over_open_hours_chooses_begin_and_end(week: Page) -> None:
    first, last = open_hour(week, "09:00"), open_hour(week, "10:00")
    date = wanted(first.get_attribute("href") or "")["date"]
    drag(week, (first, 0.5), (last, 0.25))
    assert week.locator(".dragged").text_content() == "09:30\N{EN DASH}10:15"
    with week.expect_request(lambda request: "/desk/slots/new" in request.url) as asked:
        week.mouse.up()
    assert wanted(asked.value.url) == {"date": date, "from": ["09:30"], "until": ["10:15"]}


def test_escape_ends_a_drag_and_a_click_opens_the_hour(week: Page) -> None:
    hour = open_hour(week, "09:00")
    drag(week, (hour, 0.1), (hour, 0.9))
    week.keyboard.press("Escape")
    assert week.locator(".dragged").count() == 0
    week.mouse.move(5, 5)
    week.mouse.up()
    assert urlsplit(week.url).path.endswith("/desk")
    with week.expect_request(lambda request: "/desk/slots/new" in request.url) as asked:
        hour.click()
    assert wanted(asked.value.url)["from"] == ["09:00"]
    assert "until" not in wanted(asked.value.url)
