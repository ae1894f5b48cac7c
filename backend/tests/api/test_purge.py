"""`flask purge`: what may go goes, history stays."""

from __future__ import annotations

from datetime import timedelta

import pytest
from apiflask import APIFlask
from sqlalchemy import select, text

from src.database.transaction import transaction
from src.models import Base, RevokedToken
from src.services.mail import MailRefused
from src.services.memory_mailer import MemoryMailer
from src.tasks import purge as retention_controller
from src.tasks.delivery import deliver_due
from src.tasks.purge import purge_expired
from src.utils.security import LEEWAY
from tests.conftest import AT_ONCE, MakeApp, StillClock
from tests.people import Api, Deliver


def rows(app: APIFlask, table: str) -> int:
    with app.app_context(), transaction(writes=False) as db:
        return db.execute(text(f"SELECT count(*) FROM {table}")).scalar_one()


def purge(app: APIFlask, *options: str) -> str:
    """Run the command, and return its last line, which follows the progress."""
    done = app.test_cli_runner().invoke(args=["purge", *options])
    assert done.exit_code == 0, done.output
    return done.output.splitlines()[-1]


def dump(app: APIFlask) -> str:
    with app.app_context(), transaction(writes=False) as db:
        return repr([db.execute(select(table)).all() for table in Base.metadata.sorted_tables])


def test_old_mails_and_unused_slots_go_and_history_stays(
    app: APIFlask, api: Api, deliver: Deliver, mailer: MemoryMailer, clock: StillClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(retention_controller, "CHUNK", 2)
    doctor, patient = api.doctor(), api.patient()
    kept = [doctor.publish(f"{hour:02}:00", f"{hour:02}:30") for hour in range(8, 12)]
    unused = [doctor.publish(f"{hour:02}:00", f"{hour:02}:30") for hour in range(12, 17)]
    appointments = [patient.book(slot) for slot in kept]
    patient.post(f"/appointments/{appointments[0]}/cancel")
    mailer.failures.append(MailRefused("no such mailbox"))
    deliver()
    before = patient.get("/appointments/my").get_json()
    assert purge(app) == "Deleted: 0 mails, 0 mails that were set aside, 0 unused slots."

    clock.forward(days=364)
    assert purge(app) == "Deleted: 0 mails, 0 mails that were set aside, 0 unused slots."
    clock.forward(days=100)
    # Six mails were written; one was set aside.
    expected = f"5 mails, 1 mails that were set aside, {len(unused)} unused slots."
    before_purge = dump(app)
    assert purge(app, "--dry-run") == f"Would delete: {expected}"
    assert dump(app) == before_purge
    assert purge(app) == f"Deleted: {expected}"
    assert purge(app) == "Deleted: 0 mails, 0 mails that were set aside, 0 unused slots."

    assert rows(app, "availability_slots") == len(kept)
    assert rows(app, "appointment_events") == len(appointments) + 1
    after = patient.get("/appointments/my").get_json()
    assert [row["appointment_id"] for row in after["data"]] == [row["appointment_id"] for row in before["data"]]


def test_a_logged_out_token_is_remembered_as_long_as_a_slow_clock_takes_it(app: APIFlask, api: Api) -> None:
    api.patient().post("/auth/logout")
    settings = app.extensions["settings"]
    with app.app_context():
        with transaction(writes=False) as db:
            expires_at = db.scalars(select(RevokedToken.expires_at)).one()
        purge_expired(transaction, expires_at + 2 * LEEWAY, settings)
        assert rows(app, "revoked_tokens") == 1
        purge_expired(transaction, expires_at + 2 * LEEWAY + timedelta(seconds=1), settings)
        assert rows(app, "revoked_tokens") == 0


def test_mails_that_were_set_aside_have_a_span_of_their_own(
    make_app: MakeApp, mailer: MemoryMailer, clock: StillClock
) -> None:
    app = make_app(mails_kept_days=1, set_aside_mails_kept_days=30)
    api = Api(app.test_client())
    patient, doctor = api.patient(), api.doctor()
    patient.cancel(patient.book(doctor.publish()))
    mailer.failures.append(MailRefused("no such mailbox"))
    with app.app_context():
        while deliver_due(transaction, mailer, clock, app.extensions["settings"], AT_ONCE):
            pass
    clock.forward(days=2)
    assert purge(app, "--dry-run") == "Would delete: 2 mails, 0 mails that were set aside, 0 unused slots."
    clock.forward(days=30)
    assert purge(app) == "Deleted: 2 mails, 1 mails that were set aside, 0 unused slots."


def test_mails_that_wait_are_never_deleted(make_app: MakeApp, clock: StillClock) -> None:
    app = make_app(mails_kept_days=1, set_aside_mails_kept_days=1)
    api = Api(app.test_client())
    api.patient().book(api.doctor().publish())
    clock.forward(days=1000)
    assert purge(app).startswith("Deleted: 0 mails, 0 mails that were set aside,")
    assert rows(app, "outbox") == 1
