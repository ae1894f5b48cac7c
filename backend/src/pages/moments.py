"""Moments as people read them, and the last one at which an appointment can be changed."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from src.domain.policies import in_time
from src.domain.wall_clock import local


@dataclass(frozen=True)
class Moment:
    """A day as YYYY-MM-DD, and HH:MM on it."""

    date: str
    time: str

    @classmethod
    def of(cls, at: datetime, zone: str) -> Moment:
        """Return the moment on the clocks of the zone."""
        wall = local(at, zone)
        return cls(wall.date().isoformat(), f"{wall:%H:%M}")


@dataclass(frozen=True)
class Limit:
    """Until when a patient can cancel or move an appointment: `until` is None if that is until it begins."""

    until: Moment | None
    is_over: bool

    @classmethod
    def of(cls, starts_at: str, zone: str, notice: int, now: datetime) -> Limit:
        begin = datetime.fromisoformat(starts_at)
        until = Moment.of(begin - timedelta(minutes=notice), zone) if notice else None
        return cls(until, not in_time(begin, now, notice))
