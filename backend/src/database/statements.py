"""Small helpers for statements. Both databases write ON CONFLICT alike, which SQLAlchemy has twice."""

from __future__ import annotations

from functools import cache, lru_cache
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Select,
    Table,
    TextClause,
    bindparam,
    delete,
    literal_column,
    select,
    text,
)
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import DeclarativeBase


def insert_of(db: Connection) -> Any:
    """Return the `insert` of the connection's database, which knows ON CONFLICT."""
    return postgresql.insert if db.dialect.name == "postgresql" else sqlite.insert


def insert_unless_conflict(db: Connection, model: type[DeclarativeBase], **values: Any) -> Any:
    """Insert a row and return the first column of its primary key, or None where a constraint stood against it.

    `ON CONFLICT DO NOTHING` waits for a concurrent transaction without deadlocks, where plain INSERTs deadlock (above
    all against EXCLUDE). On SQLite a trigger's refusal is an IntegrityError instead, which `transaction` translates.
    """
    return db.execute(_insert_unless_conflict(model, tuple(values)), values).scalar_one_or_none()


@cache
def _insert_unless_conflict(model: type[DeclarativeBase], columns: tuple[str, ...]) -> TextClause:
    """Return the statement as text: SQLAlchemy 2.0 would compile its own ON CONFLICT anew at every use."""
    table = model.__table__
    assert isinstance(table, Table)  # noqa: S101 - a mapped class has a table
    names = ", ".join(f'"{name}"' for name in columns)
    values = ", ".join(f":{name}" for name in columns)
    key = next(iter(table.primary_key.columns)).name
    statement = text(
        f"INSERT INTO {table.name} ({names}) VALUES ({values}) ON CONFLICT DO NOTHING RETURNING {key}"  # noqa: S608
    )
    return statement.bindparams(*(bindparam(name, type_=table.c[name].type) for name in columns))


@lru_cache(maxsize=512)
def limited(query: Select[Any], most: int) -> Select[Any]:
    """Return the query with its limit as a literal.

    A limit that comes as a parameter makes PostgreSQL plan for a tenth of all rows.
    """
    return query.limit(literal_column(str(int(most))))


def delete_chunk(
    db: Connection, model: Any, after: int, old: ColumnElement[bool], deletable: ColumnElement[bool], limit: int
) -> tuple[int | None, int]:
    """Look at the next `limit` old rows in the order of ids and delete those that may go.

    Returns (last id that was looked at, or None at the end; number of rows deleted). Ids grow with time, so that the
    first row that is not old ends the search.
    """
    seen = list(db.execute(select(model.id, old).where(model.id > after).order_by(model.id).limit(limit)))
    ids = [number for number, is_old in seen if is_old]
    if not ids:
        return None, 0
    deleted = db.execute(delete(model).where(model.id.between(ids[0], ids[-1]), old, deletable)).rowcount
    return (ids[-1] if len(ids) == limit else None), deleted
