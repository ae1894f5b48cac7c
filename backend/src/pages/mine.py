"""A patient's own appointments."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from src.context import Context, Patient
from src.controllers import appointment_controller as appointments
from src.controllers import own_appointment
from src.controllers.own_appointment import OwnAppointment
from src.pages.languages import Language
from src.pages.moments import Limit, Moment
from src.pages.views import Download
from src.schemas.appointment_details import AppointmentDetails, EventOut, FormerTime
from src.schemas.appointment_list import AppointmentsWanted
from src.schemas.base import In
from src.schemas.fields import QueryNumber
from src.services.calendar_file import CalendarEntry, calendar_file

OF_A_PAGE = 20


class EarlierWanted(In):
    """After which one the list of earlier appointments goes on."""

    cursor: QueryNumber | None = None


@dataclass(frozen=True)
class MyAppointments:
    """What is ahead, by time, and what was, the newest booking first."""

    ahead: list[Any]
    earlier: list[Any]
    is_continued: bool
    next_cursor: int | str | None


def my_appointments(ctx: Context[Patient], query: EarlierWanted) -> MyAppointments:
    ahead: list[Any] = []
    if query.cursor is None:
        ahead = appointments.list_mine(ctx, AppointmentsWanted.model_validate({"status": "booked"})).data
    wanted = AppointmentsWanted.model_validate({"limit": OF_A_PAGE, "cursor": query.cursor})
    every = appointments.list_mine(ctx, wanted)
    rows: list[Any] = every.data
    earlier = [row for row in rows if row["status"] != "booked"]
    return MyAppointments(ahead, earlier, query.cursor is not None, every.next_cursor)


@dataclass(frozen=True)
class Happened:
    """Something that happened to the appointment, on the clock of the appointment."""

    event: str
    at: Moment
    by: str
    reason: str | None
    was: FormerTime | None

    @classmethod
    def of(cls, event: EventOut, zone: str) -> Happened:
        at = Moment.of(datetime.fromisoformat(event.at), zone)
        return cls(event.event, at, event.by, event.reason, event.was)


@dataclass(frozen=True)
class Mine:
    """An appointment of the patient's, and until when it can be changed."""

    own: OwnAppointment
    limit: Limit
    history: list[Happened]

    @property
    def appointment(self) -> AppointmentDetails:
        return self.own.details


def appointment(ctx: Context[Patient], appointment_id: int) -> Mine:
    own = own_appointment.find(ctx, appointment_id)
    details, zone = own.details, own.details.time_zone
    limit = Limit.of(details.starts_at, zone, own.notice, ctx.now)
    return Mine(own, limit, [Happened.of(event, zone) for event in details.history])


def calendar(ctx: Context[Patient], appointment_id: int) -> Download:
    details = own_appointment.find(ctx, appointment_id).details

    def write(language: Language) -> bytes:
        base_url = ctx.settings.base_url
        entry = CalendarEntry(
            appointment_id=details.appointment_id,
            revision=details.revision,
            status="cancelled" if details.status == "cancelled" else "booked",
            starts_at=datetime.fromisoformat(details.starts_at),
            ends_at=datetime.fromisoformat(details.ends_at),
            time_zone=details.time_zone,
            title=language.gettext("Appointment"),
            doctor_name=details.doctor_name,
            visit_type=details.visit_type,
            clinic_name=ctx.settings.clinic.name,
            place=details.place or ctx.settings.clinic_address,
            link=None if base_url is None else f"{base_url}/my/{details.appointment_id}",
        )
        return calendar_file(entry, base_url, ctx.now)

    return Download(f"appointment-{appointment_id}.ics", "text/calendar; charset=utf-8", write)
