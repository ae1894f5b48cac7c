"""What the two databases spell alike, but SQLAlchemy does not."""

from __future__ import annotations

from typing import Any

from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import DeclarativeBase, Session


def insert_unless_conflict(db: Session, model: type[DeclarativeBase], **values: Any) -> int | None:
    """Insert a row and return its id, or None where a constraint stood against it.

    `ON CONFLICT DO NOTHING` waits for a rival transaction without deadlocks where a plain INSERT runs into them
    (EXCLUDE above all). On SQLite a trigger's refusal is an IntegrityError instead, which `transaction` translates.
    """
    insert = postgresql.insert if db.get_bind().dialect.name == "postgresql" else sqlite.insert
    statement = insert(model).values(**values).on_conflict_do_nothing().returning(model.__table__.c.id)
    return db.execute(statement).scalar_one_or_none()
