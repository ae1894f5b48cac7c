"""All that is held on a person, as one document."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any, Literal

from pydantic import Field

from src.domain.appointment_rules import shown_status
from src.models.outbox_mail import SECRET_KINDS
from src.schemas.account import WholeAccount
from src.schemas.appointment_details import FormerTime
from src.schemas.base import Out, WallClockSpan, wall_clock_span
from src.schemas.hours import WeeklyHoursOut
from src.schemas.hours_exception import ExceptionOut
from src.schemas.published_slots import DoctorsSlot
from src.schemas.visit_type import DoctorsVisitType

UTC = "RFC 3339, UTC"


class ExportedAccount(WholeAccount):
    """The account. Of sessions that were ended, only ids are kept, which do not tell whose they were."""

    created_at: str = Field(description=UTC)
    sessions_ended: int = Field(description="how often all sessions were ended, as by a new password")
    guest_since: str | None = Field(description=f"{UTC}; null if the account has a password")
    second_factor_since: str | None = Field(description=f"{UTC}; null without a second factor")
    recovery_codes_left: int


class ExportedEvent(Out):
    """Something that happened to an appointment."""

    event: Literal["booked", "rescheduled", "cancelled"]
    at: str = Field(description=UTC)
    by_you: bool
    reason: str | None = Field(description="why it was cancelled; a doctor's export has the doctor's own reasons only")
    was: FormerTime | None = Field(description="where the appointment was before it was rescheduled")

    @classmethod
    def of_row(cls, row: Any, me: int, *, with_others_reasons: bool) -> dict[str, Any]:
        by_you = row.actor_id == me
        return {
            "event": row.event,
            "at": row.at.isoformat(),
            "by_you": by_you,
            "reason": row.reason if by_you or with_others_reasons else None,
            "was": FormerTime.of_row(row),
        }


class ExportedAppointment(WallClockSpan):
    """An appointment with its history, oldest first. A doctor's export does not say who the patients are, or why."""

    appointment_id: int
    status: str
    doctor_name: str
    visit_type: str | None
    place: str | None
    reason: str | None = Field(description="why you come; null in a doctor's export")
    booked_at: str = Field(description=UTC)
    attendance: Literal["arrived", "fulfilled", "no_show"] | None = Field(description="what became of the visit")
    history: list[ExportedEvent]

    @staticmethod
    def of_row(row: Any, history: list[dict[str, Any]], now: datetime, *, is_patient: bool) -> dict[str, Any]:
        return {
            "appointment_id": row.id,
            "status": shown_status(row.status, row.starts_at, row.ends_at, now),
            "doctor_name": row.doctor_name,
            "visit_type": row.visit_type,
            "place": row.place,
            "reason": row.reason if is_patient else None,
            "booked_at": row.booked_at.isoformat(),
            "attendance": row.attendance,
            "history": history,
            **_span(row),
        }


class ExportedHold(WallClockSpan):
    """A time that is held for you."""

    hold_id: int
    doctor_name: str
    held_until: str = Field(description=UTC)

    @staticmethod
    def of_row(row: Any) -> dict[str, Any]:
        held_until = row.held_until.isoformat()
        return {"hold_id": row.id, "doctor_name": row.doctor_name, "held_until": held_until, **_span(row)}


def _span(row: Any) -> dict[str, str]:
    return {**wall_clock_span(row.starts_at, row.ends_at, row.wall_start, row.wall_end, row.time_zone)}


class ExportedMail(Out):
    """A mail to you. Those that wait may have no text yet, and the text of a mail that has a secret is not shown."""

    kind: str | None
    status: Literal["waiting", "sent", "dropped", "set_aside"]
    subject: str | None
    text: str | None
    created_at: str = Field(description=UTC)
    sent_at: str | None = Field(description=UTC)

    @staticmethod
    def of_row(row: Any) -> dict[str, Any]:
        return {
            "kind": row.template,
            "status": row.status,
            "subject": row.subject,
            "text": None if row.template in SECRET_KINDS else row.text,
            "created_at": row.created_at.isoformat(),
            "sent_at": row.sent_at and row.sent_at.isoformat(),
        }


class ExportedAnswer(Out):
    """An answer that is kept for 24 hours, in case you repeat the request with its Idempotency-Key."""

    at: str = Field(description=UTC)
    status: int

    @staticmethod
    def of_rows_of(rows: Iterable[Any]) -> list[dict[str, Any]]:
        return [{"at": row.created_at.isoformat(), "status": row.status} for row in rows]


class ExportedSession(Out):
    """A log-in that asked for a refresh token. It may have ended since, and is kept until it would have expired."""

    began_at: str = Field(description=UTC)
    refreshed_at: str | None = Field(description=f"{UTC}; the last time")
    expires_at: str = Field(description=UTC)

    @staticmethod
    def of_row(row: Any) -> dict[str, Any]:
        return {
            "began_at": row.began_at.isoformat(),
            "refreshed_at": None if row.refreshed_at == row.began_at else row.refreshed_at.isoformat(),
            "expires_at": row.expires_at.isoformat(),
        }


class ExportedReset(Out):
    """A permission to set a new password, which a mail carried; it is kept until it has expired."""

    created_at: str = Field(description=UTC)
    expires_at: str = Field(description=UTC)
    used_at: str | None = Field(description=UTC)

    @staticmethod
    def of_row(row: Any) -> dict[str, Any]:
        return {
            "created_at": row.created_at.isoformat(),
            "expires_at": row.expires_at.isoformat(),
            "used_at": row.used_at and row.used_at.isoformat(),
        }


class RetiredVisitType(DoctorsVisitType):
    """A visit type that the doctor offers no longer; it stays on its appointments."""

    retired_at: str = Field(description=UTC)

    @classmethod
    def of_row(cls, row: Any) -> dict[str, Any]:
        return {name: getattr(row, name) for name in cls.model_fields} | {"retired_at": row.retired_at.isoformat()}


class ExportedDoctor(Out):
    """What a doctor has said about the practice; policies that are null are as the clinic says."""

    doctor_id: int
    designation: str
    specialization: str
    cancellation_notice: int | None
    most_ahead: int | None
    hours: WeeklyHoursOut
    exceptions: list[ExceptionOut]
    visit_types: list[DoctorsVisitType]
    retired_visit_types: list[RetiredVisitType]
    slots: list[DoctorsSlot] = Field(description="published ones, the newest first")


class AccountExport(Out):
    """All that is held on the caller; the newest first in each list.

    It has no hashes of passwords and tokens, no notes by staff, and neither counts of failed attempts nor logs, which
    have hashes and numbers in place of names.
    """

    exported_at: str = Field(description=UTC)
    account: ExportedAccount
    doctor: ExportedDoctor | None = Field(description="null for a patient")
    appointments: list[ExportedAppointment]
    holds: list[ExportedHold]
    mails: list[ExportedMail]
    kept_answers: list[ExportedAnswer]
    sessions: list[ExportedSession]
    password_resets: list[ExportedReset]
    shortened: list[str] = Field(description="the lists that have more rows than this document: 10,000 at most in each")
