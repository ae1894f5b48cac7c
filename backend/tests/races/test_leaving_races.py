"""Patients leave while they book, while their doctors cancel and leave, and while their mails are sent."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest
from apiflask import APIFlask
from sqlalchemy import text
from werkzeug.test import TestResponse

from src.database.transaction import transaction
from src.repositories import account_locks as locks
from src.repositories import idempotency_repository as kept_answers
from src.repositories import outbox_repository as outbox
from src.services.mail import MailRefused
from src.services.memory_mailer import MemoryMailer
from tests.conftest import NOW, ON_POSTGRESQL, StillClock
from tests.people import DAY, KEY, Api, Deliver, Doctor, Patient, Person
from tests.races.crowd import (
    Crowd,
    at_once,
    booking,
    count,
    holding,
    statuses,
    until_all_wait,
    until_somebody_waits,
    with_own_client,
)

pytestmark = pytest.mark.unguarded

PATH = "/patient/account"
BOOKED = "SELECT count(*) FROM appointments WHERE status <> 'cancelled'"
CANCELLATIONS = "SELECT count(*) FROM appointment_events WHERE event = 'cancelled'"


def leaving(app: APIFlask, person: Person) -> Callable[[], TestResponse]:
    own = replace(person, client=app.test_client())
    return lambda: own.delete(PATH if isinstance(person, Patient) else "/doctor/account")


def test_bookings_and_holds_of_a_patient_who_leaves_are_cancelled_or_refused(
    app: APIFlask, api: Api, deliver: Deliver
) -> None:
    before, patient = [api.doctor(f"Dr. Before {n}") for n in range(6)], api.patient()
    doctors = [*before, *(api.doctor(f"Dr. After {n}") for n in range(6))]
    slots = [doctor.publish(f"{8 + n:02}:00", f"{8 + n:02}:30") for n, doctor in enumerate(doctors)]
    calls = [booking(with_own_client(app, patient), slot_id) for slot_id in slots[::2] + slots[1::4]]
    calls += [holding(with_own_client(app, patient), slot_id) for slot_id in slots[3::4]]
    calls.insert(6, leaving(app, patient))

    answers = at_once(calls)

    assert answers.pop(6).status_code == 200
    assert set(statuses(answers)) <= {201, 401}
    assert count(app, BOOKED) == 0
    assert count(app, "SELECT count(*) FROM availability_slots WHERE status = 'free'") == len(slots)
    booked = sum("appointment_id" in answer.get_json() for answer in answers)
    assert Counter(mail.to == patient.email for mail in deliver()) == Counter({False: booked} if booked else {})


def test_patients_and_doctors_who_leave_at_once_cancel_each_appointment_once(
    app: APIFlask, api: Api, crowd: Crowd, deliver: Deliver
) -> None:
    first, patients, last = api.doctor("Dr. First"), crowd(8), api.doctor("Dr. Last")
    for hour, patient in enumerate(patients, start=8):
        patient.book(first.publish(f"{hour:02}:00", f"{hour:02}:30"))
        patient.book(last.publish(f"{hour:02}:30", f"{hour:02}:50"))
    deliver()

    answers = at_once([leaving(app, person) for person in [*patients[:4], first, last, *patients[4:]]])

    assert statuses(answers) == {200: 10}
    assert count(app, BOOKED) == 0
    assert count(app, CANCELLATIONS) == 16
    deliver()
    assert count(app, "SELECT count(*) FROM outbox WHERE recipient IS NOT NULL") == 0


def test_patients_who_leave_while_everybody_cancels_and_mails_are_sent(
    app: APIFlask, api: Api, crowd: Crowd, deliver: Deliver
) -> None:
    doctor, patients = api.doctor(), crowd(10)
    appointments = [
        patient.book(doctor.publish(f"{8 + n:02}:00", f"{8 + n:02}:30")) for n, patient in enumerate(patients)
    ]
    by_doctor = [replace(doctor, client=app.test_client()) for _ in appointments]
    calls = [
        lambda own=own, number=number: own.post(f"/appointments/{number}/cancel")
        for own, number in zip(by_doctor, appointments, strict=True)
    ]

    with ThreadPoolExecutor() as pool:
        sending = pool.submit(deliver)
        answers = at_once([*calls, *(leaving(app, patient) for patient in patients)])
        sending.result(timeout=60)
    deliver()

    assert set(statuses(answers)) <= {200, 409}
    assert statuses(answers[10:]) == {200: 10}
    assert count(app, CANCELLATIONS) == 10
    assert count(app, "SELECT count(*) FROM outbox WHERE status = 'waiting'") == 0
    assert count(app, "SELECT count(*) FROM outbox WHERE text LIKE '%Patient %' OR html LIKE '%Patient %'") == 0
    assert count(app, "SELECT count(*) FROM outbox WHERE CAST(facts AS TEXT) LIKE '%Patient %'") == 0


NAMED = "SELECT count(*) FROM idempotent_answers WHERE body LIKE '%Patient %'"


@ON_POSTGRESQL
def test_who_leaves_waits_for_a_repeated_request_whose_kept_answer_says_the_name(app: APIFlask, api: Api) -> None:
    """A repeated request locks the kept answer and does not write it."""
    doctor, patient = api.doctor(), api.patient("Patient Sample")
    patient.book(doctor.publish())
    close_the_day(doctor)
    assert count(app, NAMED) == 1

    with ThreadPoolExecutor() as pool:
        with app.app_context(), transaction(writes=True) as db:
            assert not kept_answers.reserve(db, doctor.id, KEY["Idempotency-Key"], "any", NOW)
            answer = pool.submit(leaving(app, patient))
            until_somebody_waits(db)
        assert answer.result(timeout=30).status_code == 200
    assert count(app, NAMED) == 0


def test_patients_who_leave_at_once_are_all_erased_from_a_kept_answer(app: APIFlask, api: Api, crowd: Crowd) -> None:
    """The doctor has nothing ahead with them any more, so they do not wait for each other at the doctor's account."""
    doctor, patients = api.doctor(), crowd(8)
    mine = [patient.book(doctor.publish(f"{8 + n:02}:00", f"{8 + n:02}:30")) for n, patient in enumerate(patients)]
    close_the_day(doctor)
    for patient, appointment in zip(patients, mine, strict=True):
        patient.cancel(appointment)
    assert count(app, NAMED) == 1

    answers = at_once([leaving(app, patient) for patient in patients])

    assert statuses(answers) == {200: 8}
    assert count(app, NAMED) == 0


@ON_POSTGRESQL
def test_who_leaves_does_not_wait_for_an_own_request_with_a_key_whose_answer_is_outdated(
    app: APIFlask, api: Api, clock: StillClock
) -> None:
    """That request has locked the outdated answer, and waits for the account."""
    doctor, patient = api.doctor(), api.patient()
    slots = [doctor.publish(start, end, date="2030-03-09") for start, end in (("09:00", "09:30"), ("10:00", "10:30"))]
    assert booking(patient, slots[0], headers=KEY)().status_code == 201
    clock.forward(hours=24, minutes=1)

    with ThreadPoolExecutor() as pool:
        with app.app_context(), transaction(writes=True) as db:
            locks.lock_exclusively(db, doctor.id)
            left = pool.submit(leaving(app, patient))
            until_somebody_waits(db)
            again = pool.submit(booking(with_own_client(app, patient), slots[1], headers=KEY))
            until_all_wait(db, [left, again])
        assert (left.result(timeout=30).status_code, again.result(timeout=30).status_code) == (200, 401)


@ON_POSTGRESQL
def test_who_leaves_waits_for_a_doctor_who_may_have_listed_what_has_just_begun(
    app: APIFlask, api: Api, clock: StillClock
) -> None:
    doctor, patient = api.doctor(), api.patient()
    patient.book(doctor.publish("08:30", "09:00", date=f"{NOW:%Y-%m-%d}"))
    clock.forward(minutes=30, seconds=30)
    with ThreadPoolExecutor() as pool:
        with app.app_context(), transaction(writes=True) as db:
            locks.lock_exclusively(db, doctor.id)
            answer = pool.submit(leaving(app, patient))
            until_somebody_waits(db)
        assert answer.result(timeout=30).status_code == 200


def close_the_day(doctor: Doctor) -> None:
    closed = doctor.post("/doctor/exceptions", {"kind": "closed", "first_day": DAY}, headers=KEY)
    assert closed.get_json()["affected"] != []


@ON_POSTGRESQL
@pytest.mark.parametrize("doctor_is_first", [True, False])
def test_a_patient_who_leaves_waits_for_a_booking_and_cancels_it(
    app: APIFlask, api: Api, *, doctor_is_first: bool
) -> None:
    if doctor_is_first:
        doctor, patient = api.doctor(), api.patient()
    else:
        patient, doctor = api.patient(), api.doctor()
    patient.book(doctor.publish())

    with ThreadPoolExecutor() as pool:
        with app.app_context(), transaction(writes=True) as db:
            assert locks.lock_living(db, patient.id)
            answer = pool.submit(leaving(app, patient))
            until_somebody_waits(db)
            db.execute(text("SELECT id FROM availability_slots FOR UPDATE NOWAIT"))
            db.execute(text("SELECT id FROM outbox FOR UPDATE NOWAIT"))
        assert answer.result(timeout=30).status_code == 200
    assert count(app, BOOKED) == 0


@ON_POSTGRESQL
def test_a_retry_of_all_mails_locks_them_in_the_order_in_which_who_leaves_does(
    app: APIFlask, api: Api, mailer: MemoryMailer, deliver: Deliver
) -> None:
    doctor, patient = api.doctor(), api.patient()
    mailer.failures += [MailRefused("no such mailbox")] * 2
    for hour in (9, 10):
        patient.book(doctor.publish(f"{hour:02}:00", f"{hour:02}:30"))
    deliver()
    with app.app_context(), transaction(writes=True) as db:
        first, last = db.scalars(text("SELECT id FROM outbox WHERE status = 'set_aside' ORDER BY id"))
        # An update moves the row behind the others of the table, sooner or later.
        while db.scalars(text("SELECT id FROM outbox ORDER BY ctid LIMIT 1")).one() == first:
            db.execute(text(f"UPDATE outbox SET last_error = last_error WHERE id = {first}"))

    def retry() -> int:
        with app.app_context(), transaction(writes=True) as db:
            return outbox.retry(db, None, NOW)

    with ThreadPoolExecutor() as pool:
        with app.app_context(), transaction(writes=True) as db:
            db.execute(text(f"SELECT id FROM outbox WHERE id = {first} FOR UPDATE"))
            queued = pool.submit(retry)
            until_somebody_waits(db)
            db.execute(text(f"SELECT id FROM outbox WHERE id = {last} FOR UPDATE NOWAIT"))
        assert queued.result(timeout=30) == 2
