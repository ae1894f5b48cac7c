"""Doctors page by page, what one can look for among them, and the next times of each."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from src.context import Caller, Context, user_id_of
from src.repositories import doctor_repository as doctors
from src.repositories import search_repository as searching
from src.repositories import visit_type_repository as visit_types
from src.schemas.availability import FreeSlot
from src.schemas.doctor import DoctorsWanted


@dataclass(frozen=True)
class Choices:
    """What doctors have that one can look for, each spelling once, by the alphabet."""

    specializations: list[str]
    visit_types: list[str]


def choices(ctx: Context[Caller | None]) -> Choices:
    return Choices(_sorted(doctors.specializations(ctx.db)), _sorted(visit_types.names_for_patients(ctx.db)))


def page(ctx: Context[Caller | None], query: DoctorsWanted) -> tuple[list[dict[str, Any]], int]:
    """Return the fields of a page of the doctors, in a stable order, and the number of all that are wanted."""
    offset = (query.page - 1) * query.limit
    if query.all:
        rows = doctors.list_living(ctx.db, offset=offset, limit=query.limit)
        total = rows[0].total if rows else doctors.count_living(ctx.db)
    else:
        wanted = query.model_dump(include={"name", "specialization", "visit_type"})
        rows, total = doctors.list_matching(ctx.db, **wanted, offset=offset, limit=query.limit)
    listed = [
        {"id": row.id, "name": row.name, "designation": row.designation, "specialization": row.specialization}
        for row in rows
    ]
    return listed, total


def next_times(
    ctx: Context[Caller | None], listed: Sequence[dict[str, Any]], visit_type: str | None, of_each: int
) -> dict[int, list[dict[str, Any]]]:
    """Return by doctor the first times that can be booked, of visit types of a name or else of the doctor's list."""
    ids, zone = [doctor["id"] for doctor in listed], ctx.settings.clinic_time_zone
    more: dict[str, Any] = {"visit_type": visit_type, "of_each": of_each}
    found = searching.next_of_doctors(ctx.db, ids, user_id_of(ctx.actor), ctx.now, zone, **more)
    return {doctor_id: [FreeSlot.of_found(row) for row in rows] for doctor_id, rows in found.items()}


def _sorted(texts: Iterable[str]) -> list[str]:
    """Return the texts, one of those that differ in letter case alone: the search takes them for the same."""
    by_key = {text.lower(): text for text in sorted(texts, reverse=True)}
    return [by_key[key] for key in sorted(by_key)]
