"""Recomputing instants while people book."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest
from apiflask import APIFlask

from src.database.transaction import transaction
from src.domain.refusals import accepted
from src.repositories import booking_repository, zone_repository
from tests.conftest import StillClock
from tests.people import Api
from tests.races.test_races import ON_POSTGRESQL, until_somebody_waits

pytestmark = pytest.mark.unguarded


@ON_POSTGRESQL
def test_a_patient_who_books_meanwhile_is_locked_too(app: APIFlask, api: Api, clock: StillClock) -> None:
    doctor, ada = api.doctor(), api.patient()
    slot_id = doctor.publish()

    def lock() -> bool:
        with app.app_context(), transaction(writes=True) as db:
            return zone_repository.lock_doctor(db, doctor.doctor_id, clock())

    with ThreadPoolExecutor() as pool:
        with app.app_context(), transaction(writes=True) as db:
            accepted(booking_repository.book(db, slot_id, ada.id, clock(), clinic_zone="UTC", in_steps=True))
            locked = pool.submit(lock)
            until_somebody_waits(db)
        # The patients were read before the booking was committed: lock all accounts anew, in the order of their ids.
        assert locked.result(timeout=30) is False
    assert lock() is True


@ON_POSTGRESQL
def test_nobody_books_while_a_doctors_instants_are_recomputed(app: APIFlask, api: Api, clock: StillClock) -> None:
    doctor, ada = api.doctor(), api.patient()
    slot_id = doctor.publish()
    with ThreadPoolExecutor() as pool:
        with app.app_context(), transaction(writes=True) as db:
            zone_repository.lock_zones(db)
            assert zone_repository.lock_doctor(db, doctor.doctor_id, clock())
            booked = pool.submit(ada.book, slot_id)
            until_somebody_waits(db)
            [slot] = zone_repository.slots_ahead(db, doctor.doctor_id, clock())
            later = (slot.times.starts_at.replace(hour=12), slot.times.ends_at.replace(hour=12))
            assert zone_repository.move(db, {slot: later}) == set()
        appointment_id = booked.result(timeout=30)
    assert ada.get(f"/appointments/{appointment_id}").get_json()["starts_at"].startswith("2030-03-05T09:00:00-03:00")
