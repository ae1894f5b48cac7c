"""Keep openings laid as far ahead as visits can be booked, though nobody changes anything."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row

from config import Settings
from src.context import Transaction
from src.domain.schedule import last_day
from src.domain.wall_clock import local
from src.repositories import hours_repository as hours
from src.repositories import opening_repository as openings
from src.repositories import visit_type_repository as visit_types

DOCTORS_OF_A_PAGE = 500
# Few, because bookings with these doctors wait, and on SQLite all writes.
DOCTORS_OF_A_TRANSACTION = 10


def extend(transaction: Transaction, now: datetime, settings: Settings, *, anew: bool = False) -> Iterator[int]:
    """Lay openings for doctors who lack those of a last day, or with `anew` for all doctors.

    Yields the number of doctors after each transaction. If it is killed, the next run continues.
    """
    after = 0
    while True:
        with transaction(writes=False) as db:
            page = openings.list_doctors(db, after, DOCTORS_OF_A_PAGE)
        if not page:
            return
        after = page[-1].id
        # All transactions lock accounts in the order of their ids.
        due = sorted((row for row in page if anew or _is_due(row, now, settings)), key=lambda row: row.user_id)
        for first in range(0, len(due), DOCTORS_OF_A_TRANSACTION):
            chunk = due[first : first + DOCTORS_OF_A_TRANSACTION]
            with transaction(writes=True) as db:
                for row in chunk:
                    _lay(db, row, now, settings)
            yield len(chunk)


def _is_due(row: Row[Any], now: datetime, settings: Settings) -> bool:
    today = local(now, row.time_zone or settings.clinic_time_zone).date()
    return row.visit_types == 0 or row.openings_until is None or row.openings_until < last_day(today, row.horizon)


def _lay(db: Connection, row: Row[Any], now: datetime, settings: Settings) -> None:
    locked = hours.lock(db, row.user_id, row.id)
    if locked is None:
        return
    # A server of the version before 0013 registered the doctor.
    if row.visit_types == 0 and not visit_types.any_exist(db, row.id):
        visit_types.add_first(db, row.id, now)
    zone = locked.time_zone or settings.clinic_time_zone
    openings.lay(db, row.id, openings.schedule_of(db, row.id, zone, now))
