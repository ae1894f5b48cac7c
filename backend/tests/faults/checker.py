"""Compare the clients' record, the database and the provider's log, and report every contradiction."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from sqlalchemy import Engine, text

from tests.faults.erasure import not_erased
from tests.faults.histories import lost_or_invented, read, wrong_histories, wrong_lists, wrong_mails, wrong_rows
from tests.faults.limits import wrong_limits
from tests.faults.record import NEVER, Record, SlotOperation
from tests.faults.resets import is_about_password, wrong_news_of_passwords, wrong_resets
from tests.faults.times import wrong_times
from tests.faults.withdrawals import wrong_sweeps, wrong_withdrawals

# A slot's state: free, withdrawn, the id of the appointment that books it, who holds it, or who booked it and was not
# answered.
State = int | str
TOO_MANY_STATES = 400_000

# Queries that must return no rows. They check the rules that the constraints enforce, because mutants drop those.
NEVER_ROWS = {
    "two active appointments of one slot": (
        "SELECT slot_id FROM appointments WHERE status = 'booked' AND slot_id < 4294967296"
        " GROUP BY slot_id HAVING count(*) > 1"
    ),
    "overlapping appointments of one patient": (
        "SELECT a.id FROM appointments a JOIN appointments b ON a.patient_id = b.patient_id AND a.id < b.id"
        " AND a.starts_at < b.ends_at AND b.starts_at < a.ends_at WHERE a.status = 'booked' AND b.status = 'booked'"
    ),
    "an active appointment of a gone doctor": (
        "SELECT a.id FROM appointments a JOIN doctors d ON d.id = a.doctor_id JOIN users u ON u.id = d.user_id"
        " WHERE a.status = 'booked' AND u.deleted_at IS NOT NULL"
    ),
    "an appointment or hold of a patient who has left": (
        "SELECT a.id FROM appointments a JOIN users u ON u.id = a.patient_id"
        " WHERE a.status IN ('booked', 'held') AND u.deleted_at IS NOT NULL"
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
        "SELECT a.id FROM appointments a WHERE a.status <> 'held' AND (SELECT count(*) FROM appointment_events e"
        " WHERE e.appointment_id = a.id AND e.event = 'booked') <> 1"
    ),
    "a cancelled appointment without the one event that cancelled it": (
        "SELECT a.id FROM appointments a WHERE (SELECT count(*) FROM appointment_events e"
        " WHERE e.appointment_id = a.id AND e.event = 'cancelled')"
        " <> (CASE a.status WHEN 'cancelled' THEN 1 ELSE 0 END)"
    ),
    "a hold with a history": (
        "SELECT a.id FROM appointments a JOIN appointment_events e ON e.appointment_id = a.id WHERE a.status = 'held'"
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
        rows, events = read(connection)
        withdrawn = set(connection.scalars(text("SELECT id FROM availability_slots WHERE status = 'withdrawn'")))
    found += wrong_rows(record, rows)
    found += lost_or_invented(record, rows)
    found += wrong_times(record)
    for slot_id, operations in record.slots.items():
        if not linearizable(operations):
            history = "; ".join(
                f"{o.kind} {o.outcome} {o.appointment or o.by} [{o.began:.3f}, {o.ended:.3f}]"
                for o in sorted(operations, key=lambda o: o.began)[:40]
            )
            found.append(f"the history of slot {slot_id} has no order in which it makes sense: {history}")
    found += wrong_histories(record, rows, events)
    found += wrong_limits(record, rows, events)
    found += wrong_withdrawals(record, rows, events, withdrawn)
    found += wrong_sweeps(record, rows, events, withdrawn)
    found += wrong_mails(record, rows, events, [mail for mail in accepted if not is_about_password(mail)])
    found += wrong_resets(record, accepted)
    found += wrong_news_of_passwords(record, accepted)
    found += not_erased(record, engine, accepted)
    found += wrong_lists(record, rows)
    found += [f"status 500 from {path}" for status, _, path in record.server_errors if status == 500][:5]
    found += [f"{count} accounts registered for {box}" for box, count in record.registered.items() if count > 1]
    return found


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
            stack.extend((done | 1 << i, after) for after in _after(pending[i], state))
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


def _after(operation: SlotOperation, state: State) -> list[State]:
    """Return the states that the operation can lead to, or none if its answer contradicts the state."""
    kind, outcome = operation.kind, operation.outcome
    appointment, holder = operation.appointment, f"held by {operation.by}"
    untold = f"booked by {operation.by}"
    is_booked = isinstance(state, int) or state.startswith("booked by")
    if kind in {"leave", "vacate"}:
        left = "free" if state == (appointment or untold) else state
        return ["withdrawn" if kind == "leave" else left]
    if kind == "look":
        return [state] if (state in {"free", holder}) == (outcome == "free") else []
    if kind in {"cancel", "cancel_and_withdraw", "move_out"}:
        active = state == appointment
        if outcome in {"done", "unknown"}:
            return ["withdrawn" if kind == "cancel_and_withdraw" else "free"] if active else []
        return [] if active else [state]
    if kind in {"release", "expire"}:
        if outcome == "none":
            return [] if state == holder else [state]
        # A hold that has expired can be released until somebody deletes it. The hold of a withdrawn slot stays.
        return ["free"] if state == holder else [state] if kind == "release" or state == "withdrawn" else []
    is_held = isinstance(state, str) and state.startswith("held by")
    if kind == "withdraw" and outcome != "gone":
        if outcome == "taken":
            return [state] if is_booked else []
        return ["withdrawn"] if state == "free" or is_held else []
    if outcome in {"done", "unknown"}:
        taken = holder if kind == "hold" else (appointment or untold)
        return [taken] if state in {"free", holder} else []
    fits = {
        "taken": is_booked or (is_held and state != holder),
        "busy": state == "free" or is_held,
        "gone": state == "withdrawn",
    }
    return [state] if fits[outcome] else []
