"""The mails about appointments, rendered as text and HTML."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timezone
from functools import cached_property
from typing import Annotated, Any

from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape
from pydantic import AfterValidator, TypeAdapter

from src.domain.wall_clock import local
from src.services.mail import Mail

_environment = Environment(
    loader=PackageLoader("src.services", "mail_templates"),
    autoescape=select_autoescape(["html"]),
    undefined=StrictUndefined,
    auto_reload=False,
    trim_blocks=True,
    lstrip_blocks=True,
)
_text = _environment.get_template("appointment.txt")
_html = _environment.get_template("appointment.html")

# SQLite writes instants without a zone: the UTC reading.
Utc = Annotated[datetime, AfterValidator(lambda at: at if at.tzinfo else at.replace(tzinfo=timezone.utc))]


@dataclass(frozen=True)
class AppointmentFacts:
    """What a mail says of an appointment, as the outbox keeps it; `number` is the appointment's id."""

    number: int
    recipient_name: str
    doctor_name: str
    specialization: str
    patient_name: str
    starts_at: Utc
    ends_at: Utc
    time_zone: str
    # Who cancelled it, in words.
    cancelled_by: str | None = None

    @cached_property
    def day(self) -> str:
        """The date, with the day's name, on the doctor's wall clock."""
        start = local(self.starts_at, self.time_zone)
        return f"{start:%A}, {start.day} {start:%B %Y}"

    @cached_property
    def times(self) -> str:
        """From when to when, on the doctor's wall clock."""
        return f"{local(self.starts_at, self.time_zone):%H:%M} to {local(self.ends_at, self.time_zone):%H:%M}"


_facts: TypeAdapter[AppointmentFacts] = TypeAdapter(AppointmentFacts)

# By kind: the beginning of the subject, and the sentence that says what happened.
NEWS = {
    "booked": ("Appointment booked", "Your appointment is booked."),
    "cancelled": ("Appointment cancelled", "This appointment was cancelled by {facts.cancelled_by}."),
}


def render(to: str, kind: str, facts: dict[str, Any]) -> Mail:
    """Turn the facts that the outbox keeps into a mail of a kind of NEWS."""
    known = _facts.validate_python(facts)
    title, news = NEWS[kind]
    subject = " ".join(f"{title}: {known.doctor_name}, {known.day}".split())
    values = {"subject": subject, "news": news.format(facts=known), "facts": known}
    return Mail(to=to, subject=subject, text=_text.render(values), html=_html.render(values))
