"""Fill wall clocks that servers of the version before 0011 left empty."""

from __future__ import annotations

from collections.abc import Iterator

from src.context import Transaction
from src.database.wall_clocks import FILLED, fill_chunk

# Small, because other transactions wait for the rows of a chunk.
CHUNK = 1_000


def fill(transaction: Transaction) -> Iterator[int]:
    """Fill the empty wall clocks; yield the number after each chunk."""
    for table in FILLED:
        last: int | None = 0
        while last is not None:
            with transaction(writes=True) as db:
                last, filled = fill_chunk(db, table, last, CHUNK)
            if filled:
                yield filled
