"""What people do from end to end, in Chromium without JavaScript, on demo data."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect
from pyotp.totp import TOTP

from src.utils.clock import system_clock
from tests.people import CODE, PASSWORD
from tests.processes.site import Site
from tests.processes.test_pages import EVERY_RULE, faults

DOCTOR = "Dr. Fenna Quill"
OUTLINE = "getComputedStyle(document.activeElement).outlineStyle"
WORDS = "(document.activeElement.labels?.[0] ?? document.activeElement).textContent.trim()"
MOST_TABS = 80
LINK_TO_RESET = re.compile(r"/password/reset\?token=[\w-]+")


@contextmanager
def page_of(site: Site, role: str, *, scripts: bool = False) -> Iterator[Page]:
    with site.reader(role, scripts=scripts) as context:
        yield context.new_page()


def free_time(page: Page, number: int = 0) -> None:
    """Click a free time of the doctor's page."""
    page.locator(".days a.chip").nth(number).click()


def open_doctor(page: Page, site: Site) -> None:
    page.goto(f"{site.url}/book")
    page.get_by_role("link", name=DOCTOR, exact=True).click()


def test_a_patient_who_is_logged_in_books_by_two_clicks(site: Site) -> None:
    with page_of(site, "patient") as page:
        open_doctor(page, site)
        free_time(page)
        page.get_by_role("button", name="Book this appointment").click()
        expect(page).to_have_url(re.compile(r"/my/\d+$"))
        expect(page.locator("h1")).to_have_text("You have an appointment")


def test_somebody_with_an_account_books_by_four_clicks(site: Site) -> None:
    with page_of(site, "visitor") as page:
        open_doctor(page, site)
        free_time(page, 1)
        page.get_by_role("link", name="Log in and book").click()
        page.get_by_label("E-mail address").fill("ben@patients.example")
        page.get_by_label("Password").fill(PASSWORD)
        page.get_by_role("main").get_by_role("button", name="Log in").click()
        page.get_by_role("button", name="Book this appointment").click()
        expect(page.locator("h1")).to_have_text("You have an appointment")


def test_a_new_patient_registers_books_and_cancels(site: Site) -> None:
    with page_of(site, "visitor") as page:
        open_doctor(page, site)
        free_time(page, 2)
        page.get_by_role("link", name="I am new here").click()
        page.get_by_label("Name").fill("Dora Example")
        page.get_by_label("E-mail address").fill("dora@patients.example")
        page.get_by_label("Password").fill(PASSWORD)
        page.get_by_role("button", name="Create the account").click()
        page.get_by_role("button", name="Book this appointment").click()
        page.get_by_role("link", name="Cancel it").click()
        page.get_by_role("button", name="Cancel the appointment").click()
        expect(page).to_have_url(f"{site.url}/my")
        expect(page.get_by_role("status")).to_contain_text("is cancelled")
        expect(page.locator(".badge")).to_have_text("cancelled")


def test_a_patient_moves_an_appointment(site: Site) -> None:
    with page_of(site, "patient") as page:
        open_doctor(page, site)
        free_time(page, 7)
        page.get_by_role("button", name="Book this appointment").click()
        before = page.locator(".when").inner_text()
        page.get_by_role("link", name="Move it").click()
        free_time(page, 8)
        page.get_by_role("button", name="Move the appointment").click()
        expect(page.get_by_role("status")).to_contain_text("is moved")
        assert page.locator(".when").inner_text() != before


def test_a_session_that_ends_in_the_middle_loses_nothing(site: Site) -> None:
    with page_of(site, "patient") as page:
        open_doctor(page, site)
        free_time(page, 9)
        page.context.clear_cookies()
        page.get_by_role("button", name="Book this appointment").click()
        page.get_by_label("E-mail address").fill("ada@patients.example")
        page.get_by_label("Password").fill(PASSWORD)
        page.get_by_role("main").get_by_role("button", name="Log in").click()
        page.get_by_role("button", name="Book this appointment").click()
        expect(page.locator("h1")).to_have_text("You have an appointment")


def test_a_patient_sets_up_a_second_factor_and_books_after_a_log_in_with_it(site: Site) -> None:
    with page_of(site, "visitor", scripts=True) as page:
        page.goto(f"{site.url}/register")
        page.get_by_label("Name").fill("Eva Example")
        page.get_by_label("E-mail address").fill("eva@patients.example")
        page.get_by_label("Password").fill(PASSWORD)
        page.get_by_role("button", name="Create the account").click()
        for link in ("Account", "Second factor", "Set it up"):
            page.get_by_role("main").or_(page.get_by_role("navigation")).get_by_role("link", name=link).first.click()
        page.get_by_label("Current password").fill(PASSWORD)
        page.get_by_role("button", name="Go on").click()
        assert faults_of(page) == []
        app = TOTP(page.locator("code").inner_text().replace(" ", ""))
        page.get_by_label("Code from your app").fill(app.at(system_clock()))
        page.get_by_role("button", name="Turn it on").click()
        expect(page.locator(".codes li")).to_have_count(10)
        assert faults_of(page) == []
        page.context.clear_cookies()
        open_doctor(page, site)
        free_time(page, 6)
        page.get_by_role("link", name="Log in and book").click()
        page.get_by_label("E-mail address").fill("eva@patients.example")
        page.get_by_label("Password").fill(PASSWORD)
        page.get_by_role("main").get_by_role("button", name="Log in").click()
        assert faults_of(page) == []
        page.get_by_label("Code from your app").fill(app.at(system_clock(), counter_offset=1))
        page.get_by_role("main").get_by_role("button", name="Log in").click()
        page.get_by_role("button", name="Book this appointment").click()
        expect(page.locator("h1")).to_have_text("You have an appointment")


def faults_of(page: Page) -> list[object]:
    """Return what axe-core finds on a page that no link leads to, so that the crawl does not open it."""
    page.evaluate(Axe().axe_script)
    return faults(page, EVERY_RULE)


def test_a_doctor_closes_a_day_publishes_a_slot_and_withdraws_it(site: Site) -> None:
    day = (system_clock() + timedelta(days=40)).date()
    with page_of(site, "doctor") as page:
        page.goto(f"{site.url}/desk/exceptions")
        page.get_by_role("link", name="Close days or hours").click()
        page.get_by_label("First day").fill(day.isoformat())
        page.get_by_label("Reason").fill("A conference")
        page.get_by_role("button", name="Save").click()
        expect(page.get_by_role("main")).to_contain_text("A conference")
        page.goto(f"{site.url}/desk/slots/new?date={day + timedelta(days=1)}&from=18:00&until=18:30")
        page.get_by_role("button", name="Publish the slot").click()
        expect(page.get_by_role("status")).to_contain_text("published")
        page.get_by_role("link", name="18:00 free").first.click()
        page.get_by_role("button", name="Withdraw").click()
        expect(page.get_by_role("status")).to_contain_text("withdrawn")


def test_a_doctor_sets_up_a_week_of_hours(site: Site) -> None:
    with page_of(site, "visitor") as page:
        page.goto(f"{site.url}/register")
        page.get_by_label("Name").fill("Signe Vale")
        page.get_by_label("E-mail address").fill("signe.vale@clinic.example")
        page.get_by_label("Password").fill(PASSWORD)
        page.get_by_text("I am a doctor of this clinic").click()
        page.get_by_label("Invitation code").fill(CODE)
        page.get_by_role("button", name="Create the account").click()
        page.get_by_role("link", name="Hours", exact=True).click()
        page.get_by_label("Monday").fill("9-12.30 and 14-17")
        page.get_by_role("button", name=re.compile("Copy to Tue")).click()
        page.get_by_role("button", name="Save").click()
        expect(page.get_by_label("Friday")).to_have_value("09:00–12:30, 14:00–17:00")  # noqa: RUF001


def test_a_doctor_cancels_with_a_reason_and_keeps_the_time(site: Site) -> None:
    with page_of(site, "doctor") as page:
        page.goto(f"{site.url}/desk")
        appointment = page.locator('main a[href^="/desk/appointments/"]').first
        while not appointment.count():
            page.get_by_role("link", name="Later").click()
        appointment.click()
        page.get_by_role("link", name=re.compile("Cancel")).click()
        page.get_by_label("Reason").fill("The doctor is away.")
        page.get_by_label("Do not offer this time again").check()
        page.get_by_role("button", name="Cancel the appointment").click()
        expect(page.get_by_role("status")).to_contain_text("is cancelled")


def test_who_is_second_sees_the_nearest_times_and_books_one(site: Site) -> None:
    with page_of(site, "patient") as one, page_of(site, "visitor") as other:
        other.goto(f"{site.url}/log-in")
        other.get_by_label("E-mail address").fill("cleo@patients.example")
        other.get_by_label("Password").fill(PASSWORD)
        other.get_by_role("main").get_by_role("button", name="Log in").click()
        for page in (one, other):
            open_doctor(page, site)
            free_time(page, 5)
        one.get_by_role("button", name="Book this appointment").click()
        other.get_by_role("button", name="Book this appointment").click()
        expect(other.locator("h1")).to_have_text("Sorry, this time has just gone")
        other.locator("main a.chip").first.click()
        other.get_by_role("button", name="Book this appointment").click()
        expect(other.locator("h1")).to_have_text("You have an appointment")
    # Chromium says so of each answer that is an error.
    site.complaints = [text for text in site.complaints if "status of 409" not in text]


def test_booking_needs_no_mouse_and_focus_can_be_seen(site: Site) -> None:
    with page_of(site, "patient", scripts=True) as page:
        open_doctor(page, site)
        tab_to(page, re.compile(r"\d\d:\d\d"))
        page.keyboard.press("Enter")
        page.wait_for_url(re.compile(r"/book/\d+/\d+"))
        tab_to(page, re.compile("Book this appointment"))
        page.keyboard.press("Enter")
        expect(page.locator("h1")).to_have_text("You have an appointment")


def test_a_forgotten_password_is_replaced_and_a_name_corrected_without_a_mouse(site: Site) -> None:
    email, new_password = "finn@patients.example", "a new password of Finn"
    with page_of(site, "visitor", scripts=True) as page:
        page.goto(f"{site.url}/register")
        type_into(page, {"Name": "Fin Exampel", "E-mail address": email, "Password": PASSWORD})
        expect(page.get_by_role("navigation").get_by_role("link", name="Account")).to_be_visible()
        page.context.clear_cookies()

        page.goto(f"{site.url}/log-in")
        tab_to(page, re.compile("Forgot"))
        page.keyboard.press("Enter")
        page.wait_for_url(re.compile("/password/forgot"))
        type_into(page, {"E-mail address": email})
        expect(page.get_by_role("main")).to_contain_text("mail")
        mails = page.request.get(f"{site.url}/dev/outbox", headers={"Accept": "application/json"}).json()["data"]
        [link] = {link for mail in mails if mail["to"] == email for link in LINK_TO_RESET.findall(mail["text"] or "")}
        page.goto(f"{site.url}{link}")
        assert faults_of(page) == []
        type_into(page, {"New password": new_password})
        page.wait_for_url(re.compile("/log-in"))
        type_into(page, {"E-mail address": email, "Password": new_password})

        page.wait_for_url(re.compile("/(my|book)"))
        page.goto(f"{site.url}/my/account")
        tab_to(page, re.compile("^Name"))
        page.keyboard.press("Control+A")
        page.keyboard.type("Finn Example")
        page.keyboard.press("Enter")
        expect(page.get_by_role("status")).to_be_visible()
        expect(page.get_by_label("Name")).to_have_value("Finn Example")


def type_into(page: Page, texts: dict[str, str]) -> None:
    """Fill in a form in the order of its fields, and send it by Enter."""
    for label, text in texts.items():
        tab_to(page, re.compile(f"^{label}"))
        page.keyboard.type(text)
    page.keyboard.press("Enter")


def tab_to(page: Page, words: re.Pattern[str]) -> None:
    """Press Tab until what has these words has the focus."""
    page.wait_for_load_state()
    for _ in range(MOST_TABS):
        page.keyboard.press("Tab")
        assert page.evaluate(OUTLINE) == "solid"
        if words.search(page.evaluate(WORDS)):
            return
    pytest.fail(f"no Tab leads to {words.pattern}")


def test_the_language_is_chosen_once_and_remembered(site: Site) -> None:
    with page_of(site, "visitor") as page:
        page.goto(f"{site.url}/book?language=de")
        expect(page.locator("html")).to_have_attribute("lang", "de")
        page.goto(f"{site.url}/log-in")
        expect(page.locator("html")).to_have_attribute("lang", "de")
        page.get_by_role("link", name="English").click()
        expect(page.locator("html")).to_have_attribute("lang", "en")
