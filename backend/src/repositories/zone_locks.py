"""Locks of a recomputation: one process at a time, and nobody books meanwhile."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Connection, bindparam, select, text

from src.models import Appointment, AvailabilitySlot, DoctorProfile, User
from src.repositories.ahead_repository import SLOTS_AHEAD, takers_of_doctor

# The key of the advisory lock; any number will do that no other program uses in this database.
ZONES_LOCK = 5_208_311_408


def lock_zones(db: Connection) -> None:
    """Wait until no other process recomputes instants. On SQLite, the transaction has the only write lock already."""
    if db.dialect.name == "postgresql":
        db.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": ZONES_LOCK})


_PATIENTS = takers_of_doctor(Appointment.patient_id)
_DOCTORS_USER = select(DoctorProfile.user_id).where(DoctorProfile.id == bindparam("doctor_id"))


def lock_doctor(db: Connection, doctor_id: int, now: datetime) -> bool:
    """Lock the accounts of the doctor and of all patients with appointments or holds ahead, then the slots.

    Nobody can then publish, book or hold for any of them, or change the doctor's hours. It returns False, and the
    caller must begin anew, if somebody booked after the patients were read: locks of accounts are taken in the order of
    their ids.
    """
    people = _people(db, doctor_id, now)
    lock = select(User.id).where(User.id.in_(people)).order_by(User.id).with_for_update(key_share=True)
    db.execute(lock)
    if not _people(db, doctor_id, now) <= people:
        return False
    slots = select(AvailabilitySlot.id).where(AvailabilitySlot.doctor_id == doctor_id, *SLOTS_AHEAD)
    db.execute(slots.order_by(AvailabilitySlot.id).with_for_update(key_share=True), {"now": now})
    return True


def _people(db: Connection, doctor_id: int, now: datetime) -> set[int]:
    patients = db.scalars(_PATIENTS, {"doctor_id": doctor_id, "now": now})
    return {*patients, *db.scalars(_DOCTORS_USER, {"doctor_id": doctor_id})}
