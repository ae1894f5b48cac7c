"""Which migration is the newest."""

from __future__ import annotations

from functools import cache
from pathlib import Path

_VERSIONS = Path(__file__).resolve().parents[2] / "migrations" / "versions"


@cache
def newest_revision() -> str:
    """Return the number of the newest migration, which is the largest number that a file name begins with."""
    return max(path.name.partition("_")[0] for path in _VERSIONS.glob("[0-9]*_*.py"))
