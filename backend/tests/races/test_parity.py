"""Booking and cancelling in steps and in one statement give the same answers and leave the same rows."""

from __future__ import annotations

import random
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from apiflask import APIFlask
from sqlalchemy import Connection, func, insert, select

from src.database.transaction import transaction
from src.domain.policies import Policies
from src.domain.refusals import Late, Limited, Refused
from src.models import Appointment, AvailabilitySlot, Base, DoctorProfile, OutboxMail, User
from src.repositories import booking_statement, booking_steps, booking_targets
from src.repositories.cancellations import Cancellation
from tests.conftest import NOW, ON_POSTGRESQL

pytestmark = ON_POSTGRESQL

DOCTORS, PATIENTS, SLOTS = 2, 3, 8
ROUNDS = 8
TRIES_OF_A_ROUND = 40
HALF_HOUR = timedelta(minutes=30)
WALL = datetime(2030, 3, 4, 12)
# The columns that are not compared: the key of a mail is random.
KEPT_APART = {OutboxMail.__tablename__: {"key"}}
# Small enough that the random data reaches each limit.
POLICIES = Policies(most_ahead=2, most_ahead_with_doctor=2, changes_per_hour=2)
NOTICE = 60
Form = Callable[[Connection], int | Refused]


@pytest.mark.parametrize("seed", range(ROUNDS))
def test_both_forms_do_the_same_on_random_data(app: APIFlask, seed: int) -> None:
    chance = random.Random(seed)
    with app.app_context(), transaction(writes=True) as db:
        write_facts(db, chance)
        seen: set[str | None] = set()
        for _ in range(TRIES_OF_A_ROUND):
            in_steps, in_one_statement = try_to_book(chance) if chance.random() < 0.5 else try_to_cancel(chance)
            expected = result_of(db, in_steps)
            assert result_of(db, in_one_statement) == expected
            seen.add(refusal_of(expected[0]))
            # Keep the changes, as the data of the next try.
            in_one_statement(db)
        assert len(seen) > 2, seen
        db.rollback()


def test_the_random_data_causes_every_refusal(app: APIFlask) -> None:
    seen: set[str | None] = set()
    for seed in range(ROUNDS):
        chance = random.Random(seed)
        with app.app_context(), transaction(writes=True) as db:
            write_facts(db, chance)
            for _ in range(TRIES_OF_A_ROUND):
                _, in_one_statement = try_to_book(chance) if chance.random() < 0.5 else try_to_cancel(chance)
                seen.add(refusal_of(in_one_statement(db)))
            db.rollback()
    assert seen == {
        None, "account_gone", "slot_unknown", "slot_past", "slot_taken", "patient_busy", "too_many_ahead",
        "too_many_with_doctor", "too_many_changes", "appointment_unknown", "not_yours", "already_cancelled",
        "already_begun", "too_late",
    }  # fmt: skip


def write_facts(db: Connection, chance: random.Random) -> None:
    """Insert doctors, patients, slots and appointments, among them deleted accounts, withdrawn slots and past times."""
    reset_sequences(db)
    for user_id in range(1, DOCTORS + PATIENTS + 1):
        gone = chance.random() < 0.2
        address = None if gone else f"person{user_id}@people.example"
        user = {
            "id": user_id,
            "name": f"Person {user_id}",
            "email": address,
            "email_key": address,
            "password_hash": None if gone else "x",
            "role": "doctor" if user_id <= DOCTORS else "patient",
            "created_at": NOW,
            "deleted_at": NOW if gone else None,
        }
        db.execute(insert(User).values(user))
        if user_id <= DOCTORS:
            profile = {"id": user_id, "user_id": user_id, "designation": "Dr.", "specialization": "Cardiology"}
            own = {"most_ahead": chance.choice([None, 1]), "cancellation_notice": chance.choice([None, 0, 30])}
            db.execute(insert(DoctorProfile).values(**profile, **own))
    for slot_id in range(1, SLOTS + 1):
        # Both doctors have slots at the same times; one of the times is NOW.
        starts_at = NOW + HALF_HOUR * ((slot_id + 1) // DOCTORS - 2)
        status = chance.choice(["free", "free", "booked", "withdrawn"])
        slot = {
            "doctor_id": slot_id % DOCTORS + 1,
            "starts_at": starts_at,
            "ends_at": starts_at + HALF_HOUR,
            "time_zone": "UTC",
            "wall_start": None,
            "wall_end": None,
        }
        if slot_id % 4:
            # Not what the zone says: both forms must copy the wall clock.
            slot |= {"wall_start": WALL + HALF_HOUR * slot_id, "wall_end": WALL + HALF_HOUR * (slot_id + 1)}
        db.execute(insert(AvailabilitySlot).values(id=slot_id, status=status, created_at=NOW, **slot))
        if status == "booked" or chance.random() < 0.5:
            # Two slots at the same time have different patients, so that no overlap constraint refuses the rows.
            patient_id = DOCTORS + 1 + slot_id % PATIENTS
            state = {"status": "booked", "cancelled_at": None}
            if status != "booked":
                state = {"status": "cancelled", "cancelled_at": NOW}
            appointment = {"id": slot_id, "slot_id": slot_id, "patient_id": patient_id, "booked_at": NOW}
            db.execute(insert(Appointment).values(**appointment, **state, **slot))


def try_to_book(chance: random.Random) -> tuple[Form, Form]:
    slot_id = chance.randint(1, SLOTS + 1)
    patient_id = chance.randint(DOCTORS + 1, DOCTORS + PATIENTS)
    return (
        lambda db: book_in_steps(db, slot_id, patient_id),
        lambda db: booking_statement.book_slot(db, slot_id, patient_id, NOW, POLICIES),
    )


def book_in_steps(db: Connection, slot_id: int, patient_id: int) -> int | Refused:
    target = booking_targets.find(db, slot_id, "UTC")
    return "slot_unknown" if target is None else booking_steps.book(db, target, patient_id, NOW, POLICIES)


def try_to_cancel(chance: random.Random) -> tuple[Form, Form]:
    appointment_id = chance.randint(1, SLOTS + 3)
    actor_id = chance.randint(1, DOCTORS + PATIENTS)
    return (
        lambda db: booking_steps.cancel(
            db, Cancellation(appointment_id, actor_id, "somebody", NOW, NOTICE, "a reason")
        ),
        lambda db: booking_statement.cancel(
            db, Cancellation(appointment_id, actor_id, "somebody", NOW, NOTICE, "a reason")
        ),
    )


def refusal_of(result: int | Refused) -> str | None:
    if isinstance(result, int):
        return None
    if isinstance(result, Late):
        return "too_late"
    return result.refusal if isinstance(result, Limited) else result


def reset_sequences(db: Connection) -> None:
    """Let the next ids be larger than those of `write_facts`, and smaller than 2000."""
    for table in ("appointments", "appointment_events", "outbox"):
        most = func.coalesce(func.max(Base.metadata.tables[table].c.id), 0)
        db.execute(select(func.setval(f"{table}_id_seq", func.greatest(most, 1000))))


def result_of(db: Connection, form: Form) -> tuple[int | Refused, dict[str, list[Any]]]:
    """Return the outcome of the form and all rows that the database then has, and roll back."""
    # A rollback does not reset sequences; with this, both forms get the same ids.
    reset_sequences(db)
    savepoint = db.begin_nested()
    outcome = form(db)
    rows = {table.name: rows_of(db, table) for table in Base.metadata.sorted_tables}
    savepoint.rollback()
    return outcome, rows


def rows_of(db: Connection, table: Any) -> list[Any]:
    columns = [column for column in table.columns if column.name not in KEPT_APART.get(table.name, set())]
    return sorted((tuple(row) for row in db.execute(select(*columns))), key=repr)
