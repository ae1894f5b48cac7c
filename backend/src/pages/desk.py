"""One appointment as its doctor sees it: what is known of it, its note, and how it is moved and cancelled."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from pydantic import field_validator

from src.context import Context, Doctor
from src.controllers import appointment_controller as appointments
from src.controllers import chosen_time, own_appointment
from src.controllers import note_controller as notes
from src.controllers import patient_controller as patients
from src.controllers import visit_type_controller as visit_types
from src.controllers.chosen_time import ChosenTime
from src.domain.wall_clock import local
from src.pages import times as free_times
from src.pages.times import FreeTimes, TimesWanted
from src.pages.views import Goto
from src.schemas.appointment_details import AppointmentDetails
from src.schemas.base import Message
from src.schemas.note import Note


@dataclass(frozen=True)
class Happening:
    """Something that happened to an appointment, and when on the doctor's clock."""

    event: Any
    at: datetime


@dataclass(frozen=True)
class ShownAppointment:
    appointment: AppointmentDetails
    history: list[Happening]


def appointment(ctx: Context[Doctor], appointment_id: int) -> ShownAppointment:
    found = appointments.show(ctx, appointment_id)
    history = [
        Happening(event, local(datetime.fromisoformat(event.at), ctx.actor.time_zone)) for event in found.history
    ]
    return ShownAppointment(found, history)


def week_of(ctx: Context[Doctor], appointment_id: int) -> Goto:
    """Return the week that an appointment is in, or was in when it was cancelled."""
    day = appointments.show(ctx, appointment_id).date
    return Goto(f"/desk?from={day}&day={day}")


class NoteOfPage(Note):
    """The note as its field has it: empty deletes it, and line breaks become blanks."""

    note: str = ""

    @field_validator("note", mode="before")
    @classmethod
    def _on_one_line(cls, text: object) -> object:
        return " ".join(text.split()) if isinstance(text, str) else text


def write_note(ctx: Context[Doctor], appointment_id: int, body: NoteOfPage) -> Message:
    return notes.write(ctx, appointment_id, Note(note=body.note))


@dataclass(frozen=True)
class Move:
    """To which times of the doctor an appointment could be moved."""

    appointment: AppointmentDetails
    free: FreeTimes


def move(ctx: Context[Doctor], appointment_id: int, query: TimesWanted) -> Move:
    """Show the free times that visitors see, of the same visit type, from the appointment's day on."""
    found = own_appointment.find(ctx, appointment_id)
    first = query.from_ or date.fromisoformat(found.details.date)
    wanted = query.model_copy(update={"from_": first})
    return Move(found.details, free_times.find(ctx, ctx.actor.doctor_id, wanted, found))


@dataclass(frozen=True)
class MoveTo:
    """An appointment, and the time to which it would be moved."""

    appointment: AppointmentDetails
    time: ChosenTime
    visit_type: str | None


def move_to(ctx: Context[Doctor], appointment_id: int, slot_id: int) -> MoveTo:
    found = appointments.show(ctx, appointment_id)
    doctor = patients.show_doctor(ctx, ctx.actor.doctor_id)
    time = chosen_time.find(ctx, doctor, slot_id, moving=appointment_id)
    types: list[Any] = visit_types.list_for_patients(ctx, ctx.actor.doctor_id).data
    return MoveTo(found, time, next((each["name"] for each in types if each["id"] == time.visit_type_id), None))
