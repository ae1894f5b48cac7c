"""GET /health, and what happens while the database is away."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import quote

import pytest
from flask.testing import FlaskClient
from sqlalchemy import make_url

from tests.conftest import ON_POSTGRESQL, MakeApp
from tests.people import PASSWORD, error_of

# Nothing listens on port 1.
AWAY = "postgresql://nobody:hush-hush@127.0.0.1:1/nothing"


def test_a_healthy_service_says_what_it_checked(client: FlaskClient) -> None:
    answer = client.get("/health")
    assert answer.status_code == 200
    body = answer.get_json()
    assert body["status"] == "ok"
    assert body["checks"]["database"] == "ok"
    assert body["checks"]["migrations"]


@pytest.mark.parametrize("database_url", [AWAY, "sqlite:////no/such/folder/at-all.db"])
def test_a_database_that_is_away_is_named(make_app: MakeApp, caplog: pytest.LogCaptureFixture) -> None:
    answer = make_app().test_client().get("/health")
    assert answer.status_code == 503
    assert "database" in error_of(answer)
    assert answer.get_json()["failing"] == "database"
    assert int(answer.headers["Retry-After"]) > 0
    assert b"hush-hush" not in answer.data
    assert "hush-hush" not in caplog.text


@pytest.mark.parametrize("database_url", [AWAY, "sqlite:////no/such/folder/at-all.db"])
def test_without_a_database_every_call_asks_to_come_again(make_app: MakeApp, client: FlaskClient) -> None:
    login = {"email": "ada@people.example", "password": PASSWORD}
    answer = client.post("/auth/login", json=login)
    assert answer.status_code == 503
    assert "database" in error_of(answer)
    assert int(answer.headers["Retry-After"]) > 0
    # Nothing but the syntax of these needs a database.
    assert client.post("/auth/login", json={}).status_code == 400
    assert client.get("/auth/me").status_code == 401
    assert client.get("/nothing").status_code == 404


@pytest.mark.parametrize(
    "form",
    [
        "postgresql://postgres@%2Fnowhere,{encoded}/{name}?target_session_attrs=read-write",
        "postgresql://postgres@/{name}?host=/nowhere&host={folder}",
        "postgresql:///{name}?host={folder}&user=postgres&application_name=booking",
        "postgresql://postgres@{encoded}/{name}?connect_timeout=9",
    ],
)
@ON_POSTGRESQL
def test_the_database_is_found_among_several_hosts_and_sockets(make_app: MakeApp, database_url: str, form: str) -> None:
    url = make_url(database_url)
    folder = str(url.query["host"])
    found = form.format(folder=folder, encoded=quote(folder, safe=""), name=url.database)
    assert make_app(database_url=found).test_client().get("/health").status_code == 200


def test_a_database_without_tables_is_named(make_app: MakeApp, tmp_path: Path) -> None:
    app = make_app(database_url=f"sqlite:///{tmp_path}/empty.db")
    answer = app.test_client().get("/health")
    assert answer.status_code == 503
    assert "flask db upgrade" in error_of(answer)
    assert int(answer.headers["Retry-After"]) > 0
