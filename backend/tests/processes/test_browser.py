"""Tests in Chromium: a client of another origin makes every call over CORS, and the product's own pages render."""

from __future__ import annotations

import contextlib
import http.server
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, Page, expect

from src.utils.clock import system_clock
from tests.people import CODE, PASSWORD
from tests.processes.conftest import StartServer
from tests.processes.servers import PUBLISHED_ORIGIN, Server

PNG = b"\x89PNG"
DATE = f"{system_clock().year + 1}-07-01"

# The calls that the published client makes, as a script that runs in the page.
WHOLE_DAY = """
async ({api, code, password, date}) => {
  const call = async (method, path, body, token) => {
    const headers = {};
    if (body !== undefined) headers["Content-Type"] = "application/json";
    if (token) headers["Authorization"] = `Bearer ${token}`;
    const answer = await fetch(api + path, {method, headers, body: body && JSON.stringify(body)});
    return {status: answer.status, location: answer.headers.get("Location"), ...(await answer.json())};
  };
  const claims = (token) => JSON.parse(atob(token.split(".")[1]));
  const steps = {};
  const doctorIs = {name: "Dr. Fenna Quill", email: "fenna@people.example", password, role: "doctor",
                    invitation_code: code};
  const patientIs = {name: "Ada Sämple", email: "ada@people.example", password, role: "patient", invitation_code: ""};
  steps.registerDoctor = await call("POST", "/auth/register", doctorIs, "a.stale.token");
  steps.registerPatient = await call("POST", "/auth/register", patientIs);
  steps.registerAgain = await call("POST", "/auth/register", patientIs);
  const doctorLogin = await call("POST", "/auth/login", {email: doctorIs.email, password}, "a.stale.token");
  const patientLogin = await call("POST", "/auth/login", {email: patientIs.email, password});
  steps.roles = [claims(doctorLogin.access_token).role, claims(patientLogin.access_token).role];
  steps.subjects = [claims(doctorLogin.access_token).sub, claims(patientLogin.access_token).sub];
  const doctor = doctorLogin.access_token, patient = patientLogin.access_token;
  steps.me = await call("GET", "/auth/me", undefined, patient);
  const profile = {designation: "Prof. Dr.", specialization: "Cardiology", time_zone: "Europe/Berlin"};
  steps.update = await call("POST", "/doctor/profile", profile, doctor);
  steps.profile = await call("GET", "/doctor/profile", undefined, doctor);
  const slot = {date, start_time: "09:00", end_time: "09:30"};
  steps.publish = await call("POST", "/doctor/availability", slot, doctor);
  steps.publishAgain = await call("POST", "/doctor/availability", slot, doctor);
  steps.doctors = await call("GET", "/patient/doctors?page=1&limit=10", undefined, patient);
  const free = `/patient/doctors/${steps.doctors.data[0].id}/availability`;
  steps.free = await call("GET", free, undefined, patient);
  steps.book = await call("POST", "/appointments", {slot_id: steps.free.data[0].slot_id}, patient);
  steps.bookAgain = await call("POST", "/appointments", {slot_id: steps.free.data[0].slot_id}, patient);
  steps.freeAfterBooking = await call("GET", free, undefined, patient);
  steps.mine = await call("GET", "/appointments/my", undefined, patient);
  steps.doctors_list = await call("GET", "/appointments/doctor", undefined, doctor);
  steps.doctorDashboard = await call("GET", "/doctor/dashboard", undefined, doctor);
  steps.patientDashboard = await call("GET", "/patient/dashboard", undefined, patient);
  steps.cancel = await call("POST", `/appointments/${steps.book.appointment_id}/cancel`, undefined, patient);
  steps.freeAfterCancelling = await call("GET", free, undefined, patient);
  steps.bookOnceMore = await call("POST", "/appointments", {slot_id: steps.free.data[0].slot_id}, patient);
  steps.remove = await call("DELETE", "/doctor/account", undefined, doctor);
  steps.gone = await call("GET", "/auth/me", undefined, doctor);
  steps.history = await call("GET", "/appointments/my", undefined, patient);
  steps.nowhere = await call("GET", "/nowhere", undefined, patient);
  return steps;
}
"""
STATUSES = {
    "registerDoctor": 201,
    "registerPatient": 201,
    "registerAgain": 409,
    "me": 200,
    "update": 200,
    "profile": 200,
    "publish": 201,
    "publishAgain": 409,
    "doctors": 200,
    "free": 200,
    "book": 201,
    "bookAgain": 409,
    "freeAfterBooking": 200,
    "mine": 200,
    "doctors_list": 200,
    "doctorDashboard": 200,
    "patientDashboard": 200,
    "cancel": 200,
    "freeAfterCancelling": 200,
    "bookOnceMore": 201,
    "remove": 200,
    "gone": 401,
    "history": 200,
    "nowhere": 404,
}


class EmptyPage(http.server.BaseHTTPRequestHandler):
    """Serves an empty page: only its origin matters."""

    def do_GET(self) -> None:
        body = b"<!doctype html><title>client</title>"
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        """Stay silent."""


@contextlib.contextmanager
def client_origin(port: int) -> Iterator[str]:
    """Serve an empty page on this port, or on a free one when it is busy, and yield its origin."""
    try:
        server = http.server.ThreadingHTTPServer(("127.0.0.1", port), EmptyPage)
    except OSError:
        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), EmptyPage)
    with server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        try:
            yield f"http://localhost:{server.server_address[1]}"
        finally:
            server.shutdown()
            thread.join()


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    page = browser.new_page()
    page.set_default_timeout(20_000)
    yield page
    page.close()


def start_for(origin: str, start_python_app: StartServer) -> Server:
    """Start the API with its default settings if the origin is the published one, else with this origin allowed."""
    return start_python_app() if origin == PUBLISHED_ORIGIN else start_python_app(CORS_ORIGINS=origin)


def test_a_client_of_an_allowed_origin_can_make_every_call(page: Page, start_python_app: StartServer) -> None:
    with client_origin(urlsplit(PUBLISHED_ORIGIN).port or 0) as origin:
        server = start_for(origin, start_python_app)
        page.goto(origin)
        steps = page.evaluate(WHOLE_DAY, {"api": server.url, "code": CODE, "password": PASSWORD, "date": DATE})
    statuses = {name: step["status"] for name, step in steps.items() if isinstance(step, dict)}
    assert statuses == STATUSES
    for name, status in STATUSES.items():
        assert status < 400 or steps[name]["error"].endswith("."), steps[name]

    assert steps["roles"] == ["doctor", "patient"]
    assert steps["subjects"] == [str(steps["registerDoctor"]["id"]), str(steps["registerPatient"]["id"])]
    assert (steps["me"]["name"], steps["me"]["role"]) == ("Ada Sämple", "patient")
    assert steps["profile"]["specialization"] == "Cardiology"
    [free] = steps["free"]["data"]
    assert (free["date"], free["start_time"], free["end_time"]) == (DATE, "09:00", "09:30")
    assert free["starts_at"] == f"{DATE}T09:00:00+02:00"
    assert steps["book"]["location"] == f"/appointments/{steps['book']['appointment_id']}"
    assert steps["freeAfterBooking"]["data"] == []
    assert [row["status"] for row in steps["mine"]["data"]] == ["booked"]
    assert steps["doctors_list"]["data"][0]["patient_name"] == "Ada Sämple"
    assert steps["freeAfterCancelling"]["data"] == [free]
    assert [row["status"] for row in steps["history"]["data"]] == ["cancelled", "cancelled"]
    assert {row["doctor_name"] for row in steps["history"]["data"]} == {"Dr. Fenna Quill"}


def test_the_browser_refuses_a_foreign_origin(page: Page, demo_server: Server) -> None:
    attempt = "url => fetch(url, {headers: {Authorization: 'Bearer x'}}).then(a => a.status, e => e.name)"
    with client_origin(0) as origin:
        assert origin != PUBLISHED_ORIGIN
        page.goto(origin)
        assert page.evaluate(attempt, f"{demo_server.url}/health") == "TypeError"
        simple = "url => fetch(url).then(a => a.status, e => e.name)"
        assert page.evaluate(simple, f"{demo_server.url}/health") == "TypeError"


def test_the_docs_book_a_slot_and_call_no_other_server(page: Page, demo_server: Server, tmp_path: Path) -> None:
    server = demo_server
    booking = server.book_something()
    server.ask("POST", f"/appointments/{booking.appointment_id}/cancel", token=booking.patient)
    asked: list[str] = []
    complaints: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: complaints.append(str(error)))

    page.goto(f"{server.url}/docs")
    page.locator("button.authorize").first.click()
    page.locator(".modal-ux input").fill(booking.patient)
    page.locator(".modal-ux button.authorize").click()
    page.locator(".modal-ux button.btn-done").click()
    operation = page.locator(".opblock-post").filter(has=page.locator('[data-path="/appointments"]'))
    operation.locator(".opblock-summary").click()
    operation.locator("button.try-out__btn").click()
    operation.locator("textarea.body-param__text").fill(f'{{"slot_id": {booking.slot_id}}}')
    operation.locator("button.execute").click()
    expect(operation.locator(".live-responses-table .response-col_status").last).to_contain_text("201")
    screenshot_of(page, tmp_path / "docs.png")

    mine = server.ask("GET", "/appointments/my", token=booking.patient)["data"]
    assert [row["status"] for row in mine] == ["booked", "cancelled"]
    hosts = {urlsplit(url).netloc for url in asked if urlsplit(url).scheme not in {"data", "blob"}}
    assert hosts == {f"localhost:{server.port}"}
    assert complaints == []


def screenshot_of(page: Page, target: Path) -> None:
    page.screenshot(path=target)
    picture = target.read_bytes()
    assert picture.startswith(PNG)
    assert len(picture) > 5_000
