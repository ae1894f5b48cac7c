"""`flask purge`: what may go goes, history stays."""

from __future__ import annotations

from datetime import timedelta

import pytest
from apiflask import APIFlask
from sqlalchemy import select, text

from src.database.transaction import transaction
from src.models import RevokedToken
from src.services.mail import MailRefused
from src.services.memory_mailer import MemoryMailer
from src.tasks import purge as retention_controller
from src.tasks.purge import purge_expired
from src.utils.security import LEEWAY
from tests.conftest import StillClock
from tests.people import Api, Deliver


def rows(app: APIFlask, table: str) -> int:
    with app.app_context(), transaction(writes=False) as db:
        return db.execute(text(f"SELECT count(*) FROM {table}")).scalar_one()


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
    runner = app.test_cli_runner()
    assert "Deleted: 0 mails, 0 unused slots." in runner.invoke(args=["purge"]).output

    clock.forward(days=364)
    assert "Deleted: 0 mails, 0 unused slots." in runner.invoke(args=["purge"]).output
    clock.forward(days=100)
    # Six mails were written; the one that was set aside waits for an operator, however old.
    assert f"Deleted: 5 mails, {len(unused)} unused slots." in runner.invoke(args=["purge"]).output
    assert "Deleted: 0 mails, 0 unused slots." in runner.invoke(args=["purge"]).output

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
