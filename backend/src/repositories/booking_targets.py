"""What can be booked: published slots and computed times; and what an appointment there takes."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Date, bindparam, select

from src.domain.minutes import instant_of_minute, minute_after, minute_of
from src.domain.refusals import Refusal, why_not_bookable
from src.domain.wall_clock import wall_clock
from src.models import AvailabilitySlot, DoctorProfile, VisitType, VisitTypeVersion
from src.models.appointment import FIRST_COMPUTED_SLOT
from src.repositories import availability_repository as slots
from src.repositories import offered
from src.repositories.booking_sql import COPIED, typed
from src.repositories.offered import MINUTES_OF_VERSION, OF_VERSION, WHY_NOT


@dataclass(frozen=True)
class PublishedSlot:
    """A slot that a doctor published, bookable or not."""

    slot_id: int
    doctor_id: int
    doctor_user_id: int


@dataclass(frozen=True)
class ComputedTime:
    """A time for visits of one type, offered or not; `minutes` is the length, `time_zone` the doctor's zone."""

    slot_id: int
    version_id: int
    minute: int
    doctor_id: int
    doctor_user_id: int
    visit_type_id: int
    minutes: int
    time_zone: str

    def values(self, now: datetime, **more: int) -> dict[str, Any]:
        """Return the parameters of `offered` for this time, and those of its columns that the time itself decides."""
        starts_at = instant_of_minute(self.minute)
        ends_at = starts_at + timedelta(minutes=self.minutes)
        return {
            **offered.values(now, self.minute, self.minute + 1, **more),
            "version_id": self.version_id,
            "doctor_user_id": self.doctor_user_id,
            "minutes": self.minutes,
            "slot_id": self.slot_id,
            "doctor_id": self.doctor_id,
            "visit_type_id": self.visit_type_id,
            "starts_at": starts_at,
            "ends_at": ends_at,
            "time_zone": self.time_zone,
            "wall_start": wall_clock(starts_at, self.time_zone),
            "wall_end": wall_clock(ends_at, self.time_zone),
        }


Target = PublishedSlot | ComputedTime
# The columns of an appointment that are the target's.
Placement = dict[str, Any]

_PUBLISHED = (
    select(AvailabilitySlot.id, AvailabilitySlot.doctor_id, DoctorProfile.user_id)
    .join(DoctorProfile, DoctorProfile.id == AvailabilitySlot.doctor_id)
    .where(AvailabilitySlot.id == bindparam("slot_id"))
)
_COMPUTED = (
    select(
        VisitType.doctor_id,
        DoctorProfile.user_id,
        VisitType.id.label("visit_type_id"),
        VisitTypeVersion.minutes,
        DoctorProfile.time_zone,
    )
    .join(VisitType, VisitType.id == VisitTypeVersion.visit_type_id)
    .join(DoctorProfile, DoctorProfile.id == VisitType.doctor_id)
    .where(VisitTypeVersion.id == bindparam("version_id"))
)


def find(db: Connection, slot_id: int, clinic_zone: str) -> Target | None:
    """Return what has this id, or None."""
    if slot_id >= FIRST_COMPUTED_SLOT:
        return find_computed(db, slot_id, clinic_zone)
    row = db.execute(_PUBLISHED, {"slot_id": slot_id}).one_or_none()
    return None if row is None else PublishedSlot(*row)


def find_computed(db: Connection, slot_id: int, clinic_zone: str) -> ComputedTime | None:
    """Return the computed time with this id, or None if no visit type ever had it."""
    version_id, minute = divmod(slot_id, MINUTES_OF_VERSION)
    row = db.execute(_COMPUTED, {"version_id": version_id}).one_or_none()
    if row is None:
        return None
    doctor_id, doctor_user_id, visit_type_id, minutes, zone = row
    return ComputedTime(
        slot_id, version_id, minute, doctor_id, doctor_user_id, visit_type_id, minutes, zone or clinic_zone
    )


def place(db: Connection, target: Target, now: datetime, **who: int) -> Placement | Refusal:
    """Return what an appointment at the target takes, or why it cannot be there.

    `who` has the parameters `me`, `moving` and `by_staff` of `offered`. The caller has locked both people, so nobody
    takes anything after this has looked. Whether other appointments take the time of a published slot, and whether the
    patient is busy, the constraints decide.
    """
    if isinstance(target, PublishedSlot):
        return _place_at_slot(db, target, now)
    values = target.values(now, **who)
    row = db.execute(_PLACE[db.dialect.name], values).mappings().one_or_none()
    if row is None:
        refusal = db.execute(_WHY_NOT[db.dialect.name], values).scalar_one()
        # Whoever releases a hold locks only its patient, and may have done so between the two statements.
        row = db.execute(_PLACE[db.dialect.name], values).mappings().one_or_none() if refusal == "again" else None
        if row is None:
            return refusal
    return {name: values[name] for name in COPIED} | dict(row)


OF_PUBLISHED = {"seat": 1, "seats": 1, **dict.fromkeys(("visit_type_id", "day", "nth", "most_per_day", "place"))}


def _place_at_slot(db: Connection, target: PublishedSlot, now: datetime) -> Placement | Refusal:
    slot = slots.lock(db, target.slot_id)
    refusal = why_not_bookable(slot.status, slot.starts_at, now)
    if refusal is not None:
        return refusal
    columns = ("doctor_id", "starts_at", "ends_at", "time_zone", "wall_start", "wall_end")
    busy = {"busy_from": minute_of(slot.starts_at), "busy_until": minute_after(slot.ends_at)}
    placement = {"slot_id": slot.id, **{name: getattr(slot, name) for name in columns}, **busy}
    return placement | OF_PUBLISHED


_PLACE = {
    dialect: typed(
        f"WITH RECURSIVE {offered.offered(dialect, OF_VERSION)}"
        f" SELECT {', '.join(f'{sql} AS {name}' for name, sql in offered.COLUMNS.items())}"
        " FROM offered CROSS JOIN type"
    ).columns(day=Date())
    for dialect in ("postgresql", "sqlite")
}
_WHY_NOT = {
    dialect: typed(f"WITH RECURSIVE {offered.offered(dialect, OF_VERSION)} SELECT {WHY_NOT}")
    for dialect in ("postgresql", "sqlite")
}
