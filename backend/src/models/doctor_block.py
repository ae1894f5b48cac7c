"""How many doctors there are, where counting them would take long."""

from __future__ import annotations

from sqlalchemy import Integer
from sqlalchemy.orm import Mapped, mapped_column

from src.models.base import Base, Id

# Larger blocks make the search within a block longer, smaller ones the sum over the blocks. At 100,000 doctors each
# takes a tenth of a millisecond.
PROFILES_OF_A_BLOCK = 200


class DoctorBlock(Base):
    """How many of the doctors whose profile's id divided by PROFILES_OF_A_BLOCK is `block` have not left.

    The transactions in which doctors come and go update it, as their last lock. The sum over all blocks is the number
    of doctors; the sum over the blocks before a page says at which profile the page begins.
    """

    __tablename__ = "doctor_blocks"

    block: Mapped[int] = mapped_column(Id, primary_key=True, autoincrement=False)
    living: Mapped[int] = mapped_column(Integer)
