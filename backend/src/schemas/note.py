"""Noting something about an appointment."""

from __future__ import annotations

from src.schemas.base import In
from src.schemas.fields import Description


class Note(In):
    """What staff note about an appointment; empty deletes it."""

    note: Description
