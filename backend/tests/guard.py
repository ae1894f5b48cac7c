"""Check what `one_statement` promises: a controller writes once, and raises no error after that.

PostgreSQL runs such a controller in autocommit. If it wrote twice, or raised after it wrote, the first write would
stay, while SQLite would roll it back. The guard runs it in a transaction, to count the rows that it has changed.
"""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass, field

from sqlalchemy import Connection, event

from src.database.transaction import transaction
from src.errors import ClinicError

ROWS_CHANGED = "SELECT coalesce(sum(n_tup_ins + n_tup_upd + n_tup_del), 0) FROM pg_stat_xact_user_tables"


@dataclass
class Guard:
    """A `transaction` for src/web/road.py that records each broken promise."""

    broken: list[str] = field(default_factory=list)

    @contextmanager
    def transaction(self, *, writes: bool, one_statement: bool = False) -> Generator[Connection]:
        with transaction(writes=writes) as db:
            if one_statement and db.dialect.name == "postgresql":
                with self._watched(db):
                    yield db
            else:
                yield db

    @contextmanager
    def _watched(self, db: Connection) -> Generator[None]:
        written: list[str] = []

        def changed() -> int:
            # On a cursor of the driver, so that `note` is not called for this. The count also contains rows that
            # earlier transactions of the connection changed.
            with db.connection.cursor() as cursor:
                cursor.execute(ROWS_CHANGED)
                return cursor.fetchone()[0]

        before = seen = changed()

        def note(_connection: object, _cursor: object, statement: str, *_: object) -> None:
            nonlocal seen
            if changed() > seen:
                seen = changed()
                written.append(statement)

        event.listen(db, "after_cursor_execute", note)
        try:
            yield
        except ClinicError as refusal:
            if changed() > before:
                self.broken.append(f"refused with {refusal!r} after it had written")
            raise
        finally:
            event.remove(db, "after_cursor_execute", note)
        if len(written) > 1:
            self.broken.append(f"{len(written)} writes: {written}")
