"""Check that what was withdrawn stayed so, and that affected appointments were cancelled all or none."""

from __future__ import annotations

from tests.faults.closures import has_surely_closed
from tests.faults.histories import Event, Events, Rows, places
from tests.faults.record import NEVER, Place, Record, Withdrawal

# The wall clock and the monotonic clock may drift apart by this.
SECONDS_BETWEEN_CLOCKS = 0.1


def wrong_withdrawals(record: Record, rows: Rows, events: Events, withdrawn: set[int]) -> list[str]:
    """Check that nobody asked after an acknowledged withdrawal, and got the time."""
    acknowledged = [one for of in record.withdrawals.values() for one in of if one.ended != NEVER]
    found = [
        f"slot {one.slot_id} was withdrawn, and is not"
        for one in acknowledged
        if one.slot_id is not None and one.slot_id not in withdrawn
    ]
    at_slots = {known.place for known in record.published.values()}
    for appointment, history in events.items():
        if appointment in rows:
            for event, place in zip(history, places(rows[appointment], history), strict=True):
                if event.kind != "cancelled" and _was_withdrawn(record, event, place, at_slots):
                    found.append(f"appointment {appointment} was {event.kind} after its time was withdrawn: {place}")
    return found[:10]


def _was_withdrawn(record: Record, event: Event, place: Place, at_slots: set[Place]) -> bool:
    def kept_away(one: Withdrawal) -> bool:
        if one.slot_id is not None:
            return one.place == place
        return place not in at_slots and one.covers(place) and has_surely_closed(record, one)

    return any(
        kept_away(one) and (event.row.at - record.instant(one.ended)).total_seconds() > SECONDS_BETWEEN_CLOCKS
        for one in record.withdrawals[place.doctor_id]
        if one.ended != NEVER
    )


def wrong_sweeps(record: Record, rows: Rows, events: Events, withdrawn: set[int]) -> list[str]:
    """Check by their reasons what became of the requests to cancel several appointments at once.

    Nothing says why appointments of patients were cancelled who have left since.
    """
    erased = {appointment for appointment, row in rows.items() if row.email is None}
    cancelled: dict[str, set[int]] = {}
    for appointment, history in events.items():
        for event in history:
            if event.kind == "cancelled" and event.row.reason:
                cancelled.setdefault(event.row.reason, set()).add(appointment)
    found: list[str] = []
    for sweep in record.sweeps:
        done = cancelled.get(sweep.reason, set())
        all_of_them = sweep.appointments - erased
        possible = {"done": [all_of_them], "refused": [set[int]()], "unknown": [all_of_them, set[int]()]}
        if done not in possible[sweep.outcome]:
            found.append(
                f"of affected appointments to be cancelled all or none, {sorted(done)} are, of"
                f" {sorted(sweep.appointments)}, which was {sweep.outcome}"
            )
        at = [record.known(rows[appointment].slot_id).place for appointment in done]
        slots = {slot.slot_id for place in at for slot in record.slots_at(place)}
        if slots - withdrawn:
            found.append(f"slots {sorted(slots - withdrawn)} at affected appointments were withdrawn, and are not")
    return found[:10]
