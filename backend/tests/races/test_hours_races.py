"""Changes of hours wait for bookings, deletions and each other, and then see what these did."""

from __future__ import annotations

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest
from apiflask import APIFlask

from src.database.transaction import transaction
from src.domain.policies import Policies
from src.domain.refusals import accepted
from src.repositories import account_locks as locks
from src.repositories import booking_repository as bookings
from src.repositories import doctor_repository as doctors
from src.repositories import user_repository as users
from src.tasks.openings import extend
from tests.computed import openings
from tests.conftest import ON_POSTGRESQL, StillClock
from tests.people import DAY, Api, hours
from tests.races.crowd import at_once, count, until_somebody_waits

pytestmark = pytest.mark.unguarded
HOURS = "/doctor/hours"

POLICIES = Policies()


@ON_POSTGRESQL
def test_a_closure_waits_for_a_booking_under_way_and_lists_it(app: APIFlask, api: Api, clock: StillClock) -> None:
    doctor, patient = api.doctor(), api.patient()
    slot_id = doctor.publish()
    closed = {"kind": "closed", "first_day": DAY}
    with ThreadPoolExecutor() as pool:
        with app.app_context(), transaction(writes=True) as db:
            booked = accepted(
                bookings.book(db, slot_id, patient.id, clock(), POLICIES, clinic_zone="UTC", in_steps=False)
            )
            answer = pool.submit(doctor.post, "/doctor/exceptions", closed)
            until_somebody_waits(db)
        affected = answer.result(timeout=30).get_json()["affected"]
    assert [entry["appointment_id"] for entry in affected] == [booked]


@ON_POSTGRESQL
def test_a_booking_waits_for_a_change_of_hours(app: APIFlask, api: Api) -> None:
    doctor, patient = api.doctor(), api.patient()
    slot_id = doctor.publish()
    with ThreadPoolExecutor() as pool:
        with app.app_context(), transaction(writes=True) as db:
            assert locks.lock_exclusively(db, doctor.id)
            answer = pool.submit(patient.post, "/appointments", {"slot_id": slot_id})
            until_somebody_waits(db)
        assert answer.result(timeout=30).status_code == 201


@ON_POSTGRESQL
def test_hours_for_a_zone_that_is_changed_meanwhile_are_refused(app: APIFlask, api: Api) -> None:
    doctor = api.doctor()
    with ThreadPoolExecutor() as pool:
        with app.app_context(), transaction(writes=True) as db:
            assert locks.lock_exclusively(db, doctor.id)
            answer = pool.submit(doctor.put, HOURS, {"time_zone": "UTC", "weekly": [hours()]})
            until_somebody_waits(db)
            doctors.update_profile(db, doctor.doctor_id, {"time_zone": "Asia/Tokyo"})
        assert answer.result(timeout=30).get_json()["type"] == "urn:problem:zone-of-profile"
    assert openings(app, doctor) == []


@ON_POSTGRESQL
@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("PUT", HOURS, {"time_zone": "UTC", "weekly": [hours()]}),
        ("POST", "/doctor/exceptions", {"kind": "closed", "first_day": DAY}),
        ("POST", "/doctor/visit-types", {"name": "Checkup", "minutes": 30}),
        ("POST", "/doctor/profile", {"time_zone": "Asia/Tokyo"}),
    ],
)
def test_a_doctor_who_leaves_meanwhile_gets_nothing_new(
    app: APIFlask, api: Api, clock: StillClock, method: str, path: str, body: dict[str, object]
) -> None:
    doctor = api.doctor()
    with ThreadPoolExecutor() as pool:
        with app.app_context(), transaction(writes=True) as db:
            assert locks.lock_for_deletion(db, doctor.id)
            answer = pool.submit(doctor.call, method, path, json=body)
            until_somebody_waits(db)
            users.erase(db, doctor.id, clock())
        assert answer.result(timeout=30).status_code == 401
    tables = ("weekly_hours", "exceptions", "openings")
    assert [count(app, f"SELECT count(*) FROM {table}") for table in tables] == [0, 0, 0]
    assert count(app, "SELECT count(*) FROM visit_types") == 1


def test_of_many_editors_with_one_revision_one_succeeds(app: APIFlask, api: Api) -> None:
    doctor = api.doctor()
    editors = [replace(doctor, client=app.test_client()) for _ in range(8)]
    body, tag = {"time_zone": "UTC", "weekly": [hours()]}, {"If-Match": '"0"'}
    answers = at_once([lambda e=e: e.put(HOURS, body, headers=tag) for e in editors])
    assert Counter(answer.status_code for answer in answers) == {200: 1, 412: 7}
    assert doctor.get(HOURS).get_json()["revision"] == 1


def test_changes_and_the_worker_at_once_lay_what_the_last_change_says(
    app: APIFlask, api: Api, clock: StillClock
) -> None:
    doctor = api.doctor()
    weekly = [hours(weekday) for weekday in ("monday", "tuesday", "wednesday", "thursday", "friday")]

    def extend_all() -> None:
        with app.app_context():
            list(extend(transaction, clock(), app.extensions["settings"], anew=True))

    with ThreadPoolExecutor(max_workers=6) as pool:
        done = [pool.submit(extend_all) for _ in range(2)]
        for number in range(5):
            editor = replace(doctor, client=app.test_client())
            done.append(pool.submit(editor.set_hours, *weekly[number:]))
        for one in done:
            one.result(timeout=60)
    laid = openings(app, doctor)
    assert len(set(laid)) == len(laid)
    shown = doctor.get(HOURS).get_json()["weekly"]
    doctor.set_hours(*shown)
    assert openings(app, doctor) == laid
