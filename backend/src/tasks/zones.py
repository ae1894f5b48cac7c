"""Keep instants at the wall clocks that people agreed on, when the rules of time zones change.

Slots and appointments have both. New zone data changes which instant belongs to a wall clock, never the wall clock. No
mail is sent, because nothing that people see changes.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection

from src.context import Transaction
from src.database.wall_clocks import FILLED, fill_chunk
from src.domain.wall_clock import instant_of
from src.errors_of_appointments import BadSlot
from src.repositories import installation_repository as installation
from src.repositories import zone_repository as zones
from src.repositories.zone_repository import SlotAhead, Span, Times

log = logging.getLogger("zones")

# The row of `installation` with the version of the zone data that the instants were computed with.
ZONE_DATA = "zone_data"
# Small, because other transactions wait for the rows of a chunk.
CHUNK = 1_000


def fill(transaction: Transaction) -> Iterator[int]:
    """Fill the wall clocks that servers of the version before 0011 left empty; yield the number after each chunk."""
    for table in FILLED:
        last: int | None = 0
        while last is not None:
            with transaction(writes=True) as db:
                last, filled = fill_chunk(db, table, last, CHUNK)
            if filled:
                yield filled


@dataclass
class Recomputed:
    """`moved` counts slots whose instants were changed; `staying` says in words which could not be moved, and why."""

    moved: int
    staying: list[str]


def is_newer(version: str, than: str | None) -> bool:
    """Compare versions as numbers: 2026.10 is newer than 2026.9."""
    return than is None or _numbers(version) > _numbers(than)


def _numbers(version: str) -> list[int]:
    return [int(digits) for digits in re.findall("[0-9]+", version)]


def recorded_version(transaction: Transaction) -> str | None:
    """Return the version of the zone data that the database's instants were computed with."""
    with transaction(writes=False) as db:
        return installation.recall(db, ZONE_DATA)


def recompute(transaction: Transaction, now: datetime, version: str) -> Recomputed | None:
    """Move what is ahead to the instants of its wall clock by this process's zone data, which has this version.

    It does nothing and returns None if newer zone data has been used already. With the same version it moves what
    servers with older zone data published meanwhile, and tries again what could not be moved. If it is killed, the next
    run continues: the version is stored at the end.
    """
    done = Recomputed(0, [])
    doctors: Collection[int] = _doctors_to_check(transaction, now)
    moved = -1
    # A doctor whose slots stay is tried again: the patient's other appointment may have moved since.
    while doctors and moved != done.moved:
        moved, done.staying, again = done.moved, [], []
        for doctor_id in doctors:
            result = _recompute_doctor(transaction, doctor_id, now, version)
            if result is None:
                return None
            done.moved += result.moved
            done.staying += result.staying
            if result.staying:
                again.append(doctor_id)
        doctors = again
    with transaction(writes=True) as db:
        zones.lock_zones(db)
        recorded = installation.recall(db, ZONE_DATA)
        if recorded is not None and is_newer(recorded, version):
            return None
        if is_newer(version, recorded):
            installation.remember(db, ZONE_DATA, version)
    return done


def recompute_and_log(transaction: Transaction, now: datetime, version: str) -> None:
    """Recompute as the worker does it, which has nobody to talk to."""
    done = recompute(transaction, now, version)
    if done is None:
        log.warning("The database has used newer zone data than %s; update tzdata.", version)
        return
    if done.moved:
        log.info("zone data %s: %s slots moved to their wall clock", version, done.moved)
    for line in done.staying:
        log.warning("%s", line)


def _doctors_to_check(transaction: Transaction, now: datetime) -> Collection[int]:
    with transaction(writes=False) as db:
        wrong = {times.time_zone for times in zones.times_ahead(db, now) if _new_span(times) != _old_span(times)}
        return zones.doctors_ahead(db, wrong, now) if wrong else ()


def _recompute_doctor(transaction: Transaction, doctor_id: int, now: datetime, version: str) -> Recomputed | None:
    while True:
        with transaction(writes=True) as db:
            zones.lock_zones(db)
            recorded = installation.recall(db, ZONE_DATA)
            if recorded is not None and is_newer(recorded, version):
                return None
            if zones.lock_doctor(db, doctor_id, now):
                return _move_slots(db, doctor_id, now)


def _move_slots(db: Connection, doctor_id: int, now: datetime) -> Recomputed:
    wanted: dict[SlotAhead, Span] = {}
    staying: list[str] = []
    for slot in zones.slots_ahead(db, doctor_id, now):
        span = _new_span(slot.times)
        if isinstance(span, str):
            staying.append(_in_words(slot, span))
        elif span != _old_span(slot.times):
            wanted[slot] = span
    refused = zones.move(db, wanted) if wanted else set[SlotAhead]()
    staying += [_in_words(slot, "Another slot or appointment has that time.") for slot in wanted if slot in refused]
    return Recomputed(len(wanted) - len(refused), staying)


def _old_span(times: Times) -> Span:
    return times.starts_at, times.ends_at


def _new_span(times: Times) -> Span | str:
    """Return the instants of the wall clock, or why it has none: the clocks skip or repeat that time by new rules."""
    try:
        return instant_of(times.wall_start, times.time_zone), instant_of(times.wall_end, times.time_zone)
    except BadSlot as reason:
        return str(reason)


def _in_words(slot: SlotAhead, reason: str) -> str:
    times = slot.times
    what = f"slot {slot.id}" if slot.appointment_id is None else f"slot {slot.id} (appointment {slot.appointment_id})"
    span = f"{times.wall_start:%Y-%m-%d %H:%M} to {times.wall_end:%H:%M} ({times.time_zone})"
    return f"{what} of {slot.doctor_name}, {span}, stays at {times.starts_at:%Y-%m-%d %H:%M} UTC: {reason}"
