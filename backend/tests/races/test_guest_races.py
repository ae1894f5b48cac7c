"""Guests: many at once with one address and with one token, and while the purge erases them."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from apiflask import APIFlask
from sqlalchemy import text
from werkzeug.test import TestResponse

from src.database.transaction import transaction
from src.repositories import account_locks as locks
from src.repositories import guest_repository as guests
from src.repositories import password_reset_repository as resets
from src.repositories import user_repository as users
from src.schemas.guest import Guest
from tests.conftest import NOW, ON_POSTGRESQL, StillClock
from tests.mail_tokens import guest_token_of
from tests.people import Api
from tests.races.crowd import at_once, count, statuses, until_somebody_waits

pytestmark = pytest.mark.unguarded
AT_ONCE = 8
GUS = {"name": "Gus Passing", "email": "gus@people.example"}


def test_an_address_that_asks_many_times_at_once_gets_one_account(app: APIFlask) -> None:
    answers = at_once([sending(app, "/auth/guest", GUS) for _ in range(AT_ONCE)])
    assert statuses(answers) == {200: 5, 429: AT_ONCE - 5}
    assert count(app, "SELECT count(*) FROM users") == 1
    assert count(app, "SELECT count(*) FROM outbox") == 5


def test_a_token_that_is_used_many_times_at_once_works_once(app: APIFlask) -> None:
    body = {"token": guest_token_of(app, GUS["email"])}
    answers = at_once([sending(app, "/auth/guest/confirm", body) for _ in range(AT_ONCE)])
    assert statuses(answers) == {200: 1, 400: AT_ONCE - 1}


@ON_POSTGRESQL
@pytest.mark.parametrize("path", ["/auth/guest", "/auth/password/forgot"])
def test_a_guest_who_asks_for_a_mail_while_the_purge_waits_is_not_erased(
    app: APIFlask, clock: StillClock, path: str
) -> None:
    guest_token_of(app, GUS["email"])
    clock.forward(hours=24, minutes=1)

    with ThreadPoolExecutor() as pool:
        with app.app_context(), transaction(writes=True) as db:
            if path == "/auth/guest":
                guests.add(db, Guest(**GUS), "no hash", clock())
            else:
                resets.ask(db, GUS["email"], clock(), app.extensions["settings"])
            purged = pool.submit(erasing_guests(app, clock))
            until_somebody_waits(db)
        purged.result(timeout=30)
    assert count(app, "SELECT count(email_key) FROM users") == 1


@ON_POSTGRESQL
def test_a_guest_who_asks_again_while_the_purge_erases_the_account_gets_a_new_one(
    app: APIFlask, clock: StillClock
) -> None:
    guest_token_of(app, GUS["email"])
    clock.forward(hours=24, minutes=1)

    with ThreadPoolExecutor() as pool:
        with app.app_context(), transaction(writes=True) as db:
            user_id = db.scalars(text("SELECT id FROM users FOR UPDATE")).one()
            answer = pool.submit(sending(app, "/auth/guest", GUS))
            until_somebody_waits(db)
            users.erase_patient(db, user_id, clock())
        assert answer.result(timeout=30).status_code == 200
    assert count(app, "SELECT count(*) FROM users") == 2
    assert count(app, "SELECT count(*) FROM outbox WHERE recipient IS NOT NULL") == 2


@ON_POSTGRESQL
def test_a_guest_asks_with_the_address_of_somebody_who_leaves(app: APIFlask, api: Api) -> None:
    ada = api.patient()

    with ThreadPoolExecutor() as pool:
        with app.app_context(), transaction(writes=True) as db:
            assert locks.lock_for_deletion(db, ada.id)
            answer = pool.submit(sending(app, "/auth/guest", GUS | {"email": ada.email}))
            until_somebody_waits(db)
            users.erase_patient(db, ada.id, NOW)
        assert answer.result(timeout=30).status_code == 200
    assert count(app, "SELECT count(email_key) FROM users WHERE guest_since IS NOT NULL") == 1


@ON_POSTGRESQL
def test_the_purge_locks_guests_in_the_order_of_their_ids(app: APIFlask, clock: StillClock) -> None:
    for email in (GUS["email"], "other@people.example", GUS["email"]):
        clock.forward(minutes=1)
        guest_token_of(app, email)
    clock.forward(hours=24, minutes=1)

    with ThreadPoolExecutor() as pool:
        with app.app_context(), transaction(writes=True) as db:
            first, last = db.scalars(text("SELECT id FROM users ORDER BY id"))
            db.execute(text(f"SELECT id FROM users WHERE id = {first} FOR SHARE"))
            purged = pool.submit(erasing_guests(app, clock))
            until_somebody_waits(db)
            db.execute(text(f"SELECT id FROM users WHERE id = {last} FOR SHARE NOWAIT"))
        purged.result(timeout=30)
    assert count(app, "SELECT count(email_key) FROM users") == 0


def erasing_guests(app: APIFlask, clock: StillClock) -> Callable[[], None]:
    def erase() -> None:
        with app.app_context(), transaction(writes=True) as db:
            guests.erase_unconfirmed_before(db, clock() - timedelta(hours=24))

    return erase


def sending(app: APIFlask, path: str, body: dict[str, str]) -> Callable[[], TestResponse]:
    return lambda: app.test_client().post(path, json=body)
