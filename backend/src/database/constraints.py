"""Which domain error to raise for a violated constraint."""

from __future__ import annotations

from sqlalchemy.exc import IntegrityError

from src.errors import ClinicError
from src.errors_of_accounts import EmailTaken
from src.errors_of_appointments import PatientBusy, SlotOverlaps, SlotTaken

# PostgreSQL reports the constraint's name. SQLite reports the columns of a unique constraint, and the text that one of
# our triggers raises.
ERROR_OF_CONSTRAINT: dict[str, type[ClinicError]] = {
    "uq_users_email_key": EmailTaken,
    "users.email_key": EmailTaken,
    "slots_no_overlap": SlotOverlaps,
    "uq_appointments_active_slot": SlotTaken,
    "appointments.slot_id": SlotTaken,
    "appointments_doctor_no_overlap": SlotTaken,
    "appointments_patient_no_overlap": PatientBusy,
}


def domain_error(error: IntegrityError) -> Exception:
    """Return the domain error of the violated constraint, or the error itself if the table above has none."""
    for name, domain_error in ERROR_OF_CONSTRAINT.items():
        if violates(error, name):
            return domain_error()
    return error


def violates(error: IntegrityError, name: str) -> bool:
    """Return whether this is the constraint that refused."""
    diagnosis = getattr(error.orig, "diag", None)
    return name in (getattr(diagnosis, "constraint_name", None) or str(error.orig))
