"""Two demo appointments, and a closure that was added after they were booked."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import Connection

from src.domain.minutes import instant_of_minute, minute_of
from src.domain.openings import HoursException
from src.domain.policies import Policies
from src.domain.refusals import accepted
from src.domain.wall_clock import wall_clock
from src.repositories import booking_repository as bookings
from src.repositories import exception_repository as exceptions
from src.repositories import free_times_repository as free_times
from src.repositories import opening_repository as openings

# Minutes of the day.
AFTERNOON = (13 * 60, 16 * 60)
DAYS_AHEAD = 3
FEW_DAYS = timedelta(days=14)
MOST_TIMES = 500


def leave_outside(db: Connection, doctor_id: int, zone: str, patients: Sequence[int], now: datetime) -> None:
    """Book a time for each patient in the afternoon of one day, then close that afternoon.

    It is the first day at least DAYS_AHEAD days from now on which the doctor has so many times in the afternoon. The
    caller has locked the doctor's account.
    """
    window = (minute_of(now + timedelta(days=DAYS_AHEAD)), minute_of(now + FEW_DAYS))
    times = free_times.list_computed(db, doctor_id, None, 0, now, window, MOST_TIMES)
    begin, _ = AFTERNOON
    starts = [(wall_clock(instant_of_minute(time.minute), zone), time.slot_id) for time in times]
    late = [(start.date(), slot_id) for start, slot_id in starts if start.hour * 60 + start.minute >= begin]
    # The first day may be under way.
    day = late[len(patients)][0]
    for patient_id, slot_id in zip(patients, [slot_id for date, slot_id in late if date == day], strict=False):
        accepted(bookings.book(db, slot_id, patient_id, now, Policies(), clinic_zone=zone, in_steps=True))
    exceptions.add(db, doctor_id, HoursException(True, day, day, *AFTERNOON), "Training", now)
    openings.lay(db, doctor_id, openings.schedule_of(db, doctor_id, zone, now))
