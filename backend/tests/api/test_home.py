"""GET /."""

from __future__ import annotations

import pytest
from flask.testing import FlaskClient

from tests.conftest import MakeApp


@pytest.mark.parametrize("accept", [None, "*/*", "application/json", "text/plain"])
def test_programs_get_json(client: FlaskClient, accept: str | None) -> None:
    answer = client.get("/", headers={"Accept": accept} if accept else {})
    assert answer.status_code == 200
    assert answer.mimetype == "application/json"
    body = answer.get_json()
    assert set(body) == {"name", "version", "documentation", "openapi", "health"}
    for link in (body["documentation"], body["openapi"], body["health"]):
        assert client.get(link).status_code == 200


def test_browsers_get_a_page(client: FlaskClient) -> None:
    answer = client.get("/", headers={"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"})
    assert answer.status_code == 200
    assert answer.mimetype == "text/html"
    assert answer.data.lstrip().lower().startswith(b"<!doctype html>")
    assert b'href="/docs"' in answer.data


def test_caches_tell_the_two_apart(client: FlaskClient) -> None:
    assert "Accept" in client.get("/").headers["Vary"]


def test_the_page_does_not_lead_to_the_outbox_in_production(make_app: MakeApp) -> None:
    secrets = {"doctor_invitation_code": "a code of our own"}
    browser = {"Accept": "text/html"}
    assert b"/dev/outbox" in make_app().test_client().get("/", headers=browser).data
    production = make_app(app_env="production", **secrets).test_client()
    answer = production.get("/", headers=browser)
    assert answer.status_code == 200
    assert b"/dev/outbox" not in answer.data
