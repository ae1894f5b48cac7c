"""Requests and answers about doctors."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from src.schemas.appointment import DoctorsAppointment
from src.schemas.availability import FreeSlot
from src.schemas.base import In, Out
from src.schemas.fields import OneLine, QueryFlag, QueryNumber, TimeZone
from src.schemas.hours import WithAffected


class DoctorProfileOut(Out):
    """A doctor's own profile; `id` is the account's, `doctor_id` the one in the paths."""

    id: int
    name: str
    email: str
    designation: str
    specialization: str
    doctor_id: int
    time_zone: str


class ProfileUpdate(In):
    """What to change; what is left out stays."""

    designation: OneLine | None = Field(None, examples=["Dr. med."])
    specialization: OneLine | None = Field(None, examples=["Cardiology"])
    time_zone: TimeZone | None = None


class ProfileUpdated(WithAffected):
    """The profile as it is now; `affected` is empty unless the time zone changed."""

    designation: str
    specialization: str
    time_zone: str


class DoctorDashboard(Out):
    """What a doctor wants to see first. Today is the day of the doctor's own time zone."""

    message: str
    appointments_today: list[DoctorsAppointment]
    next_appointment: DoctorsAppointment | None
    free_slots: int = Field(description="published slots ahead; times that follow from the hours do not count")
    booked_slots: int = Field(description="booked appointments ahead, of slots and of times")


class Page(In):
    """Which page of a list, from 1, and how many rows a page has."""

    page: QueryNumber = Field(1, ge=1, le=2**53)
    limit: QueryNumber = Field(10, ge=1, le=100)


class DoctorsWanted(Page):
    """Which doctors to list, and whether with the next time of each."""

    name: OneLine | None = Field(None, description="only doctors with this text in their name; letter case is ignored")
    specialization: OneLine | None = Field(None, description="only doctors of this one; letter case is ignored")
    visit_type: OneLine | None = Field(
        None,
        description="only doctors with a visit type of this name that patients may book, and `next_available` is a time"
        " of it; letter case is ignored",
    )
    next_available: QueryFlag = Field(False, description="whether to add `next_available`")

    @property
    def all(self) -> bool:
        return self.name is self.specialization is self.visit_type is None


class DoctorListed(Out):
    """A doctor as patients see them; `id` goes into the next path."""

    id: int
    name: str
    designation: str
    specialization: str


class DoctorShown(DoctorListed):
    """A doctor as patients see them; the times of new visits are on the wall clock of `time_zone`."""

    time_zone: str = Field(description="IANA name", examples=["Europe/Berlin"])


class DoctorAvailable(DoctorListed):
    """A doctor with the first of what can be booked, up to the horizon of the visit type; null if there is nothing."""

    next_available: FreeSlot | None


class Doctors(Out):
    """One page of the doctors."""

    data: list[Annotated[DoctorAvailable | DoctorListed, Field(union_mode="left_to_right")]]
    page: int
    total_pages: int
    total: int
