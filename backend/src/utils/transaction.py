"""The only place that begins and commits."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager

from sqlalchemy import Connection
from sqlalchemy.exc import IntegrityError

from src.errors import ClinicError, EmailTaken, PatientBusy, SlotOverlaps, SlotTaken
from src.extensions import db
from src.utils.database import begin

# PostgreSQL gives the constraint's name; SQLite gives columns for its own rules and our word for a trigger's.
ERROR_OF_CONSTRAINT: dict[str, type[ClinicError]] = {
    "uq_users_email_key": EmailTaken,
    "users.email_key": EmailTaken,
    "slots_no_overlap": SlotOverlaps,
    "uq_appointments_active_slot": SlotTaken,
    "appointments.slot_id": SlotTaken,
    "appointments_doctor_no_overlap": SlotTaken,
    "appointments_patient_no_overlap": PatientBusy,
}


@contextmanager
def transaction(*, writes: bool, one_statement: bool = False) -> Generator[Connection]:
    """Yield a connection in one transaction: committed at the end, rolled back on any exception.

    `writes` takes SQLite's write lock from the start; without it, each statement on PostgreSQL stands for itself and
    nothing may be written. With `one_statement` each stands for itself there, too, and may write: for those who write
    by a single one. A broken constraint is raised as the domain error it stands for.
    """
    try:
        with db.engine.begin() as connection:
            begin(connection, writes=writes, one_statement=one_statement)
            yield connection
    except IntegrityError as error:
        raise domain_error(error) from error


def domain_error(error: IntegrityError) -> Exception:
    """Return the domain error that a broken constraint stands for, or the error itself."""
    diagnosis = getattr(error.orig, "diag", None)
    said = getattr(diagnosis, "constraint_name", None) or str(error.orig)
    for name, domain_error in ERROR_OF_CONSTRAINT.items():
        if name in said:
            return domain_error()
    return error
