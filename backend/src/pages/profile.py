"""A doctor's profile and policies, and the end of the account."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import groupby

from src.context import Context, Doctor
from src.controllers import doctor_controller as doctors
from src.controllers import policy_controller as policies
from src.pages.outside import ids_outside, refuse_more_outside
from src.pages.visit_types import MINUTES, Unit, in_units
from src.schemas.base import Message
from src.schemas.doctor import DoctorProfileOut, ProfileUpdate
from src.schemas.fields import Flag, Limit, OneLine, WholeNumber
from src.schemas.policy import NewPolicies, PoliciesOut
from src.settings.time_zones import time_zone_names

# Of zone data's names, those that people know: a continent or an ocean, and a city.
REGIONS = {
    "Africa", "America", "Antarctica", "Arctic", "Asia", "Atlantic", "Australia", "Europe", "Indian", "Pacific",
}  # fmt: skip


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
    zones: list[tuple[str, list[str]]]
    outside: int


def show(ctx: Context[Doctor]) -> ProfileShown:
    profile, own = doctors.profile(ctx), policies.show(ctx)
    notice = own.cancellation_notice
    shown: tuple[int | None, Unit] = (None, "hours") if notice is None else in_units(notice)
    return ProfileShown(profile, own, *shown, _zones(profile.time_zone), len(ids_outside(ctx)))


def _zones(present: str) -> list[tuple[str, list[str]]]:
    """Return the time zones that can be chosen, by region; the present one is among them."""
    names = sorted(name for name in time_zone_names() if name.partition("/")[0] in REGIONS or name in {"UTC", present})
    return [(region, list(zones)) for region, zones in groupby(names, key=lambda name: name.partition("/")[0])]


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
