"""A doctor's dashboard and profile, and the deletion of the account."""

from __future__ import annotations

from src.context import Context, Doctor
from src.controllers.changes_of_hours import affected_by, lay, lock, schedule_of
from src.domain.wall_clock import day_bounds
from src.errors import Unauthenticated
from src.repositories import account_locks as locks
from src.repositories import appointment_repository as appointments
from src.repositories import availability_repository as slots
from src.repositories import booking_steps as bookings
from src.repositories import doctor_repository as doctors
from src.repositories import email_confirmation_repository as confirmations
from src.repositories import hours_repository as hours
from src.repositories import mail_erasure as mails
from src.repositories import opening_repository as openings
from src.repositories import outbox_repository as outbox
from src.repositories import refresh_token_repository as refresh_tokens
from src.repositories import second_factor_repository as factors
from src.repositories import user_repository as users
from src.repositories import visit_type_repository as visit_types
from src.schemas.appointment import DoctorsAppointment
from src.schemas.base import Message
from src.schemas.doctor import DoctorDashboard, DoctorProfileOut, ProfileUpdate, ProfileUpdated

NOTHING_CHANGED = f"Nothing was changed. You can change: {', '.join(ProfileUpdate.model_fields)}."


def dashboard(ctx: Context[Doctor]) -> DoctorDashboard:
    """Show what a doctor wants to see first."""
    begin, end = day_bounds(ctx.now, ctx.actor.time_zone)
    today = appointments.list_of_doctor_between(ctx.db, ctx.actor.doctor_id, begin, end)
    following = appointments.next_of_doctor(ctx.db, ctx.actor.doctor_id, ctx.now)
    counts = slots.count_ahead(ctx.db, ctx.actor.doctor_id, ctx.now)
    return DoctorDashboard(
        message=f"Welcome, {ctx.actor.name}.",
        appointments_today=[DoctorsAppointment(**DoctorsAppointment.of_row(row, ctx.now)) for row in today],
        next_appointment=DoctorsAppointment(**DoctorsAppointment.of_row(following, ctx.now)) if following else None,
        free_slots=counts.free,
        booked_slots=counts.booked,
    )


def profile(ctx: Context[Doctor]) -> DoctorProfileOut:
    """Return the doctor's own profile."""
    row = doctors.find_profile(ctx.db, ctx.actor.doctor_id)
    return DoctorProfileOut(
        id=ctx.actor.user_id,
        name=ctx.actor.name,
        email=ctx.actor.email,
        designation=row.designation,
        specialization=row.specialization,
        doctor_id=ctx.actor.doctor_id,
        time_zone=ctx.actor.time_zone,
    )


def update_profile(ctx: Context[Doctor], body: ProfileUpdate) -> ProfileUpdated:
    """Change designation, specialization or time zone.

    Published slots and appointments keep their zone; the weekly hours are on the clocks of the new one.
    """
    changes = body.model_dump(exclude_none=True)
    affected = _move_hours(ctx, body.time_zone) if body.time_zone is not None else []
    if changes:
        doctors.update_profile(ctx.db, ctx.actor.doctor_id, changes)
    row = doctors.find_profile(ctx.db, ctx.actor.doctor_id)
    return ProfileUpdated(
        message="Profile updated." if changes else NOTHING_CHANGED,
        designation=row.designation,
        specialization=row.specialization,
        time_zone=changes.get("time_zone", ctx.actor.time_zone),
        affected=affected,
    )


def _move_hours(ctx: Context[Doctor], time_zone: str) -> list[DoctorsAppointment]:
    """Lay openings for the new time zone, and return the appointments that lie outside of the hours then."""
    if lock(ctx).time_zone == time_zone:
        return []
    hours.raise_revision(ctx.db, ctx.actor.doctor_id)
    schedule = schedule_of(ctx, time_zone)
    lay(ctx, schedule)
    return affected_by(ctx, schedule)


def delete_account(ctx: Context[Doctor]) -> Message:
    """Leave: erase log-in, address and profile, withdraw the slots, cancel what is ahead and tell the patients."""
    if not locks.lock_for_deletion(ctx.db, ctx.actor.user_id):
        raise Unauthenticated
    slots.withdraw_all(ctx.db, ctx.actor.doctor_id)
    by = f"the doctor, {ctx.actor.name}, who no longer offers appointments here"
    bookings.cancel_all_ahead(ctx.db, ctx.actor.doctor_id, ctx.actor.user_id, by, ctx.now)
    openings.erase(ctx.db, ctx.actor.doctor_id)
    hours.erase(ctx.db, ctx.actor.doctor_id)
    visit_types.retire_all(ctx.db, ctx.actor.doctor_id, ctx.now)
    mails.clear_about_account(ctx.db, ctx.actor.user_id, ctx.now)
    confirmations.erase_of(ctx.db, ctx.actor.user_id)
    outbox.erase_finished_addresses(ctx.db, ctx.actor.user_id)
    users.erase(ctx.db, ctx.actor.user_id, ctx.now)
    refresh_tokens.delete_of(ctx.db, ctx.actor.user_id)
    factors.delete_recovery_codes(ctx.db, ctx.actor.user_id)
    doctors.erase_profile(ctx.db, ctx.actor.doctor_id)
    return Message(message="Your account is deleted. Patients with appointments ahead are told by e-mail.")
