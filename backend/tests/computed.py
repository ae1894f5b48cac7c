"""Appointments for computed times, and openings, as they are in the database."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from apiflask import APIFlask
from sqlalchemy import insert, select, update

from src.database.transaction import transaction
from src.domain.minutes import instant_of_minute, minute_of
from src.domain.wall_clock import instant_of, wall_clock
from src.models import Appointment, Opening, VisitTypeVersion
from tests.people import Doctor, Patient


def book_computed(
    app: APIFlask,
    doctor: Doctor,
    patient: Patient,
    visit_type_id: int,
    wall_start: str,
    zone: str = "UTC",
    minutes: int = 30,
    **columns: Any,
) -> int:
    """Write a booked appointment for a computed time, and return its id."""
    starts_at = instant_of(datetime.fromisoformat(wall_start), zone)
    ends_at = starts_at + timedelta(minutes=minutes)
    with app.app_context(), transaction(writes=True) as db:
        versions = select(VisitTypeVersion.id).where(VisitTypeVersion.visit_type_id == visit_type_id)
        version = max(db.scalars(versions))
        values = {
            "slot_id": version * 2**24 + minute_of(starts_at),
            "doctor_id": doctor.doctor_id,
            "patient_id": patient.id,
            "visit_type_id": visit_type_id,
            "starts_at": starts_at,
            "ends_at": ends_at,
            "time_zone": zone,
            "wall_start": wall_clock(starts_at, zone),
            "wall_end": wall_clock(ends_at, zone),
            "busy_from": minute_of(starts_at),
            "busy_until": minute_of(ends_at),
            "booked_at": starts_at,
        }
        return db.scalars(insert(Appointment).values(values | columns).returning(Appointment.id)).one()


def openings(app: APIFlask, doctor: Doctor) -> list[tuple[str, str, int | None, str | None]]:
    """Return begin and end in UTC, visit type and place of the doctor's openings, by time."""
    query = (
        select(Opening.from_minute, Opening.until_minute, Opening.visit_type_id, Opening.place)
        .where(Opening.doctor_id == doctor.doctor_id)
        .order_by(Opening.from_minute, Opening.visit_type_id)
    )
    with app.app_context(), transaction(writes=False) as db:
        return [(_shown(begin), _shown(end), kind, place) for begin, end, kind, place in db.execute(query)]


def opening_ids(app: APIFlask, doctor: Doctor) -> dict[str, int]:
    """Return the ids of the doctor's openings by their begin."""
    query = select(Opening.from_minute, Opening.id).where(Opening.doctor_id == doctor.doctor_id)
    with app.app_context(), transaction(writes=False) as db:
        return {_shown(begin): number for begin, number in db.execute(query)}


def set_columns(app: APIFlask, model: Any, row_id: int, **values: Any) -> None:
    with app.app_context(), transaction(writes=True) as db:
        db.execute(update(model).where(model.id == row_id).values(**values))


def _shown(minute: int) -> str:
    return f"{instant_of_minute(minute):%Y-%m-%d %H:%M}"
