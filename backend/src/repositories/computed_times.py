"""Computed times, which have an id but no row."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, bindparam, select

from src.domain.minutes import instant_of_minute
from src.domain.wall_clock import wall_clock
from src.models import DoctorProfile, VisitType, VisitTypeVersion
from src.models.appointment import FIRST_COMPUTED_SLOT
from src.repositories import offered
from src.repositories.offered import MINUTES_OF_VERSION


@dataclass(frozen=True)
class ComputedTime:
    """A time of a doctor for visits of one type, offered or not. `time_zone` is the doctor's, `minutes` the length."""

    slot_id: int
    version_id: int
    minute: int
    doctor_id: int
    doctor_user_id: int
    visit_type_id: int
    minutes: int
    time_zone: str

    def values(self, now: datetime, **more: Any) -> dict[str, Any]:
        """Return the parameters of `offered` for this time, and what an appointment copies."""
        starts_at = instant_of_minute(self.minute)
        ends_at = starts_at + timedelta(minutes=self.minutes)
        return {
            **offered.values(now, self.minute, self.minute + 1, version_id=self.version_id),
            "slot_id": self.slot_id,
            "doctor_id": self.doctor_id,
            "doctor_user_id": self.doctor_user_id,
            "visit_type_id": self.visit_type_id,
            "minutes": self.minutes,
            "starts_at": starts_at,
            "ends_at": ends_at,
            "time_zone": self.time_zone,
            "wall_start": wall_clock(starts_at, self.time_zone),
            "wall_end": wall_clock(ends_at, self.time_zone),
            **more,
        }


def is_computed(slot_id: int) -> bool:
    """Say whether the id is that of a computed time, not of a published slot."""
    return slot_id >= FIRST_COMPUTED_SLOT


_FIND = (
    select(
        VisitType.doctor_id,
        DoctorProfile.user_id,
        DoctorProfile.time_zone,
        VisitType.id.label("visit_type_id"),
        VisitTypeVersion.minutes,
    )
    .join(VisitType, VisitType.id == VisitTypeVersion.visit_type_id)
    .join(DoctorProfile, DoctorProfile.id == VisitType.doctor_id)
    .where(VisitTypeVersion.id == bindparam("version_id"))
)


def find(db: Connection, slot_id: int, clinic_zone: str) -> ComputedTime | None:
    """Return the time with this id, whoever may book it; None if no visit type has it."""
    version_id, minute = divmod(slot_id, MINUTES_OF_VERSION)
    row = db.execute(_FIND, {"version_id": version_id}).one_or_none()
    if row is None:
        return None
    zone = row.time_zone or clinic_zone
    return ComputedTime(slot_id, version_id, minute, row.doctor_id, row.user_id, row.visit_type_id, row.minutes, zone)
