"""The only place that begins and commits."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager

from sqlalchemy import Connection
from sqlalchemy.exc import IntegrityError

from src.database.connections import begin
from src.database.constraints import domain_error
from src.extensions import db


@contextmanager
def transaction(*, writes: bool, one_statement: bool = False) -> Generator[Connection]:
    """Yield a connection in one transaction: committed at the end, rolled back on any exception.

    With `writes` SQLite takes its write lock from the start. Without it nothing may be written, and PostgreSQL runs
    each statement in autocommit. With both `writes` and `one_statement` PostgreSQL does so too, for callers that write
    by a single statement. A broken constraint is raised as its domain error.
    """
    try:
        with db.engine.begin() as connection:
            begin(connection, writes=writes, one_statement=one_statement)
            yield connection
    except IntegrityError as error:
        raise domain_error(error) from error
