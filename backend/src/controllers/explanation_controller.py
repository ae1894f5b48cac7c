"""Why a time is or is not offered."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

from src.context import Context, Doctor
from src.domain import explanation as why
from src.domain.explanation import NO_VISIT_TYPE, Opened, Reason, Wanted, minute_asked
from src.domain.missing_hours import Hours
from src.domain.openings import DAYS_AFTER
from src.errors_of_appointments import BadSlot, ChangedMeanwhile
from src.errors_of_hours import VisitTypeNotFound
from src.repositories import exception_repository as exceptions
from src.repositories import explanation_repository as explanations
from src.repositories import hours_repository as hours
from src.repositories.explanation_repository import Conditions
from src.schemas.availability import span_of_minutes
from src.schemas.base import WallClockSpan
from src.schemas.explanation import ExplainedSlot, Explanation, ExplanationWanted, ReasonOut
from src.utils.decorators import raises


@raises(BadSlot, VisitTypeNotFound, ChangedMeanwhile)
def explain(ctx: Context[Doctor], query: ExplanationWanted) -> Explanation:
    """Say whether a visit at a time is offered to patients, and if not, all reasons and what would change each.

    What concerns one patient alone, such as another appointment at that time, is not looked at. Neither are the hours,
    the grid and other appointments of a time in the past.
    """
    zone = ctx.actor.time_zone
    begin = minute_asked(query.at, zone, ctx.now)
    kind = _kind(ctx, query.visit_type)
    offered, reasons = (False, [NO_VISIT_TYPE]) if kind is None else _explained(ctx, Wanted(kind, begin, zone, ctx.now))
    return Explanation(
        at=WallClockSpan(**span_of_minutes(begin, 0 if kind is None else kind.minutes, zone)),
        visit_type_id=None if kind is None else kind.id,
        offered=offered,
        slot_id=explanations.slot_id_of(kind, begin) if kind is not None and offered else None,
        reasons=[ReasonOut.of(reason) for reason in reasons],
        published_slot=_published(ctx, begin),
    )


def _kind(ctx: Context[Doctor], visit_type_id: int | None) -> Any:
    """Return the visit type that the query names, or else the default type; None if there is no default."""
    kind = explanations.find_kind(ctx.db, ctx.actor.doctor_id, visit_type_id)
    if kind is None and visit_type_id is not None:
        raise VisitTypeNotFound
    return kind


def _explained(ctx: Context[Doctor], wanted: Wanted) -> tuple[bool, list[Reason]]:
    found = explanations.find_conditions(ctx.db, ctx.actor.doctor_id, wanted.kind, wanted.begin, ctx.now)
    if found.offered:
        return True, []
    reasons = list(why.of_type(wanted))
    if found.slot_past:
        return False, [*reasons, why.past()]
    if wanted.kind.retired_at is not None:
        return False, reasons
    if found.slot_unknown:
        raise ChangedMeanwhile
    if found.notice_too_short:
        reasons.append(why.notice(wanted))
    if found.too_far_ahead:
        reasons.append(why.horizon(wanted))
    opened = found.opened
    if found.outside_hours:
        hours_then = _hours(ctx, wanted)
        # Openings need not have the day of a time that patients cannot book yet, or at all.
        reasons += hours_then.why_not(is_laid=not found.too_far_ahead and wanted.kind.booked_by == "patients")
        opened = opened or hours_then.opened()
    return False, [*reasons, *_of_others(ctx, wanted, found, opened)]


def _of_others(ctx: Context[Doctor], wanted: Wanted, found: Conditions, opened: Opened | None) -> Iterator[Reason]:
    """Yield what is wrong about the grid and other visits; nothing if neither notice nor horizon bind, as for staff."""
    if found.offered_to_staff:
        return
    if found.day_full:
        yield why.day_full(wanted)
    # A group that has begun to fill stays at its time.
    if wanted.kind.capacity > 1 and found.seats_taken:
        if found.seats_taken >= wanted.kind.capacity:
            yield why.seats_full(wanted)
        return
    if opened is not None and (found.off_grid if found.opened else not why.is_on_grid(wanted, opened)):
        yield why.off_grid(wanted, opened)
    if found.slot_taken:
        yield from why.taken(wanted, explanations.list_taking(ctx.db, ctx.actor.doctor_id, wanted.busy, ctx.now))


def _hours(ctx: Context[Doctor], wanted: Wanted) -> Hours:
    """Return the hours of the day, and of all days that its openings follow from."""
    _, weekly = hours.list_weekly(ctx.db, ctx.actor.doctor_id)
    last = wanted.day + timedelta(days=2 * DAYS_AFTER)
    known = exceptions.list_between(ctx.db, ctx.actor.doctor_id, wanted.day, last)
    return Hours(wanted, hours.as_hours(weekly), known)


def _published(ctx: Context[Doctor], begin: int) -> ExplainedSlot | None:
    slot = explanations.find_slot(ctx.db, ctx.actor.doctor_id, begin, ctx.now)
    if slot is None:
        return None
    wanted = why.wanted_slot(slot, ctx.actor.time_zone, ctx.now)
    others = [] if slot.offered else explanations.list_taking(ctx.db, ctx.actor.doctor_id, wanted.busy, ctx.now)
    reasons = [ReasonOut.of(reason) for reason in why.of_slot(slot, wanted, others)]
    return ExplainedSlot(slot_id=slot.id, offered=slot.offered, reasons=reasons)
