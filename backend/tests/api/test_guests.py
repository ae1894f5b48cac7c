"""POST /auth/guest and /auth/guest/confirm: booking with a confirmed address and without a password."""

from __future__ import annotations

import re
from datetime import datetime
from typing import Any

import pytest
from apiflask import APIFlask
from sqlalchemy import select

from config import ConfigurationError
from src.database.transaction import transaction
from src.models import Base, User
from src.tasks.purge import purge_expired
from tests.conftest import MakeApp, StillClock, make_settings
from tests.mail_tokens import guest_token_of, newest_token, reset_token_of
from tests.people import PASSWORD, Api, Deliver, Doctor, Patient, error_of

SENT = {"message": "We have sent a mail. Please go on with the link or the code in it."}
GUS = {"name": "Gus Passing", "email": "gus@people.example", "phone": "+49 30 23125123"}


@pytest.fixture
def doctor(api: Api) -> Doctor:
    return api.doctor()


def ask(api: Api, **changes: Any) -> None:
    answer = api.client.post("/auth/guest", json=GUS | changes)
    assert (answer.status_code, answer.get_json()) == (200, SENT)


def confirm(api: Api, token: str) -> Patient | None:
    """Return the guest who has logged in with the token, or None if it was refused."""
    answer = api.client.post("/auth/guest/confirm", json={"token": token})
    if answer.status_code == 400:
        assert answer.get_json()["type"] == "urn:problem:confirmation-refused"
        return None
    guest = Patient(api.client, 0, "", "", answer.get_json()["access_token"])
    me = guest.get("/auth/me").get_json()
    guest.id, guest.name, guest.email = me["id"], me["name"], me["email"]
    return guest


def everything(app: APIFlask) -> str:
    with app.app_context(), transaction(writes=False) as db:
        return repr([tuple(row) for table in Base.metadata.sorted_tables for row in db.execute(select(table))]).lower()


def purge(app: APIFlask, clock: StillClock) -> None:
    with app.app_context():
        purge_expired(transaction, clock(), app.extensions["settings"])


def test_a_guest_books_with_the_token_of_the_mail(api: Api, doctor: Doctor, deliver: Deliver) -> None:
    before = len(deliver())
    ask(api)
    [mail] = deliver()[before:]
    assert (mail.to, mail.subject) == (GUS["email"], "Please go on with your booking")
    [token] = [line for line in mail.text.splitlines() if re.fullmatch(r"[A-Za-z0-9_-]{32}", line)]
    guest = confirm(api, f" {token} ")
    assert guest is not None
    assert guest.name == "Gus Passing"
    me = guest.get("/auth/me").get_json()
    assert (me["phone"], me["email_confirmed"], me["role"]) == ("+493023125123", True, "patient")
    guest.book(doctor.publish())
    assert {mail.to for mail in deliver()[before + 1 :]} == {GUS["email"]}
    assert confirm(api, token) is None, "it works once"


def test_nothing_is_known_before_the_token_is_used(app: APIFlask, api: Api, deliver: Deliver) -> None:
    ask(api)
    assert api.log_in(GUS["email"], PASSWORD).status_code == 401
    assert confirm(api, "a guess") is None
    token = newest_token(app)
    assert token not in everything(app)
    deliver()
    assert token not in everything(app)


def test_who_comes_again_keeps_the_account_and_its_appointments(app: APIFlask, api: Api, doctor: Doctor) -> None:
    first = confirm(api, guest_token_of(app, GUS["email"]))
    assert first is not None
    first.book(doctor.publish())
    ask(api, name="Gus Renamed", email="GUS@people.example")
    again = confirm(api, newest_token(app))
    assert again is not None
    assert (again.id, again.name) == (first.id, "Ada Sample")
    assert len(again.get("/appointments/my").get_json()["data"]) == 1


def test_nobody_else_decides_what_a_guest_is_called(app: APIFlask, api: Api) -> None:
    ask(api, name="Somebody Else", phone="+49 30 23125999")
    ask(api, phone=None)
    guest = confirm(api, newest_token(app))
    assert guest is not None
    assert (guest.name, guest.get("/auth/me").get_json()["phone"]) == ("Gus Passing", None)


@pytest.mark.parametrize("role", ["patient", "doctor"])
def test_who_has_an_account_is_told_to_log_in_and_gets_no_token(
    app: APIFlask, api: Api, deliver: Deliver, role: str
) -> None:
    person = api.patient() if role == "patient" else api.doctor()
    before = len(deliver())
    ask(api, email=person.email)
    [mail] = deliver()[before:]
    token = newest_token(app)
    assert token not in mail.text + mail.html
    assert "there is an account with this address" in mail.text
    assert confirm(api, token) is None
    assert person.get("/auth/me").get_json()["name"] == person.name


def test_a_guest_who_chooses_a_password_is_none_from_then_on(app: APIFlask, api: Api) -> None:
    guest = confirm(api, guest_token_of(app, GUS["email"]))
    assert guest is not None
    body = {"token": reset_token_of(app, guest), "password": PASSWORD}
    assert api.client.post("/auth/password/reset", json=body).status_code == 200
    assert api.log_in(GUS["email"], PASSWORD).status_code == 200
    token = guest_token_of(app, GUS["email"])
    assert confirm(api, token) is None


def test_a_token_ends_with_its_time_and_with_the_sessions_of_the_guest(
    app: APIFlask, api: Api, clock: StillClock
) -> None:
    late = guest_token_of(app, "late@people.example")
    ended = guest_token_of(app, GUS["email"])
    guest = confirm(api, guest_token_of(app, GUS["email"]))
    assert guest is not None
    assert guest.post("/auth/logout-everywhere").status_code == 200
    assert confirm(api, ended) is None
    clock.forward(minutes=24 * 60 + 1)
    assert confirm(api, late) is None


def test_a_guest_who_never_confirms_is_erased(app: APIFlask, api: Api, clock: StillClock, deliver: Deliver) -> None:
    ask(api)
    confirmed = confirm(api, guest_token_of(app, "stays@people.example"))
    assert confirmed is not None
    clock.forward(minutes=12 * 60)
    ask(api, email="young@people.example")
    deliver()
    clock.forward(minutes=12 * 60 + 1)
    purge(app, clock)
    left = everything(app)
    assert (GUS["email"] in left, "stays@people.example" in left, "young@people.example" in left) == (False, True, True)
    with app.app_context(), transaction(writes=False) as db:
        names = set(db.scalars(select(User.name).where(User.email_key.is_(None))))
    assert names == {"A former patient"}
    ask(api)


def test_a_guest_who_asks_again_has_as_long_as_the_second_mail_says(app: APIFlask, api: Api, clock: StillClock) -> None:
    ask(api)
    clock.forward(hours=23)
    ask(api)
    clock.forward(hours=23)
    purge(app, clock)
    assert confirm(api, newest_token(app)) is not None


def test_a_guest_who_never_confirmed_can_use_a_mail_for_a_new_password_as_long_as_it_says(
    app: APIFlask, api: Api, clock: StillClock
) -> None:
    for email in ("chooses@people.example", GUS["email"]):
        ask(api, email=email)
    clock.forward(hours=23, minutes=59)
    for email in (GUS["email"], "chooses@people.example"):
        assert api.client.post("/auth/password/forgot", json={"email": email}).status_code == 200
    clock.forward(minutes=29)
    purge(app, clock)
    body = {"token": newest_token(app), "password": PASSWORD}
    assert api.client.post("/auth/password/reset", json=body).status_code == 200
    assert GUS["email"] in everything(app)
    clock.forward(minutes=3)
    purge(app, clock)
    left = everything(app)
    assert (GUS["email"] in left, "chooses@people.example" in left) == (False, True)


def test_since_when_somebody_is_a_guest_stays_once_the_address_is_confirmed(
    app: APIFlask, api: Api, clock: StillClock
) -> None:
    def since() -> datetime | None:
        with app.app_context(), transaction(writes=False) as db:
            return db.scalars(select(User.guest_since)).one()

    ask(api)
    clock.forward(hours=1)
    ask(api)
    asked_last = clock()
    assert since() == asked_last
    assert confirm(api, newest_token(app)) is not None
    clock.forward(hours=1)
    ask(api)
    assert since() == asked_last


def test_a_guest_can_leave(app: APIFlask, api: Api, deliver: Deliver) -> None:
    ask(api)
    deliver()
    guest = confirm(api, newest_token(app))
    assert guest is not None
    assert guest.delete("/patient/account").status_code == 200
    left = everything(app)
    assert [word for word in ("gus", "passing", "23125123") if word in left] == []


def test_mails_to_one_address_are_limited(api: Api, deliver: Deliver, clock: StillClock) -> None:
    for _ in range(5):
        ask(api)
    clock.forward(minutes=20)
    refused = api.client.post("/auth/guest", json=GUS)
    assert refused.status_code == 429
    assert int(refused.headers["Retry-After"]) == 40 * 60
    assert len([mail for mail in deliver() if mail.to == GUS["email"]]) == 5
    clock.forward(hours=1)
    ask(api)


def test_guesses_of_tokens_are_limited(make_app: MakeApp) -> None:
    client = make_app(login_failures_per_address=3).test_client()
    answers = [client.post("/auth/guest/confirm", json={"token": "a guess"}).status_code for _ in range(4)]
    assert answers == [400, 400, 400, 429]


def test_a_clinic_without_guests_refuses_them(make_app: MakeApp) -> None:
    client = make_app(guests_may_book="no").test_client()
    for path, body in (("/auth/guest", GUS), ("/auth/guest/confirm", {"token": "a guess"})):
        refused = client.post(path, json=body)
        assert refused.status_code == 403
        assert refused.get_json()["type"] == "urn:problem:guests-refused"
        assert error_of(refused) == "Nobody can book here without an account; please register."


def test_guests_cannot_be_asked_for_a_second_factor() -> None:
    with pytest.raises(ConfigurationError, match="guests cannot set one up"):
        make_settings(guests_may_book="yes", second_factor_required="everybody")
