"""Moving what is ahead to other instants, where the rules on overlaps, seats and limits allow it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import timedelta
from typing import Any

from sqlalchemy import Connection, bindparam, update
from sqlalchemy.exc import IntegrityError

from src.domain.minutes import minute_after, minute_of
from src.models import Appointment, AvailabilitySlot
from src.repositories import outbox_repository as outbox
from src.repositories.ahead_repository import Ahead, Span, Taker
from src.repositories.outbox_repository import MovedEnd

# Rows are moved out of the way by this much, and the ids of their computed times: no other row is there.
AWAY = timedelta(days=1_000_000)
SLOTS_AWAY = 2**62


def move(db: Connection, wanted: Mapping[Ahead, Span]) -> set[Ahead]:
    """Move slots and computed times, each with its appointments and holds; return those that stay as they were.

    One stays if the rules on overlaps, seats or limits refuse it. Then one that was to take its old place must stay,
    too. All are moved out of the way first: the database checks the rules row by row, so neighbours would meet on the
    way.
    """
    _put_away(db, wanted)
    staying: set[Ahead] = set()
    while True:
        attempt = db.begin_nested()
        _put(db, {one: one.times.span for one in staying})
        refused = _put_each(db, {one: span for one, span in wanted.items() if one not in staying})
        if not refused:
            attempt.commit()
            break
        attempt.rollback()
        staying |= refused
    outbox.move_ends(db, _ends({one: span for one, span in wanted.items() if one not in staying}))
    return staying


def _put_each(db: Connection, spans: dict[Ahead, Span]) -> set[Ahead]:
    """Put all to their instants, and return those that the rules refuse."""
    if _fits(db, spans):
        return set()
    return {one for one, span in spans.items() if not _fits(db, {one: span})}


def _fits(db: Connection, spans: dict[Ahead, Span]) -> bool:
    try:
        with db.begin_nested():
            _put(db, spans)
    except IntegrityError:
        return False
    return True


_THIS = bindparam("row_id")
_INSTANTS = {"starts_at": bindparam("start"), "ends_at": bindparam("end")}
_BUSY = {"busy_from": bindparam("busy_start"), "busy_until": bindparam("busy_end")}
_COMPUTED = {"slot_id": bindparam("new_slot"), "wall_end": bindparam("new_wall_end"), "day": bindparam("new_day")}
_PUT_SLOT = update(AvailabilitySlot).where(AvailabilitySlot.id == _THIS).values(**_INSTANTS)
_PUT_AT_SLOT = update(Appointment).where(Appointment.id == _THIS).values(**_INSTANTS, **_BUSY)
_PUT_COMPUTED = update(Appointment).where(Appointment.id == _THIS).values(**_INSTANTS, **_BUSY, **_COMPUTED)


def _put_away(db: Connection, all_of: Iterable[Ahead]) -> None:
    spans = {one: Span(one.times.starts_at + AWAY, one.times.ends_at + AWAY, one.times.wall_end) for one in all_of}
    _execute(db, spans, lambda one, _: {"new_slot": one.slot_id + SLOTS_AWAY, "new_day": None})


def _put(db: Connection, spans: Mapping[Ahead, Span]) -> None:
    _execute(db, spans, lambda one, taker: _computed(one, taker, spans[one]))


def _computed(one: Ahead, taker: Taker, span: Span) -> dict[str, Any]:
    """Return the id of the computed time, of the same version of the visit type, and its day."""
    day = taker.day if span == one.times.span else one.times.wall_start.date()
    return {"new_slot": one.slot_id + minute_of(span.starts_at) - minute_of(one.times.starts_at), "new_day": day}


def _execute(db: Connection, spans: Mapping[Ahead, Span], computed: Callable[[Ahead, Taker], dict[str, Any]]) -> None:
    slots: list[dict[str, Any]] = []
    at_slots: list[dict[str, Any]] = []
    at_computed: list[dict[str, Any]] = []
    for one, span in spans.items():
        instants = {"start": span.starts_at, "end": span.ends_at}
        if one.times.is_computed:
            more = {"new_wall_end": span.wall_end}
            at_computed += [instants | _taken(one, of, span) | more | computed(one, of) for of in one.takers]
        else:
            slots.append(instants | {"row_id": one.slot_id})
            at_slots += [instants | _taken(one, of, span) for of in one.takers]
    for statement, rows in ((_PUT_SLOT, slots), (_PUT_AT_SLOT, at_slots), (_PUT_COMPUTED, at_computed)):
        if rows:
            db.execute(statement, rows)


def _taken(one: Ahead, taker: Taker, span: Span) -> dict[str, Any]:
    """Return the row, and what it takes of the doctor's time: the distances to its start and end stay."""
    return {
        "row_id": taker.id,
        "busy_start": taker.busy_from + minute_of(span.starts_at) - minute_of(one.times.starts_at),
        "busy_end": taker.busy_until + minute_after(span.ends_at) - minute_after(one.times.ends_at),
    }


def _ends(spans: Mapping[Ahead, Span]) -> list[MovedEnd]:
    return [MovedEnd(taker.id, one.times.ends_at, span.ends_at) for one, span in spans.items() for taker in one.takers]
