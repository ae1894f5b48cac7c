"""What patients are offered on a Tuesday."""

from __future__ import annotations

from tests.people import Doctor, Patient

# The day after NOW, which is Monday, 2030-03-04, 08:00 UTC.
TUESDAY = "2030-03-05"


def first_id(patient: Patient, doctor: Doctor, visit_type: int | None = None, day: str = TUESDAY) -> int:
    """Return the id of the first computed time from that day on."""
    query = {} if visit_type is None else {"visit_type": visit_type}
    times = patient.times(doctor, from_=day, **query)
    return next(time["slot_id"] for time in times if time["visit_type_id"] is not None)


def day_of(patient: Patient, doctor: Doctor, visit_type: int | None = None, day: str = TUESDAY) -> list[str]:
    """Return the starts that the patient is offered on one day."""
    query = {} if visit_type is None else {"visit_type": visit_type}
    return [time["start_time"] for time in patient.times(doctor, from_=day, until=day, **query)]
