"""The only place that asks the system what time it is."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timezone

Clock = Callable[[], datetime]


def system_clock() -> datetime:
    """Return the present instant, aware, in UTC."""
    return datetime.now(timezone.utc)  # noqa: TID251 - the one allowed reader of the clock
