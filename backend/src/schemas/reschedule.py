"""Moving an appointment."""

from __future__ import annotations

from src.schemas.base import In
from src.schemas.fields import Id


class Reschedule(In):
    """To which slot or computed time to move an appointment."""

    slot_id: Id
