"""CORS: what browsers are told about calls from other origins."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from app import ROUTES
from tests.conftest import MakeApp
from tests.people import Api, error_of

OURS = "http://localhost:5173"
FOREIGN = "https://evil.example"
METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")
HEADERS = ("authorization", "content-type", "idempotency-key")
PATHS = [
    *sorted({re.sub(r"<.*?>", "1", route.path) for route in ROUTES}),
    "/docs",
    "/openapi.json",
    "/nowhere",
    "/auth/login/",
    "//appointments",
    "/appointments/abc/cancel",
    "/appointments/99999999999999999999999999/cancel",
]


def preflight(client: FlaskClient, path: str, origin: str, method: str = "POST") -> TestResponse:
    return client.options(
        path,
        headers={
            "Origin": origin,
            "Access-Control-Request-Method": method,
            "Access-Control-Request-Headers": ",".join(HEADERS),
        },
    )


def cors_headers(answer: TestResponse) -> set[str]:
    return {name for name in answer.headers.keys() if name.lower().startswith("access-control-")}  # noqa: SIM118


def words(text: str) -> set[str]:
    return {word.strip().lower() for word in text.split(",")}


def test_every_address_answers_a_preflight_for_every_method(client: FlaskClient) -> None:
    for path in PATHS:
        for method in METHODS:
            answer = preflight(client, path, OURS, method)
            assert 200 <= answer.status_code < 300, (method, path, answer.status_code)
            assert answer.headers["Access-Control-Allow-Origin"] == OURS, (method, path)
            assert words(answer.headers["Access-Control-Allow-Headers"]) >= set(HEADERS), (method, path)
            assert words(answer.headers["Access-Control-Allow-Methods"]) >= {m.lower() for m in METHODS}, path
            assert "Origin" in answer.headers["Vary"]
            assert "Access-Control-Allow-Credentials" not in answer.headers


@pytest.mark.parametrize("origin", ["http://localhost:5173", "http://localhost:3000"])
def test_the_published_origins_are_allowed(client: FlaskClient, origin: str) -> None:
    assert client.get("/health", headers={"Origin": origin}).headers["Access-Control-Allow-Origin"] == origin


@pytest.mark.parametrize(
    "origin",
    [
        FOREIGN,
        "null",
        "http://localhost:5174",
        "https://localhost:5173",
        "http://localhost:5173.evil.example",
        "http://evil.example/http://localhost:5173",
        "http://localhostx5173",
    ],
)
def test_a_foreign_origin_gets_no_cors_header(client: FlaskClient, origin: str) -> None:
    for path in PATHS:
        assert cors_headers(preflight(client, path, origin)) == set(), path
        assert cors_headers(client.get(path, headers={"Origin": origin})) == set(), path


def test_without_an_origin_there_is_nothing_to_say(client: FlaskClient) -> None:
    assert cors_headers(client.get("/health")) == set()


def test_origins_are_what_is_configured(make_app: MakeApp) -> None:
    client = make_app(cors_origins="https://book.example.org/, https://b.example:8443").test_client()
    for origin in ("https://book.example.org", "https://b.example:8443"):
        assert client.get("/health", headers={"Origin": origin}).headers["Access-Control-Allow-Origin"] == origin
    for origin in (OURS, "https://bookxexample.org", "https://book.example.org.evil.example"):
        assert cors_headers(client.get("/health", headers={"Origin": origin})) == set()


@pytest.mark.parametrize(
    ("origin", "others"),
    [
        ("http://[::1]:5173", ["http://::5173", "http://1:5173", "http://[::1]:51733", "http://[::1]"]),
        (
            "https://book.example.org",
            [
                "https://bookxexample.org",
                "https://book.example.org.evil.example",
                "https://evil.example/https://book.example.org",
                "https://book.example.org/",
                "https://book.example.org:443",
                "https://book.example.org:8443",
                "http://book.example.org",
                "https://xbook.example.org",
                "https://BOOK.example.org",
                "HTTPS://book.example.org",
                "https://book.example.org https://evil.example",
            ],
        ),
        # Python's casefold() takes the sharp s, which a header can carry, for ss.
        ("https://pass.example", ["https://pa\xdf.example"]),
    ],
)
def test_origins_are_compared_exactly(make_app: MakeApp, origin: str, others: list[str]) -> None:
    client = make_app(cors_origins=origin).test_client()
    allowed = client.get("/health", headers={"Origin": origin})
    assert allowed.headers["Access-Control-Allow-Origin"] == origin
    assert "Origin" in allowed.headers["Vary"]
    for other in others:
        assert cors_headers(client.get("/health", headers={"Origin": other})) == set(), other
        assert cors_headers(preflight(client, "/health", other)) == set(), other


def test_where_no_origin_is_configured_nobody_gets_a_cors_header(make_app: MakeApp) -> None:
    client = make_app(cors_origins=" , ").test_client()
    assert cors_headers(preflight(client, "/health", OURS)) == set()


Call = Callable[[FlaskClient, dict[str, str]], TestResponse]
LOGIN = "/auth/login"
ERRORS: list[tuple[int, Call]] = [
    (400, lambda client, headers: client.post(LOGIN, json={}, headers=headers)),
    (400, lambda client, headers: client.post(LOGIN, data=b"{", content_type="application/json", headers=headers)),
    (401, lambda client, headers: client.get("/auth/me", headers=headers)),
    (401, lambda client, headers: client.get("/auth/me", headers=headers | {"Authorization": "Bearer x"})),
    (404, lambda client, headers: client.get("/nowhere", headers=headers)),
    (404, lambda client, headers: client.post("/appointments/abc/cancel", headers=headers)),
    (405, lambda client, headers: client.put(LOGIN, headers=headers)),
    (413, lambda client, headers: client.post(LOGIN, json={"email": "x" * 2_000_000}, headers=headers)),
    (415, lambda client, headers: client.post(LOGIN, data=b"x=1", content_type="text/plain", headers=headers)),
]


@pytest.mark.parametrize(("status", "call"), ERRORS)
def test_errors_can_be_read_by_the_page_that_asked(client: FlaskClient, status: int, call: Call) -> None:
    answer = call(client, {"Origin": OURS})
    assert answer.status_code == status
    assert error_of(answer)
    assert answer.headers["Access-Control-Allow-Origin"] == OURS
    assert cors_headers(call(client, {"Origin": FOREIGN})) == set()


def test_refusals_of_somebody_logged_in_can_be_read_too(api: Api) -> None:
    doctor, patient = api.doctor(), api.patient()
    slot_id = doctor.publish()
    patient.book(slot_id)
    origin: dict[str, Any] = {"headers": {"Origin": OURS}}
    for status, answer in (
        (403, doctor.post("/appointments", {"slot_id": slot_id}, **origin)),
        (404, patient.post("/appointments", {"slot_id": slot_id + 1}, **origin)),
        (409, patient.post("/appointments", {"slot_id": slot_id}, **origin)),
    ):
        assert answer.status_code == status
        assert error_of(answer)
        assert answer.headers["Access-Control-Allow-Origin"] == OURS


def test_a_page_may_read_where_its_booking_is(api: Api) -> None:
    doctor, patient = api.doctor(), api.patient()
    answer = patient.post("/appointments", {"slot_id": doctor.publish()}, headers={"Origin": OURS})
    assert {"location", "retry-after"} <= words(answer.headers["Access-Control-Expose-Headers"])
