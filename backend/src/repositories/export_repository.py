"""What is held on one person, for the export: the newest rows, as many statements whatever there is."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, Select, bindparam, func, select

from src.database.statements import limited
from src.models import (
    Appointment,
    AppointmentEvent,
    AvailabilitySlot,
    DoctorProfile,
    IdempotentAnswer,
    OutboxMail,
    PasswordReset,
    RefreshToken,
    User,
)
from src.models.appointment import HELD
from src.repositories.appointment_repository import DoctorUser, listed, visit_type
from src.repositories.availability_repository import LISTED
from src.repositories.second_factor_repository import recovery_codes_left

_OF_ACCOUNT = select(
    User.created_at, User.token_epoch, User.second_factor_at, User.guest_since, recovery_codes_left()
).where(User.id == bindparam("me"))


def find_account(db: Connection, user_id: int) -> Row[Any]:
    """Return (created_at, token_epoch, second_factor_at, guest_since, recovery_codes_left)."""
    return db.execute(_OF_ACCOUNT, {"me": user_id}).one()


_APPOINTMENTS = (
    select(
        *listed(Appointment),
        visit_type(Appointment),
        Appointment.booked_at,
        Appointment.held_until,
        Appointment.attendance,
        DoctorUser.name.label("doctor_name"),
    )
    .join(DoctorProfile, DoctorProfile.id == Appointment.doctor_id)
    .join(DoctorUser, DoctorUser.id == DoctorProfile.user_id)
    .order_by(Appointment.id.desc())
)
_EVENTS = (
    select(AppointmentEvent, DoctorUser.name.label("was_doctor_name"))
    .outerjoin(DoctorProfile, DoctorProfile.id == AppointmentEvent.was_doctor_id)
    .outerjoin(DoctorUser, DoctorUser.id == DoctorProfile.user_id)
    .order_by(AppointmentEvent.id)
)


def _mine(user_id: int, doctor_id: int | None) -> list[ColumnElement[bool]]:
    """Return the conditions for a person's appointments; those of a patient can be holds."""
    if doctor_id is None:
        return [Appointment.patient_id == user_id]
    return [Appointment.doctor_id == doctor_id, Appointment.status != HELD]


def list_appointments(db: Connection, user_id: int, doctor_id: int | None, limit: int) -> Sequence[Row[Any]]:
    """Return the appointments and holds of a patient, or the appointments of a doctor."""
    return db.execute(limited(_APPOINTMENTS.where(*_mine(user_id, doctor_id)), limit)).all()


def histories(db: Connection, user_id: int, doctor_id: int | None, limit: int) -> dict[int, list[Row[Any]]]:
    """Return the events of these appointments, the oldest first, by the id of the appointment."""
    newest = limited(select(Appointment.id).where(*_mine(user_id, doctor_id)).order_by(Appointment.id.desc()), limit)
    found: defaultdict[int, list[Row[Any]]] = defaultdict(list)
    for event in db.execute(_EVENTS.where(AppointmentEvent.appointment_id.in_(newest))):
        found[event.appointment_id].append(event)
    return found


_MAILS = (
    select(
        OutboxMail.template,
        OutboxMail.status,
        OutboxMail.subject,
        OutboxMail.text,
        OutboxMail.created_at,
        OutboxMail.sent_at,
    )
    .where(OutboxMail.recipient_id == bindparam("me"))
    .order_by(OutboxMail.id.desc())
)
_ANSWERS = (
    select(IdempotentAnswer.created_at, IdempotentAnswer.status)
    .where(IdempotentAnswer.user_id == bindparam("me"), IdempotentAnswer.status.is_not(None))
    .order_by(IdempotentAnswer.created_at.desc(), IdempotentAnswer.key)
)
_SESSIONS = (
    select(
        func.min(RefreshToken.created_at).label("began_at"),
        func.max(RefreshToken.created_at).label("refreshed_at"),
        RefreshToken.expires_at,
    )
    .where(RefreshToken.user_id == bindparam("me"))
    .group_by(RefreshToken.family, RefreshToken.expires_at)
    .order_by(func.max(RefreshToken.id).desc())
)
_RESETS = (
    select(PasswordReset.created_at, PasswordReset.expires_at, PasswordReset.used_at)
    .where(PasswordReset.user_id == bindparam("me"))
    .order_by(PasswordReset.id.desc())
)
_SLOTS: Select[Any] = LISTED.order_by(AvailabilitySlot.id.desc())


def list_mails(db: Connection, user_id: int, limit: int) -> Sequence[Row[Any]]:
    return db.execute(limited(_MAILS, limit), {"me": user_id}).all()


def list_answers(db: Connection, user_id: int, limit: int) -> Sequence[Row[Any]]:
    return db.execute(limited(_ANSWERS, limit), {"me": user_id}).all()


def list_sessions(db: Connection, user_id: int, limit: int) -> Sequence[Row[Any]]:
    """Return (began_at, refreshed_at, expires_at) of the sessions that have refresh tokens, ended ones included."""
    return db.execute(limited(_SESSIONS, limit), {"me": user_id}).all()


def list_resets(db: Connection, user_id: int, limit: int) -> Sequence[Row[Any]]:
    return db.execute(limited(_RESETS, limit), {"me": user_id}).all()


def list_slots(db: Connection, doctor_id: int, limit: int) -> Sequence[Row[Any]]:
    """Return all published slots of the doctor, as `list_page` of the availability repository does."""
    return db.execute(limited(_SLOTS, limit), {"doctor_id": doctor_id}).all()
