"""Facts about this installation."""

from __future__ import annotations

from sqlalchemy import Connection, select

from src.database.statements import insert_of
from src.models import Installation


def recall(db: Connection, name: str) -> str | None:
    return db.scalars(select(Installation.value).where(Installation.name == name)).one_or_none()


def remember(db: Connection, name: str, value: str) -> None:
    """Store the value, replacing an earlier one."""
    statement = insert_of(db)(Installation).values(name=name, value=value)
    db.execute(statement.on_conflict_do_update(index_elements=[Installation.name], set_={"value": value}))
