"""Of whom the clinic wants a second factor."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

Required = Literal["none", "doctors", "everybody"]


def lacks_second_factor(role: str, on_since: datetime | None, required: Required) -> bool:
    """Return whether somebody of this role must set up a second factor before anything else."""
    if on_since is not None or required == "none":
        return False
    return required == "everybody" or role == "doctor"
