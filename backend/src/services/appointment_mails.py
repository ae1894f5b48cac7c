"""The mails about appointments, rendered as text and HTML."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from functools import cached_property

from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape

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


@dataclass(frozen=True)
class AppointmentFacts:
    """What a mail says of an appointment; `number` is its id."""

    number: int
    doctor_name: str
    specialization: str
    patient_name: str
    starts_at: datetime
    ends_at: datetime
    time_zone: str

    @cached_property
    def day(self) -> str:
        """The date, with the day's name, on the doctor's wall clock."""
        start = local(self.starts_at, self.time_zone)
        return f"{start:%A}, {start.day} {start:%B %Y}"

    @cached_property
    def times(self) -> str:
        """From when to when, on the doctor's wall clock."""
        return f"{local(self.starts_at, self.time_zone):%H:%M} to {local(self.ends_at, self.time_zone):%H:%M}"


def booking_confirmation(to: str, facts: AppointmentFacts) -> Mail:
    """Tell the patient that the appointment is booked."""
    return _render(
        to,
        facts.patient_name,
        f"Appointment booked: {facts.doctor_name}, {facts.day}",
        "Your appointment is booked.",
        facts,
    )


def cancellation(to: str, recipient_name: str, cancelled_by: str, facts: AppointmentFacts) -> Mail:
    """Tell a party that the appointment is cancelled; `cancelled_by` says by whom."""
    return _render(
        to,
        recipient_name,
        f"Appointment cancelled: {facts.doctor_name}, {facts.day}",
        f"This appointment was cancelled by {cancelled_by}.",
        facts,
    )


def _render(to: str, recipient_name: str, subject: str, news: str, facts: AppointmentFacts) -> Mail:
    values = {"recipient_name": recipient_name, "subject": subject, "news": news, "facts": facts}
    return Mail(
        to=to,
        subject=" ".join(subject.split()),
        text=_text.render(values),
        html=_html.render(values),
    )
