"""Of whom the clinic wants a second factor."""

from __future__ import annotations

from typing import Literal

Required = Literal["none", "doctors", "everybody"]


def lacks_second_factor(role: str, required: Required, *, has_factor: bool) -> bool:
    """Return whether somebody of this role must set up a second factor before anything else."""
    if has_factor or required == "none":
        return False
    return required == "everybody" or role == "doctor"
