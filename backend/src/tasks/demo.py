"""Demo data: plainly fictional people who log in with a published password, and slots for the next two weeks.

`./run` adds it only where the published password endangers no real people: see `reason_against`. It also marks the
database as filled by demo data, so that the next start may add what is missing.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from sqlalchemy import Connection

from src.context import SlowContext
from src.domain.wall_clock import instant_of, local, wall_clock
from src.repositories import availability_repository as slots
from src.repositories import doctor_repository as doctors
from src.repositories import installation_repository as installation
from src.repositories import user_repository as users
from src.schemas.fields import email_key
from src.utils.security import hash_password

MARK = "demo_data"
PASSWORD = "password123"  # noqa: S105 - published on purpose
DAYS_AHEAD = 14
SLOT = timedelta(minutes=30)
OFFICE_HOURS = ((time(9), time(12)), (time(13), time(16)))


@dataclass(frozen=True)
class DemoDoctor:
    name: str
    email: str
    designation: str
    specialization: str
    time_zone: str | None


DOCTORS = (
    DemoDoctor("Fenna Quill", "fenna.quill@clinic.example", "Dr.", "General Practitioner", None),
    DemoDoctor("Tobias Marrow", "tobias.marrow@clinic.example", "Prof. Dr.", "Cardiology", "Europe/Berlin"),
    DemoDoctor("Imani Lark", "imani.lark@clinic.example", "Dr.", "Pediatrics", "America/New_York"),
    DemoDoctor("Koji Stem", "koji.stem@clinic.example", "Dr.", "Dermatology", "Asia/Tokyo"),
)
PATIENTS = (
    ("Ada Sample", "ada@patients.example"),
    ("Ben Placeholder", "ben@patients.example"),
    ("Cleo Example", "cleo@patients.example"),
)


REFUSED_IN_PRODUCTION = "Demo data is refused in production, because everybody knows its password."


def reason_against(ctx: SlowContext[None]) -> str | None:
    """Return the sentence that says why `./run` must not add demo data, or None when it may.

    It may in development, to an SQLite database that has no account yet or that demo data filled.
    """
    if ctx.settings.is_production:
        return REFUSED_IN_PRODUCTION
    if not ctx.settings.database_is_sqlite:
        return "Demo data was not added, because the database is not the embedded one; to add it, run: flask demo"
    with ctx.transaction(writes=False) as db:
        if is_marked(db) or not users.any_exist(db):
            return None
    return "Demo data was not added, because the database has people of its own; to add it, run: flask demo"


def is_marked(db: Connection) -> bool:
    """Say whether demo data filled this database."""
    return installation.recall(db, MARK) is not None


def top_up(ctx: SlowContext[None]) -> Iterator[str]:
    """Mark the database, then add the people and slots that are missing; yield one line after each person."""
    with ctx.transaction(writes=True) as db:
        installation.remember(db, MARK, "yes")
    for doctor in DOCTORS:
        doctor_id = _doctor(ctx, doctor)
        with ctx.transaction(writes=True) as db:
            added = _publish_missing(db, doctor_id, doctor.time_zone or ctx.settings.clinic_time_zone, ctx.now)
        yield f"{doctor.name}: {added} new slots"
    for name, email in PATIENTS:
        _account(ctx, name, email, "patient")
        yield name


def _doctor(ctx: SlowContext[None], doctor: DemoDoctor) -> int:
    user_id = _account(ctx, doctor.name, doctor.email, "doctor")
    with ctx.transaction(writes=True) as db:
        doctor_id = doctors.find_id(db, user_id)
        if doctor_id is None:
            doctor_id = doctors.add(db, user_id, doctor.designation, doctor.specialization, ctx.now)
            if doctor.time_zone:
                doctors.update_profile(db, doctor_id, {"time_zone": doctor.time_zone})
    return doctor_id


def _account(ctx: SlowContext[None], name: str, email: str, role: str) -> int:
    key = email_key(email)
    with ctx.transaction(writes=False) as db:
        account = users.find_by_email_key(db, key)
    if account is not None:
        return account.id
    password_hash = hash_password(PASSWORD, ctx.settings)
    with ctx.transaction(writes=True) as db:
        user_id = users.add(
            db, name=name, email=email, email_key=key, password_hash=password_hash, role=role, now=ctx.now
        )
        if user_id is None:
            user_id = users.find_by_email_key(db, key).id  # pyright: ignore[reportOptionalMemberAccess]
    return user_id


def _publish_missing(db: Connection, doctor_id: int, zone: str, now: datetime) -> int:
    taken = slots.spans_ahead(db, doctor_id, now)
    missing = [
        (starts_at, ends_at)
        for starts_at, ends_at in _office_slots(local(now, zone).date(), zone)
        if starts_at > now and not any(starts_at < end and ends_at > start for start, end in taken)
    ]
    for starts_at, ends_at in missing:
        slots.add(
            db,
            doctor_id=doctor_id,
            starts_at=starts_at,
            ends_at=ends_at,
            time_zone=zone,
            wall_start=wall_clock(starts_at, zone),
            wall_end=wall_clock(ends_at, zone),
            now=now,
        )
    return len(missing)


def _office_slots(today: date, zone: str) -> Iterator[tuple[datetime, datetime]]:
    for day in (today + timedelta(days=ahead) for ahead in range(1, DAYS_AHEAD + 1)):
        if day.isoweekday() > 5:  # noqa: PLR2004 - Saturday and Sunday
            continue
        for opens, closes in OFFICE_HOURS:
            starts_at, end = (instant_of(datetime.combine(day, at), zone) for at in (opens, closes))
            while starts_at < end:
                yield starts_at, starts_at + SLOT
                starts_at += SLOT
