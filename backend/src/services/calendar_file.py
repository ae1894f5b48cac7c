"""One appointment as an iCalendar file (RFC 5545), which calendars of phones and computers take."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from typing import Literal
from urllib.parse import urlsplit

from icalendar import Calendar, Event

from src.domain.wall_clock import local

STATUS = {"booked": "CONFIRMED", "cancelled": "CANCELLED"}
ONE_DAY = timedelta(days=1)


@dataclass(frozen=True)
class CalendarEntry:
    """The appointment; `title` is the word for it in the reader's language.

    A calendar replaces what it has of an appointment if `revision` is higher. `place` is the room or the address, and
    `link` the appointment's page.
    """

    appointment_id: int
    revision: int
    status: Literal["booked", "cancelled"]
    starts_at: datetime
    ends_at: datetime
    time_zone: str
    title: str
    doctor_name: str
    visit_type: str | None = None
    clinic_name: str | None = None
    place: str | None = None
    link: str | None = None


def calendar_file(entry: CalendarEntry, base_url: str | None, now: datetime) -> bytes:
    """Return the file; `base_url` is where people reach this installation, if that is known.

    The entry's UID has the host in it, and must stay as it is: calendars take an entry with another one for another.
    """
    calendar = Calendar()
    calendar.add("prodid", "-//Appointment Booking System//EN")
    calendar.add("version", "2.0")
    calendar.add("method", "PUBLISH")
    calendar.add_component(_event(entry, base_url, now))
    # Offsets of these days alone: those of all years would be several kilobytes.
    calendar.add_missing_timezones(
        first_date=(entry.starts_at - ONE_DAY).date(), last_date=(entry.ends_at + 2 * ONE_DAY).date()
    )
    return calendar.to_ical()


def _event(entry: CalendarEntry, base_url: str | None, now: datetime) -> Event:
    host = urlsplit(base_url).hostname if base_url is not None else None
    event = Event()
    event.add("uid", f"appointment-{entry.appointment_id}@{host or 'localhost'}")
    event.add("dtstamp", now.astimezone(timezone.utc))
    for name, at in zip(("dtstart", "dtend"), _times(entry), strict=True):
        event.add(name, at)
    event.add("status", STATUS[entry.status])
    event.add("sequence", entry.revision)
    event.add("summary", f"{_one_line(entry.title)}: {_listed(entry.doctor_name, entry.visit_type)}")
    location = _listed(entry.clinic_name, entry.place)
    if location:
        event.add("location", location)
    if entry.link is not None:
        event.add("url", entry.link)
        # Some calendars show no URL.
        event.add("description", entry.link)
    return event


def _times(entry: CalendarEntry) -> tuple[datetime, datetime]:
    """Return start and end in the appointment's zone, or in UTC if the zone's clocks show one of them twice.

    RFC 5545, section 3.3.5: a time that comes twice means the first one, so the second cannot be written in the zone.
    """
    start, end = local(entry.starts_at, entry.time_zone), local(entry.ends_at, entry.time_zone)
    if _comes_twice(start) or _comes_twice(end):
        return start.astimezone(timezone.utc), end.astimezone(timezone.utc)
    return start, end


def _comes_twice(at: datetime) -> bool:
    return at.replace(fold=0).utcoffset() != at.replace(fold=1).utcoffset()


def _listed(*texts: str | None) -> str:
    return ", ".join(_one_line(text) for text in texts if text)


def _one_line(text: str) -> str:
    # The library would show line feeds as such, and pass on some other line breaks.
    return " ".join(text.split())
