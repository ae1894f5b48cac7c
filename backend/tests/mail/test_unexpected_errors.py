"""Whatever goes wrong with one mail postpones this mail, is written down, and keeps no other mail from being sent."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest
from apiflask import APIFlask
from sqlalchemy import text

from src.database.transaction import transaction
from src.repositories import outbox_repository as outbox
from src.services.memory_mailer import MemoryMailer
from tests.conftest import StillClock
from tests.people import Api, Deliver

BAD_FACTS = text("UPDATE outbox SET facts = :facts WHERE id = 1")


@pytest.fixture
def two_mails(api: Api) -> list[str]:
    """Book for two patients, and return their addresses in the order of their mails."""
    doctor, first, second = api.doctor(), api.patient("Ada Sample"), api.patient("Ben Placeholder")
    first.book(doctor.publish("09:00", "09:30"))
    second.book(doctor.publish("10:00", "10:30"))
    return [first.email, second.email]


def shown(app: APIFlask, mail_id: int) -> str:
    return app.test_cli_runner().invoke(args=["outbox", "show", str(mail_id)]).output


@pytest.mark.parametrize(
    "error",
    [
        UnicodeEncodeError("ascii", "jörg", 1, 2, "ordinal not in range(128)"),
        ValueError("an address that a library cannot read"),
        ZeroDivisionError(),
        RuntimeError("what no database\0 stores"),
    ],
    ids=lambda error: type(error).__name__,
)
def test_an_error_of_any_kind_postpones_this_mail_alone(
    app: APIFlask, mailer: MemoryMailer, deliver: Deliver, two_mails: list[str], clock: StillClock, error: Exception
) -> None:
    mailer.failures.append(error)
    assert [mail.to for mail in deliver()] == two_mails[1:]
    assert "waiting, 1 attempts" in shown(app, 1)
    assert type(error).__name__ in shown(app, 1)
    clock.forward(seconds=2)
    assert [mail.to for mail in deliver()] == two_mails[::-1]
    assert "Error:   none" in shown(app, 1)


def test_a_mail_without_an_address_is_set_aside(app: APIFlask, deliver: Deliver, two_mails: list[str]) -> None:
    with app.app_context(), transaction(writes=True) as db:
        db.execute(text("UPDATE outbox SET recipient = NULL WHERE id = 1"))
    assert [mail.to for mail in deliver()] == two_mails[1:]
    assert "set_aside" in shown(app, 1)


def test_a_reason_that_is_not_unicode_is_stored_all_the_same(
    app: APIFlask, two_mails: list[str], clock: StillClock
) -> None:
    with app.app_context(), transaction(writes=True) as db:
        rows = outbox.claim(db, clock.now, timedelta(minutes=1), limit=10, limit_begun=10)
        outbox.postpone(db, rows, clock.now, "half a character: \ud800")
    assert len(rows) == len(two_mails)
    assert r"half a character: \ud800" in shown(app, 1)


def test_the_pauses_grow(
    app: APIFlask, mailer: MemoryMailer, deliver: Deliver, two_mails: list[str], clock: StillClock
) -> None:
    mailer.failures += [KeyError("first"), *[KeyError("again")] * 20]
    due = []
    for _ in range(9):
        deliver()
        with app.app_context(), transaction(writes=False) as db:
            due.append(db.execute(text("SELECT attempts FROM outbox WHERE id = 1")).scalar_one())
        clock.forward(minutes=1)
    # 1, 2, 4, … seconds between half and the whole: after a minute each, the seventh to ninth pause may still last.
    assert due[:6] == [1, 2, 3, 4, 5, 6]
    assert due[-1] < 9


@pytest.mark.parametrize(
    "facts",
    ['{"number": 1}', '{"number": "x"}'],
)
def test_facts_that_cannot_be_rendered_postpone_the_mail_and_can_be_looked_at(
    app: APIFlask, api: Api, deliver: Deliver, two_mails: list[str], facts: str
) -> None:
    with app.app_context(), transaction(writes=True) as db:
        db.execute(BAD_FACTS, {"facts": facts})
    assert [mail.to for mail in deliver()] == two_mails[1:]
    assert "waiting, 1 attempts" in shown(app, 1)
    assert "Error:   none" not in shown(app, 1)
    assert "1 attempts" in app.test_cli_runner().invoke(args=["outbox", "list"]).output
    assert api.client.get("/dev/outbox").status_code == 200


def test_an_unknown_time_zone_in_the_facts_postpones_the_mail(
    app: APIFlask, deliver: Deliver, two_mails: list[str]
) -> None:
    with app.app_context(), transaction(writes=True) as db:
        facts = json.loads(db.execute(text("SELECT CAST(facts AS TEXT) FROM outbox WHERE id = 1")).scalar_one())
        # A mail of a version that stored no wall clock is converted by its zone.
        of_before = {name: fact for name, fact in facts.items() if not name.startswith("wall_")}
        db.execute(BAD_FACTS, {"facts": json.dumps(of_before | {"time_zone": "Mars/Olympus"})})
    assert [mail.to for mail in deliver()] == two_mails[1:]
    assert "Mars/Olympus" in shown(app, 1)
