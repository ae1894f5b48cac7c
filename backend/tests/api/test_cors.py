"""CORS: what browsers are told about calls from other origins."""

from __future__ import annotations

import re
from typing import Any

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from tests.calls import CALLS, JSON, OUR_ORIGIN, Clinic, refused
from tests.conftest import MakeApp
from tests.people import DAY, Api, Person

FOREIGN = "https://evil.example"
METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")
HEADERS = ("authorization", "content-type", "idempotency-key")
PATHS = [
    *sorted({re.sub(r"{.*?}", "1", call.path) for call in CALLS}),
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
            answer = preflight(client, path, OUR_ORIGIN, method)
            assert 200 <= answer.status_code < 300, (method, path, answer.status_code)
            assert answer.headers["Access-Control-Allow-Origin"] == OUR_ORIGIN, (method, path)
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


def test_an_answer_to_no_origin_has_no_cors_header(client: FlaskClient) -> None:
    assert cors_headers(client.get("/health")) == set()


def test_origins_are_what_is_configured(make_app: MakeApp) -> None:
    client = make_app(cors_origins="https://book.example.org/, https://b.example:8443").test_client()
    for origin in ("https://book.example.org", "https://b.example:8443"):
        assert client.get("/health", headers={"Origin": origin}).headers["Access-Control-Allow-Origin"] == origin
    for origin in (OUR_ORIGIN, "https://bookxexample.org", "https://book.example.org.evil.example"):
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
    assert cors_headers(preflight(client, "/health", OUR_ORIGIN)) == set()


def test_refusals_can_be_read_by_the_page_that_asked_and_by_no_foreign_one(clinic: Clinic) -> None:
    appointment = {"slot_id": clinic.slot_id}
    published_already = {"date": DAY, "start_time": "10:00", "end_time": "10:30"}
    requests: list[tuple[int, str, str, Person | None, dict[str, Any]]] = [
        (400, "POST", "/appointments", clinic.patient, {"json": {}}),
        (400, "POST", "/appointments", clinic.patient, {"data": b"{", "content_type": JSON}),
        (401, "POST", "/appointments", None, {"json": appointment}),
        (403, "POST", "/appointments", clinic.doctor, {"json": appointment}),
        (404, "POST", "/appointments", clinic.patient, {"json": {"slot_id": 999}}),
        (404, "GET", "/nowhere", None, {}),
        (405, "PUT", "/appointments", None, {}),
        (409, "POST", "/doctor/availability", clinic.doctor, {"json": published_already}),
        (413, "POST", "/appointments", clinic.patient, {"data": b" " * 2_000_000, "content_type": JSON}),
        (415, "POST", "/appointments", clinic.patient, {"data": b"x=1", "content_type": "text/plain"}),
    ]
    for status, method, path, person, options in requests:
        refused(clinic.ask(method, path, person, **options), status, (method, path))
        answer = clinic.ask(method, path, person, headers={"Origin": FOREIGN}, **options)
        assert answer.status_code == status
        assert cors_headers(answer) == set(), (method, path)


def test_a_page_may_read_where_its_booking_is(api: Api) -> None:
    doctor, patient = api.doctor(), api.patient()
    answer = patient.post("/appointments", {"slot_id": doctor.publish()}, headers={"Origin": OUR_ORIGIN})
    assert {"location", "retry-after"} <= words(answer.headers["Access-Control-Expose-Headers"])
