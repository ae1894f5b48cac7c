"""All that is held on the caller."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any, TypeVar

from src.context import Caller, Context, Doctor
from src.controllers.account_controller import whole
from src.repositories import doctor_repository as doctors
from src.repositories import exception_repository as exceptions
from src.repositories import export_repository as exports
from src.repositories import hours_repository as hours
from src.repositories import visit_type_repository as visit_types
from src.schemas.export import (
    AccountExport,
    ExportedAccount,
    ExportedAnswer,
    ExportedAppointment,
    ExportedDoctor,
    ExportedEvent,
    ExportedHold,
    ExportedMail,
    ExportedReset,
    ExportedSession,
    RetiredVisitType,
)
from src.schemas.hours import WeeklyHoursOut
from src.schemas.hours_exception import BEGIN, ExceptionOut
from src.schemas.published_slots import DoctorsSlot
from src.schemas.visit_type import DoctorsVisitType, shown

# Of each list. A patient has never so many; a practice of many years may.
MOST = 10_000

T = TypeVar("T")


def export(ctx: Context[Caller]) -> AccountExport:
    """Export all that is held on the caller as one document. Notes by staff are not in it, as patients never see them.

    A doctor's document does not say who the patients are: that is theirs.
    """
    me, doctor = ctx.actor.user_id, ctx.actor if isinstance(ctx.actor, Doctor) else None
    doctor_id = None if doctor is None else doctor.doctor_id
    cut = _Cut()
    rows = cut("appointments", exports.list_appointments(ctx.db, me, doctor_id, MOST + 1))
    histories = exports.histories(ctx.db, me, doctor_id, MOST)
    return AccountExport.model_construct(
        exported_at=ctx.now.isoformat(),
        account=_account(ctx),
        doctor=None if doctor is None else _doctor(ctx, doctor, cut),
        appointments=[
            ExportedAppointment.of_row(
                row,
                [
                    ExportedEvent.of_row(event, me, with_others_reasons=doctor is None)
                    for event in histories.get(row.id, ())
                ],
                ctx.now,
                is_patient=doctor is None,
            )
            for row in rows
            if row.status != "held"
        ],
        holds=[ExportedHold.of_row(row) for row in rows if row.status == "held"],
        mails=[ExportedMail.of_row(row) for row in cut("mails", exports.list_mails(ctx.db, me, MOST + 1))],
        kept_answers=ExportedAnswer.of_rows_of(cut("kept_answers", exports.list_answers(ctx.db, me, MOST + 1))),
        sessions=[ExportedSession.of_row(row) for row in cut("sessions", exports.list_sessions(ctx.db, me, MOST + 1))],
        password_resets=[
            ExportedReset.of_row(row) for row in cut("password_resets", exports.list_resets(ctx.db, me, MOST + 1))
        ],
        shortened=cut.shortened,
    )


class _Cut:
    """Cuts lists to MOST rows, and remembers which were longer."""

    def __init__(self) -> None:
        self.shortened: list[str] = []

    def __call__(self, name: str, rows: Sequence[T]) -> Sequence[T]:
        if len(rows) > MOST:
            self.shortened.append(name)
        return rows[:MOST]


def _account(ctx: Context[Caller]) -> ExportedAccount:
    row = exports.find_account(ctx.db, ctx.actor.user_id)
    return ExportedAccount.model_validate(
        {
            **whole(ctx.db, ctx.actor, ctx.now),
            "created_at": row.created_at.isoformat(),
            "sessions_ended": row.token_epoch,
            "guest_since": row.guest_since and row.guest_since.isoformat(),
            "second_factor_since": row.second_factor_at and row.second_factor_at.isoformat(),
            "recovery_codes_left": row.recovery_codes_left,
        }
    )


def _doctor(ctx: Context[Caller], doctor: Doctor, cut: _Cut) -> ExportedDoctor:
    profile = doctors.find_profile(ctx.db, doctor.doctor_id)
    revision, weekly = hours.list_weekly(ctx.db, doctor.doctor_id)
    excepted: Sequence[Any] = exceptions.list_page(ctx.db, doctor.doctor_id, date.min, BEGIN, MOST + 1)
    retired = visit_types.list_retired(ctx.db, doctor.doctor_id, MOST + 1)
    slots = exports.list_slots(ctx.db, doctor.doctor_id, MOST + 1)
    return ExportedDoctor.model_construct(
        doctor_id=doctor.doctor_id,
        designation=profile.designation,
        specialization=profile.specialization,
        **doctors.find_policies(ctx.db, doctor.doctor_id),
        hours=WeeklyHoursOut.of(doctor.time_zone, weekly, revision),
        exceptions=[ExceptionOut.of_row(row) for row in cut("exceptions", excepted) if row.doctor_id is not None],
        visit_types=shown(DoctorsVisitType, visit_types.list_living(ctx.db, doctor.doctor_id)),
        retired_visit_types=[RetiredVisitType.of_row(row) for row in cut("retired_visit_types", retired)],
        slots=[DoctorsSlot.of_row(row) for row in cut("slots", slots)],
    )
