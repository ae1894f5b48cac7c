"""Compare the clients' record, the database and the provider's log, and report every contradiction."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Literal

from sqlalchemy import Engine, text

from tests.faults.record import NEVER, Record, SlotOperation

# A slot's state: free, withdrawn, or the id of the appointment that books it.
State = int | Literal["free", "withdrawn"]
TOO_MANY_STATES = 400_000

# Queries that must return no rows. They check the rules that the constraints enforce, because mutants drop those.
NEVER_ROWS = {
    "two active appointments of one slot": (
        "SELECT slot_id FROM appointments WHERE status = 'booked' GROUP BY slot_id HAVING count(*) > 1"
    ),
    "overlapping appointments of one patient": (
        "SELECT a.id FROM appointments a JOIN appointments b ON a.patient_id = b.patient_id AND a.id < b.id"
        " AND a.starts_at < b.ends_at AND b.starts_at < a.ends_at WHERE a.status = 'booked' AND b.status = 'booked'"
    ),
    "overlapping appointments of one doctor": (
        "SELECT a.id FROM appointments a JOIN appointments b ON a.doctor_id = b.doctor_id AND a.id < b.id"
        " AND a.starts_at < b.ends_at AND b.starts_at < a.ends_at WHERE a.status = 'booked' AND b.status = 'booked'"
    ),
    "an active appointment of a gone doctor": (
        "SELECT a.id FROM appointments a JOIN doctors d ON d.id = a.doctor_id JOIN users u ON u.id = d.user_id"
        " WHERE a.status = 'booked' AND u.deleted_at IS NOT NULL"
    ),
    "a slot whose state is not that of its appointments": (
        "SELECT s.id FROM availability_slots s WHERE (s.status = 'booked') <> EXISTS"
        " (SELECT 1 FROM appointments a WHERE a.slot_id = s.id AND a.status = 'booked')"
    ),
    "two accounts of one mailbox": (
        "SELECT lower(email) FROM users WHERE email IS NOT NULL GROUP BY lower(email) HAVING count(*) > 1"
    ),
    "a number of doctors that is not counted right": (
        "SELECT block FROM doctor_blocks b WHERE living <> (SELECT count(*) FROM doctors d"
        " JOIN users u ON u.id = d.user_id WHERE u.deleted_at IS NULL AND d.id / 200 = b.block)"
    ),
    "an appointment without the event of its booking": (
        "SELECT a.id FROM appointments a WHERE (SELECT count(*) FROM appointment_events e"
        " WHERE e.appointment_id = a.id AND e.event = 'booked') <> 1"
    ),
    "a cancelled appointment without the one event that cancelled it": (
        "SELECT a.id FROM appointments a WHERE (SELECT count(*) FROM appointment_events e"
        " WHERE e.appointment_id = a.id AND e.event = 'cancelled')"
        " <> (CASE a.status WHEN 'cancelled' THEN 1 ELSE 0 END)"
    ),
    # The provider of the campaigns refuses no address and no text.
    "a mail that was set aside": "SELECT id FROM outbox WHERE status = 'set_aside'",
    "a batch that never ended": "SELECT id FROM outbox WHERE batch_key IS NOT NULL",
}


def check(record: Record, engine: Engine, accepted: Sequence[dict[str, Any]]) -> list[str]:
    """Return a sentence for every violation."""
    found = list(record.violations)
    with engine.connect() as connection:
        for sentence, query in NEVER_ROWS.items():
            rows = list(connection.execute(text(query)))
            if rows:
                found.append(f"{sentence}: {[row[0] for row in rows][:5]}")
        appointments = {row.id: row for row in connection.execute(text(APPOINTMENTS))}
        events = list(connection.execute(text(EVENTS)))
    found += lost_or_invented(record, appointments)
    for slot_id, operations in record.slots.items():
        if not linearizable(operations):
            history = "; ".join(
                f"{o.kind} {o.outcome} {o.appointment or ''} [{o.began:.3f}, {o.ended:.3f}]"
                for o in sorted(operations, key=lambda o: o.began)[:40]
            )
            found.append(f"the history of slot {slot_id} has no order in which it makes sense: {history}")
    found += wrong_mails(events, accepted)
    found += [f"status 500 from {path}" for status, _, path in record.server_errors if status == 500][:5]
    found += [f"{count} accounts registered for {box}" for box, count in record.registered.items() if count > 1]
    return found


APPOINTMENTS = (
    "SELECT a.id, a.slot_id, a.status, a.patient_id, p.email FROM appointments a JOIN users p ON p.id = a.patient_id"
)
EVENTS = (
    "SELECT e.id, e.event, e.appointment_id, e.actor_id = a.patient_id AS by_patient,"
    " du.deleted_at IS NOT NULL AND du.deleted_at = e.at AS by_leaving, p.email AS patient_email,"
    " du.name AS doctor_name FROM appointment_events e JOIN appointments a ON a.id = e.appointment_id"
    " JOIN doctors d ON d.id = a.doctor_id JOIN users du ON du.id = d.user_id JOIN users p ON p.id = a.patient_id"
    " ORDER BY e.id"
)


def lost_or_invented(record: Record, appointments: dict[int, Any]) -> list[str]:
    """Check that every acknowledged booking exists, and that every appointment was requested by its patient."""
    found = [f"appointment {a} was acknowledged and is lost" for a in record.booked if a not in appointments]
    explained = Counter(record.booked.values())
    there = Counter((row.email, row.slot_id) for row in appointments.values())
    for what, count in there.items():
        if count > explained[what] + (1 if what in record.unanswered else 0):
            found.append(f"{what[0]} has {count} appointments of slot {what[1]}, and was told of {explained[what]}")
    return found


def wrong_mails(events: Iterable[Any], accepted: Sequence[dict[str, Any]]) -> list[str]:
    """Check that each event was mailed once to each recipient, in order, and that there were no other mails.

    Each mail contains the number of its appointment. Doctors who delete their account get no mail about the
    appointments that this cancels.
    """
    expected: dict[tuple[str, int], list[str]] = defaultdict(list)
    for event in events:
        expected[event.patient_email, event.appointment_id].append(event.event)
        if event.event == "cancelled" and not event.by_leaving:
            expected[mailbox_of_doctor(event.doctor_name), event.appointment_id].append(event.event)
    got: dict[tuple[str, int], list[str]] = defaultdict(list)
    for mail in accepted:
        [to], number = mail["to"], int(re.findall(r"no\. (\d+)", mail["text"])[-1])
        got[to, number].append("booked" if mail["subject"].startswith("Appointment booked") else "cancelled")
    wrong = [key for key in expected.keys() | got.keys() if expected[key] != got[key]]
    return [f"mails to {to} about appointment {a}: {got[to, a]} for {expected[to, a]}" for to, a in wrong][:10]


def mailbox_of_doctor(name: str) -> str:
    """Return the email address of a doctor by name: the row of a deleted account no longer has it."""
    return f"doctor{name.rpartition(' ')[2]}@people.example"


def linearizable(operations: Sequence[SlotOperation]) -> bool:
    """Return whether the history of a slot is linearizable: some order fits both the times and all the answers.

    This is Wing and Gong's search (1993) with memoization. It tries each operation that can come next, and rejects one
    whose answer contradicts the state. An unanswered operation may take effect at any time after it began, or never.
    A history with more than TOO_MANY_STATES states counts as linearizable.
    """
    pending = sorted(operations, key=lambda operation: operation.began)
    everything = (1 << len(pending)) - 1
    optional = sum(1 << i for i, operation in enumerate(pending) if operation.outcome == "unknown")
    seen: set[tuple[int, State]] = set()
    stack: list[tuple[int, State]] = [(0, "free")]
    while stack:
        done, state = stack.pop()
        if done | optional == everything:
            return True
        if (done, state) in seen or len(seen) > TOO_MANY_STATES:
            continue
        seen.add((done, state))
        for i in _candidates(pending, done):
            stack.extend((done | 1 << i, after) for after in _after(pending[i], i, state))
    return len(seen) > TOO_MANY_STATES


def _candidates(pending: Sequence[SlotOperation], done: int) -> Iterator[int]:
    """Yield the operations that can come next: those not done that began before any other one not done ended."""
    earliest_end = NEVER
    first = (~done & (done + 1)).bit_length() - 1
    for i in range(first, len(pending)):
        if pending[i].began > earliest_end:
            return
        if not done >> i & 1:
            yield i
            if pending[i].outcome != "unknown":
                earliest_end = min(earliest_end, pending[i].ended)


def _after(operation: SlotOperation, number: int, state: State) -> list[State]:
    """Return the states that the operation can lead to, or none if its answer contradicts the state."""
    kind, outcome, appointment = operation.kind, operation.outcome, operation.appointment
    if kind == "withdraw":
        return ["withdrawn"]
    if kind == "look":
        return [state] if (state == "free") == (outcome == "free") else []
    if kind == "cancel":
        active = state == appointment
        if outcome in {"done", "unknown"}:
            return ["free"] if active else []
        return [] if active else [state]
    if outcome == "done":
        return [appointment or -1 - number] if state == "free" else []
    if outcome == "unknown":
        return [-1 - number] if state == "free" else []
    fits = {"taken": isinstance(state, int), "busy": state == "free", "gone": state == "withdrawn"}
    return [state] if fits[outcome] else []
