"""Move what is ahead of a doctor to the instants of its wall clock, and lay the openings anew."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Connection

from src.domain.wall_clock import first_showing, instant_of, wall_clock
from src.errors_of_appointments import BadSlot
from src.repositories import ahead_repository as ahead
from src.repositories import doctor_repository as doctors
from src.repositories import holds, laid_openings
from src.repositories import opening_repository as openings
from src.repositories.ahead_repository import Ahead, Span, Times
from src.repositories.zone_moves import move
from src.tasks.zone_report import OfDoctor, is_outside, stays


def move_all(db: Connection, doctor_id: int, now: datetime, clinic_zone: str) -> OfDoctor:
    """Move what is ahead and lay the openings anew, in one transaction: times are computed from both."""
    doctor = doctors.find(db, doctor_id)
    done = OfDoctor(f"{doctor.name} (doctor {doctor_id})")
    holds.release_expired(db, doctor_id, now)
    staying = _move(db, doctor_id, now, done)
    done.staying = [stays(doctor.name, one, reason) for one, reason in staying.items()]
    if doctor.deleted_at is None:
        schedule = openings.schedule_of(db, doctor_id, doctor.time_zone or clinic_zone, now)
        done.openings = laid_openings.count_changed(db, doctor_id, schedule, doctor.openings_until)
        if done.openings:
            openings.lay(db, doctor_id, schedule)
        listed = {taker.id for one in staying for taker in one.takers}
        booked = openings.booked_ahead(db, doctor_id, now)
        computed = [row for row in booked if row.visit_type_id is not None and row.id not in listed]
        done.outside = [is_outside(doctor.name, row) for row in schedule.affected(computed)]
    return done


def _move(db: Connection, doctor_id: int, now: datetime, done: OfDoctor) -> dict[Ahead, str]:
    """Move what is ahead and count it in `done`; return what stays, and why."""
    wanted: dict[Ahead, Span] = {}
    staying: dict[Ahead, str] = {}
    for one in ahead.list_of_doctor(db, doctor_id, now):
        span = new_span(one.times)
        if isinstance(span, str):
            staying[one] = span
        elif span != one.times.span:
            wanted[one] = span
    refused = move(db, wanted) if wanted else set[Ahead]()
    staying |= {one: "Another slot or appointment has that time." for one in wanted if one in refused}
    for one in wanted:
        if one not in refused:
            held = sum(taker.is_held for taker in one.takers)
            done.slots += not one.times.is_computed
            done.appointments += len(one.takers) - held
            done.holds += held
    return staying


def new_span(times: Times) -> Span | str:
    """Return the instants of the wall clock, or why it has none: the clocks skip that time by new rules.

    A published slot keeps its wall clock, and stays if the clocks repeat it. A computed time keeps its start on the
    wall clock, which is the first one if the clocks repeat it, like all openings, and its length in real minutes.
    """
    zone = times.time_zone
    try:
        if not times.is_computed:
            return Span(instant_of(times.wall_start, zone), instant_of(times.wall_end, zone), times.wall_end)
        starts_at = first_showing(times.wall_start, zone)
    except BadSlot as reason:
        return str(reason)
    ends_at = starts_at + (times.ends_at - times.starts_at)
    return Span(starts_at, ends_at, wall_clock(ends_at, zone))
