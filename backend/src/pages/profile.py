"""A doctor's profile and policies, and the end of the account."""

from __future__ import annotations

from dataclasses import dataclass

from src.context import Context, Doctor
from src.controllers import doctor_controller as doctors
from src.controllers import policy_controller as policies
from src.pages.outside import ids_outside, refuse_more_outside
from src.pages.visit_types import MINUTES, Unit, in_units
from src.pages.zones import Zones, zones_to_choose
from src.schemas.base import Message
from src.schemas.doctor import DoctorProfileOut, ProfileUpdate
from src.schemas.fields import Flag, Limit, OneLine, WholeNumber
from src.schemas.policy import NewPolicies, PoliciesOut


class ProfileForm(ProfileUpdate):
    """The profile and the policies; an empty policy is as the clinic says."""

    designation: OneLine = ""  # pyright: ignore[reportIncompatibleVariableOverride] - an empty field empties it
    specialization: OneLine = ""  # pyright: ignore[reportIncompatibleVariableOverride] - the same
    cancellation_notice: WholeNumber | None = None
    notice_unit: Unit = "hours"
    most_ahead: Limit | None = None
    all_the_same: Flag = False

    def profile(self, present_zone: str) -> ProfileUpdate:
        """Return the changes; a doctor who follows the clinic's time zone goes on doing so."""
        zone = None if self.time_zone == present_zone else self.time_zone
        return ProfileUpdate(designation=self.designation, specialization=self.specialization, time_zone=zone)

    def policies(self) -> NewPolicies:
        notice = self.cancellation_notice
        minutes = None if notice is None else notice * MINUTES[self.notice_unit]
        return NewPolicies.model_validate({"cancellation_notice": minutes, "most_ahead": self.most_ahead})


@dataclass(frozen=True)
class ProfileShown:
    profile: DoctorProfileOut
    policies: PoliciesOut
    notice: int | None
    notice_unit: Unit
    zones: Zones
    outside: int


def show(ctx: Context[Doctor]) -> ProfileShown:
    profile, own = doctors.profile(ctx), policies.show(ctx)
    notice = own.cancellation_notice
    shown: tuple[int | None, Unit] = (None, "hours") if notice is None else in_units(notice)
    return ProfileShown(profile, own, *shown, zones_to_choose(profile.time_zone), len(ids_outside(ctx)))


def save(ctx: Context[Doctor], body: ProfileForm) -> Message:
    """Change both; raise LeavesOutside, which takes that back, if the doctor has not seen what another zone does."""
    new = body.policies()
    before = ids_outside(ctx)
    updated = doctors.update_profile(ctx, body.profile(ctx.actor.time_zone))
    if not body.all_the_same:
        refuse_more_outside(before, updated.affected)
    policies.replace(ctx, new)
    return Message(message=updated.message)


@dataclass(frozen=True)
class Leaving:
    """How many appointments ahead would be cancelled."""

    booked: int


def leave(ctx: Context[Doctor]) -> Leaving:
    return Leaving(doctors.dashboard(ctx).booked_slots)
