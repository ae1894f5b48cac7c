"""Cancelling affected appointments while others cancel, move or book, or the hours change: no 5xx, and no half done."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest
from apiflask import APIFlask
from werkzeug.test import TestResponse

from src.database.transaction import transaction
from src.repositories import account_locks as locks
from src.repositories import exception_repository as exceptions
from tests.conftest import ON_POSTGRESQL
from tests.people import DAY, Api, Deliver, Doctor, Patient, hours
from tests.races.crowd import (
    Call,
    Crowd,
    at_once,
    booking,
    count,
    moving,
    statuses,
    until_somebody_waits,
    with_own_client,
)

pytestmark = pytest.mark.unguarded
PATH = "/doctor/affected/cancel"
PATIENTS = 6
CANCELLED = "SELECT count(*) FROM appointments WHERE status = 'cancelled'"
EVENTS = "SELECT count(*) FROM appointment_events WHERE event = 'cancelled'"
TWICE = """SELECT count(*) FROM (SELECT appointment_id FROM appointment_events WHERE event = 'cancelled'
    GROUP BY appointment_id HAVING count(*) > 1) AS twice"""


@pytest.fixture
def doctor(api: Api) -> Doctor:
    doctor = api.doctor()
    doctor.set_hours(hours("tuesday", "06:00", "20:00"))
    return doctor


@pytest.fixture
def patients(crowd: Crowd) -> list[Patient]:
    return crowd(PATIENTS)


def book_all(doctor: Doctor, patients: list[Patient], first_hour: int = 8) -> list[int]:
    """Return an appointment of each patient, by turns for a published slot and for a computed time."""
    booked: list[int] = []
    for number, patient in enumerate(patients):
        hour = first_hour + number
        if number % 2:
            slot_id = doctor.publish(f"{hour:02}:00", f"{hour:02}:30")
        else:
            [slot_id] = (t["slot_id"] for t in patient.times(doctor, until=DAY) if t["start_time"] == f"{hour:02}:00")
        booked.append(patient.book(slot_id))
    return booked


def cancelling(app: APIFlask, doctor: Doctor, ids: list[int]) -> Call:
    own = replace(doctor, client=app.test_client())
    return lambda: own.post(PATH, {"appointment_ids": ids})


def mails_about_cancellations(deliver: Deliver) -> Counter[str]:
    return Counter(mail.to for mail in deliver() if mail.subject.startswith("Appointment cancelled"))


def test_of_eight_at_once_one_succeeds(
    app: APIFlask, doctor: Doctor, patients: list[Patient], deliver: Deliver
) -> None:
    ids = book_all(doctor, patients)
    doctor.close(DAY)
    # Some in the other order: locks are taken in one order all the same.
    answers = at_once([cancelling(app, doctor, ids if number % 2 else ids[::-1]) for number in range(8)])
    assert statuses(answers) == {200: 1, 409: 7}
    assert [count(app, query) for query in (CANCELLED, EVENTS, TWICE)] == [PATIENTS, PATIENTS, 0]
    assert mails_about_cancellations(deliver) == {doctor.email: PATIENTS, **{p.email: 1 for p in patients}}


def test_parts_that_share_an_appointment_are_cancelled_whole_or_not_at_all(
    app: APIFlask, doctor: Doctor, patients: list[Patient]
) -> None:
    ids = book_all(doctor, patients)
    doctor.close(DAY)
    parts = [ids[:3], ids[2:5], ids[4:]]
    answers = at_once([cancelling(app, doctor, part) for part in parts])
    assert set(statuses(answers)) <= {200, 409}
    done = [part for part, answer in zip(parts, answers, strict=True) if answer.status_code == 200]
    assert done
    assert count(app, CANCELLED) == count(app, EVENTS) == len({number for part in done for number in part})


@pytest.mark.parametrize("round_", range(3))
def test_patients_cancel_at_the_same_moment(
    app: APIFlask, doctor: Doctor, patients: list[Patient], deliver: Deliver, round_: int
) -> None:
    ids = book_all(doctor, patients)
    doctor.close(DAY)
    calls: list[Call] = [lambda p=p, n=n: p.cancel(n) for p, n in zip(patients, ids, strict=True)]
    calls.insert(round_ * 2, cancelling(app, doctor, ids))
    answers = at_once(calls)
    mine = answers.pop(round_ * 2)
    by_patients = statuses(answers)[200]
    assert set(statuses(answers)) <= {200, 409}
    if mine.status_code == 200:
        assert by_patients == 0
    else:
        assert mine.status_code == 409
        gone = mine.get_json()["appointment_ids"]
        assert 1 <= len(gone) <= by_patients == PATIENTS
    assert [count(app, query) for query in (CANCELLED, EVENTS, TWICE)] == [PATIENTS, PATIENTS, 0]
    assert mails_about_cancellations(deliver) == {doctor.email: PATIENTS, **{p.email: 1 for p in patients}}


@ON_POSTGRESQL
@pytest.mark.parametrize("who", ["patient", "doctor"])
def test_a_cancel_that_waits_for_it_is_refused(
    app: APIFlask, doctor: Doctor, patients: list[Patient], who: str
) -> None:
    """The doctor's account is locked, the affected appointments are being cancelled, and a cancel of one waits."""
    ids = book_all(doctor, patients)
    doctor.close(DAY)
    caller = patients[1] if who == "patient" else replace(doctor, client=app.test_client())
    with ThreadPoolExecutor() as pool:
        with app.app_context(), transaction(writes=True) as db:
            assert locks.lock_exclusively(db, patients[1].id)
            first = pool.submit(cancelling(app, doctor, ids))
            until_somebody_waits(db)
            second = pool.submit(caller.post, f"/appointments/{ids[1]}/cancel")
        answers = [first.result(timeout=30), second.result(timeout=30)]
    # Which of the two is next to get the lock is not promised.
    assert sorted(answer.status_code for answer in answers) == [200, 409]
    assert count(app, TWICE) == 0
    assert count(app, EVENTS) == (PATIENTS if answers[0].status_code == 200 else 1)


def reopening(app: APIFlask, doctor: Doctor, closure: int) -> Callable[[], TestResponse]:
    own = replace(doctor, client=app.test_client())
    return lambda: own.delete(f"/doctor/exceptions/{closure}")


def test_a_change_of_hours_takes_the_appointments_back_in_at_the_same_moment(
    app: APIFlask, doctor: Doctor, patients: list[Patient]
) -> None:
    seen: set[int] = set()
    for number in range(4):
        ids = book_all(doctor, patients)
        closure = doctor.close(DAY)
        calls = [cancelling(app, doctor, ids), reopening(app, doctor, closure)]
        answers = at_once(calls[:: 1 if number % 2 else -1])[:: 1 if number % 2 else -1]
        assert answers[1].status_code == 200
        affected = [row["appointment_id"] for row in answers[1].get_json()["affected"]]
        assert affected == []
        seen.add(answers[0].status_code)
        assert seen <= {200, 409}
        booked = doctor.get("/appointments/doctor?status=booked").get_json()["data"]
        assert len(booked) == (0 if answers[0].status_code == 200 else PATIENTS)
        for patient, appointment_id in zip(patients, ids, strict=True):
            patient.cancel(appointment_id)
        for slot in doctor.get("/doctor/availability?status=free").get_json()["data"]:
            doctor.delete(f"/doctor/availability/{slot['slot_id']}")


@ON_POSTGRESQL
def test_it_waits_for_a_change_of_hours_and_then_refuses_what_is_inside(
    app: APIFlask, doctor: Doctor, patients: list[Patient]
) -> None:
    ids = book_all(doctor, patients)
    closure = doctor.close(DAY)
    with ThreadPoolExecutor() as pool:
        with app.app_context(), transaction(writes=True) as db:
            assert locks.lock_exclusively(db, doctor.id)
            assert exceptions.delete_of_doctor(db, closure, doctor.doctor_id)
            answer = pool.submit(cancelling(app, doctor, ids))
            until_somebody_waits(db)
        refused = answer.result(timeout=30)
    assert refused.status_code == 409
    assert refused.get_json()["appointment_ids"] == ids
    assert count(app, CANCELLED) == 0


def test_patients_move_their_appointments_at_the_same_moment(
    app: APIFlask, doctor: Doctor, patients: list[Patient]
) -> None:
    ids = book_all(doctor, patients)
    doctor.close(DAY)
    targets = [doctor.publish(f"{8 + number:02}:00", f"{8 + number:02}:30", "2030-03-12") for number in range(PATIENTS)]
    calls = [moving(*move) for move in zip(patients, ids, targets, strict=True)]
    calls.insert(3, cancelling(app, doctor, ids))
    answers = at_once(calls)
    mine = answers.pop(3)
    assert set(statuses(answers)) <= {200, 409}
    moved = statuses(answers)[200]
    assert (mine.status_code, moved) in {(200, 0), (409, PATIENTS)}
    assert count(app, CANCELLED) == count(app, EVENTS) == PATIENTS - moved


@ON_POSTGRESQL
def test_a_booking_that_waits_for_it_does_not_get_the_withdrawn_slot(app: APIFlask, api: Api, doctor: Doctor) -> None:
    patient, other = api.patient(), with_own_client(app, api.patient("Ben Sample"))
    slot_id = doctor.publish()
    number = patient.book(slot_id)
    doctor.close(DAY)
    answers = at_once([cancelling(app, doctor, [number]), booking(other, slot_id)])
    assert answers[0].status_code == 200
    assert answers[1].status_code in {404, 409}
    assert count(app, "SELECT count(*) FROM availability_slots WHERE status = 'withdrawn'") == 1


def test_doctors_who_share_their_patients_do_not_block_each_other(
    app: APIFlask, api: Api, doctor: Doctor, patients: list[Patient]
) -> None:
    other = api.doctor("Dr. Imani Lark")
    other.set_hours(hours("tuesday", "06:00", "20:00"))
    mine, theirs = book_all(doctor, patients[:4]), book_all(other, patients[3::-1], 14)
    for one in (doctor, other):
        one.close(DAY)
    answers = at_once([cancelling(app, doctor, mine), cancelling(app, other, theirs[::-1])])
    assert statuses(answers) == {200: 2}
    assert count(app, CANCELLED) == 8
