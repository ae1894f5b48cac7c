"""Expired holds exclude nothing, whatever becomes of a transaction that deletes them at the same moment."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta

import pytest
from apiflask import APIFlask
from sqlalchemy import Connection, text

from src.database.transaction import transaction
from src.domain.policies import Policies
from src.domain.refusals import accepted
from src.repositories import booking_repository as bookings
from src.repositories import holds
from tests.conftest import ON_POSTGRESQL, StillClock
from tests.offered import first_id
from tests.people import Api, Doctor, Patient, hours
from tests.races.crowd import Call, Crowd, booking, count, holding, moving, until_somebody_waits

pytestmark = pytest.mark.unguarded

KEY = {"Idempotency-Key": "late"}
EXPIRED = "SELECT count(*) FROM appointments WHERE status = 'held' AND patient_id = {}"


@pytest.fixture
def doctor(api: Api) -> Doctor:
    doctor = api.doctor()
    doctor.set_hours(hours("tuesday", "09:00", "19:00"))
    return doctor


def book(patient: Patient, _: Doctor, slot_id: int) -> Call:
    return booking(patient, slot_id)


def book_with_key(patient: Patient, _: Doctor, slot_id: int) -> Call:
    return booking(patient, slot_id, headers=KEY)


def hold(patient: Patient, _: Doctor, slot_id: int) -> Call:
    return holding(patient, slot_id)


def move(patient: Patient, doctor: Doctor, slot_id: int) -> Call:
    return moving(patient, patient.book(doctor.publish("07:00", "07:30")), slot_id)


@ON_POSTGRESQL
@pytest.mark.parametrize("end", ["kept", "rolled back"])
@pytest.mark.parametrize("apart", [0, 60], ids=["at its time", "on its day"])
@pytest.mark.parametrize("late", [book, book_with_key, hold, move])
def test_an_expired_hold_excludes_nothing_while_its_owner_holds_a_time_of_another_doctor(
    app: APIFlask,
    api: Api,
    doctor: Doctor,
    crowd: Crowd,
    clock: StillClock,
    late: Callable[[Patient, Doctor, int], Call],
    apart: int,
    end: str,
) -> None:
    """The request of the owner deletes the expired hold, and is undone if it is refused or killed."""
    [owner, other], kind = crowd(2), doctor.add_visit_type(most_per_day=1)
    elsewhere, slot_id = api.doctor("Dr. Stem").publish("15:00", "15:30"), first_id(owner, doctor, kind)
    owner.hold(slot_id, minutes=1)
    clock.forward(minutes=1)
    call = late(other, doctor, slot_id + apart)

    with ThreadPoolExecutor() as pool:
        with app.app_context(), contextlib.suppress(KeyboardInterrupt), transaction(writes=True) as db:
            who = (owner.id, clock.now, Policies(), clock.now + timedelta(minutes=5))
            accepted(bookings.hold(db, elsewhere, *who, clinic_zone="UTC"))
            answer = pool.submit(call)
            until_somebody_waits(db)
            if end == "rolled back":
                raise KeyboardInterrupt
        assert answer.result(timeout=30).status_code in {200, 201}, answer.result().get_json()
    assert count(app, EXPIRED.format(owner.id)) == (end == "kept")


def book_beside(db: Connection, doctor: Doctor, beside: int, patient: Patient, now: datetime) -> None:
    accepted(bookings.book(db, beside, patient.id, now, Policies(), clinic_zone="UTC", in_steps=True))


def release(db: Connection, doctor: Doctor, _: int, __: Patient, now: datetime) -> None:
    holds.release_expired(db, doctor.doctor_id, now)


def purge(db: Connection, _: Doctor, __: int, ___: Patient, now: datetime) -> None:
    holds.purge_expired_before(db, now + timedelta(seconds=1))


@ON_POSTGRESQL
@pytest.mark.parametrize("delete", [book_beside, release, purge])
def test_expired_holds_are_locked_in_the_order_of_their_ids(
    app: APIFlask,
    doctor: Doctor,
    crowd: Crowd,
    clock: StillClock,
    delete: Callable[[Connection, Doctor, int, Patient, datetime], None],
) -> None:
    """Otherwise two transactions that delete the same ones could deadlock."""
    owner, other = crowd(2)
    first = first_id(owner, doctor)
    ids = [owner.hold(first), owner.hold(first + 30)]
    with app.app_context(), transaction(writes=True) as db:
        # PostgreSQL stores a row whose index entries change behind the other one, and reads that one first.
        db.execute(
            text("UPDATE appointments SET busy_until = busy_until - 1, busy_from = busy_from + 1 WHERE id = :id"),
            {"id": ids[0]},
        )
    clock.forward(minutes=10)

    def delete_all() -> None:
        with app.app_context(), transaction(writes=True) as db:
            delete(db, doctor, first + 60, other, clock.now)

    with ThreadPoolExecutor() as pool:
        with app.app_context(), transaction(writes=True) as db:
            lock = text("SELECT id FROM appointments WHERE id = :id FOR UPDATE NOWAIT")
            db.execute(lock, {"id": ids[0]})
            deletion = pool.submit(delete_all)
            until_somebody_waits(db)
            db.execute(lock, {"id": ids[1]})
        deletion.result(timeout=30)
    assert count(app, EXPIRED.format(owner.id)) == 0
