"""The only place that begins and commits transactions."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager

from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError, IntegrityError

from src.database.connections import begin
from src.database.constraints import domain_error
from src.database.troubles import trouble_of
from src.errors_of_service import DatabaseReadOnly
from src.extensions import db


@contextmanager
def transaction(*, writes: bool, one_statement: bool = False) -> Generator[Connection]:
    """Yield a connection in a transaction: commit it at the end, roll it back on any exception.

    With `writes`, SQLite takes its write lock at the beginning. Without `writes`, the caller may only read, and
    PostgreSQL runs each statement in autocommit. `one_statement` is for callers that write by a single statement:
    PostgreSQL runs that in autocommit too. A violated constraint raises its domain error.
    """
    try:
        with db.engine.begin() as connection:
            begin(connection, writes=writes, one_statement=one_statement)
            yield connection
    except IntegrityError as error:
        raise domain_error(error) from error
    except DBAPIError as error:
        if trouble_of(error) is DatabaseReadOnly:
            # After a failover, the connections of the pool may lead to the old primary. New ones can find the new one.
            db.engine.dispose()
        raise
