"""What the two databases spell alike, but SQLAlchemy does not."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Table
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import DeclarativeBase, Session


def insert_of(db: Session) -> Any:
    """Return the `insert` of the session's database, which knows ON CONFLICT."""
    return postgresql.insert if db.get_bind().dialect.name == "postgresql" else sqlite.insert


def insert_unless_conflict(db: Session, model: type[DeclarativeBase], **values: Any) -> int | None:
    """Insert a row and return its id, or None where a constraint stood against it.

    `ON CONFLICT DO NOTHING` waits for a rival transaction without deadlocks where a plain INSERT runs into them
    (EXCLUDE above all). On SQLite a trigger's refusal is an IntegrityError instead, which `transaction` translates.
    """
    statement = insert_of(db)(model).values(**values).on_conflict_do_nothing()
    return db.execute(statement.returning(model.__table__.c.id)).scalar_one_or_none()


def insert_or_ignore(db: Session, model: type[DeclarativeBase], **values: Any) -> bool:
    """Insert a row of a table without an id; False where it was there already."""
    table = model.__table__
    assert isinstance(table, Table)  # noqa: S101 - a mapped class has a table
    first_column = next(iter(table.primary_key.columns))
    statement = insert_of(db)(model).values(**values).on_conflict_do_nothing()
    return db.execute(statement.returning(first_column)).one_or_none() is not None
