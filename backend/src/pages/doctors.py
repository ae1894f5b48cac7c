"""The list of doctors, each with the next free times, and what one can look for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from pydantic import Field

from src.context import Caller, Context
from src.controllers import listed_doctors
from src.schemas.base import In
from src.schemas.doctor import DoctorsWanted
from src.schemas.fields import OneLine, QueryNumber

OF_A_PAGE = 10
NEXT_TIMES = 3


class DoctorSearch(In):
    """What the form asks for."""

    name: OneLine | None = None
    specialization: OneLine | None = None
    visit_type: OneLine | None = None
    page: QueryNumber = Field(1, ge=1, le=2**53)

    @property
    def is_empty(self) -> bool:
        return self.name is self.specialization is self.visit_type is None


@dataclass(frozen=True)
class DoctorsFound:
    """A page of the doctors; each has the member `next_times`."""

    doctors: list[dict[str, Any]]
    specializations: list[str]
    visit_types: list[str]
    wanted: DoctorSearch
    total: int
    total_pages: int

    @property
    def has_several_zones(self) -> bool:
        return len({time["time_zone"] for doctor in self.doctors for time in doctor["next_times"]}) > 1

    def link(self, page: int) -> str:
        """Return the query of another page of the same search."""
        kept = self.wanted.model_dump(exclude_none=True, exclude={"page"})
        return "?" + urlencode(kept | {"page": page})


def find(ctx: Context[Caller | None], query: DoctorSearch) -> DoctorsFound:
    wanted = DoctorsWanted(**query.model_dump(), limit=OF_A_PAGE)
    listed, total = listed_doctors.page(ctx, wanted)
    times = listed_doctors.next_times(ctx, listed, query.visit_type, NEXT_TIMES)
    choices = listed_doctors.choices(ctx)
    return DoctorsFound(
        doctors=[doctor | {"next_times": times.get(doctor["id"], [])} for doctor in listed],
        specializations=_with(choices.specializations, query.specialization),
        visit_types=_with(choices.visit_types, query.visit_type),
        wanted=query,
        total=total,
        total_pages=-(-total // OF_A_PAGE),
    )


def _with(choices: list[str], wanted: str | None) -> list[str]:
    """Return the choices and what is asked for, so that the form shows it although no doctor has it."""
    known = {choice.lower() for choice in choices}
    return choices if wanted is None or wanted.lower() in known else [wanted, *choices]
