"""Fill the wall clocks of slots and appointments that have only instants."""

from __future__ import annotations

from datetime import datetime
from functools import cache
from typing import Any

from sqlalchemy import Connection, DateTime, Row, String, TableClause, bindparam, column, select, table, update

from src.domain.wall_clock import wall_clock
from src.models.base import Id, Instant

FILLED = ("availability_slots", "appointments")


@cache
def _columns(name: str) -> TableClause:
    return table(
        name,
        column("id", Id),
        column("starts_at", Instant()),
        column("ends_at", Instant()),
        column("time_zone", String()),
        column("wall_start", DateTime()),
        column("wall_end", DateTime()),
    )


def fill_chunk(db: Connection, name: str, after: int, limit: int) -> tuple[int | None, int]:
    """Fill the next `limit` empty rows after the id `after`.

    Returns the last id that was filled, or None when no empty rows follow, and the number of filled rows.

    It locks the rows in the order of their ids and skips those that another transaction has locked.
    """
    rows = _columns(name)
    query = (
        select(rows.c.id, rows.c.starts_at, rows.c.ends_at, rows.c.time_zone)
        .where(rows.c.wall_start.is_(None), rows.c.id > after)
        .order_by(rows.c.id)
        .limit(limit)
        .with_for_update(key_share=True, skip_locked=True)
    )
    empty = db.execute(query).all()
    if not empty:
        return None, 0
    statement = (
        update(rows)
        .where(rows.c.id == bindparam("row_id"))
        .values(wall_start=bindparam("start"), wall_end=bindparam("end"))
    )
    db.execute(statement, [_filled(row) for row in empty])
    return empty[-1].id, len(empty)


def _filled(row: Row[Any]) -> dict[str, int | datetime]:
    start, end = wall_clock(row.starts_at, row.time_zone), wall_clock(row.ends_at, row.time_zone)
    return {"row_id": row.id, "start": start, "end": end}
