"""What keeps the service itself from answering."""

from __future__ import annotations

from src.errors import Conflict, Unavailable


class DatabaseUnfit(Unavailable):
    """The database cannot do its work at the moment; please try again in a few seconds."""


class DatabaseAway(DatabaseUnfit):
    """The database cannot be reached at the moment; please try again in a few seconds."""


class DatabaseBusy(DatabaseUnfit):
    """The database is too busy at the moment; please try again in a few seconds."""


class DatabaseReadOnly(DatabaseUnfit):
    """The database accepts no changes at the moment; what is stored can be read. Please try again later."""


class DatabaseFull(DatabaseUnfit):
    """The database has no room left; please try again later."""


class DatabaseNotMigrated(DatabaseUnfit):
    """The database has no tables yet; run "flask db upgrade"."""


class DatabaseBehind(DatabaseUnfit):
    """The database lacks the newest migrations; run "flask db upgrade"."""


class GoingDown(Unavailable):
    """This server is going down; ask again in a moment, or another one."""


class StillUnderWay(Conflict):
    """The first request with this Idempotency-Key is still under way; please try again."""
