"""Numbers of doctors by blocks of ids, because counting every doctor for each list would take long."""

from __future__ import annotations

from sqlalchemy import Integer
from sqlalchemy.orm import Mapped, mapped_column

from src.models.base import Base, Id

# With larger blocks the scan within a block takes longer, with smaller ones the sum over all blocks does. At 100,000
# doctors each takes a tenth of a millisecond.
PROFILES_OF_A_BLOCK = 200


class DoctorBlock(Base):
    """The number of doctors in one block who have not left. A profile's block is `id // PROFILES_OF_A_BLOCK`.

    A transaction that adds or erases a profile also updates the block's row, as the last row that it locks, because
    other transactions wait for that row. The sum of all blocks is the number of doctors; the sum of the first blocks
    tells in which block a page of the list begins.
    """

    __tablename__ = "doctor_blocks"

    block: Mapped[int] = mapped_column(Id, primary_key=True, autoincrement=False)
    living: Mapped[int] = mapped_column(Integer)
