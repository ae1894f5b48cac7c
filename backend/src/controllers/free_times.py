"""One page of what can be booked of a doctor."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Row

from src.context import Caller, Context, user_id_of
from src.domain.minutes import minute_of
from src.errors_of_appointments import DoctorNotFound
from src.repositories import doctor_repository as doctors
from src.repositories import free_times_repository as free_times
from src.repositories.free_times_repository import MINUTES_AT_ONCE
from src.schemas.availability import FreeSlot, FreeSlots, FreeWanted, TimeCursor

# Later than every slot: the last minute of the year 9998.
NEVER = 4_196_000_000
# A page also reads those that begin at the same minute as the one that the cursor names.
SPARE = 3


def page(ctx: Context[Caller | None], doctor_id: int, query: FreeWanted, moving: int = 0) -> FreeSlots:
    """Read the published slots and the computed times, as far as the query wants them, and merge them.

    They are free for whoever moves the appointment `moving`, which does not take its own time. The days of a query are
    in the doctor's time zone, which most often is the clinic's. The computed times tell which one it is, so only the
    times of a doctor in another zone are read twice.
    """
    zone = ctx.settings.clinic_time_zone
    slots, times = _read(ctx, doctor_id, query, zone, moving)
    if query.from_ is not None or query.until is not None:
        doctors_zone = _zone(ctx, doctor_id, times)
        if doctors_zone != zone:
            slots, times = _read(ctx, doctor_id, query, doctors_zone, moving)
    if (slots and times) or query.cursor is not None or max(len(slots), len(times)) > query.limit:
        return _merged(slots, times, query, zone)
    published = [FreeSlot.of_published(row) for row in slots]
    return FreeSlots.of_rows(published or [FreeSlot.of_computed(row, zone) for row in times], next_cursor=None)


def _read(
    ctx: Context[Caller | None], doctor_id: int, query: FreeWanted, zone: str, moving: int
) -> tuple[Sequence[Row[Any]], Sequence[Row[Any]]]:
    """Return the published slots and the computed times on the days of the query in this time zone."""
    begin, end = query.window(ctx.now, zone)
    start = begin if query.cursor is None else max(begin, query.cursor.minute)
    me, most = user_id_of(ctx.actor), query.limit + SPARE
    slots: Sequence[Row[Any]] = []
    if query.visit_type is None:
        window = (start, NEVER if end is None else end)
        slots = free_times.list_published(ctx.db, doctor_id, me, ctx.now, window, most, moving)
    if slots and not slots[0].has_openings:
        return slots, []
    window = (start, begin + MINUTES_AT_ONCE if end is None else end)
    return slots, free_times.list_computed(ctx.db, doctor_id, query.visit_type, me, ctx.now, window, most, moving)


def _zone(ctx: Context[Caller | None], doctor_id: int, times: Sequence[Row[Any]]) -> str:
    """Return the doctor's time zone, which each computed time has."""
    found = times[0] if times else doctors.find_zone(ctx.db, doctor_id)
    if found is None:
        raise DoctorNotFound
    return found.time_zone or ctx.settings.clinic_time_zone


def _merged(slots: Sequence[Row[Any]], times: Sequence[Row[Any]], query: FreeWanted, zone: str) -> FreeSlots:
    """Return the page that follows the cursor, in the order of starts, then of ids."""
    found = [(minute_of(row.starts_at), row.id, FreeSlot.of_published(row)) for row in slots]
    found += [(row.minute, row.slot_id, FreeSlot.of_computed(row, zone)) for row in times]
    found.sort()
    after = query.cursor or (0, 0)
    following = [one for one in found if one[:2] > after]
    shown = following[: query.limit]
    more = str(TimeCursor(*shown[-1][:2])) if len(following) > query.limit else None
    return FreeSlots.of_rows([fields for _, _, fields in shown], next_cursor=more)
