"""What keeps the service itself from answering."""

from __future__ import annotations

from src.errors import Conflict, Unavailable


class DatabaseNotMigrated(Unavailable):
    """The database has no tables yet; run "flask db upgrade"."""


class DatabaseBehind(Unavailable):
    """The database lacks the newest migrations; run "flask db upgrade"."""


class GoingDown(Unavailable):
    """This server is going down; ask again in a moment, or another one."""


class StillUnderWay(Conflict):
    """The first request with this Idempotency-Key is still under way; please try again."""
