"""Which version of the zone data the database's instants were computed with."""

from __future__ import annotations

import re

from src.context import Transaction
from src.repositories import installation_repository as installation

# The row of `installation` with the version.
ZONE_DATA = "zone_data"


def recorded_version(transaction: Transaction) -> str | None:
    """Return the version of the zone data that the database's instants were computed with."""
    with transaction(writes=False) as db:
        return installation.recall(db, ZONE_DATA)


def is_newer(version: str, than: str | None) -> bool:
    """Compare versions as numbers: 2026.10 is newer than 2026.9."""
    return than is None or _numbers(version) > _numbers(than)


def _numbers(version: str) -> list[int]:
    return [int(digits) for digits in re.findall("[0-9]+", version)]
