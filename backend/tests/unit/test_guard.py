"""The guard of `one_statement` notices what it is there for."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from apiflask import APIFlask
from flask.testing import FlaskClient
from sqlalchemy import text

from src.context import Context
from src.errors import Conflict
from src.extensions import db
from src.schemas.base import Message
from src.utils.decorators import one_statement
from src.web.application import create_app
from src.web.routes import ANYONE, Route
from tests.conftest import ON_POSTGRESQL, make_settings
from tests.guard import Guard

pytestmark = ON_POSTGRESQL

WRITE = text("INSERT INTO installation (name, value) VALUES (:name, 'written by a test')")


@one_statement
def write_once(ctx: Context[None]) -> Message:
    ctx.db.execute(WRITE, {"name": "one"})
    return Message(message="Written.")


@one_statement
def write_twice(ctx: Context[None]) -> Message:
    ctx.db.execute(WRITE, {"name": "one"})
    ctx.db.execute(WRITE, {"name": "other"})
    return Message(message="Written twice.")


@one_statement
def write_and_refuse(ctx: Context[None]) -> Message:
    ctx.db.execute(WRITE, {"name": "one"})
    raise Conflict


@one_statement
def refuse(ctx: Context[None]) -> Message:
    ctx.db.execute(text("UPDATE installation SET value = '' WHERE name = 'nothing'"))
    raise Conflict


ROUTES = [
    Route("POST", "/once", write_once, ANYONE, "test.once"),
    Route("POST", "/twice", write_twice, ANYONE, "test.twice"),
    Route("POST", "/refuse-after", write_and_refuse, ANYONE, "test.refuse_after"),
    Route("POST", "/refuse", refuse, ANYONE, "test.refuse"),
]


@pytest.fixture
def guard() -> Guard:
    return Guard()


@pytest.fixture
def client(database_url: str, guard: Guard) -> Iterator[FlaskClient]:
    app: APIFlask = create_app(ROUTES, make_settings(database_url=database_url))
    app.extensions["transaction"] = guard.transaction
    yield app.test_client()
    with app.app_context():
        db.engine.dispose()


@pytest.mark.parametrize(("path", "status"), [("/once", 200), ("/refuse", 409)])
def test_one_write_and_a_refusal_without_a_write_are_allowed(
    client: FlaskClient, guard: Guard, path: str, status: int
) -> None:
    assert client.post(path).status_code == status
    assert guard.broken == []


def test_a_second_write_is_noticed(client: FlaskClient, guard: Guard) -> None:
    client.post("/twice")
    [sentence] = guard.broken
    assert sentence.startswith("2 writes")


def test_a_refusal_after_a_write_is_noticed(client: FlaskClient, guard: Guard) -> None:
    client.post("/refuse-after")
    [sentence] = guard.broken
    assert "after it had written" in sentence
