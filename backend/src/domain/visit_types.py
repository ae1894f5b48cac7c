"""Which visit type clients mean that name none."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

# In days.
LONGEST_HORIZON = 366


def may_be_default(booked_by: str, capacity: int) -> bool:
    """Return whether a patient can book such a visit alone, as clients do that know no visit types."""
    return booked_by == "patients" and capacity == 1


def default_of(visit_types: Sequence[Any]) -> int | None:
    """Return the id of the default: the one that the doctor chose, or else the first that may be it; they are sorted.

    Each has `id`, `booked_by`, `capacity` and `is_default`, which says whether the doctor chose it.
    """
    chosen = [kind.id for kind in visit_types if kind.is_default]
    possible = [kind.id for kind in visit_types if may_be_default(kind.booked_by, kind.capacity)]
    return next(iter(chosen + possible), None)
