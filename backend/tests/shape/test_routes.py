"""app.py, the OpenAPI document and docs/api.md list the same routes; docs/settings.md lists the settings."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from apiflask import APIFlask
from openapi_spec_validator import validate

from app import FORMS, PAGES, ROUTES
from config import Settings
from src.errors import ClinicError
from src.utils.decorators import errors_of
from src.web.problems import status_of
from tests.calls import CALLS
from tests.conftest import build_app, make_settings

DOCS = Path(__file__).parents[3] / "docs"

LIBRARY_ENDPOINTS = {
    "docs_assets.static",
    "openapi.spec",
    "openapi.docs",
    "openapi.swagger_ui_oauth_redirect",
}


@pytest.fixture(scope="module")
def whole_app() -> APIFlask:
    return build_app(make_settings())


def test_no_other_routes_are_served(whole_app: APIFlask) -> None:
    served = {rule.endpoint for rule in whole_app.url_map.iter_rules()} - LIBRARY_ENDPOINTS
    calls = {route.name for route in ROUTES}
    pages = {f"page {page.path}" for page in PAGES if page.path not in {route.path for route in ROUTES}}
    assert served == calls | pages | {f"form {form.path}" for form in FORMS} | {"static file"}


def test_no_path_ends_in_a_slash_so_that_no_request_is_redirected(whole_app: APIFlask) -> None:
    assert all(route.path == "/" or not route.path.endswith("/") for route in ROUTES)
    assert whole_app.url_map.merge_slashes is False


def test_the_openapi_document_is_valid_and_has_every_route(whole_app: APIFlask) -> None:
    spec = whole_app.test_client().get("/openapi.json").get_json()
    validate(spec)
    assert spec["openapi"].startswith("3.1")
    documented = {
        (method.upper(), path) for path, item in spec["paths"].items() for method in item if method != "parameters"
    }
    assert documented == {(call.method, call.path) for call in CALLS}


def test_the_openapi_document_lists_every_error_and_who_may_call(whole_app: APIFlask) -> None:
    spec = whole_app.test_client().get("/openapi.json").get_json()
    for call in CALLS:
        route, operation = call.route, spec["paths"][call.path][call.method.lower()]
        assert ("requestBody" in operation) == bool(call.signature.body), call.name
        told = {int(status) for status in operation["responses"]}
        expected = {route.status.value, 413, 500} | {status_of(error).value for error in errors_of(route.controller)}
        if route.needs_database:
            expected.add(503)
        if not route.access.is_public:
            expected.add(401)
            assert operation["security"] == [{"BearerAuth": []}], route.name
        if route.access.refusal is not None:
            expected.add(403)
        assert expected <= told, route.name
        for status in told - {route.status.value}:
            assert list(operation["responses"][str(status)]["content"]) == ["application/problem+json"]


def test_every_error_has_a_sentence_and_a_status() -> None:
    def below(error: type[ClinicError]) -> set[type[ClinicError]]:
        return {error}.union(*(below(child) for child in error.__subclasses__()))

    errors = below(ClinicError) - {ClinicError}
    assert len(errors) > 20
    for error in errors:
        assert error.sentence().endswith("."), error
        assert 400 <= status_of(error) < 600


def test_the_page_about_the_api_lists_every_route() -> None:
    page = (DOCS / "api.md").read_text("utf-8")
    rows = re.findall(r"^\| `(GET|POST|PUT|PATCH|DELETE) ([^`]+)` \|", page, re.MULTILINE)
    assert sorted(rows) == sorted((call.method, call.path) for call in CALLS)


def test_the_page_about_settings_lists_every_setting() -> None:
    page = (DOCS / "settings.md").read_text("utf-8")
    rows = re.findall(r"^\| `([A-Z0-9_]+)` \|", page, re.MULTILINE)
    assert sorted(rows) == sorted(name.upper() for name in Settings.model_fields)


def test_production_has_no_development_routes() -> None:
    client = build_app(make_settings(app_env="production")).test_client()
    assert client.get("/dev/outbox").status_code == 404
    assert "/dev/outbox" not in client.get("/openapi.json").get_json()["paths"]
    assert "password123" not in client.get("/", headers={"Accept": "text/html"}).text
