"""The mails about appointments, rendered as text and HTML."""

from __future__ import annotations

from dataclasses import dataclass, fields
from datetime import datetime, timezone
from functools import cached_property
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, TypeAdapter

from src.domain.wall_clock import wall_clock
from src.models.user import FORMER_PATIENT
from src.services.mail import Mail
from src.services.mail_environment import mail_templates
from src.settings.clinic import Clinic

_text = mail_templates.get_template("appointment.txt")
_html = mail_templates.get_template("appointment.html")

# In the facts that SQLite writes, instants are in UTC without a zone.
Utc = Annotated[datetime, AfterValidator(lambda at: at if at.tzinfo else at.replace(tzinfo=timezone.utc))]


@dataclass(frozen=True)
class AppointmentFacts:
    """What a mail says about an appointment, as stored in the outbox; `number` is the appointment's id."""

    number: int
    recipient_name: str
    doctor_name: str
    specialization: str
    patient_name: str
    starts_at: Utc
    ends_at: Utc
    time_zone: str
    # The agreed wall clock; the version before 0011 does not write it.
    wall_start: datetime | None = None
    wall_end: datetime | None = None
    # Who cancelled the appointment, as a phrase for the mail, and whether it was the recipient. Mails of the version
    # before do not say the latter.
    cancelled_by: str | None = None
    cancelled_by_recipient: bool = False
    # By the doctor who cancelled.
    cancellation_reason: str | None = None
    place: str | None = None
    visit_type: str | None = None
    # Who moved the appointment, as a phrase for the mail, whether it was the recipient, and where it was before.
    moved_by: str | None = None
    moved_by_recipient: bool = False
    was_doctor_name: str | None = None
    was_starts_at: Utc | None = None
    was_ends_at: Utc | None = None
    was_time_zone: str | None = None
    was_wall_start: datetime | None = None
    was_wall_end: datetime | None = None
    # Whose appointment it is now. None for the doctor whom it was moved away from, and in mails of the version before.
    recipient_is: Literal["patient", "doctor"] | None = None

    @cached_property
    def day(self) -> str:
        """The weekday and the date, in the appointment's time zone."""
        return _day(self._wall_clock[0])

    @cached_property
    def times(self) -> str:
        """The times of begin and end, in the appointment's time zone."""
        return _times(*self._wall_clock)

    @cached_property
    def before(self) -> str | None:
        """The doctor, if it was another one, and the old time of an appointment that was moved."""
        if self.was_starts_at is None or self.was_ends_at is None or self.was_time_zone is None:
            return None
        start = self.was_wall_start or wall_clock(self.was_starts_at, self.was_time_zone)
        end = self.was_wall_end or wall_clock(self.was_ends_at, self.was_time_zone)
        doctor = f"{self.was_doctor_name}, " if self.was_doctor_name not in {None, self.doctor_name} else ""
        return f"{doctor}{_day(start)}, {_times(start, end)} ({self.was_time_zone})"

    @cached_property
    def move(self) -> str:
        """The sentence that says who moved the appointment."""
        if self.moved_by_recipient:
            return "You moved this appointment to another time."
        return f"This appointment was moved to another time by {self.moved_by}."

    @cached_property
    def cancellation(self) -> str:
        """The sentence that says who cancelled."""
        if self.cancelled_by_recipient:
            return "You cancelled this appointment."
        return f"This appointment was cancelled by {self.cancelled_by}."

    @property
    def _wall_clock(self) -> tuple[datetime, datetime]:
        start = self.wall_start or wall_clock(self.starts_at, self.time_zone)
        return start, self.wall_end or wall_clock(self.ends_at, self.time_zone)


def _day(start: datetime) -> str:
    return f"{start:%A}, {start.day} {start:%B %Y}"


def _times(start: datetime, end: datetime) -> str:
    more = ""
    if end.date() > start.date():
        more = " the next day"
    elif end <= start:
        more = ", after the clocks go back"
    return f"{start:%H:%M} to {end:%H:%M}{more}"


_facts: TypeAdapter[AppointmentFacts] = TypeAdapter(AppointmentFacts)

# By kind of mail: the beginning of the subject, and the sentence that says what happened.
NEWS = {
    "booked": ("Appointment booked", "Your appointment is booked."),
    "rescheduled": ("Appointment moved", "{facts.move}"),
    "cancelled": ("Appointment cancelled", "{facts.cancellation}"),
}


# By who gets the mail: the page of the appointment, below the address of the installation.
PAGES = {"patient": "/my/{number}", "doctor": "/desk/appointments/{number}"}


def render(to: str, kind: str, facts: dict[str, Any], clinic: Clinic) -> Mail:
    """Render a mail of one of the kinds in NEWS from the facts stored in the outbox."""
    known = _facts.validate_python(facts)
    title, news = NEWS[kind]
    subject = " ".join(f"{title}: {known.doctor_name}, {known.day}".split())
    values = {
        "subject": subject,
        "news": news.format(facts=known),
        "facts": known,
        "clinic": clinic,
        "link": _link(known, clinic),
    }
    text, html = _text.render(values), _html.render(values)
    return Mail(to=to, subject=subject, text=text, html=html, reply_to=clinic.reply_to)


def _link(facts: AppointmentFacts, clinic: Clinic) -> str | None:
    if clinic.base_url is None or facts.recipient_is is None:
        return None
    return clinic.base_url + PAGES[facts.recipient_is].format(number=facts.number)


BY_FORMER_PATIENT = "the patient, who no longer has an account here"
# What a patient is called, and what people wrote about the visit.
_PERSONAL = {"recipient_name", "patient_name", "cancelled_by", "moved_by", "cancellation_reason"}
_IMPERSONAL = {field.name for field in fields(AppointmentFacts)} - _PERSONAL


def without_patient(facts: dict[str, Any], *, to_patient: bool) -> dict[str, Any]:
    """Return the facts of a mail about a patient who has left, without what says who that was; they can be rendered.

    A mail that is not about an appointment names nobody.
    """
    if "patient_name" not in facts:
        return facts
    kept = {name: value for name, value in facts.items() if name in _IMPERSONAL}
    kept["recipient_name"] = FORMER_PATIENT if to_patient else facts.get("recipient_name")
    kept["patient_name"] = FORMER_PATIENT
    for by in ("cancelled_by", "moved_by"):
        if facts.get(by) is not None:
            kept[by] = BY_FORMER_PATIENT if facts[by].startswith("the patient") else facts[by]
    return kept
