"""What can go wrong with visit types, hours and exceptions."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from src.errors import Conflict, Invalid, NotFound, Outdated


class ZoneOfProfile(Invalid):
    """time_zone must be that of your profile, {time_zone}; change it there."""

    def __init__(self, time_zone: str = "Europe/Berlin") -> None:
        super().__init__(time_zone=time_zone)


class VisitTypeUnknown(Invalid):
    """visit_types must be visit types of your own that are not retired."""

    def __init__(self, field: str = "visit_types") -> None:
        super().__init__("{field} must be visit types of your own that are not retired.", field=field)


class DayPast(Invalid):
    """first_day must not be in the past."""


class HoursOverlap(Invalid):
    """On {weekday} these times overlap: {times} and {other_times}. Please let one end before the other begins."""

    def __init__(self, weekday: str, times: str, other_times: str) -> None:
        super().__init__(weekday=weekday, times=times, other_times=other_times)


class HoursNotFound(NotFound):
    """There are no such hours."""


class VisitTypeNotFound(NotFound):
    """There is no such visit type."""


class ExceptionNotFound(NotFound):
    """There is no such exception."""


class TooManyVisitTypes(Conflict):
    """You have as many visit types as a doctor may have; retire one first."""


class TooManyExceptions(Conflict):
    """You have as many exceptions ahead as a doctor may have; delete one first."""


class TooManyOpenings(Conflict):
    """These hours, visit types and horizons make more than 10,000 openings; take fewer or shorter ones."""


class LeavesOutside(Conflict):
    """Appointments would lie outside of your hours then; they stay booked until somebody cancels them."""

    def __init__(self, affected: Sequence[dict[str, Any]] = ()) -> None:
        """Name the appointments, as the doctor sees them."""
        super().__init__()
        self.affected = list(affected)


class HoursOutdated(Outdated):
    """Somebody else has changed this meanwhile; please load it again."""
