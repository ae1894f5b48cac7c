"""Which number an appointment has among those of its visit type on a day, where the day has a limit."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from itertools import count

from sqlalchemy import Connection, bindparam, case, select

from src.models import Appointment
from src.models.appointment import HELD
from src.repositories.booking_sql import typed
from src.repositories.offered import COUNTS

_OF_DAY = select(
    Appointment.nth,
    case(((Appointment.status == HELD) & (Appointment.patient_id == bindparam("owner")), 1), else_=0).label("is_own"),
).where(Appointment.visit_type_id == bindparam("visit_type_id"), Appointment.day == bindparam("day"), typed(COUNTS))


@dataclass(frozen=True)
class OfDay:
    """The numbers on a day: of the patient's own holds, and of all else; None if it had no limit then."""

    own: frozenset[int | None]
    others: list[int | None]

    def number(self, limit: int) -> int:
        """Return the smallest number that is free, beside the patient's holds if the limit allows it."""
        beside = _smallest_free({*self.others, *self.own})
        return beside if beside <= limit else _smallest_free(self.others)


def find(db: Connection, visit_type_id: int, day: date, patient_id: int, now: datetime, moving: int = 0) -> OfDay:
    """Return what counts on the day for this patient, without the appointment `moving`."""
    which = {"visit_type_id": visit_type_id, "day": day, "owner": patient_id}
    # Nobody is `me`, so that the patient's own holds are found.
    rows = db.execute(_OF_DAY, which | {"now": now, "me": 0, "moving": moving}).all()
    return OfDay(frozenset(nth for nth, is_own in rows if is_own), [nth for nth, is_own in rows if not is_own])


def _smallest_free(numbers: Iterable[int | None]) -> int:
    taken = set(numbers)
    return next(number for number in count(1) if number not in taken)
