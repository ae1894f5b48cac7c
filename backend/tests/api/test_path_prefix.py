"""The API below a path, such as https://clinic.example/booking: every address that an answer names begins with it."""

from __future__ import annotations

import re
from contextlib import closing
from typing import Any
from urllib.parse import urljoin

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from src.web.prefix import LONGEST
from tests.conftest import MakeApp
from tests.people import KEY, Api

PREFIX = "/booking"
BROWSER = {"Accept": "text/html"}
ADDRESS = re.compile(r'(?:href|src)="([^"]+)"')
# By gunicorn's SCRIPT_NAME, or by the header of a trusted proxy.
WAYS: list[tuple[int, dict[str, Any]]] = [
    (0, {"environ_overrides": {"SCRIPT_NAME": PREFIX}}),
    (1, {"headers": {"X-Forwarded-Prefix": PREFIX}}),
]


@pytest.fixture(params=WAYS, ids=["SCRIPT_NAME", "X-Forwarded-Prefix"])
def prefixed(request: pytest.FixtureRequest, make_app: MakeApp) -> FlaskClient:
    """Return a client of an application below the prefix."""
    trusted, options = request.param
    client = make_app(trusted_proxies=trusted).test_client()
    plain = client.open

    def open_below(path: str, **given: Any) -> TestResponse:
        headers = {**options.get("headers", {}), **(given.pop("headers", None) or {})}
        return plain(path, headers=headers, **({"environ_overrides": options.get("environ_overrides", {})} | given))

    client.open = open_below  # type: ignore[method-assign]
    return client


def addresses(client: FlaskClient, page: str) -> set[str]:
    """Return the addresses that a page names, as a browser resolves them."""
    html = client.get(page, headers=BROWSER).get_data(as_text=True)
    return {urljoin(PREFIX + page, address) for address in ADDRESS.findall(html)}


def test_links_lead_below_the_prefix(prefixed: FlaskClient) -> None:
    home = prefixed.get("/").get_json()
    assert (home["documentation"], home["openapi"], home["health"]) == (
        f"{PREFIX}/docs",
        f"{PREFIX}/openapi.json",
        f"{PREFIX}/health",
    )
    for page in ("/", "/dev/outbox", "/docs"):
        found = addresses(prefixed, page)
        assert found, page
        for address in found:
            assert address.startswith(f"{PREFIX}/"), (page, address)
            with closing(prefixed.get(address.removeprefix(PREFIX))) as answer:
                assert answer.status_code == 200, address
    assert f'"{PREFIX}/openapi.json"' in prefixed.get("/docs").get_data(as_text=True)


def test_the_openapi_document_names_the_prefix(prefixed: FlaskClient) -> None:
    assert prefixed.get("/openapi.json").get_json()["servers"] == [{"url": PREFIX}]


def test_a_location_is_below_the_prefix(prefixed: FlaskClient) -> None:
    api = Api(prefixed)
    doctor, patient = api.doctor(), api.patient()
    booked = patient.post("/appointments", {"slot_id": doctor.publish()})
    assert booked.headers["Location"] == f"{PREFIX}/appointments/{booked.get_json()['appointment_id']}"


def test_without_a_prefix_and_from_an_untrusted_client_nothing_is_prefixed(client: FlaskClient) -> None:
    for headers in ({}, {"X-Forwarded-Prefix": PREFIX}):
        assert client.get("/", headers=headers).get_json()["documentation"] == "/docs"
        assert client.get("/openapi.json", headers=headers).get_json()["servers"] == [{"url": "/"}]


@pytest.mark.parametrize(
    "prefix",
    ["//evil.example", "/a b", "booking", '/"><script>', "/a/../b", "https://evil.example", "/" + LONGEST * "a"],
)
def test_a_prefix_that_is_no_path_is_ignored(make_app: MakeApp, prefix: str) -> None:
    client = make_app(trusted_proxies=1).test_client()
    assert client.get("/", headers={"X-Forwarded-Prefix": prefix}).get_json()["documentation"] == "/docs"


@pytest.mark.parametrize("length", [LONGEST, 300])
def test_a_location_below_a_long_prefix_is_kept_under_a_key(make_app: MakeApp, length: int) -> None:
    api = Api(make_app(trusted_proxies=1).test_client())
    doctor, patient = api.doctor(), api.patient()
    body, headers = {"slot_id": doctor.publish()}, KEY | {"X-Forwarded-Prefix": "/" + (length - 1) * "a"}

    first, again = (patient.post("/appointments", body, headers=headers) for _ in range(2))

    assert first.status_code == again.status_code == 201
    assert first.headers["Location"] == again.headers["Location"]
