"""Whether the openings that are laid still follow from their hours."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any

from sqlalchemy import Connection, Row, bindparam, exists, select

from src.database.statements import limited
from src.domain.minutes import minute_of
from src.domain.openings import Opening as Wanted
from src.domain.schedule import Schedule
from src.models import DoctorProfile, Opening, User, WeeklyHours

_WITH_OPENINGS = (
    select(DoctorProfile.id, DoctorProfile.time_zone, DoctorProfile.openings_until)
    .join(User, User.id == DoctorProfile.user_id)
    .where(DoctorProfile.id > bindparam("after"), User.deleted_at.is_(None), DoctorProfile.openings_until.is_not(None))
    # Without weekly hours there are openings if the doctor has extra hours.
    .where(
        exists().where(WeeklyHours.doctor_id == DoctorProfile.id)
        | exists().where(Opening.doctor_id == DoctorProfile.id)
    )
    .order_by(DoctorProfile.id)
)


def list_doctors(db: Connection, after: int, limit: int) -> Sequence[Row[Any]]:
    """Return (id, time_zone, openings_until) of the next doctors after an id who have openings, or hours for them."""
    return db.execute(limited(_WITH_OPENINGS, limit), {"after": after}).all()


_LAID = select(
    Opening.day,
    Opening.from_minute,
    Opening.until_minute,
    Opening.runs_until,
    Opening.visit_type_id,
    Opening.place,
).where(Opening.doctor_id == bindparam("doctor_id"))


def count_changed(db: Connection, doctor_id: int, schedule: Schedule, until: date | None) -> int:
    """Count the doctor's openings that are laid and do not follow from the schedule, or the reverse if more are.

    `until` is the last day that openings were laid for: later ones are not missing.
    """
    today, minute = schedule.today, minute_of(schedule.now)
    rows = (Wanted(*row) for row in db.execute(_LAID, {"doctor_id": doctor_id}))
    laid = {opening for opening in rows if opening.day >= today or opening.until_minute > minute}
    wanted = {opening for opening in schedule.openings() if until is not None and opening.day <= until}
    return max(len(laid - wanted), len(wanted - laid))
