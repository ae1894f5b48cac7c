"""Check what became of each appointment: its row, its events, its mails and the lists, against the answers."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from datetime import datetime, timezone
from itertools import combinations, pairwise
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, text

from src.models.base import Instant
from tests.faults.record import Change, Place, Record

APPOINTMENTS = text(
    "SELECT a.id, a.slot_id, a.doctor_id, a.status, a.starts_at, a.ends_at, a.held_until, a.patient_id, a.time_zone,"
    " p.email, d.user_id AS doctor_user_id, du.name AS doctor_name FROM appointments a"
    " JOIN users p ON p.id = a.patient_id JOIN doctors d ON d.id = a.doctor_id JOIN users du ON du.id = d.user_id"
).columns(starts_at=Instant(), ends_at=Instant(), held_until=Instant())
EVENTS = text(
    "SELECT e.id, e.event, e.appointment_id, e.at, e.actor_id, e.patient_nth, e.reason, e.was_doctor_id,"
    " e.was_starts_at, e.was_ends_at, e.was_time_zone, wu.name AS was_doctor_name, wd.user_id AS was_doctor_user_id"
    " FROM appointment_events e LEFT JOIN doctors wd ON wd.id = e.was_doctor_id"
    " LEFT JOIN users wu ON wu.id = wd.user_id ORDER BY e.id"
).columns(at=Instant(), was_starts_at=Instant(), was_ends_at=Instant())
# The subject of a mail that is about no appointment.
LEAVING = text("SELECT id, deleted_at FROM users WHERE deleted_at IS NOT NULL").columns(deleted_at=Instant())

Rows = dict[int, Any]
Events = dict[int, "list[Event]"]


def read(db: Connection) -> tuple[Rows, Events]:
    """Return the rows of appointments and holds by id, and the events of each appointment in their order."""
    events: Events = defaultdict(list)
    gone: dict[int, datetime] = {row.id: row.deleted_at for row in db.execute(LEAVING)}
    for event in db.execute(EVENTS):
        by_leaving = event.event == "cancelled" and gone.get(event.actor_id) == event.at
        events[event.appointment_id].append(Event(event, by_leaving))
    return {row.id: row for row in db.execute(APPOINTMENTS)}, events


class Event:
    """A row of the history, and whether its actor, a doctor or a patient, left the clinic by it."""

    def __init__(self, row: Any, by_leaving: bool) -> None:  # noqa: FBT001 - it is a fact of the row
        self.row = row
        self.kind: str = row.event
        self.by_leaving = by_leaving


def address_of(record: Record, row: Any) -> str:
    """Return the patient's address, which the row of a deleted account no longer has."""
    return row.email or record.departures[row.patient_id].email


def wrong_rows(record: Record, rows: Rows) -> list[str]:
    """Check the rows as they are in the end against what the doctors made, whatever the constraints allow."""
    found: list[str] = []
    of_doctor: dict[int, list[Any]] = defaultdict(list)
    for row in rows.values():
        if (row.doctor_id, row.starts_at, row.ends_at) != record.known(row.slot_id).place:
            found.append(f"appointment {row.id} has slot {row.slot_id}, and another time: {row.starts_at}")
        if row.status == "booked":
            of_doctor[row.doctor_id].append(row)
    for booked in of_doctor.values():
        found += _too_many(record, booked)
    return found[:20]


def _too_many(record: Record, booked: list[Any]) -> list[str]:
    """Check the booked appointments of one doctor."""
    kinds = Counter(record.known(row.slot_id).kind for row in booked)
    slots = Counter(row.slot_id for row in booked)
    found = [
        f"overlapping appointments of one doctor in the end: {one.id} and {other.id}"
        for one, other in combinations(booked, 2)
        if record.known(one.slot_id).excludes(record.known(other.slot_id))
    ]
    found += [
        f"more patients than seats in the end: {number} at slot {slot_id}"
        for slot_id, number in slots.items()
        if 1 < record.known(slot_id).capacity < number
    ]
    found += [
        f"more on one day than its limit in the end: {number} of {kind.name}"
        for kind, number in kinds.items()
        if kind is not None and kind.most_per_day and number > kind.most_per_day
    ]
    return found


def lost_or_invented(record: Record, rows: Rows) -> list[str]:
    """Check that every acknowledged booking exists, and that every appointment was requested by its patient."""
    found = [
        f"appointment {a} was acknowledged and is lost"
        for a in record.booked
        if a not in rows or rows[a].status == "held"
    ]
    untold = [row for a, row in rows.items() if a not in record.booked and row.status != "held"]
    unasked = Counter(address_of(record, row) for row in untold)
    doubtful = Counter(email for email, _ in record.unanswered)
    found += [f"{email} has {count} appointments more than was told" for email, count in (unasked - doubtful).items()]
    return found


def places(row: Any, events: Sequence[Event]) -> list[Place]:
    """Return where the appointment was after each event: a move tells where it was before, and the row where it is."""
    was = [
        Place(event.row.was_doctor_id, event.row.was_starts_at, event.row.was_ends_at)
        for event in events
        if event.kind == "rescheduled"
    ]
    chain = [*was, Place(row.doctor_id, row.starts_at, row.ends_at)]
    moves = 0
    found = []
    for event in events:
        moves += event.kind == "rescheduled"
        found.append(chain[moves])
    return found


def wrong_histories(record: Record, rows: Rows, events: Events) -> list[str]:
    """Check that the events of each appointment are the answered changes, in an order that the times allow."""
    found: list[str] = []
    for appointment, row in rows.items():
        if row.status == "held":
            continue
        history = events[appointment]
        kinds = [event.kind for event in history]
        if (
            kinds[:1] != ["booked"]
            or "cancelled" in kinds[:-1]
            or (kinds[-1] == "cancelled") != (row.status == "cancelled")
        ):
            found.append(f"appointment {appointment} is {row.status} with the history {kinds}")
        elif appointment in record.changes and not explained(record, row, history, answered(record, appointment)):
            shown = [
                (event.kind, place.starts_at.isoformat())
                for event, place in zip(history, places(row, history), strict=True)
            ]
            told = [
                (
                    change.kind,
                    change.outcome,
                    change.slot_id and record.known(change.slot_id).place.starts_at.isoformat(),
                )
                for change in answered(record, appointment)
            ]
            found.append(f"the history of appointment {appointment} is not what was answered: {shown} for {told}")
    return found[:10]


def answered(record: Record, appointment: int) -> list[Change]:
    """Return the requests that changed the appointment, or may have."""
    sweeps = [
        Change("cancelled", sweep.began, sweep.ended, sweep.outcome, "doctor", reason=sweep.reason)
        for sweep in record.sweeps
        if appointment in sweep.appointments and sweep.outcome != "refused"
    ]
    return [*record.changes[appointment], *sweeps]


def explained(record: Record, row: Any, events: Sequence[Event], changes: Sequence[Change]) -> bool:
    """Return whether each event is one of the changes, and each answered change an event, in a possible order."""
    at = places(row, events)
    mine = [(event, place) for event, place in zip(events, at, strict=True) if not event.by_leaving]
    stack = [(0, frozenset(range(len(changes))))]
    while stack:
        number, left = stack.pop()
        if number == len(mine):
            if all(changes[one].outcome == "unknown" for one in left):
                return True
            continue
        event, place = mine[number]
        for one in left:
            change = changes[one]
            if any(changes[other].ended < change.began and changes[other].outcome == "done" for other in left):
                continue
            actor = {"patient": row.patient_id}.get(change.by)
            by_right_person = event.row.actor_id == actor if actor else event.row.actor_id != row.patient_id
            goes_there = change.slot_id is None or record.known(change.slot_id).place == place
            has_reason = event.row.reason == (change.reason if row.email else None)
            if change.kind == event.kind and by_right_person and goes_there and has_reason:
                stack.append((number + 1, left - {one}))
    return False


def wrong_mails(record: Record, rows: Rows, events: Events, accepted: Sequence[dict[str, Any]]) -> list[str]:
    """Check that each event was mailed once to each recipient, in order and with its times, and nothing else.

    Each mail contains the number of its appointment. Whoever leaves gets no mail about the appointments that this
    cancels. Patients who have left get no mail that was not yet attempted, and no reason is kept for the others.
    """
    expected: dict[tuple[str, int], list[tuple[str, ...]]] = defaultdict(list)
    for appointment, history in events.items():
        if appointment not in rows:
            continue
        row = rows[appointment]
        at = places(row, history)
        for (event, place), (_, before) in pairwise_from_first(zip(history, at, strict=True)):
            said = (event.kind, *said_of(record, place))
            patient = address_of(record, row)
            people = {patient}
            if event.kind == "rescheduled":
                said = (*said, before_line(record, before, place))
                people |= {mailbox_of(record, place.doctor_id), mailbox_of(record, before.doctor_id)}
            elif event.kind == "cancelled" and not event.by_leaving:
                people.add(mailbox_of(record, place.doctor_id))
            elif event.by_leaving and event.row.actor_id == row.patient_id:
                people = {mailbox_of(record, place.doctor_id)}
            if event.row.reason and event.row.actor_id != row.patient_id:
                said = (*said, event.row.reason)
            for person in people:
                expected[person, appointment].append(said)
    got: dict[tuple[str, int], list[tuple[str, ...]]] = defaultdict(list)
    for mail in accepted:
        [to], number = mail["to"], int(re.findall(r"no\. (\d+)", mail["text"])[-1])
        has_reason = number not in rows or rows[number].email is not None
        got[to, number].append(_said_in(mail, with_reason=has_reason))
    left = {departure.email for departure in record.departures.values()}
    left -= {row.email for row in rows.values()}
    wrong = [
        (to, a)
        for to, a in expected.keys() | got.keys()
        if got[to, a] != expected[to, a][: len(got[to, a]) if to in left else None]
    ]
    return [f"mails to {to} about appointment {a}: {got[to, a]} for {expected[to, a]}" for to, a in wrong][:10]


def pairwise_from_first(history: Iterable[Any]) -> list[tuple[Any, Any]]:
    """Return each entry with the one before it, and the first with itself."""
    entries = list(history)
    return [*zip(entries[:1], entries[:1], strict=True), *((later, before) for before, later in pairwise(entries))]


def said_of(record: Record, place: Place) -> tuple[str, str, str]:
    """Return what a mail says about a place: doctor, day and times."""
    zone = record.zones[place.doctor_id]
    start, end = place.starts_at.astimezone(ZoneInfo(zone)), place.ends_at.astimezone(ZoneInfo(zone))
    return (
        record.names[place.doctor_id],
        f"{start:%A}, {start.day} {start:%B %Y}",
        f"{start:%H:%M} to {end:%H:%M} ({zone})",
    )


def before_line(record: Record, before: Place, place: Place) -> str:
    doctor, day, times = said_of(record, before)
    return f"{doctor}, {day}, {times}" if before.doctor_id != place.doctor_id else f"{day}, {times}"


KIND_OF_SUBJECT = {"booked": "booked", "moved": "rescheduled", "cancelled": "cancelled"}


def _said_in(mail: dict[str, Any], *, with_reason: bool) -> tuple[str, ...]:
    kind = KIND_OF_SUBJECT[mail["subject"].partition(":")[0].rpartition(" ")[2]]
    lines = dict(re.findall(r"^(\w+): +(.+)$", mail["text"], re.MULTILINE))
    names = ("Before", "Reason") if with_reason else ("Before",)
    more = [lines[name] for name in names if name in lines]
    return kind, lines["Doctor"], lines["Date"], lines["Time"], *more


def mailbox_of(record: Record, doctor_id: int) -> str:
    """Return the email address of a doctor by name: the row of a deleted account no longer has it."""
    return f"doctor{record.names[doctor_id].rpartition(' ')[2]}@people.example"


def wrong_lists(record: Record, rows: Rows) -> list[str]:
    """Check that the lists that people read in the end show all of their appointments and nothing else."""
    found: list[str] = []
    for person, shown in record.listed.items():
        mine = {
            row.id: (row.status, row.starts_at)
            for row in rows.values()
            if row.status != "held" and person in {row.email, str(row.doctor_id)}
        }
        wrong = {a for a in mine.keys() | shown.keys() if mine.get(a) != _in_utc(shown.get(a))}
        if wrong:
            found.append(f"the list of {person} does not show appointments {sorted(wrong)[:5]} as they are")
    return found[:10]


def _in_utc(shown: tuple[str, datetime] | None) -> tuple[str, datetime] | None:
    return None if shown is None else (shown[0], shown[1].astimezone(timezone.utc))
