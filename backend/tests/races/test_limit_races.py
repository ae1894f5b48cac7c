"""One patient makes many changes at once: no limit is exceeded, and each change has a number of its own."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

import pytest
from apiflask import APIFlask

from src.database.transaction import transaction
from src.domain.policies import Policies
from src.domain.refusals import accepted
from src.repositories import booking_repository as bookings
from tests.conftest import NOW, ON_POSTGRESQL, MakeApp
from tests.people import Api, Doctor, Patient, hours
from tests.races.crowd import at_once, booking, count, holding, moving, statuses, until_somebody_waits, with_own_client

pytestmark = pytest.mark.unguarded

TUESDAY = "2030-03-05"
BOOKED = "SELECT count(*) FROM appointments WHERE status = 'booked'"
NUMBERED = "SELECT count(DISTINCT patient_nth) - max(patient_nth) FROM appointment_events"
EVENTS = "SELECT count(*) FROM appointment_events WHERE patient_nth IS NOT NULL"
KEYS = pytest.mark.parametrize("with_keys", [False, True])


def slots_of(doctor: Doctor, number: int) -> list[int]:
    return [doctor.publish(f"{8 + n // 2:02}:{n % 2 * 30:02}", f"{8 + (n + 1) // 2:02}:{(n + 1) % 2 * 30:02}")
            for n in range(number)]  # fmt: skip


def times_of(doctor: Doctor, patient: Patient, number: int) -> list[int]:
    doctor.set_hours(hours("tuesday", "08:00", "20:00"))
    return [time["slot_id"] for time in patient.times(doctor, until=TUESDAY)][:number]


def book_all(app: APIFlask, patient: Patient, ids: Sequence[int], *, with_keys: bool) -> list[int]:
    """Let the patient book all of them at once, and return the statuses, sorted."""
    calls = [
        booking(
            with_own_client(app, patient), slot_id, headers={"Idempotency-Key": f"key-{slot_id}"} if with_keys else {}
        )
        for slot_id in ids
    ]
    return sorted(answer.status_code for answer in at_once(calls))


@KEYS
@pytest.mark.parametrize("kind", ["slots", "times"])
@pytest.mark.parametrize("limit", [1, 3])
def test_twelve_bookings_at_once_reach_the_limit_and_no_more(
    make_app: MakeApp, kind: str, limit: int, *, with_keys: bool
) -> None:
    app = make_app(most_appointments_ahead=limit)
    api = Api(app.test_client())
    doctor, ada = api.doctor(), api.patient()
    ids = slots_of(doctor, 12) if kind == "slots" else times_of(doctor, ada, 12)
    assert book_all(app, ada, ids, with_keys=with_keys) == [201] * limit + [409] * (12 - limit)
    assert count(app, BOOKED) == limit
    assert count(app, NUMBERED) == 0


def test_two_bookings_at_the_limit_of_a_doctor_have_one_winner(make_app: MakeApp) -> None:
    app = make_app(most_appointments_ahead_per_doctor=2)
    api = Api(app.test_client())
    doctor, other, ada = api.doctor(), api.doctor("Dr. Stem"), api.patient()
    first, *rest = slots_of(doctor, 3)
    ada.book(first)
    beside = other.publish("18:00", "18:30")
    assert book_all(app, ada, [*rest, beside], with_keys=False) == [201, 201, 409]
    assert count(app, BOOKED) == 3


@KEYS
def test_twelve_changes_at_once_reach_the_number_of_an_hour_and_no_more(make_app: MakeApp, *, with_keys: bool) -> None:
    app = make_app(patient_changes_per_hour=5)
    api = Api(app.test_client())
    doctor, ada = api.doctor(), api.patient()
    assert book_all(app, ada, slots_of(doctor, 12), with_keys=with_keys) == [201] * 5 + [429] * 7
    assert (count(app, EVENTS), count(app, NUMBERED)) == (5, 0)


def test_bookings_moves_holds_and_cancellations_at_once_are_numbered_one_by_one(make_app: MakeApp) -> None:
    app = make_app(patient_changes_per_hour=1000)
    api = Api(app.test_client())
    doctor, ada = api.doctor(), api.patient()
    ids = slots_of(doctor, 16)
    mine = [ada.book(slot_id) for slot_id in ids[:6]]
    one = [with_own_client(app, ada) for _ in range(12)]
    calls = [moving(one[n], mine[n], ids[6 + n]) for n in range(3)]
    calls += [lambda n=n: one[n].cancel(mine[n]) for n in range(3, 6)]
    calls += [booking(one[n], ids[3 + n]) for n in range(6, 10)]
    calls += [holding(one[n], ids[3 + n]) for n in range(10, 12)]
    found = statuses(at_once(calls))
    assert set(found) <= {200, 201}, found
    assert (count(app, EVENTS), count(app, NUMBERED)) == (6 + 10, 0)


@ON_POSTGRESQL
def test_a_booking_that_waited_for_one_of_the_same_patient_counts_it(make_app: MakeApp) -> None:
    app = make_app(most_appointments_ahead=1)
    api = Api(app.test_client())
    doctor, ada = api.doctor(), api.patient()
    nine, ten = slots_of(doctor, 2)
    with ThreadPoolExecutor() as pool:
        with app.app_context(), transaction(writes=True) as db:
            accepted(bookings.book(db, nine, ada.id, NOW, Policies(), clinic_zone="UTC", in_steps=False))
            answer = pool.submit(booking(with_own_client(app, ada), ten))
            until_somebody_waits(db)
        assert answer.result(timeout=30).status_code == 409
    assert count(app, BOOKED) == 1
