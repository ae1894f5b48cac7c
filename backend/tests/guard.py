"""Check what `one_statement` promises: a controller writes once, and raises no error after that.

PostgreSQL runs such a controller in autocommit. If it wrote twice, or raised after it wrote, the first write would
stay, while SQLite would roll it back. The guard runs it in a transaction, to count the rows that it has changed.
"""

from __future__ import annotations

import re
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass, field

from sqlalchemy import Connection, event, text

from src.database.transaction import transaction
from src.errors import ClinicError

WRITES = re.compile(r"\b(INSERT\s+INTO|DELETE\s+FROM|UPDATE\s+\w+(\s+AS\s+\w+)?\s+SET)\b", re.IGNORECASE)
ROWS_CHANGED = text("SELECT coalesce(sum(n_tup_ins + n_tup_upd + n_tup_del), 0) FROM pg_stat_xact_user_tables")


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

        def note(_connection: object, _cursor: object, statement: str, *_: object) -> None:
            if WRITES.search(statement):
                written.append(statement)

        # The count also contains rows that earlier transactions of the connection changed.
        before = db.execute(ROWS_CHANGED).scalar_one()
        event.listen(db, "before_cursor_execute", note)
        try:
            yield
        except ClinicError as refusal:
            if db.execute(ROWS_CHANGED).scalar_one() > before:
                self.broken.append(f"refused with {refusal!r} after it had written")
            raise
        finally:
            event.remove(db, "before_cursor_execute", note)
        if len(written) > 1:
            self.broken.append(f"{len(written)} writes: {written}")
