"""What was withdrawn at a moment, as far as the clients know it: a closure needs hours in which the time lies."""

from __future__ import annotations

from tests.faults.record import NEVER, Hours, Known, Place, Record, Withdrawal

CLOSED = Hours((), 0, 0, frozenset())


def hours_between(record: Record, doctor_id: int, began: float, ended: float) -> list[Hours]:
    """Return the hours that were possibly in force at a moment of the interval."""
    changes = [CLOSED, *record.hours[doctor_id]]
    following = [*(change.ended for change in changes[1:]), NEVER]
    return [
        change for change, until in zip(changes, following, strict=True) if change.began <= ended and began <= until
    ]


def is_withdrawn(record: Record, known: Known, began: float, ended: float) -> tuple[bool, bool]:
    """Return whether the time was surely withdrawn before the interval, and whether it possibly was in it."""
    withdrawals = [one for one in record.withdrawals[known.place.doctor_id] if one.concerns(known)]
    surely = any(one.ended <= began and has_surely_closed(record, one) for one in withdrawals)
    return surely, any(one.began <= ended and _has_perhaps_closed(record, one) for one in withdrawals)


def is_closed(record: Record, place: Place, began: float, ended: float) -> tuple[bool, bool]:
    """Return the same of a closure that takes a part of the place, also of that of a published slot."""
    closures = [one for one in record.withdrawals[place.doctor_id] if one.slot_id is None and one.covers(place)]
    surely = any(one.ended <= began and has_surely_closed(record, one) for one in closures)
    return surely, any(one.began <= ended and _has_perhaps_closed(record, one) for one in closures)


def has_surely_closed(record: Record, one: Withdrawal) -> bool:
    """Return whether a done withdrawal left all of its minutes closed: all were in the hours then."""
    return one.slot_id is not None or all(
        any(row.begin <= one.place.starts_at and one.place.ends_at <= row.end for row in hours.rows)
        for hours in hours_between(record, one.place.doctor_id, one.began, one.ended)
    )


def _has_perhaps_closed(record: Record, one: Withdrawal) -> bool:
    return one.slot_id is not None or any(
        row.begin < one.place.ends_at and one.place.starts_at < row.end
        for hours in hours_between(record, one.place.doctor_id, one.began, one.ended)
        for row in hours.rows
    )
