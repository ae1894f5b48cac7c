"""Demo data: plainly fictional people who log in with a published password, and what clinics have in a week.

`./run` adds it only where the published password endangers no real people: see `reason_against`. It also marks the
database as filled by demo data, so that the next start may add what is missing.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, time, timedelta
from typing import Any

from sqlalchemy import Connection

from src.context import SlowContext
from src.domain.openings import HoursException, WeeklyHours
from src.domain.wall_clock import instant_of, local
from src.repositories import availability_repository as slots
from src.repositories import doctor_repository as doctors
from src.repositories import exception_repository as exceptions
from src.repositories import hours_repository as hours
from src.repositories import installation_repository as installation
from src.repositories import opening_repository as openings
from src.repositories import user_repository as users
from src.repositories import visit_type_repository as visit_types
from src.schemas.fields import email_key
from src.tasks import demo_appointments
from src.utils.security import hash_password

MARK = "demo_data"
PASSWORD = "password123"  # noqa: S105 - published on purpose
# Minutes of the day, from Monday to Friday, with a break for lunch.
OFFICE_HOURS = ((9 * 60, 12 * 60), (13 * 60, 16 * 60))
WORKDAYS = range(5)
DAYS_UNTIL_HOLIDAY = 9
# A slot that the first doctor publishes beside the hours, each day for the next one.
EXTRA_SLOT = (time(18), time(18, 30))


@dataclass(frozen=True)
class DemoType:
    """A visit type beside the first; times in minutes."""

    name: str
    minutes: int
    buffer_before: int = 0
    buffer_after: int = 0
    step: int | None = None
    capacity: int = 1
    most_per_day: int | None = None
    place: str | None = None

    def columns(self) -> dict[str, Any]:
        return vars(self) | {"step": self.step or self.minutes}


@dataclass(frozen=True)
class DemoDoctor:
    name: str
    email: str
    designation: str
    specialization: str
    time_zone: str | None
    visit_types: tuple[DemoType, ...]
    # Days from now until the hours begin.
    away: int = 0
    policies: Mapping[str, int] = field(default_factory=dict[str, int])


SHORT = DemoType("Short visit", 20, buffer_after=5, step=5)
DOCTORS = (
    DemoDoctor(
        "Fenna Quill",
        "fenna.quill@clinic.example",
        "Dr.",
        "General Practitioner",
        None,
        (SHORT, DemoType("Health check", 45, 5, 10, step=15, most_per_day=2)),
    ),
    DemoDoctor(
        "Tobias Marrow",
        "tobias.marrow@clinic.example",
        "Prof. Dr.",
        "Cardiology",
        "Europe/Berlin",
        (SHORT, DemoType("Stress test", 45, 10, 10, step=15, place="Room 3")),
    ),
    DemoDoctor(
        "Imani Lark",
        "imani.lark@clinic.example",
        "Dr.",
        "Pediatrics",
        "America/New_York",
        (SHORT, DemoType("Parents' evening", 60, capacity=6, most_per_day=6, place="Seminar room")),
        policies={"cancellation_notice": 24 * 60, "most_ahead": 2},
    ),
    DemoDoctor("Koji Stem", "koji.stem@clinic.example", "Dr.", "Dermatology", "Asia/Tokyo", (SHORT,), away=35),
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
    """Mark the database, then add the people, hours and slots that are missing; yield one line after each person."""
    with ctx.transaction(writes=True) as db:
        installation.remember(db, MARK, "yes")
    patients: list[int] = []
    for name, email in PATIENTS:
        patients.append(_account(ctx, name, email, "patient"))
        yield name
    for doctor in DOCTORS:
        user_id, doctor_id = _doctor(ctx, doctor)
        zone = doctor.time_zone or ctx.settings.clinic_time_zone
        with ctx.transaction(writes=True) as db:
            is_new = _set_hours(db, user_id, doctor_id, doctor, zone, ctx.now)
            if is_new and doctor is DOCTORS[1]:
                demo_appointments.leave_outside(db, doctor_id, zone, patients[1:], ctx.now)
            if doctor is DOCTORS[0]:
                _publish_extra(db, doctor_id, zone, ctx.now)
        yield doctor.name


def _doctor(ctx: SlowContext[None], doctor: DemoDoctor) -> tuple[int, int]:
    user_id = _account(ctx, doctor.name, doctor.email, "doctor")
    with ctx.transaction(writes=True) as db:
        doctor_id = doctors.find_id(db, user_id)
        if doctor_id is None:
            doctor_id = doctors.add(db, user_id, doctor.designation, doctor.specialization, ctx.now)
            if doctor.time_zone:
                doctors.update_profile(db, doctor_id, {"time_zone": doctor.time_zone})
    return user_id, doctor_id


def _account(ctx: SlowContext[None], name: str, email: str, role: str) -> int:
    key = email_key(email)
    with ctx.transaction(writes=False) as db:
        account = users.find_by_email_key(db, key)
    if account is not None:
        return account.id
    password_hash = hash_password(PASSWORD, ctx.settings)
    with ctx.transaction(writes=True) as db:
        user_id = users.add(
            db,
            name=name,
            email=email,
            email_key=key,
            password_hash=password_hash,
            role=role,
            now=ctx.now,
            confirmed_at=ctx.now,
        )
        if user_id is None:
            user_id = users.find_by_email_key(db, key).id  # pyright: ignore[reportOptionalMemberAccess]
    return user_id


def _set_hours(db: Connection, user_id: int, doctor_id: int, doctor: DemoDoctor, zone: str, now: datetime) -> bool:
    """Give a doctor who never had hours visit types, office hours and a holiday; lay the openings of every doctor.

    Return whether the doctor never had hours.
    """
    locked = hours.lock(db, user_id, doctor_id)
    is_new = locked is not None and locked.hours_revision == 0
    if is_new:
        today = local(now, zone).date()
        for kind in doctor.visit_types:
            visit_types.add(db, doctor_id, kind.columns(), now)
        begin = today + timedelta(days=doctor.away) if doctor.away else None
        hours.replace(db, doctor_id, [WeeklyHours(day, *span, begin) for day in WORKDAYS for span in OFFICE_HOURS])
        holiday = today + timedelta(days=DAYS_UNTIL_HOLIDAY)
        closure = HoursException(is_closed=True, first_day=holiday, last_day=holiday)
        exceptions.add(db, doctor_id, closure, "Holiday", now)
        if doctor.policies:
            doctors.update_profile(db, doctor_id, dict(doctor.policies))
    openings.lay(db, doctor_id, openings.schedule_of(db, doctor_id, zone, now))
    return is_new


def _publish_extra(db: Connection, doctor_id: int, zone: str, now: datetime) -> None:
    """Publish a slot for tomorrow evening, unless one is there."""
    day = local(now, zone).date() + timedelta(days=1)
    wall_start, wall_end = (datetime.combine(day, at) for at in EXTRA_SLOT)
    starts_at, ends_at = instant_of(wall_start, zone), instant_of(wall_end, zone)
    if any(starts_at < end and ends_at > start for start, end in slots.spans_ahead(db, doctor_id, now)):
        return
    slots.add(
        db,
        doctor_id=doctor_id,
        starts_at=starts_at,
        ends_at=ends_at,
        time_zone=zone,
        wall_start=wall_start,
        wall_end=wall_end,
        now=now,
    )
