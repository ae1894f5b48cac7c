"""What a clinic and its doctors allow their patients. Doctors may always cancel and move."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

HOUR = timedelta(hours=1)
# A leap year, in minutes.
LONGEST_NOTICE = 366 * 24 * 60


@dataclass(frozen=True)
class Policies:
    """What the clinic allows a patient; None is no limit.

    `cancellation_notice` says, in minutes, how long before its start an appointment can be cancelled or moved at the
    latest. `most_ahead` is the number of booked appointments that have not begun, and `most_ahead_with_doctor` that
    with one doctor. `changes_per_hour` counts bookings, moves and cancellations by the patient. Doctors may have a
    `cancellation_notice` and a `most_ahead_with_doctor` of their own.
    """

    cancellation_notice: int = 0
    most_ahead: int | None = None
    most_ahead_with_doctor: int | None = None
    changes_per_hour: int | None = None


def in_time(starts_at: datetime, now: datetime, notice: int) -> bool:
    """Return whether it is early enough to cancel or move, `notice` minutes before the start at the latest."""
    return now < starts_at and now <= starts_at - timedelta(minutes=notice)
