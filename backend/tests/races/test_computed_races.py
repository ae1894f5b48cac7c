"""Computed times, holds, moves and changes of hours at once: what excludes each other has one winner, and no 5xx."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor, wait
from dataclasses import replace
from typing import Any

import pytest
from apiflask import APIFlask
from sqlalchemy import Connection
from werkzeug.test import TestResponse

from src.database.transaction import transaction
from src.domain.policies import Policies
from src.domain.refusals import accepted
from src.repositories import account_locks as locks
from src.repositories import booking_repository as bookings
from src.repositories import holds, hours_repository, opening_repository, visit_type_repository
from src.repositories.cancellations import Cancellation
from tests.conftest import NOW, ON_POSTGRESQL, StillClock
from tests.offered import TUESDAY, first_id
from tests.people import Api, Deliver, Doctor, Patient, Person, hours
from tests.races.crowd import (
    Call,
    Crowd,
    at_once,
    booking,
    count,
    holding,
    moving,
    statuses,
    until_all_wait,
    until_somebody_waits,
    with_own_client,
)

pytestmark = pytest.mark.unguarded

KEY = {"Idempotency-Key": "late"}
KEYS = pytest.mark.parametrize("key", [{}, KEY])
TYPE: dict[str, Any] = {"name": "Checkup", "minutes": 30}
OVERLAPS = """
    SELECT count(*) FROM appointments a JOIN appointments b ON a.doctor_id = b.doctor_id AND a.id < b.id
    WHERE a.status <> 'cancelled' AND b.status <> 'cancelled'
    AND a.busy_from < b.busy_until AND a.busy_until > b.busy_from AND a.slot_id <> b.slot_id"""
BOOKED = "SELECT count(*) FROM appointments WHERE status = 'booked'"

POLICIES = Policies()


@pytest.fixture
def doctor(api: Api) -> Doctor:
    """Return a doctor with hours on Tuesday; the first visit type takes 30 minutes."""
    doctor = api.doctor()
    doctor.set_hours(hours("tuesday", "09:00", "19:00"))
    return doctor


def test_fifty_patients_book_one_time_and_one_gets_it(
    app: APIFlask, doctor: Doctor, crowd: Crowd, deliver: Deliver
) -> None:
    patients = crowd(50)
    slot_id = first_id(patients[0], doctor)

    answers = at_once([booking(patient, slot_id) for patient in patients])

    assert statuses(answers) == {201: 1, 409: 49}
    assert count(app, "SELECT count(*) FROM appointments") == 1
    winner = next(p for p, answer in zip(patients, answers, strict=True) if answer.status_code == 201)
    assert [mail.to for mail in deliver()] == [winner.email]


def test_twelve_patients_book_one_group_visit_and_three_get_it(app: APIFlask, doctor: Doctor, crowd: Crowd) -> None:
    kind, patients = doctor.add_visit_type("Class", minutes=60, capacity=3), crowd(12)
    slot_id = first_id(patients[0], doctor, kind)

    answers = at_once([booking(patient, slot_id) for patient in patients])

    assert statuses(answers) == {201: 3, 409: 9}
    assert count(app, "SELECT count(DISTINCT seat) FROM appointments WHERE status = 'booked'") == 3


def test_visits_of_two_lengths_that_are_booked_at_once_never_overlap(
    app: APIFlask, doctor: Doctor, crowd: Crowd
) -> None:
    short = doctor.add_visit_type("Injection", minutes=20, step=5)
    long = doctor.add_visit_type("Long talk", minutes=45, step=5, buffer_before=5)
    patients = crowd(16)
    begin = {kind: first_id(patients[0], doctor, kind) for kind in (short, long)}

    answers = at_once([booking(patient, begin[(short, long)[n % 2]] + 10 * n) for n, patient in enumerate(patients)])

    assert set(statuses(answers)) == {201, 409}
    assert count(app, OVERLAPS) == 0
    assert count(app, BOOKED) == statuses(answers)[201]
    # Who lost lost to somebody: nothing that was refused is free.
    for n, (patient, answer) in enumerate(zip(patients, answers, strict=True)):
        if answer.status_code == 409:
            assert booking(patient, begin[(short, long)[n % 2]] + 10 * n)().status_code == 409


def test_twenty_visits_at_different_times_of_a_day_and_two_is_the_limit(
    app: APIFlask, doctor: Doctor, crowd: Crowd
) -> None:
    kind, patients = doctor.add_visit_type("Checkup", minutes=30, most_per_day=2), crowd(20)
    first = first_id(patients[0], doctor, kind)

    answers = at_once([booking(patient, first + 30 * n) for n, patient in enumerate(patients)])

    assert statuses(answers) == {201: 2, 409: 18}
    assert count(app, BOOKED) == 2
    assert patients[0].times(doctor, visit_type=kind, until=TUESDAY) == []


@ON_POSTGRESQL
@pytest.mark.parametrize("new", [[], [("09:00", "14:00")], [("14:10", "23:00")]], ids=["closed", "shortened", "moved"])
def test_what_is_booked_while_hours_change_is_inside_of_them_or_reported(
    app: APIFlask, doctor: Doctor, crowd: Crowd, new: list[tuple[str, str]]
) -> None:
    patients = crowd(20)
    times = patients[0].times(doctor, until=TUESDAY)
    inside = {t["slot_id"] for t in times if any(a <= t["start_time"] and t["end_time"] <= b for a, b in new)}
    body = {"time_zone": "UTC", "weekly": [hours("tuesday", *row) for row in new]}
    calls: list[Call] = [booking(patient, t["slot_id"]) for patient, t in zip(patients, times, strict=True)]
    calls.insert(10, lambda: replace(doctor, client=app.test_client()).put("/doctor/hours", body))

    answers = at_once(calls)

    change = answers.pop(10)
    assert change.status_code == 200
    assert set(statuses(answers)) <= {201, 409}
    booked = {
        answer.get_json()["appointment_id"]: t["slot_id"]
        for answer, t in zip(answers, times, strict=True)
        if answer.status_code == 201
    }
    affected = {row["appointment_id"] for row in change.get_json()["affected"]}
    assert affected == {appointment_id for appointment_id, slot_id in booked.items() if slot_id not in inside}
    outside = [t["slot_id"] for t in times if t["slot_id"] not in inside]
    assert {booking(patient, slot_id)().status_code for patient, slot_id in zip(patients, outside, strict=False)} == {
        409
    }


def _close(db: Connection, doctor: Doctor, _: int) -> None:
    schedule = opening_repository.schedule_of(db, doctor.doctor_id, "UTC", NOW)
    hours_repository.replace(db, doctor.doctor_id, [])
    opening_repository.lay(db, doctor.doctor_id, replace(schedule, weekly=[]))


def _retire(db: Connection, doctor: Doctor, kind: int) -> None:
    assert visit_type_repository.retire(db, doctor.doctor_id, kind, NOW)


def _edit(**fields: Any) -> Callable[[Connection, Doctor, int], None]:
    standard = {"name": "Checkup", "minutes": 30, "step": 30, "buffer_before": 0, "buffer_after": 0}
    others = {"minimum_notice": 0, "horizon": 56, "most_per_day": None, "is_default": False}

    def edit(db: Connection, doctor: Doctor, kind: int) -> None:
        assert visit_type_repository.replace(db, doctor.doctor_id, kind, standard | others | fields)

    return edit


@ON_POSTGRESQL
@pytest.mark.parametrize(
    ("change", "status", "key"),
    [
        (_close, 409, {}),
        (_close, 409, KEY),
        (_retire, 404, {}),
        (_edit(minutes=45), 404, KEY),
        (_edit(booked_by="staff"), 404, {}),
        (_edit(most_per_day=1), 409, KEY),
        (_edit(minimum_notice=2880), 409, {}),
        (_edit(name="Other", place="Room 7"), 201, {}),
        (_edit(name="Other", place="Room 7"), 201, KEY),
    ],
)
def test_a_booking_waits_for_a_change_of_what_is_offered(
    app: APIFlask,
    doctor: Doctor,
    crowd: Crowd,
    change: Callable[[Connection, Doctor, int], None],
    status: int,
    key: dict[str, str],
) -> None:
    [patient, other], kind = crowd(2), doctor.add_visit_type()
    slot_id = first_id(patient, doctor, kind)
    other.book(slot_id + 60)

    with ThreadPoolExecutor() as pool:
        with app.app_context(), transaction(writes=True) as db:
            assert hours_repository.lock(db, doctor.id, doctor.doctor_id)
            answer = pool.submit(booking(patient, slot_id, headers=key))
            until_somebody_waits(db)
            change(db, doctor, kind)
        assert answer.result(timeout=30).status_code == status
    assert count(app, BOOKED) == 1 + (status == 201)
    assert count(app, "SELECT count(*) FROM outbox") == 1 + (status == 201)
    places = [row["place"] for row in patient.get("/appointments/my").get_json()["data"]]
    assert places == (["Room 7"] if status == 201 else [])


@ON_POSTGRESQL
@pytest.mark.parametrize("end", ["kept", "rolled back"])
@pytest.mark.parametrize("in_steps", [False, True])
def test_a_change_of_hours_waits_for_a_booking_and_reports_it(
    app: APIFlask, doctor: Doctor, crowd: Crowd, end: str, *, in_steps: bool
) -> None:
    [patient] = crowd(1)
    slot_id = first_id(patient, doctor)
    late = replace(doctor, client=app.test_client())

    with ThreadPoolExecutor() as pool:
        with app.app_context(), contextlib.suppress(KeyboardInterrupt), transaction(writes=True) as db:
            accepted(bookings.book(db, slot_id, patient.id, NOW, POLICIES, clinic_zone="UTC", in_steps=in_steps))
            answer = pool.submit(late.put, "/doctor/hours", {"time_zone": "UTC", "weekly": []})
            until_somebody_waits(db)
            if end == "rolled back":
                raise KeyboardInterrupt
        changed = answer.result(timeout=30)
    assert changed.status_code == 200
    assert len(changed.get_json()["affected"]) == (end == "kept")
    assert count(app, BOOKED) == (end == "kept")


@ON_POSTGRESQL
@pytest.mark.parametrize(("end", "status", "key"), [("kept", 409, {}), ("kept", 409, KEY), ("rolled back", 201, {})])
def test_a_booking_waits_for_a_hold_of_the_same_time(
    app: APIFlask, doctor: Doctor, crowd: Crowd, end: str, status: int, key: dict[str, str]
) -> None:
    first, other = crowd(2)
    slot_id = first_id(first, doctor)

    with ThreadPoolExecutor() as pool:
        with app.app_context(), contextlib.suppress(KeyboardInterrupt), transaction(writes=True) as db:
            accepted(bookings.hold(db, slot_id, first.id, NOW, POLICIES, NOW.replace(minute=5), clinic_zone="UTC"))
            answer = pool.submit(booking(other, slot_id, headers=key))
            until_somebody_waits(db)
            if end == "rolled back":
                raise KeyboardInterrupt
        assert answer.result(timeout=30).status_code == status
    assert count(app, "SELECT count(*) FROM appointments") == 1


@ON_POSTGRESQL
@KEYS
def test_a_booking_and_a_longer_hold_wait_for_the_release_of_the_hold(
    app: APIFlask, doctor: Doctor, crowd: Crowd, key: dict[str, str]
) -> None:
    [patient] = crowd(1)
    slot_id = first_id(patient, doctor)
    for late, status in ((booking, 201), (holding, 201)):
        hold_id = patient.hold(slot_id)
        with ThreadPoolExecutor() as pool:
            with app.app_context(), transaction(writes=True) as db:
                assert holds.release(db, hold_id, patient.id)
                answer = pool.submit(late(patient, slot_id, headers=key and {"Idempotency-Key": late.__name__}))
                until_somebody_waits(db)
            assert answer.result(timeout=30).status_code == status
        made = next(iter(answer.result().get_json().keys() & {"appointment_id", "hold_id"}))
        assert answer.result().get_json()[made] != hold_id
        if late is booking:
            assert patient.cancel(answer.result().get_json()[made]).status_code == 200
    assert count(app, "SELECT count(*) FROM appointments WHERE status = 'held'") == 1


@ON_POSTGRESQL
@pytest.mark.parametrize("published", [False, True])
def test_a_booking_waits_for_a_move_and_does_not_get_its_new_time(
    app: APIFlask, doctor: Doctor, crowd: Crowd, *, published: bool
) -> None:
    mover, *others = crowd(3)
    old, new = _two(doctor, mover, published=published)
    appointment_id = mover.book(old)

    with ThreadPoolExecutor() as pool:
        with app.app_context(), transaction(writes=True) as db:
            _move(db, appointment_id, new, mover)
            answers = [pool.submit(booking(other, slot_id)) for other, slot_id in zip(others, (old, new), strict=True)]
            until_all_wait(db, answers)
        # The status of a slot is read after the wait; that the old time was taken is true when the booking begins.
        statuses_after = [answer.result(timeout=30).status_code for answer in answers]
        assert statuses_after == [201 if published else 409, 409]
    if not published:
        assert booking(others[0], old)().status_code == 201
    assert count(app, BOOKED) == 2
    assert count(app, OVERLAPS) == 0


@ON_POSTGRESQL
@KEYS
def test_a_cancel_waits_for_a_move_and_frees_the_new_time(
    app: APIFlask, api: Api, doctor: Doctor, crowd: Crowd, key: dict[str, str]
) -> None:
    """The cancel has read the old slot and the old doctor."""
    [patient], other = crowd(1), api.doctor("Dr. Stem")
    old, new = doctor.publish(), other.publish("15:00", "15:30")
    appointment_id = patient.book(old)

    with ThreadPoolExecutor() as pool:
        with app.app_context(), transaction(writes=True) as db:
            _move(db, appointment_id, new, patient)
            answer = pool.submit(patient.post, f"/appointments/{appointment_id}/cancel", headers=key)
            until_somebody_waits(db)
        assert answer.result(timeout=30).status_code == 200
    assert count(app, "SELECT count(*) FROM availability_slots WHERE status = 'free'") == 2
    assert count(app, "SELECT count(*) FROM outbox WHERE template = 'cancelled'") == 2


@ON_POSTGRESQL
@KEYS
def test_a_cancel_and_a_move_to_the_old_doctor_do_not_deadlock_after_a_move_to_the_new_one(
    app: APIFlask, api: Api, key: dict[str, str]
) -> None:
    """Accounts are locked in the order of their ids: the other move locks the new doctor, and waits before the old."""
    new_doctor, other = api.doctor("Dr. New"), with_own_client(app, api.patient("Ben Sample"))
    old_doctor, patient = api.doctor("Dr. Old"), with_own_client(app, api.patient())
    appointment_id, new = patient.book(old_doctor.publish()), new_doctor.publish("15:00", "15:30")
    theirs, target = other.book(new_doctor.publish("11:00", "11:30")), old_doctor.publish("12:00", "12:30")

    with ThreadPoolExecutor() as pool, app.app_context():
        with transaction(writes=True) as gate:
            locks.lock_exclusively(gate, other.id)
            with transaction(writes=True) as db:
                _move(db, appointment_id, new, patient)
                cancel = pool.submit(patient.post, f"/appointments/{appointment_id}/cancel", headers=key)
                until_somebody_waits(db)
                move = pool.submit(moving(other, theirs, target))
                until_all_wait(db, [cancel, move])
            wait([cancel], timeout=0.3)
        answers = [call.result(timeout=30) for call in (cancel, move)]
    assert [answer.status_code for answer in answers] == [200, 200]
    assert count(app, BOOKED) == 1


@ON_POSTGRESQL
def test_the_old_doctor_does_not_cancel_what_was_moved_away_meanwhile(
    app: APIFlask, api: Api, doctor: Doctor, crowd: Crowd
) -> None:
    [patient], other = crowd(1), api.doctor("Dr. Stem")
    appointment_id, new = patient.book(doctor.publish()), other.publish("15:00", "15:30")
    late = replace(doctor, client=app.test_client())

    with ThreadPoolExecutor() as pool:
        with app.app_context(), transaction(writes=True) as db:
            _move(db, appointment_id, new, patient)
            answer = pool.submit(late.post, f"/appointments/{appointment_id}/cancel")
            until_somebody_waits(db)
        assert answer.result(timeout=30).status_code == 403
    assert count(app, BOOKED) == 1


@ON_POSTGRESQL
@pytest.mark.parametrize("first", ["cancelled", "moved"])
@pytest.mark.parametrize("with_tag", [False, True])
def test_a_move_waits_for_a_change_of_its_appointment_and_is_refused(
    app: APIFlask, doctor: Doctor, crowd: Crowd, first: str, *, with_tag: bool
) -> None:
    [patient] = crowd(1)
    nine = first_id(patient, doctor)
    appointment_id = patient.book(nine)
    path, body = f"/appointments/{appointment_id}/reschedule", {"slot_id": nine + 60}
    headers = {"If-Match": patient.get(f"/appointments/{appointment_id}").headers["ETag"]} if with_tag else {}

    with ThreadPoolExecutor() as pool:
        with app.app_context(), transaction(writes=True) as db:
            if first == "cancelled":
                accepted(
                    bookings.cancel(db, Cancellation(appointment_id, patient.id, "the patient", NOW, 0), in_steps=False)
                )
            else:
                _move(db, appointment_id, nine + 30, patient)
            answer = pool.submit(patient.post, path, body, headers=headers)
            until_somebody_waits(db)
        assert answer.result(timeout=30).status_code == (412 if with_tag else 409)
    assert count(app, "SELECT count(*) FROM appointment_events") == 2
    assert count(app, BOOKED) == (first == "moved")


@pytest.mark.parametrize("published", [False, True])
def test_moves_and_bookings_of_one_time_have_one_winner(
    app: APIFlask, doctor: Doctor, crowd: Crowd, *, published: bool
) -> None:
    movers, bookers = crowd(4), crowd(4)
    first = first_id(movers[0], doctor)
    target = doctor.publish("08:00", "08:30") if published else first
    moved = [mover.book(first + 30 * n) for n, mover in enumerate(movers, start=1)]

    answers = at_once(
        [moving(mover, of, target) for mover, of in zip(movers, moved, strict=True)]
        + [booking(booker, target) for booker in bookers]
    )

    assert sum(answer.status_code in {200, 201} for answer in answers) == 1
    assert statuses(answers)[409] == 7
    assert count(app, f"SELECT count(*) FROM appointments WHERE slot_id = {target}") == 1
    assert count(app, OVERLAPS) == 0


def test_two_moves_that_swap_their_times_are_refused_both(app: APIFlask, doctor: Doctor, crowd: Crowd) -> None:
    one, other = crowd(2)
    for slots in (_two(doctor, one, published=False), _two(doctor, one, published=True)):
        mine, theirs = one.book(slots[0]), other.book(slots[1])
        for _ in range(3):
            answers = at_once([moving(one, mine, slots[1]), moving(other, theirs, slots[0])])
            assert statuses(answers) == {409: 2}
    assert count(app, "SELECT count(*) FROM appointment_events") == 4


def test_moves_of_one_appointment_and_its_cancel_leave_it_cancelled(
    app: APIFlask, doctor: Doctor, crowd: Crowd
) -> None:
    [patient] = crowd(1)
    slots = [doctor.publish(f"{hour:02}:00", f"{hour:02}:20", "2030-03-06") for hour in range(9, 12)]
    for _ in range(4):
        appointment_id = patient.book(slots[0])
        callers = [replace(person, client=app.test_client()) for person in (doctor, patient, patient)]
        answers = at_once(
            [
                lambda c=callers[0], a=appointment_id: c.post(f"/appointments/{a}/cancel"),
                moving(callers[1], appointment_id, slots[1]),
                moving(callers[2], appointment_id, slots[2]),
            ]
        )
        moves = statuses(answers[1:])
        assert set(moves) <= {200, 409}
        # After two moves, the cancel asks for another try.
        assert answers[0].status_code == 200 or moves == {200: 2}
        if answers[0].status_code == 409:
            assert patient.cancel(appointment_id).status_code == 200
        assert count(app, BOOKED) == 0
        assert count(app, "SELECT count(*) FROM availability_slots WHERE status = 'free'") == len(slots)


def test_an_expired_hold_goes_to_one_of_thirty_two(
    app: APIFlask, doctor: Doctor, crowd: Crowd, clock: StillClock
) -> None:
    owner, *others = crowd(32)
    slot_id = first_id(owner, doctor)
    owner.hold(slot_id, minutes=1)
    clock.forward(minutes=1)

    answers = at_once([booking(patient, slot_id) for patient in (owner, *others)])

    assert statuses(answers) == {201: 1, 409: 31}
    assert count(app, "SELECT count(*) FROM appointments") == 1


def test_the_owner_of_a_hold_books_while_others_try_until_the_hold_expires(
    app: APIFlask, doctor: Doctor, crowd: Crowd, clock: StillClock
) -> None:
    owner, *others = crowd(8)
    first = first_id(owner, doctor)
    for slot_id, seconds in ((first, 59.999), (first + 30, 60)):
        hold_id = owner.hold(slot_id, minutes=1)
        clock.forward(seconds=seconds)
        headers = {"Idempotency-Key": f"{slot_id}"}
        answers = at_once([booking(patient, slot_id, headers=headers) for patient in (owner, *others)])
        assert statuses(answers) == {201: 1, 409: 7}
        if slot_id == first:
            assert answers[0].get_json()["appointment_id"] == hold_id
    assert count(app, "SELECT count(*) FROM appointments") == 2


def test_one_patient_holds_twenty_times_at_once_and_gets_three(app: APIFlask, doctor: Doctor, crowd: Crowd) -> None:
    [patient] = crowd(1)
    first = first_id(patient, doctor)
    clients = [with_own_client(app, patient) for _ in range(20)]

    answers = at_once([holding(client, first + 30 * n) for n, client in enumerate(clients)])

    assert statuses(answers) == {201: 3, 409: 17}
    assert count(app, "SELECT count(*) FROM appointments WHERE status = 'held'") == 3


def test_holds_and_bookings_of_one_time_have_one_winner(app: APIFlask, doctor: Doctor, crowd: Crowd) -> None:
    patients = crowd(8)
    slot_id = first_id(patients[0], doctor)

    answers = at_once([(holding if n % 2 else booking)(patient, slot_id) for n, patient in enumerate(patients)])

    assert statuses(answers) == {201: 1, 409: 7}
    assert count(app, "SELECT count(*) FROM appointments") == 1


@ON_POSTGRESQL
def test_visits_that_are_booked_while_their_type_gets_another_length_do_not_overlap(
    app: APIFlask, doctor: Doctor, crowd: Crowd
) -> None:
    kind, patients = doctor.add_visit_type(), crowd(12)
    first = first_id(patients[0], doctor, kind)

    answers, change = _while_edited(
        app, doctor, kind, {"minutes": 50}, [booking(patient, first + 30 * n) for n, patient in enumerate(patients)]
    )

    assert change.status_code == 200
    assert set(statuses(answers)) <= {201, 404}
    assert count(app, BOOKED) == statuses(answers)[201]
    for patient, answer in zip(patients, answers, strict=True):
        if answer.status_code == 404:
            assert booking(patient, first)().status_code == 404
    for t in patients[0].times(doctor, visit_type=kind, until=TUESDAY)[::2]:
        assert booking(patients[0], t["slot_id"])().status_code in {201, 409}
    assert count(app, OVERLAPS) == 0


@ON_POSTGRESQL
@pytest.mark.parametrize(("before", "after"), [(3, 1), (1, 3)])
def test_a_group_that_is_booked_while_its_capacity_changes_has_the_seats_of_before_or_after(
    app: APIFlask, doctor: Doctor, crowd: Crowd, before: int, after: int
) -> None:
    kind, patients = doctor.add_visit_type(capacity=before), crowd(12)
    slot_id = first_id(patients[0], doctor, kind)

    answers, change = _while_edited(
        app, doctor, kind, {"capacity": after}, [booking(patient, slot_id) for patient in patients]
    )

    assert change.status_code == 200
    booked = statuses(answers)[201]
    assert set(statuses(answers)) <= {201, 409}
    assert 1 <= booked <= 3
    losers = [p for p, answer in zip(patients, answers, strict=True) if answer.status_code == 409]
    later = [booking(loser, slot_id)().status_code for loser in losers[:4]]
    # Whoever booked alone stays alone.
    seats = min(after, count(app, "SELECT max(seats) FROM appointments"))
    assert later.count(201) == max(seats - booked, 0)
    assert count(app, BOOKED) == max(seats, booked)


@ON_POSTGRESQL
def test_a_day_that_is_booked_while_its_limit_falls_gets_no_more_visits_than_the_limit_after(
    app: APIFlask, doctor: Doctor, crowd: Crowd
) -> None:
    kind, patients = doctor.add_visit_type(), crowd(12)
    first = first_id(patients[0], doctor, kind)

    answers, change = _while_edited(
        app,
        doctor,
        kind,
        {"most_per_day": 2},
        [booking(patient, first + 30 * n) for n, patient in enumerate(patients)],
    )

    assert change.status_code == 200
    booked = statuses(answers)[201]
    assert set(statuses(answers)) <= {201, 409}
    assert booked >= 2
    # The limit holds for everybody who booked after the change, as they have places among those of the day.
    assert count(app, "SELECT count(*) FROM appointments WHERE nth IS NOT NULL") <= 2
    assert patients[0].times(doctor, visit_type=kind, until=TUESDAY) == []


def _while_edited(
    app: APIFlask, doctor: Doctor, kind: int, fields: dict[str, Any], calls: list[Call]
) -> tuple[list[TestResponse], TestResponse]:
    """Make the calls and change the visit type at once; return the answers of both."""
    late = replace(doctor, client=app.test_client())
    *answers, change = at_once([*calls, lambda: late.put(f"/doctor/visit-types/{kind}", TYPE | fields)])
    return answers, change


def _two(doctor: Doctor, patient: Patient, *, published: bool) -> tuple[int, int]:
    """Return two times that do not overlap."""
    if published:
        return doctor.publish("07:00", "07:30"), doctor.publish("08:00", "08:30")
    first = first_id(patient, doctor)
    return first, first + 30


def _move(db: Connection, appointment_id: int, slot_id: int, actor: Person) -> None:
    options: dict[str, Any] = {"takes": lambda _: True, "clinic_zone": "UTC"}
    accepted(bookings.reschedule(db, appointment_id, slot_id, actor.id, "the patient", NOW, POLICIES, **options))
