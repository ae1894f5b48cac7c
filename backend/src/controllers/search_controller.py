"""Finding a time of any doctor."""

from __future__ import annotations

from src.context import Caller, Context, user_id_of
from src.repositories import search_repository as searching
from src.repositories.search_repository import Criteria
from src.schemas.availability import LAST_DAY, TimeCursor
from src.schemas.search import FoundSlot, FoundSlots, SlotsWanted


def search(ctx: Context[Caller | None], query: SlotsWanted) -> FoundSlots:
    """Find what can be booked of all doctors, the earliest first: just what their lists have, merged.

    With the setting `PUBLIC_SEARCH` nobody needs to be logged in. Times that the caller holds are found, too.
    """
    criteria = Criteria(
        query.doctor_id,
        query.specialization,
        query.visit_type,
        query.from_,
        query.until and min(query.until, LAST_DAY),
        query.part_of_day,
    )
    me, zone = user_id_of(ctx.actor), ctx.settings.clinic_time_zone
    rows = searching.search(ctx.db, criteria, me, ctx.now, zone, after=query.cursor, most=query.limit + 1)
    shown = rows[: query.limit]
    next_cursor = str(TimeCursor(shown[-1].minute, shown[-1].slot_id)) if len(rows) > query.limit else None
    return FoundSlots.of_rows([FoundSlot.of_row(row) for row in shown], next_cursor=next_cursor)
