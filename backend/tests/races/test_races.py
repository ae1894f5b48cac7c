"""Concurrent requests: of those that exclude each other one succeeds, the others get an error, and none gets a 5xx."""

from __future__ import annotations

import contextlib
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest
from apiflask import APIFlask
from sqlalchemy import event, text
from werkzeug.test import TestResponse

from src.database.transaction import transaction
from src.domain.policies import Policies
from src.domain.refusals import accepted
from src.extensions import db
from src.repositories import account_locks as locks
from src.repositories import availability_repository as slots
from src.repositories import booking_repository as bookings
from src.repositories import user_repository as users
from src.repositories.cancellations import Cancellation
from tests.conftest import ON_POSTGRESQL, MakeApp, StillClock
from tests.people import CODE, DAY, PASSWORD, Api, Deliver, Patient, hours
from tests.races.crowd import (
    Crowd,
    at_once,
    booking,
    count,
    statuses,
    until_somebody_waits,
    with_own_client,
)

pytestmark = pytest.mark.unguarded

CLOCK = StillClock()
POLICIES = Policies()


def test_fifty_patients_book_one_slot_and_one_gets_it(app: APIFlask, api: Api, crowd: Crowd, deliver: Deliver) -> None:
    doctor = api.doctor()
    patients = crowd(50)
    slot_id = doctor.publish()

    answers = at_once([booking(patient, slot_id) for patient in patients])

    assert statuses(answers) == {201: 1, 409: 49}
    assert count(app, "SELECT count(*) FROM appointments") == 1
    winner = next(p for p, answer in zip(patients, answers, strict=True) if answer.status_code == 201)
    assert [mail.to for mail in deliver()] == [winner.email]
    assert [a["status"] for a in doctor.get("/appointments/doctor").get_json()["data"]] == ["booked"]


def test_one_patient_books_overlapping_slots_of_many_doctors_at_once_and_gets_one(app: APIFlask, api: Api) -> None:
    patient = api.patient()
    slots = [api.doctor(f"Dr. Number {number}").publish() for number in range(10)]

    answers = at_once([booking(with_own_client(app, patient), slot_id) for slot_id in slots])

    assert statuses(answers) == {201: 1, 409: 9}
    assert count(app, "SELECT count(*) FROM availability_slots WHERE status = 'booked'") == 1


def test_twenty_registrations_of_one_mailbox_make_one_account(app: APIFlask) -> None:
    def register(number: int) -> TestResponse:
        address = "ada@people.example" if number % 2 else "ADA@People.Example"
        body = {"name": "Ada Sample", "email": address, "password": PASSWORD, "role": "patient"}
        return app.test_client().post("/auth/register", json=body)

    answers = at_once([lambda n=n: register(n) for n in range(20)])

    assert statuses(answers) == {201: 1, 409: 19}
    assert count(app, "SELECT count(*) FROM users") == 1


def test_twenty_registrations_of_one_doctor_make_one_profile(app: APIFlask) -> None:
    body = {
        "name": "Dr. Imani Lark",
        "email": "imani@people.example",
        "password": PASSWORD,
        "role": "doctor",
        "invitation_code": CODE,
    }

    answers = at_once([lambda: app.test_client().post("/auth/register", json=body)] * 20)

    assert statuses(answers) == {201: 1, 409: 19}
    assert count(app, "SELECT count(*) FROM doctors") == 1


def test_ten_cancels_of_one_appointment_and_one_succeeds(app: APIFlask, api: Api, deliver: Deliver) -> None:
    doctor, patient = api.doctor(), api.patient()
    appointment_id = patient.book(doctor.publish())
    path = f"/appointments/{appointment_id}/cancel"

    callers = [patient, doctor] * 5
    answers = at_once([lambda c=c: replace(c, client=app.test_client()).post(path) for c in callers])

    assert statuses(answers) == {200: 1, 409: 9}
    assert len(patient.free(doctor)) == 1
    assert len(deliver()) == 1 + 2
    assert count(app, "SELECT count(*) FROM appointment_events") == 2


def test_thirty_creations_of_one_slot_make_one(app: APIFlask, api: Api) -> None:
    doctor = api.doctor()
    body = {"date": DAY, "start_time": "09:00", "end_time": "09:30"}

    answers = at_once(
        [lambda: replace(doctor, client=app.test_client()).post("/doctor/availability", body) for _ in range(30)]
    )

    assert statuses(answers) == {201: 1, 409: 29}
    assert count(app, "SELECT count(*) FROM availability_slots") == 1


def test_fifty_bookings_against_a_deletion_leave_no_appointment_of_a_gone_doctor(
    app: APIFlask, api: Api, crowd: Crowd, deliver: Deliver
) -> None:
    doctor = api.doctor()
    slots = [
        doctor.publish(f"{9 + n // 6:02}:{n % 6 * 10:02}", f"{9 + n // 6:02}:{n % 6 * 10 + 9:02}") for n in range(50)
    ]
    calls = [booking(patient, slot_id) for patient, slot_id in zip(crowd(50), slots, strict=True)]
    calls.insert(25, lambda: replace(doctor, client=app.test_client()).delete("/doctor/account"))

    answers = at_once(calls)

    deletion = answers.pop(25)
    assert deletion.status_code == 200
    assert set(statuses(answers)) <= {201, 404}
    assert count(app, "SELECT count(*) FROM appointments WHERE status = 'booked'") == 0
    booked = sum(answer.status_code == 201 for answer in answers)
    # Each patient whose booking succeeded gets one confirmation and one mail about the cancellation.
    assert Counter(mail.subject.partition(":")[0] for mail in deliver()) == Counter(
        {"Appointment booked": booked, "Appointment cancelled": booked} if booked else {}
    )


def test_concurrent_bookings_and_cancels_of_one_slot_cause_no_server_error(app: APIFlask, api: Api) -> None:
    doctor = api.doctor()
    patients = [api.patient(f"Patient {number}") for number in range(8)]
    slot_id = doctor.publish()

    def book_and_cancel(patient: Patient) -> list[int]:
        mine = with_own_client(app, patient)
        seen: list[int] = []
        for _ in range(8):
            answer = mine.post("/appointments", {"slot_id": slot_id})
            seen.append(answer.status_code)
            if answer.status_code == 201:
                seen.append(mine.cancel(answer.get_json()["appointment_id"]).status_code)
        return seen

    with ThreadPoolExecutor(max_workers=8) as pool:
        seen = Counter(status for run in pool.map(book_and_cancel, patients) for status in run)

    assert set(seen) <= {200, 201, 409}
    assert seen[200] == seen[201] >= 1
    assert len(patients[0].free(doctor)) == 1


@pytest.mark.parametrize("key", [{}, {"Idempotency-Key": "late"}])
def test_a_second_cancel_does_not_free_the_slot_of_the_next_patient(
    app: APIFlask, api: Api, key: dict[str, str]
) -> None:
    doctor, first, other = api.doctor(), api.patient("First Sample"), api.patient("Second Sample")
    slot_id = doctor.publish()
    appointment = first.book(slot_id)
    assert first.cancel(appointment).status_code == 200
    other.book(slot_id)

    assert first.post(f"/appointments/{appointment}/cancel", headers=key).status_code == 409
    _slot_is_of_the_next_patient(app)


@ON_POSTGRESQL
@pytest.mark.parametrize("key", [{}, {"Idempotency-Key": "late"}])
def test_a_cancel_that_waited_for_a_lock_does_not_free_the_slot_of_the_next_patient(
    app: APIFlask, api: Api, key: dict[str, str]
) -> None:
    """The cancel waits for the lock of a transaction that cancels the appointment and books the slot for another."""
    doctor, first, other = api.doctor(), api.patient("First Sample"), api.patient("Second Sample")
    slot_id = doctor.publish()
    appointment = first.book(slot_id)
    late = with_own_client(app, first)

    with ThreadPoolExecutor() as pool:
        with app.app_context(), transaction(writes=True) as db:
            accepted(
                bookings.cancel(db, Cancellation(appointment, first.id, "the patient", CLOCK(), 0), in_steps=False)
            )
            answer = pool.submit(late.post, f"/appointments/{appointment}/cancel", headers=key)
            until_somebody_waits(db)
            accepted(bookings.book(db, slot_id, other.id, CLOCK(), POLICIES, clinic_zone="UTC", in_steps=False))
        assert answer.result(timeout=30).status_code == 409
    _slot_is_of_the_next_patient(app)


def _slot_is_of_the_next_patient(app: APIFlask) -> None:
    assert count(app, "SELECT count(*) FROM availability_slots WHERE status = 'booked'") == 1
    assert count(app, "SELECT count(*) FROM appointments WHERE status = 'booked'") == 1
    assert count(app, "SELECT count(*) FROM appointment_events") == 3


@ON_POSTGRESQL
@pytest.mark.parametrize(("end", "status"), [("kept", 409), ("rolled back", 201)])
def test_a_booking_waits_for_one_that_has_locked_the_slot(app: APIFlask, api: Api, end: str, status: int) -> None:
    doctor, first, other = api.doctor(), api.patient("First Sample"), api.patient("Second Sample")
    slot_id = doctor.publish()

    with ThreadPoolExecutor() as pool:
        with app.app_context(), contextlib.suppress(KeyboardInterrupt), transaction(writes=True) as db:
            accepted(bookings.book(db, slot_id, first.id, CLOCK(), POLICIES, clinic_zone="UTC", in_steps=False))
            answer = pool.submit(with_own_client(app, other).post, "/appointments", {"slot_id": slot_id})
            until_somebody_waits(db)
            if end == "rolled back":
                raise KeyboardInterrupt
        assert answer.result(timeout=30).status_code == status
    assert count(app, "SELECT count(*) FROM appointments") == 1
    assert count(app, "SELECT count(*) FROM outbox") == 1


@ON_POSTGRESQL
@pytest.mark.parametrize(("end", "status"), [("kept", 409), ("rolled back", 200)])
def test_a_withdrawal_waits_for_a_booking_that_has_locked_the_slot(
    app: APIFlask, api: Api, end: str, status: int
) -> None:
    doctor, patient = api.doctor(), api.patient()
    slot_id = doctor.publish()

    with ThreadPoolExecutor() as pool:
        with app.app_context(), contextlib.suppress(KeyboardInterrupt), transaction(writes=True) as db:
            accepted(bookings.book(db, slot_id, patient.id, CLOCK(), POLICIES, clinic_zone="UTC", in_steps=False))
            answer = pool.submit(with_own_client(app, doctor).delete, f"/doctor/availability/{slot_id}")
            until_somebody_waits(db)
            if end == "rolled back":
                raise KeyboardInterrupt
        assert answer.result(timeout=30).status_code == status
    left = "booked" if end == "kept" else "withdrawn"
    assert count(app, f"SELECT count(*) FROM availability_slots WHERE status = '{left}'") == 1


@ON_POSTGRESQL
@pytest.mark.parametrize("key", [{}, {"Idempotency-Key": "late"}])
@pytest.mark.parametrize(("end", "status"), [("kept", 404), ("rolled back", 201)])
def test_a_booking_waits_for_a_withdrawal_that_has_locked_the_slot(
    app: APIFlask, api: Api, end: str, status: int, key: dict[str, str]
) -> None:
    doctor, patient = api.doctor(), api.patient()
    slot_id = doctor.publish()
    late = with_own_client(app, patient)

    with ThreadPoolExecutor() as pool:
        with app.app_context(), contextlib.suppress(KeyboardInterrupt), transaction(writes=True) as db:
            assert slots.lock_of_doctor(db, slot_id, doctor.doctor_id)
            slots.withdraw(db, slot_id)
            answer = pool.submit(late.post, "/appointments", {"slot_id": slot_id}, headers=key)
            until_somebody_waits(db)
            if end == "rolled back":
                raise KeyboardInterrupt
        assert answer.result(timeout=30).status_code == status
    assert count(app, "SELECT count(*) FROM appointments") == (status == 201)
    assert count(app, "SELECT count(*) FROM outbox") == (status == 201)


@ON_POSTGRESQL
@pytest.mark.parametrize("who", ["doctor", "patient"])
def test_a_booking_waits_for_a_deletion_that_has_begun(app: APIFlask, api: Api, who: str) -> None:
    doctor, patient = api.doctor(), api.patient()
    slot_id = doctor.publish()
    gone = doctor if who == "doctor" else patient

    with ThreadPoolExecutor() as pool:
        with app.app_context(), transaction(writes=True) as db:
            assert locks.lock_for_deletion(db, gone.id)
            answer = pool.submit(with_own_client(app, patient).post, "/appointments", {"slot_id": slot_id})
            until_somebody_waits(db)
            users.erase(db, gone.id, CLOCK())
        assert answer.result(timeout=30).status_code in {401, 404, 409}
    assert count(app, "SELECT count(*) FROM appointments") == 0
    assert count(app, "SELECT count(*) FROM outbox") == 0
    assert count(app, "SELECT count(*) FROM availability_slots WHERE status = 'free'") == 1


@ON_POSTGRESQL
@pytest.mark.parametrize("first", ["doctor", "patient"])
@pytest.mark.parametrize("gone", ["doctor", "patient"])
def test_a_cancel_holds_no_slot_while_it_waits_for_a_deletion(app: APIFlask, api: Api, first: str, gone: str) -> None:
    """If it locked the slot first, the two could deadlock: a deletion locks accounts first, then slots."""
    if first == "doctor":
        doctor, patient = api.doctor(), api.patient()
    else:
        patient, doctor = api.patient(), api.doctor()
    appointment = patient.book(doctor.publish())
    leaving, caller = (doctor, patient) if gone == "doctor" else (patient, doctor)
    client = app.test_client()

    with ThreadPoolExecutor() as pool:
        with app.app_context(), transaction(writes=True) as db:
            assert locks.lock_for_deletion(db, leaving.id)
            answer = pool.submit(
                client.post,
                f"/appointments/{appointment}/cancel",
                headers={"Authorization": f"Bearer {caller.token}"},
            )
            until_somebody_waits(db)
            db.execute(text("SELECT id FROM availability_slots FOR UPDATE NOWAIT"))
        assert answer.result(timeout=30).status_code == 200


@ON_POSTGRESQL
def test_a_time_that_is_released_just_before_the_refusal_can_be_held(make_app: MakeApp) -> None:
    app = make_app()
    api = Api(app.test_client())
    doctor, holder, patient = api.doctor(), api.patient(), api.patient()
    doctor.set_hours(hours())
    slot_id = holder.times(doctor)[0]["slot_id"]
    hold_id = holder.hold(slot_id)

    def release_before_the_reason(_conn: object, _cursor: object, statement: str, *_: object) -> None:
        nonlocal hold_id
        if hold_id and "'slot_unknown'" in statement:
            released, hold_id = hold_id, 0
            with ThreadPoolExecutor(1) as pool:
                answer = pool.submit(with_own_client(app, holder).delete, f"/holds/{released}").result(30)
            assert answer.status_code == 200

    with app.app_context():
        event.listen(db.engine, "before_cursor_execute", release_before_the_reason)
    answer = patient.post("/holds", {"slot_id": slot_id, "minutes": 10})

    assert hold_id == 0
    assert answer.status_code == 201, answer.get_json()
