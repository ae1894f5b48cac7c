"""Check what clinic and doctors allow: how many appointments ahead, how many changes an hour, and until when."""

from __future__ import annotations

from collections import Counter, defaultdict
from datetime import datetime, timedelta
from typing import Any

from tests.faults.histories import Event, Events, Rows, places
from tests.faults.record import NEVER, Known, Place, Policies, Record, Refused, Stay

ONE_MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)
CLINICS = Policies(None, None, 0, 0)
# The server reads the clock after the client has, and both clocks are the same.
SECONDS_BETWEEN_CLOCKS = 1.0


def policies_between(record: Record, doctor_id: int, began: float, ended: float) -> list[Policies]:
    """Return the doctor's policies that were possibly in force at a moment of the interval."""
    changes = [CLINICS, *record.policies[doctor_id]]
    following = [*(change.ended for change in changes[1:]), NEVER]
    return [
        change for change, until in zip(changes, following, strict=True) if change.began <= ended and began <= until
    ]


def notices(record: Record, doctor_id: int, began: float, ended: float) -> list[timedelta]:
    """Return the notices that were possibly in force for patients of this doctor."""
    found = (policies.notice for policies in policies_between(record, doctor_id, began, ended))
    return [ONE_MINUTE * (record.limits.notice if minutes is None else minutes) for minutes in found]


def most_with_doctor(record: Record, doctor_id: int, began: float, ended: float) -> list[int]:
    found = (policies.most_ahead for policies in policies_between(record, doctor_id, began, ended))
    return [record.limits.most_with_doctor if most is None else most for most in found]


def may_be_too_late(record: Record, refused: Refused, known: Known) -> bool:
    """Return whether the time of the appointment was possibly too close to be left by its patient."""
    latest = record.instant(refused.ended)
    longest = max(notices(record, known.place.doctor_id, refused.began, refused.ended))
    return known.place.starts_at - longest <= latest


def may_be_limited(record: Record, refused: Refused, known: Known, stays: list[Stay]) -> bool:
    """Return whether so many appointments of the patient, without the one to be moved, were possibly there."""
    there = [stay for stay in stays if not stay.is_hold]
    limit = record.limits.most_ahead
    if refused.why == "too-many-with-doctor":
        limit = min(most_with_doctor(record, known.place.doctor_id, refused.began, refused.ended))
        there = [stay for stay in there if record.known(stay.slot_id).place.doctor_id == known.place.doctor_id]
    return len({stay.of or id(stay) for stay in there}) >= limit


def wrong_limits(record: Record, rows: Rows, events: Events) -> list[str]:
    """Check the whole history of each patient, event by event."""
    of_patient: dict[int, list[tuple[Event, Any, Place, Place]]] = defaultdict(list)
    for appointment, history in events.items():
        row = rows.get(appointment)
        if row is not None:
            at = places(row, history)
            before = [at[0], *at]
            for event, place, was in zip(history, at, before, strict=False):
                of_patient[row.patient_id].append((event, row, place, was))
    found: list[str] = []
    for patient_id, history in of_patient.items():
        history.sort(key=lambda one: one[0].row.id)
        found += _wrong_numbers(record, patient_id, [event.row for event, *_ in history if not event.by_leaving])
        found += _too_many_ahead(record, patient_id, history)
        found += _too_late(record, patient_id, history)
    return found[:20]


def _wrong_numbers(record: Record, patient_id: int, rows: list[Any]) -> list[str]:
    """Check that the patient's own changes are numbered 1, 2, 3 ..., and that there are not too many in an hour."""
    mine = [row for row in rows if row.actor_id == patient_id]
    numbers = [row.patient_nth for row in mine]
    found: list[str] = []
    if numbers != list(range(1, len(numbers) + 1)):
        found.append(f"the changes of patient {patient_id} are not numbered one by one: {numbers}")
    if any(row.patient_nth is not None for row in rows if row.actor_id != patient_id):
        found.append(f"changes of others count as changes of patient {patient_id}")
    for index, row in enumerate(mine):
        lately = sum(1 for earlier in mine[:index] if earlier.at > row.at - HOUR)
        if row.event != "cancelled" and lately >= record.limits.changes_per_hour:
            found.append(f"patient {patient_id} made change no. {lately + 1} within an hour")
    return found[:1]


def _too_many_ahead(record: Record, patient_id: int, history: list[tuple[Event, Any, Place, Place]]) -> list[str]:
    """Count the appointments after each event. The ids of events follow the order in which one patient's were made.

    Everything of a campaign is ahead. The count may be smaller than what the product saw, if a doctor cancelled at the
    same moment, but not larger.
    """
    ahead: Counter[int] = Counter()
    for event, row, place, was in history:
        ahead[was.doctor_id] -= event.kind != "booked"
        ahead[place.doctor_id] += event.kind != "cancelled"
        moves_to_other = event.kind == "rescheduled" and place.doctor_id != was.doctor_id
        if event.row.actor_id != patient_id or not (event.kind == "booked" or moves_to_other):
            continue
        most = record.limits.most_ahead
        if event.kind == "booked" and ahead.total() > most:
            return [f"patient {patient_id} has more appointments ahead than the limit: {ahead.total()} of {most}"]
        most = max(most_with_doctor(record, place.doctor_id, *_interval(record, event, row.id)))
        if ahead[place.doctor_id] > most:
            number = ahead[place.doctor_id]
            return [f"patient {patient_id} has more appointments with one doctor than the limit: {number} of {most}"]
    return []


def _too_late(record: Record, patient_id: int, history: list[tuple[Event, Any, Place, Place]]) -> list[str]:
    """Check that the patient left no time later than the smallest notice that was possibly in force."""
    return [
        f"patient {patient_id} changed appointment {row.id} too late: {event.kind} at {event.row.at:%H:%M:%S}"
        for event, row, _, was in history
        if event.row.actor_id == patient_id and event.kind != "booked" and not event.by_leaving
        for shortest in [min(notices(record, was.doctor_id, *_interval(record, event, row.id)))]
        if event.row.at > was.starts_at - shortest
    ][:1]


def _interval(record: Record, event: Event, appointment: int) -> tuple[float, float]:
    """Return when the request of the event began, and when it was answered, on the monotonic clock."""
    at = _monotonic(record, event.row.at)
    ended = [
        change.ended
        for change in record.changes.get(appointment, [])
        if change.kind == event.kind and change.began - SECONDS_BETWEEN_CLOCKS <= at <= change.ended
    ]
    return at - SECONDS_BETWEEN_CLOCKS, max(ended, default=NEVER)


def _monotonic(record: Record, at: datetime) -> float:
    assert record.clock_zero is not None
    return (at - record.clock_zero).total_seconds()
