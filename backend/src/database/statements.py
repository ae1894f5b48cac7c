"""Helpers for statements that run on both databases."""

from __future__ import annotations

from functools import cache, lru_cache
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Delete,
    Select,
    Table,
    TextClause,
    bindparam,
    delete,
    inspect,
    literal_column,
    select,
    text,
    tuple_,
)
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import DeclarativeBase


def insert_of(db: Connection) -> Any:
    """Return the `insert` function of the connection's dialect, which supports ON CONFLICT."""
    return postgresql.insert if db.dialect.name == "postgresql" else sqlite.insert


def insert_unless_conflict(db: Connection, model: type[DeclarativeBase], **values: Any) -> Any:
    """Insert a row and return the first column of its primary key, or None if a constraint forbids the row.

    `ON CONFLICT DO NOTHING` waits for a concurrent transaction where a plain INSERT can deadlock, above all with an
    EXCLUDE constraint. On SQLite, a trigger that forbids the row raises IntegrityError instead, and `transaction`
    raises the domain error for it.
    """
    return db.execute(_insert_unless_conflict(model, tuple(values)), values).scalar_one_or_none()


@cache
def _insert_unless_conflict(model: type[DeclarativeBase], columns: tuple[str, ...]) -> TextClause:
    """Return the statement as text: SQLAlchemy 2.0 would compile ON CONFLICT at every use, which is slow."""
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
    """Return the query with the limit as a literal.

    With the limit as a parameter, PostgreSQL's planner assumes that a tenth of all rows is wanted.
    """
    return query.limit(literal_column(str(int(most))))


def delete_unlocked(model: type[DeclarativeBase], *which: ColumnElement[bool]) -> Delete:
    """Return the statement that deletes such rows, but not those that another transaction has locked.

    It waits for no lock of a row, so it cannot deadlock. SQLite has none.
    """
    key = inspect(model).primary_key
    unlocked = select(*key).where(*which).with_for_update(skip_locked=True)
    return delete(model).where(tuple_(*key).in_(unlocked))
