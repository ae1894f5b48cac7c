"""What the two databases spell alike, but SQLAlchemy does not."""

from __future__ import annotations

from functools import cache
from typing import Any

from sqlalchemy import Connection, Table
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import DeclarativeBase


def insert_of(db: Connection) -> Any:
    """Return the `insert` of the connection's database, which knows ON CONFLICT."""
    return postgresql.insert if db.dialect.name == "postgresql" else sqlite.insert


def insert_unless_conflict(db: Connection, model: type[DeclarativeBase], **values: Any) -> Any:
    """Insert a row and return the first column of its primary key, or None where a constraint stood against it.

    `ON CONFLICT DO NOTHING` waits for a rival transaction without deadlocks where a plain INSERT runs into them
    (EXCLUDE above all). On SQLite a trigger's refusal is an IntegrityError instead, which `transaction` translates.
    """
    return db.execute(_insert_unless_conflict(insert_of(db), model), values).scalar_one_or_none()


@cache
def _insert_unless_conflict(insert: Any, model: type[DeclarativeBase]) -> Any:
    table = model.__table__
    assert isinstance(table, Table)  # noqa: S101 - a mapped class has a table
    return insert(table).on_conflict_do_nothing().returning(next(iter(table.primary_key.columns)))
