"""What a doctor allows patients."""

from __future__ import annotations

from dataclasses import asdict

from src.context import Context, Doctor
from src.repositories import doctor_repository as doctors
from src.schemas.policy import ClinicPolicies, NewPolicies, PoliciesOut, PoliciesReplaced


def show(ctx: Context[Doctor]) -> PoliciesOut:
    """Show the doctor's policies and the clinic's."""
    own = doctors.find_policies(ctx.db, ctx.actor.doctor_id)
    return PoliciesOut(**own, clinic=_clinics(ctx))


def replace(ctx: Context[Doctor], body: NewPolicies) -> PoliciesReplaced:
    """Replace all policies of the doctor. They bind patients only."""
    own = body.model_dump()
    doctors.update_profile(ctx.db, ctx.actor.doctor_id, own)
    return PoliciesReplaced(message="Your policies are changed.", **own, clinic=_clinics(ctx))


def _clinics(ctx: Context[Doctor]) -> ClinicPolicies:
    return ClinicPolicies(**asdict(ctx.settings.policies))
