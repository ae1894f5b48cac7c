"""Keep instants at the wall clocks that people agreed on, when the rules of time zones change.

Slots and appointments have both. New zone data changes which instant belongs to a wall clock, never the wall clock at
which something starts. No mail is sent, because nothing that people agreed on changes. Openings follow from hours on
the wall clock, so they are laid anew.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Generator, Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row

from src.context import Transaction
from src.database.wall_clocks import FILLED, fill_chunk
from src.domain.wall_clock import first_showing, instant_of, wall_clock
from src.errors_of_appointments import BadSlot
from src.repositories import ahead_repository as ahead
from src.repositories import doctor_repository as doctors
from src.repositories import holds, laid_openings
from src.repositories import installation_repository as installation
from src.repositories import opening_repository as openings
from src.repositories import zone_locks as locks
from src.repositories.ahead_repository import Ahead, Span, Times
from src.repositories.zone_moves import move

log = logging.getLogger("zones")

# The row of `installation` with the version of the zone data that the instants were computed with.
ZONE_DATA = "zone_data"
# Small, because other transactions wait for the rows of a chunk.
CHUNK = 1_000
# Few, because the worker sends no mails meanwhile. Computing the openings of one doctor takes some milliseconds.
DOCTORS_OF_A_PAGE = 50


def fill(transaction: Transaction) -> Iterator[int]:
    """Fill the wall clocks that servers of the version before 0011 left empty; yield the number after each chunk."""
    for table in FILLED:
        last: int | None = 0
        while last is not None:
            with transaction(writes=True) as db:
                last, filled = fill_chunk(db, table, last, CHUNK)
            if filled:
                yield filled


@dataclass(frozen=True)
class Run:
    """One recomputation; `version` is that of this process's zone data. A dry one writes nothing."""

    transaction: Transaction
    now: datetime
    version: str
    clinic_zone: str
    is_dry: bool = False


@dataclass
class OfDoctor:
    """How much of a doctor's was changed. In words: what could not be moved and why, and what is outside of the hours.

    `openings` counts those that were laid anew.
    """

    doctor: str
    slots: int = 0
    appointments: int = 0
    holds: int = 0
    openings: int = 0
    staying: list[str] = field(default_factory=list[str])
    outside: list[str] = field(default_factory=list[str])

    @property
    def moved(self) -> int:
        return self.slots + self.appointments + self.holds

    def after(self, earlier: OfDoctor | None) -> OfDoctor:
        """Return the result of this and an earlier attempt together."""
        if earlier is None:
            return self
        return replace(
            self,
            slots=self.slots + earlier.slots,
            appointments=self.appointments + earlier.appointments,
            holds=self.holds + earlier.holds,
            openings=self.openings + earlier.openings,
        )


@dataclass
class Recomputed:
    """What a recomputation did, by doctor."""

    doctors: list[OfDoctor]

    @property
    def changed(self) -> list[OfDoctor]:
        return [doctor for doctor in self.doctors if doctor.moved or doctor.openings]

    @property
    def staying(self) -> list[str]:
        return [line for doctor in self.doctors for line in doctor.staying]

    @property
    def outside(self) -> list[str]:
        return [line for doctor in self.doctors for line in doctor.outside]


def is_newer(version: str, than: str | None) -> bool:
    """Compare versions as numbers: 2026.10 is newer than 2026.9."""
    return than is None or _numbers(version) > _numbers(than)


def _numbers(version: str) -> list[int]:
    return [int(digits) for digits in re.findall("[0-9]+", version)]


def recorded_version(transaction: Transaction) -> str | None:
    """Return the version of the zone data that the database's instants were computed with."""
    with transaction(writes=False) as db:
        return installation.recall(db, ZONE_DATA)


def recompute(run: Run) -> Recomputed | None:
    """Move what is ahead to the instants of its wall clock by this process's zone data, and lay openings by it.

    It does nothing and returns None if newer zone data has been used already. With the same version it moves what
    servers with older zone data published meanwhile, and tries again what could not be moved. If it is killed, the next
    run continues: the version is stored at the end.

    A dry run tries each doctor once, while all others have their old times.
    """
    done: list[Recomputed | None] = []

    def steps() -> Iterator[None]:
        done.append((yield from _recompute(run)))

    for _ in steps():
        pass
    return done[0]


def recompute_and_log(run: Run) -> Iterator[None]:
    """Recompute as the worker does it, which has nobody to talk to, and delivers mails after each step."""
    done = yield from _recompute(run)
    if done is None:
        log.warning("The database has used newer zone data than %s; update tzdata.", run.version)
        return
    for doctor in done.changed:
        log.info("zone data %s: %s", run.version, in_words(doctor))
    for line in [*done.staying, *done.outside]:
        log.warning("%s", line)


def _recompute(run: Run) -> Generator[None, None, Recomputed | None]:
    """Recompute, and yield after each step, outside of transactions."""
    results: dict[int, OfDoctor] = {}
    doctors = yield from _doctors_to_check(run)
    while doctors:
        again: set[int] = set()
        moved = 0
        for doctor_id in sorted(doctors):
            result = _recompute_doctor(run, doctor_id)
            if result is None:
                return None
            results[doctor_id] = result.after(results.get(doctor_id))
            moved += result.moved
            if result.staying:
                again.add(doctor_id)
            yield
        # A doctor whose slots stay is tried again: the patient's other appointment may have moved since.
        doctors = again if moved and not run.is_dry else set[int]()
    done = Recomputed([results[doctor_id] for doctor_id in sorted(results)])
    return done if _remember_version(run) else None


def in_words(doctor: OfDoctor) -> str:
    """Say what was changed for a doctor."""
    parts = [
        _counted("moved ", (doctor.slots, "slot"), (doctor.appointments, "appointment"), (doctor.holds, "hold")),
        _counted("laid anew ", (doctor.openings, "opening")),
    ]
    return f"{doctor.doctor}: {'; '.join(part for part in parts if part)}"


def _counted(verb: str, *counts: tuple[int, str]) -> str:
    numbers = [f"{count} {thing}" if count == 1 else f"{count} {thing}s" for count, thing in counts if count]
    return verb + ", ".join(numbers) if numbers else ""


def _remember_version(run: Run) -> bool:
    """Return False if newer zone data has been used meanwhile."""
    with run.transaction(writes=True) as db:
        locks.lock_zones(db)
        recorded = installation.recall(db, ZONE_DATA)
        if is_newer(run.version, recorded) and not run.is_dry:
            installation.remember(db, ZONE_DATA, run.version)
    return recorded is None or not is_newer(recorded, run.version)


def _doctors_to_check(run: Run) -> Generator[None, None, set[int]]:
    """Return the doctors who have something ahead at other instants, or other openings, than by this zone data."""
    with run.transaction(writes=False) as db:
        times = ahead.list_times(db, run.now)
        wrong = {one.time_zone for one in times if _new_span(one) != one.span}
        found = ahead.list_doctors(db, wrong, run.now) if wrong else set[int]()
    after: int | None = 0
    while after is not None:
        with run.transaction(writes=False) as db:
            after = _check_openings(db, after, run, found)
        yield
    return found


def _check_openings(db: Connection, after: int, run: Run, found: set[int]) -> int | None:
    """Add to `found` those of the next doctors whose openings are others; return the last id, or None at the end.

    Only a comparison shows it: openings do not say which zone data they were laid with, and servers with older zone
    data may have laid some since the last run.
    """
    page = laid_openings.list_doctors(db, after, DOCTORS_OF_A_PAGE)
    for doctor in page:
        schedule = openings.schedule_of(db, doctor.id, doctor.time_zone or run.clinic_zone, run.now)
        if laid_openings.count_changed(db, doctor.id, schedule, doctor.openings_until):
            found.add(doctor.id)
    return page[-1].id if page else None


def _recompute_doctor(run: Run, doctor_id: int) -> OfDoctor | None:
    while True:
        with run.transaction(writes=True) as db:
            locks.lock_zones(db)
            recorded = installation.recall(db, ZONE_DATA)
            if recorded is not None and is_newer(recorded, run.version):
                return None
            if locks.lock_doctor(db, doctor_id, run.now):
                attempt = db.begin_nested()
                done = _move_all(db, doctor_id, run)
                (attempt.rollback if run.is_dry else attempt.commit)()
                return done


def _move_all(db: Connection, doctor_id: int, run: Run) -> OfDoctor:
    """Move what is ahead and lay the openings anew, in one transaction: times are computed from both."""
    doctor = doctors.find(db, doctor_id)
    done = OfDoctor(f"{doctor.name} (doctor {doctor_id})")
    holds.release_expired(db, doctor_id, run.now)
    staying = _move(db, doctor_id, run.now, done)
    done.staying = [_stays(doctor.name, one, reason) for one, reason in staying.items()]
    if doctor.deleted_at is None:
        schedule = openings.schedule_of(db, doctor_id, doctor.time_zone or run.clinic_zone, run.now)
        done.openings = laid_openings.count_changed(db, doctor_id, schedule, doctor.openings_until)
        if done.openings:
            openings.lay(db, doctor_id, schedule)
        listed = {taker.id for one in staying for taker in one.takers}
        booked = openings.booked_ahead(db, doctor_id, run.now)
        computed = [row for row in booked if row.visit_type_id is not None and row.id not in listed]
        done.outside = [_is_outside(doctor.name, row) for row in schedule.affected(computed)]
    return done


def _move(db: Connection, doctor_id: int, now: datetime, done: OfDoctor) -> dict[Ahead, str]:
    """Move what is ahead and count it in `done`; return what stays, and why."""
    wanted: dict[Ahead, Span] = {}
    staying: dict[Ahead, str] = {}
    for one in ahead.list_of_doctor(db, doctor_id, now):
        span = _new_span(one.times)
        if isinstance(span, str):
            staying[one] = span
        elif span != one.times.span:
            wanted[one] = span
    refused = move(db, wanted) if wanted else set[Ahead]()
    staying |= {one: "Another slot or appointment has that time." for one in wanted if one in refused}
    for one in wanted:
        if one not in refused:
            held = sum(taker.is_held for taker in one.takers)
            done.slots += not one.times.is_computed
            done.appointments += len(one.takers) - held
            done.holds += held
    return staying


def _new_span(times: Times) -> Span | str:
    """Return the instants of the wall clock, or why it has none: the clocks skip that time by new rules.

    A published slot keeps its wall clock, and stays if the clocks repeat it. A computed time keeps its start on the
    wall clock, which is the first one if the clocks repeat it, like all openings, and its length in real minutes.
    """
    zone = times.time_zone
    try:
        if not times.is_computed:
            return Span(instant_of(times.wall_start, zone), instant_of(times.wall_end, zone), times.wall_end)
        starts_at = first_showing(times.wall_start, zone)
    except BadSlot as reason:
        return str(reason)
    ends_at = starts_at + (times.ends_at - times.starts_at)
    return Span(starts_at, ends_at, wall_clock(ends_at, zone))


def _stays(doctor: str, one: Ahead, reason: str) -> str:
    people = ", ".join(f"{'hold' if taker.is_held else 'appointment'} {taker.id}" for taker in one.takers)
    slot = f"slot {one.slot_id} ({people})" if people else f"slot {one.slot_id}"
    what = people if one.times.is_computed else slot
    return f"{what} of {doctor}, {_shown(one.times)}, stays at {one.times.starts_at:%Y-%m-%d %H:%M} UTC: {reason}"


def _is_outside(doctor: str, row: Row[Any]) -> str:
    what = f"appointment {row.id} of {doctor}, {_shown(row)}, at {row.starts_at:%Y-%m-%d %H:%M} UTC"
    return f"{what}, is outside of the hours."


def _shown(times: Times | Row[Any]) -> str:
    return f"{times.wall_start:%Y-%m-%d %H:%M} to {times.wall_end:%H:%M} ({times.time_zone})"
