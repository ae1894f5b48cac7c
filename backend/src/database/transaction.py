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

    `writes` takes SQLite's write lock from the start; without it, each statement on PostgreSQL stands for itself and
    nothing may be written. With `one_statement` each stands for itself there, too, and may write: for those who write
    by a single one. A broken constraint is raised as the domain error it stands for.
    """
    try:
        with db.engine.begin() as connection:
            begin(connection, writes=writes, one_statement=one_statement)
            yield connection
    except IntegrityError as error:
        raise domain_error(error) from error
