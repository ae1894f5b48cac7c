"""Recomputing instants while people book."""

from __future__ import annotations

from collections.abc import Callable, Generator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from datetime import datetime, timezone
from pathlib import Path

import pytest
from apiflask import APIFlask
from sqlalchemy import Connection
from werkzeug.test import TestResponse

from src.context import Transaction
from src.database.transaction import transaction
from src.domain.policies import Policies
from src.domain.refusals import accepted
from src.repositories import ahead_repository, booking_repository, zone_locks
from src.repositories.ahead_repository import Span
from src.repositories.zone_moves import move
from src.tasks import zones
from src.tasks.zone_report import Recomputed
from tests.conftest import ON_POSTGRESQL, StillClock
from tests.people import Api, hours
from tests.races.crowd import until_somebody_waits
from tests.zone_rules import changeable_rules

pytestmark = pytest.mark.unguarded


@ON_POSTGRESQL
def test_a_patient_who_books_meanwhile_is_locked_too(app: APIFlask, api: Api, clock: StillClock) -> None:
    doctor, ada = api.doctor(), api.patient()
    slot_id = doctor.publish()

    def lock() -> bool:
        with app.app_context(), transaction(writes=True) as db:
            return zone_locks.lock_doctor(db, doctor.doctor_id, clock())

    with ThreadPoolExecutor() as pool:
        with app.app_context(), transaction(writes=True) as db:
            accepted(
                booking_repository.book(db, slot_id, ada.id, clock(), Policies(), clinic_zone="UTC", in_steps=True)
            )
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
            zone_locks.lock_zones(db)
            assert zone_locks.lock_doctor(db, doctor.doctor_id, clock())
            booked = pool.submit(ada.book, slot_id)
            until_somebody_waits(db)
            [slot] = ahead_repository.list_of_doctor(db, doctor.doctor_id, clock())
            starts_at, ends_at, wall_end = slot.times.span
            later = Span(starts_at.replace(hour=12), ends_at.replace(hour=12), wall_end)
            assert move(db, {slot: later}) == set()
        appointment_id = booked.result(timeout=30)
    assert ada.get(f"/appointments/{appointment_id}").get_json()["starts_at"].startswith("2030-03-05T09:00:00-03:00")


VANCOUVER = "America/Vancouver"
TUESDAY = "2026-11-17"


def pausing(before_commit: Callable[[Connection], None]) -> Transaction:
    """Return a `transaction` that calls the function before the first commit of a transaction that writes."""
    calls = [before_commit]

    @contextmanager
    def paused(*, writes: bool) -> Generator[Connection]:
        with transaction(writes=writes) as db:
            yield db
            if writes and calls:
                calls.pop()(db)

    return paused


@ON_POSTGRESQL
@pytest.mark.parametrize(("until", "status"), [("10:00", 409), ("11:00", 201)])
def test_who_books_a_computed_time_meanwhile_gets_it_by_the_new_openings(
    app: APIFlask, api: Api, clock: StillClock, tmp_path: Path, until: str, status: int
) -> None:
    clock.now = datetime(2026, 10, 5, 12, 0, tzinfo=timezone.utc)
    with changeable_rules(tmp_path / "zones") as change, ThreadPoolExecutor() as pool, app.app_context():
        change(VANCOUVER, "America/Los_Angeles")
        doctor, ada, ben = api.doctor(time_zone=VANCOUVER), api.patient("Ada"), api.patient("Ben")
        kind = doctor.add_visit_type("Hour", minutes=60)
        doctor.set_hours(hours("tuesday", "09:00", until), time_zone=VANCOUVER)
        wanted = [time["slot_id"] for time in ada.times(doctor, visit_type=kind, from_=TUESDAY, until=TUESDAY)]
        change(VANCOUVER, "America/Phoenix")
        booking: list[Future[TestResponse]] = []

        def book(db: Connection) -> None:
            booking.append(pool.submit(ada.post, "/appointments", {"slot_id": wanted[0]}))
            until_somebody_waits(db)

        assert zones.recompute(zones.Run(pausing(book), clock(), "2026.6", "UTC")) is not None
        assert booking[0].result(timeout=30).status_code == status
        # The time with this id was at 09:00, and is at 10:00 now.
        free = {time["start_time"] for time in ben.times(doctor, visit_type=kind, from_=TUESDAY, until=TUESDAY)}
        assert free == {"09:00"}
        mine = ada.get("/appointments/my").get_json()["data"]
        assert [one["starts_at"] for one in mine] == [f"{TUESDAY}T10:00:00-07:00"] * (status == 201)


@ON_POSTGRESQL
@pytest.mark.parametrize("path", ["/appointments", "/holds"])
def test_a_computed_time_that_was_taken_before_the_lock_moves_too(
    app: APIFlask, api: Api, clock: StillClock, tmp_path: Path, path: str
) -> None:
    clock.now = datetime(2026, 10, 5, 12, 0, tzinfo=timezone.utc)
    with changeable_rules(tmp_path / "zones") as change, ThreadPoolExecutor() as pool, app.app_context():
        change(VANCOUVER, "America/Los_Angeles")
        doctor, ada = api.doctor(time_zone=VANCOUVER), api.patient("Ada")
        doctor.set_hours(hours("tuesday", "09:00", "12:00"), time_zone=VANCOUVER)
        [wanted, *_] = [time["slot_id"] for time in ada.times(doctor, from_=TUESDAY, until=TUESDAY)]
        zone = {"clinic_zone": "UTC"}
        with transaction(writes=True) as db:
            if path == "/appointments":
                accepted(booking_repository.book(db, wanted, ada.id, clock(), Policies(), in_steps=True, **zone))
            else:
                accepted(
                    booking_repository.hold(db, wanted, ada.id, clock(), Policies(), clock().replace(hour=13), **zone)
                )
            change(VANCOUVER, "America/Phoenix")

            def recompute() -> Recomputed | None:
                with app.app_context():
                    return zones.recompute(zones.Run(transaction, clock(), "2026.6", "UTC"))

            recomputing = pool.submit(recompute)
            until_somebody_waits(db)
        done = recomputing.result(timeout=30)
        assert done is not None
        assert [doctor.appointments + doctor.holds for doctor in done.changed] == [1]
        with transaction(writes=False) as db:
            [taken] = ahead_repository.list_of_doctor(db, doctor.doctor_id, clock())
        assert taken.slot_id == wanted - 60
        assert taken.times.starts_at == datetime(2026, 11, 17, 16, tzinfo=timezone.utc)
