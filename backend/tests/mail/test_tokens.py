"""No token and no password stands in the database, in a log, in what a command prints, or in an export."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from typing import Any

import pytest
from apiflask import APIFlask
from sqlalchemy import select, text
from sqlalchemy.exc import DBAPIError

from src.database.transaction import transaction
from src.models import Base
from src.services.mail import MailDelayed, MailRefused
from src.services.memory_mailer import MemoryMailer
from tests.conftest import StillClock
from tests.mail_tokens import newest_token, reset_token_of
from tests.people import KEY, Api, Deliver, Patient

EMAIL = "ada@people.example"
FIRST, SECOND, THIRD = "the first secret of Ada", "the second secret of Ada", "the third secret of Ada"


def dump(app: APIFlask) -> str:
    with app.app_context(), transaction(writes=False) as db:
        return repr([tuple(row) for table in Base.metadata.sorted_tables for row in db.execute(select(table))])


@pytest.fixture
def logged(caplog: pytest.LogCaptureFixture) -> pytest.LogCaptureFixture:
    caplog.set_level(logging.DEBUG)
    return caplog


def parts(secrets: list[str]) -> Iterator[str]:
    """Yield the secrets, and the signatures of those that are access tokens."""
    for secret in secrets:
        yield secret
        if secret.count(".") == 2:
            yield secret.rpartition(".")[2]


def commands(app: APIFlask) -> str:
    """Return what the commands print that show mails or accounts."""
    runner = app.test_cli_runner()
    outbox = [
        ["outbox", "list"],
        *(["outbox", "show", str(number)] for number in range(1, 5)),
        ["outbox", "retry", "--all"],
    ]
    others = [["purge", "--dry-run"], ["user", "reset", EMAIL], ["user", "disable", EMAIL], ["user", "enable", EMAIL]]
    return "".join(runner.invoke(args=args).output for args in outbox + others)


def assert_hidden(secrets: list[str], places: dict[str, str]) -> None:
    found = [(place, secret) for place, said in places.items() for secret in parts(secrets) if secret in said]
    assert found == []


def test_nothing_that_lets_somebody_in_is_kept_or_logged(
    app: APIFlask, api: Api, deliver: Deliver, logged: pytest.LogCaptureFixture, clock: StillClock
) -> None:
    """Each request has an Idempotency-Key, under which answers to other requests are kept."""

    def post(path: str, bearer: str | None = None, **body: str) -> dict[str, Any]:
        headers = KEY if bearer is None else KEY | {"Authorization": f"Bearer {bearer}"}
        answer = api.client.post(path, json=body, headers=headers)
        assert answer.is_json, answer.data
        return answer.get_json()

    number = post("/auth/register", name="Ada Sample", email=EMAIL, password=FIRST, role="patient")["id"]
    first = post("/auth/login", email=EMAIL, password=FIRST)["access_token"]
    changed = post("/auth/password", first, current_password=FIRST, new_password=SECOND)["access_token"]
    ended = post("/auth/login", email=EMAIL, password=SECOND)["access_token"]
    post("/auth/logout", ended)
    post("/auth/password/forgot", email=EMAIL)
    token = newest_token(app)
    wrong = token[::-1]
    deliver()
    assert "error" in post("/auth/password/reset", token=wrong, password=THIRD)
    post("/auth/password/reset", token=token, password=THIRD)
    deliver()
    assert api.client.get(f"/password/reset?token={token}").status_code == 200
    last = post("/auth/login", email=EMAIL, password=THIRD)["access_token"]
    assert "error" in post("/auth/login", email=EMAIL, password=FIRST)
    page = api.client.post(
        "/log-in", data={"email": EMAIL, "password": THIRD}, headers={"Sec-Fetch-Site": "same-origin"}
    )
    [cookie] = [value for name, value in page.headers if name == "Set-Cookie" and value.startswith("session=")]
    of_page = cookie.partition(";")[0].partition("=")[2]
    ada = Patient(api.client, "Ada Sample", EMAIL, number, last)
    export = ada.get("/auth/me/export", headers=KEY).text

    secrets = [first, changed, ended, last, of_page, token, wrong, FIRST, SECOND, THIRD]
    assert len(set(secrets)) == 10
    printed, rows = commands(app), dump(app)
    assert [EMAIL in said for said in (printed, rows, export)] == [True] * 3, "the search would find what is there"
    assert "event=password_changed" in logged.text
    clock.forward(minutes=1)
    deliver()
    places = {"database": rows, "later": dump(app), "log": logged.text, "commands": printed, "export": export}
    assert_hidden([*secrets, newest_token(app)], places)


@pytest.mark.parametrize("error", [MailRefused, MailDelayed, RuntimeError])
def test_a_provider_that_quotes_a_mail_does_not_put_its_token_into_logs_or_the_database(
    app: APIFlask,
    api: Api,
    deliver: Deliver,
    mailer: MemoryMailer,
    logged: pytest.LogCaptureFixture,
    clock: StillClock,
    error: type[Exception],
) -> None:
    token = reset_token_of(app, api.patient())
    mailer.failures.append(error(f"550 rejected because of {token}"))
    deliver()
    shown = app.test_cli_runner().invoke(args=["outbox", "show", "1"]).output
    assert "550 rejected because of (not-shown)" in shown
    assert "550 rejected because of (not-shown)" in logged.text
    assert_hidden([token], {"log": logged.text, "commands": shown})
    app.test_cli_runner().invoke(args=["outbox", "retry", "1"])
    clock.forward(hours=1)
    deliver()
    assert_hidden([token], {"database": dump(app)})


def test_the_error_of_a_statement_does_not_say_what_was_to_be_written(app: APIFlask) -> None:
    with app.app_context(), pytest.raises(DBAPIError) as failed, transaction(writes=True) as db:
        db.execute(text("SELECT :secret FROM nowhere"), {"secret": THIRD})
    assert "nowhere" in str(failed.value)
    assert THIRD not in str(failed.value)
