"""PATCH /auth/me with a new e-mail address, and POST /auth/email/confirm with the token of the mail to it."""

from __future__ import annotations

import re
from typing import Any

import pytest
from apiflask import APIFlask
from sqlalchemy import select

from src.database.transaction import transaction
from src.models import EmailConfirmation, OutboxMail
from src.tasks.purge import purge_expired
from src.utils.security import LEEWAY
from tests.conftest import MakeApp, StillClock
from tests.mail_tokens import confirmation_token_of, newest_token, reset_token_of
from tests.people import PASSWORD, Api, Deliver, Patient, Person, error_of

NEW = "ada.new@people.example"
SENT = "We have sent a mail to the new address. Your address changes when you confirm it with that mail."
REFUSED = "This code is wrong, expired or already used; please ask for another mail."


@pytest.fixture
def ada(api: Api) -> Patient:
    return api.patient("Ada Sample")


def ask(person: Person, email: str, **more: Any) -> dict[str, Any]:
    answer = person.patch("/auth/me", {"email": email, "current_password": PASSWORD, **more})
    assert answer.status_code == 200, answer.data
    return answer.get_json()


def confirm(api: Api, token: str) -> int:
    answer = api.client.post("/auth/email/confirm", json={"token": token})
    if answer.status_code == 400:
        assert error_of(answer) == REFUSED
        assert answer.get_json()["type"] == "urn:problem:confirmation-refused"
    return answer.status_code


def waiting(person: Person) -> str | None:
    """Return the address that waits, which a change of nothing shows."""
    return person.patch("/auth/me", {}).get_json()["new_email"]


def stored(app: APIFlask, *columns: Any) -> list[Any]:
    with app.app_context(), transaction(writes=False) as db:
        return [tuple(row) for row in db.execute(select(*columns).order_by(columns[0]))]


def test_a_new_address_holds_when_its_token_is_sent_and_ends_every_session(
    api: Api, ada: Patient, deliver: Deliver
) -> None:
    changed = ask(ada, NEW, name="Ada Renamed")
    assert (changed["message"], changed["email"], changed["new_email"]) == (SENT, ada.email, NEW)
    assert changed["name"] == "Ada Renamed"
    assert waiting(ada) == NEW
    to_new, to_old = deliver()
    assert (to_new.to, to_old.to) == (NEW, ada.email)
    assert "a\u2022\u2022\u2022@people.example" in to_old.text
    assert NEW not in to_old.text
    assert "If it was not you, change your password" in to_old.text
    [token] = [line for line in to_new.text.splitlines() if re.fullmatch(r"[A-Za-z0-9_-]{32}", line)]
    assert f"/email/confirm?token={token}" in to_new.text
    assert "within 24 hours" in to_new.text
    answer = api.client.post("/auth/email/confirm", json={"token": f" {token} "})
    assert answer.get_json() == {"message": "Your new e-mail address holds now. Please log in with it.", "is_new": True}
    assert ada.get("/auth/me").status_code == 401
    assert api.log_in(ada.email).status_code == 401
    again = Person(ada.client, ada.name, NEW, ada.id, api.log_in(NEW).get_json()["access_token"])
    me = again.get("/auth/me").get_json()
    assert (me["email"], me["email_confirmed"]) == (NEW, True)
    assert confirm(api, token) == 400


def test_a_new_address_needs_the_current_password(api: Api, ada: Patient, deliver: Deliver) -> None:
    missing = ada.patch("/auth/me", {"email": NEW, "name": "Ada Renamed"})
    assert missing.status_code == 400
    assert missing.get_json()["type"] == "urn:problem:current-password-missing"
    wrong = ada.patch("/auth/me", {"email": NEW, "name": "Ada Renamed", "current_password": "a guess"})
    assert (wrong.status_code, error_of(wrong)) == (403, "The current password is wrong.")
    assert ada.get("/auth/me").get_json()["name"] == ada.name
    assert ada.patch("/auth/me", {"email": ada.email}).get_json()["new_email"] is None
    assert deliver() == []


def test_guesses_of_the_password_are_throttled_as_at_a_change_of_password(make_app: MakeApp) -> None:
    ada = Api(make_app(login_failures_per_account=2).test_client()).patient()
    guess = {"email": NEW, "current_password": "a guess"}
    assert [ada.patch("/auth/me", guess).status_code for _ in range(3)] == [403, 403, 429]
    change = {"current_password": PASSWORD, "new_password": "another password"}
    assert ada.post("/auth/password", change).status_code == 429


def test_nobody_learns_by_asking_that_an_address_has_an_account(
    app: APIFlask, api: Api, ada: Patient, deliver: Deliver
) -> None:
    ben, cleo = api.patient(), api.patient()
    answers = [ask(person, email) for person, email in ((ada, NEW), (cleo, ben.email))]
    assert [answer["message"] for answer in answers] == [SENT] * 2
    assert [answer["new_email"] for answer in answers] == [NEW, ben.email]
    exported = [
        [{**mail, "text": mail["text"] and "text"} for mail in person.get("/auth/me/export").get_json()["mails"]]
        for person in (ada, cleo)
    ]
    assert exported[0] == exported[1]
    token = newest_token(app)
    mails = {mail.to: mail for mail in deliver()}
    assert set(mails) == {NEW, ada.email, ben.email, cleo.email}
    assert "there is an account with this address already" in mails[ben.email].text
    assert token not in mails[ben.email].text + mails[ben.email].html
    assert mails[ben.email].subject == mails[NEW].subject


def test_an_address_that_somebody_else_has_registered_meanwhile_is_refused(
    app: APIFlask, api: Api, ada: Patient
) -> None:
    token = confirmation_token_of(app, ada, NEW)
    assert api.register(email=NEW.upper()).status_code == 201
    refused = api.client.post("/auth/email/confirm", json={"token": token})
    assert (refused.status_code, error_of(refused)) == (409, "This e-mail address is already registered.")
    assert ada.get("/auth/me").get_json()["email"] == ada.email


def test_the_letter_case_of_ones_own_address_can_change(app: APIFlask, api: Api, ada: Patient) -> None:
    ask(ada, ada.email.upper())
    assert confirm(api, newest_token(app)) == 200
    assert api.log_in(ada.email).status_code == 200


def test_of_several_new_addresses_the_last_one_counts(app: APIFlask, api: Api, ada: Patient) -> None:
    own, mistyped = confirmation_token_of(app, ada), confirmation_token_of(app, ada, "typo@people.example")
    right = confirmation_token_of(app, ada, NEW)
    assert waiting(ada) == NEW
    assert [confirm(api, mistyped), confirm(api, own), confirm(api, right)] == [400, 200, 200]


def test_the_present_address_withdraws_a_change(app: APIFlask, api: Api, ada: Patient) -> None:
    token = confirmation_token_of(app, ada, NEW)
    assert ada.patch("/auth/me", {"email": ada.email}).get_json()["new_email"] is None
    assert confirm(api, token) == 400


def test_whatever_ends_the_sessions_ends_the_tokens(app: APIFlask, api: Api) -> None:
    ben, cleo, dora = api.patient(), api.patient(), api.doctor()
    tokens = [confirmation_token_of(app, person, f"new.{person.email}") for person in (ben, cleo, dora)]
    assert ben.post("/auth/logout-everywhere").status_code == 200
    runner = app.test_cli_runner()
    runner.invoke(args=["user", "disable", cleo.email])
    runner.invoke(args=["user", "enable", cleo.email])
    assert dora.delete("/doctor/account").status_code == 200
    assert [confirm(api, token) for token in (*tokens, "no token", "")] == [400] * 5


def test_a_new_address_ends_what_was_sent_to_the_old_one(app: APIFlask, api: Api, ada: Patient) -> None:
    to_old, own = reset_token_of(app, ada), confirmation_token_of(app, ada)
    assert confirm(api, confirmation_token_of(app, ada, NEW)) == 200
    body = {"token": to_old, "password": "a new password"}
    assert api.client.post("/auth/password/reset", json=body).status_code == 400
    assert confirm(api, own) == 400


def test_a_token_works_for_a_day_and_is_purged_then(app: APIFlask, api: Api, ada: Patient, clock: StillClock) -> None:
    token = confirmation_token_of(app, ada, NEW)
    clock.forward(hours=24)
    assert confirm(api, token) == 400
    assert stored(app, EmailConfirmation.email) == [(NEW,)]
    with app.app_context():
        purge_expired(transaction, clock() + 3 * LEEWAY, app.extensions["settings"])
    assert stored(app, EmailConfirmation.email) == []
    token = confirmation_token_of(app, ada, NEW)
    clock.forward(hours=23, minutes=59)
    assert confirm(api, token) == 200


def test_an_address_gets_so_many_mails_an_hour_whoever_asks(make_app: MakeApp, clock: StillClock) -> None:
    app = make_app(confirmations_per_hour=1)
    api = Api(app.test_client())
    ada, ben = api.patient(), api.patient()
    ask(ada, NEW)
    refused = ben.patch("/auth/me", {"email": NEW, "current_password": PASSWORD, "name": "Ben Renamed"})
    assert (refused.status_code, refused.headers["Retry-After"]) == (429, "3600")
    assert ben.get("/auth/me").get_json()["name"] == ben.name
    clock.forward(hours=1)
    ask(ben, NEW)


def test_guesses_of_tokens_are_throttled(make_app: MakeApp) -> None:
    api = Api(make_app(login_failures_per_address=2).test_client())
    assert [confirm(api, "a guess") for _ in range(3)] == [400, 400, 429]


def test_neither_a_table_nor_a_command_has_the_token(app: APIFlask, api: Api, ada: Patient, deliver: Deliver) -> None:
    ask(ada, NEW)
    token = newest_token(app)
    shown = [app.test_cli_runner().invoke(args=["outbox", *args]).output for args in (["list"], ["show", "1"])]
    [secret] = [row for row in api.client.get("/dev/outbox").get_json()["data"] if row["to"] == NEW]
    assert token in secret["text"]
    deliver()
    assert token not in repr(shown + stored(app, *OutboxMail.__table__.columns))
    assert token not in repr(stored(app, *EmailConfirmation.__table__.columns))
    assert "(not-shown)" in shown[1]
