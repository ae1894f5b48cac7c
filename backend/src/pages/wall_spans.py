"""Stretches of time of an answer on the clocks of one zone, for the table of a week."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any, Literal

from src.domain.wall_clock import ONE_DAY, first_instant, wall_clock
from src.pages.week_grid import Stretch

Change = Literal["forward", "back"]


def instants(row: dict[str, Any], prefix: str = "") -> tuple[datetime, datetime]:
    """Return when a WallClockSpan begins and ends."""
    return datetime.fromisoformat(row[f"{prefix}starts_at"]), datetime.fromisoformat(row[f"{prefix}ends_at"])


def wall(row: dict[str, Any], zone: str, prefix: str = "") -> tuple[datetime, datetime]:
    """Return what the clocks of `zone` show when a WallClockSpan begins and ends."""
    begin, end = instants(row, prefix)
    if row["time_zone"] == zone:
        return begin.replace(tzinfo=None), end.replace(tzinfo=None)
    return wall_clock(begin, zone), wall_clock(end, zone)


def stretch(row: dict[str, Any], zone: str, what: Any = None, prefix: str = "") -> Stretch:
    """Return the stretch of a WallClockSpan. Where the clocks go back before its end, it is as long as it lasts."""
    begin, end = wall(row, zone, prefix)
    starts_at, ends_at = instants(row, prefix)
    return Stretch(begin, end if begin < end else begin + (ends_at - starts_at), what)


def clock_changes(days: Sequence[date], zone: str) -> dict[date, Change]:
    """Return the days on which the clocks change."""
    changes: dict[date, Change] = {}
    for day in days:
        lasts = first_instant(day + ONE_DAY, zone) - first_instant(day, zone)
        if lasts != ONE_DAY:
            changes[day] = "forward" if lasts < ONE_DAY else "back"
    return changes
