"""What a doctor and the clinic allow patients."""

from __future__ import annotations

from pydantic import Field

from src.schemas.base import In, Out
from src.schemas.fields import Limit, Notice

NOTICE = "in minutes: how long before the start patients can cancel or move at the latest"
MOST_AHEAD = "how many appointments ahead one patient can have with this doctor"


class NewPolicies(In):
    """All policies of the doctor; what is null or left out is as the clinic says."""

    cancellation_notice: Notice | None = Field(None, description=NOTICE, examples=[24 * 60])
    most_ahead: Limit | None = Field(None, description=MOST_AHEAD, examples=[3])


class ClinicPolicies(Out):
    """What the clinic allows; null is no limit."""

    cancellation_notice: int = Field(description=NOTICE)
    most_ahead: int | None = Field(description="how many appointments ahead one patient can have in all")
    most_ahead_with_doctor: int | None = Field(description="with one doctor, where the doctor says nothing else")
    changes_per_hour: int | None = Field(description="how often a patient can book, move and cancel within an hour")


class PoliciesOut(Out):
    """The doctor's policies, null where the clinic's apply, and the clinic's."""

    cancellation_notice: int | None = Field(description=NOTICE)
    most_ahead: int | None = Field(description=MOST_AHEAD)
    clinic: ClinicPolicies


class PoliciesReplaced(PoliciesOut):
    """The policies apply from now on, also to appointments that are booked already."""

    message: str
