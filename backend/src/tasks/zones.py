"""Keep instants at the wall clocks that people agreed on, when the rules of time zones change.

Slots and appointments have both. New zone data changes which instant belongs to a wall clock, never the wall clock at
which something starts. No mail is sent, because nothing that people agreed on changes. Openings follow from hours on
the wall clock, so they are laid anew.
"""

from __future__ import annotations

import logging
from collections.abc import Generator, Iterator
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection

from src.context import Transaction
from src.repositories import ahead_repository as ahead
from src.repositories import installation_repository as installation
from src.repositories import laid_openings
from src.repositories import opening_repository as openings
from src.repositories import zone_locks as locks
from src.tasks.zone_moves import move_all, new_span
from src.tasks.zone_report import OfDoctor, Recomputed, in_words
from src.tasks.zone_versions import ZONE_DATA, is_newer

log = logging.getLogger("zones")

# Few, because the worker sends no mails meanwhile. Computing the openings of one doctor takes some milliseconds.
DOCTORS_OF_A_PAGE = 50


@dataclass(frozen=True)
class Run:
    """One recomputation; `version` is that of this process's zone data. A dry one writes nothing."""

    transaction: Transaction
    now: datetime
    version: str
    clinic_zone: str
    is_dry: bool = False


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
        wrong = {one.time_zone for one in times if new_span(one) != one.span}
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
                done = move_all(db, doctor_id, run.now, run.clinic_zone)
                (attempt.rollback if run.is_dry else attempt.commit)()
                return done
