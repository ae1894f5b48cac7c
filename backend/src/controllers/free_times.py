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


def page(ctx: Context[Caller | None], doctor_id: int, query: FreeWanted) -> FreeSlots:
    """Read the published slots and the computed times, as far as the query wants them, and merge them."""
    begin, end = query.window(ctx.now, _zone(ctx, doctor_id, query))
    start = begin if query.cursor is None else max(begin, query.cursor.minute)
    me, most = user_id_of(ctx.actor), query.limit + SPARE
    slots: Sequence[Row[Any]] = []
    if query.visit_type is None:
        slots = free_times.list_published(ctx.db, doctor_id, me, ctx.now, (start, NEVER if end is None else end), most)
    times: Sequence[Row[Any]] = []
    if not slots or slots[0].has_openings:
        until = begin + MINUTES_AT_ONCE if end is None else end
        times = free_times.list_computed(ctx.db, doctor_id, query.visit_type, me, ctx.now, (start, until), most)
    zone = ctx.settings.clinic_time_zone
    if (slots and times) or query.cursor is not None or max(len(slots), len(times)) > query.limit:
        return _merged(slots, times, query, zone)
    published = [FreeSlot.of_published(row) for row in slots]
    return FreeSlots.of_rows(published or [FreeSlot.of_computed(row, zone) for row in times], next_cursor=None)


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


def _zone(ctx: Context[Caller | None], doctor_id: int, query: FreeWanted) -> str:
    """Return the doctor's time zone if the query has days of it."""
    if query.from_ is query.until is None:
        return ctx.settings.clinic_time_zone
    found = doctors.find_zone(ctx.db, doctor_id)
    if found is None:
        raise DoctorNotFound
    return found.time_zone or ctx.settings.clinic_time_zone
