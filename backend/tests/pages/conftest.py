"""A browser without JavaScript: it keeps cookies, follows what a form answers, and says which site a form came from."""

from __future__ import annotations

import re
from dataclasses import dataclass
from html import unescape
from typing import Any

import pytest
from apiflask import APIFlask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from tests.conftest import empty_database
from tests.people import PASSWORD, Person

_HIDDEN = re.compile(r'<input type="hidden" name="(\w+)" value="([^"]*)">')
HEADERS = {"Accept": "text/html", "Sec-Fetch-Mode": "navigate", "Sec-Fetch-Site": "same-origin"}


@dataclass
class Reader:
    """Somebody who reads the pages."""

    client: FlaskClient

    def open(self, path: str, **options: Any) -> TestResponse:
        return self.client.get(path, headers=HEADERS | options.pop("headers", {}), **options)

    def read(self, path: str) -> str:
        """Return the text of a page that must be there."""
        answer = self.open(path)
        assert answer.status_code == 200, (path, answer.status_code, answer.headers.get("Location"))
        return answer.text

    def send(self, path: str, *, headers: dict[str, str] | None = None, **fields: Any) -> TestResponse:
        """Open the page and post its form, with the hidden fields that it has."""
        return self.post(path, headers=headers, **(hidden_fields(self.open(path).text) | fields))

    def post(self, path: str, *, headers: dict[str, str] | None = None, **fields: Any) -> TestResponse:
        return self.client.post(path, data=fields, headers=HEADERS if headers is None else headers)

    def log_in(self, person: Person) -> None:
        answer = self.send("/log-in", email=person.email, password=PASSWORD)
        assert answer.status_code == 303, answer.text


def hidden_fields(page: str) -> dict[str, str]:
    return {name: unescape(value) for name, value in _HIDDEN.findall(page)}


@pytest.fixture(params=["sqlite"])
def database_url(request: pytest.FixtureRequest) -> str:
    """Return the URL of an empty database: SQLite's, unless a test asks for both.

    Pages call controllers, which the tests of calls try on both databases.
    """
    return empty_database(request)


@pytest.fixture
def reader(app: APIFlask) -> Reader:
    return Reader(app.test_client())
