"""Why a time is offered to patients or not."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from src.context import Context, Doctor
from src.controllers import explanation_controller as explanations
from src.controllers import visit_type_controller as visit_types
from src.domain.wall_clock import wall_clock
from src.errors_of_appointments import BadSlot, ChangedMeanwhile
from src.schemas.base import In
from src.schemas.explanation import Explanation, ExplanationWanted
from src.schemas.fields import QueryId, WallDate, WallDateTime, WallTime


class TimeAsked(In):
    """The time that somebody asks about: `at`, as links say it, or date and time, as the form does."""

    at: WallDateTime | None = None
    date: WallDate | None = None
    time: WallTime | None = None
    visit_type: QueryId | None = None

    @property
    def wall(self) -> datetime | None:
        if self.date is not None and self.time is not None:
            return datetime.combine(self.date, self.time)
        return self.at


@dataclass(frozen=True)
class Explained:
    """The answer, or the problem that refuses one; neither before somebody asks."""

    date: str
    time: str
    visit_type_id: int | None
    visit_type: Any
    visit_types: list[Any]
    found: Explanation | None
    refusal: dict[str, Any] | None
    time_zone: str

    def wall(self, instant: str) -> str:
        """Return an instant as the doctor's clocks show it, like the times in the parameters of reasons."""
        return wall_clock(datetime.fromisoformat(instant), self.time_zone).isoformat(timespec="minutes")


def explain(ctx: Context[Doctor], query: TimeAsked) -> Explained:
    types: list[Any] = visit_types.list_all(ctx).data
    wall = query.wall
    found, refusal = (None, None) if wall is None else _answer(ctx, wall, query.visit_type)
    day = query.date if wall is None else wall.date()
    at = query.time if wall is None else wall.time()
    chosen = query.visit_type if found is None else found.visit_type_id
    return Explained(
        date=day.isoformat() if day else "",
        time=f"{at:%H:%M}" if at else "",
        visit_type_id=chosen,
        visit_type=next((each for each in types if each["id"] == chosen), None),
        visit_types=types,
        found=found,
        refusal=refusal,
        time_zone=ctx.actor.time_zone,
    )


def _answer(
    ctx: Context[Doctor], wall: datetime, visit_type_id: int | None
) -> tuple[Explanation, None] | tuple[None, dict[str, Any]]:
    wanted = {"at": wall.isoformat(timespec="minutes"), "visit_type": visit_type_id}
    try:
        return explanations.explain(ctx, ExplanationWanted.model_validate(wanted)), None
    except (BadSlot, ChangedMeanwhile) as error:
        return None, {"error": str(error), "params": error.params}
