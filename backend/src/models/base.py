"""What all tables share: the declarative base, naming rules for constraints, and types of columns."""

from __future__ import annotations

from datetime import datetime, timezone
from typing import Any, ClassVar

from sqlalchemy import BigInteger, ColumnElement, DateTime, Dialect, Integer, MetaData, String, literal_column
from sqlalchemy.orm import DeclarativeBase
from sqlalchemy.types import TypeDecorator

NAMES = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s",
    "pk": "pk_%(table_name)s",
}

# SQLite generates ids only for primary keys of the type INTEGER, which has 64 bits there.
Id = BigInteger().with_variant(Integer(), "sqlite")

# A naive datetime: what the clocks of a zone show. Both databases store it as it is.
WallClock = DateTime(timezone=False)


class Instant(TypeDecorator[datetime]):
    """An aware datetime in UTC; refuses naive ones. SQLite has no time zones and stores the UTC time without one."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError(f"naive datetime {value!r}: which zone?")
        return value.astimezone(timezone.utc)

    def result_processor(self, dialect: Dialect, coltype: object) -> Any:
        """Make SQLite's values aware. PostgreSQL's are aware, and in UTC because its connections set TimeZone."""
        read: Any = super().result_processor(dialect, coltype)
        if dialect.name != "sqlite":
            return read

        def process(value: Any) -> datetime | None:
            return None if value is None else read(value).replace(tzinfo=timezone.utc)

        return process


def state_literal(value: str) -> ColumnElement[str]:
    """Return a state as a literal of the SQL text, for comparisons.

    With a parameter instead, PostgreSQL could not use a partial index on the rows in that state, because the plan of a
    prepared statement must be right for every value of its parameters.
    """
    return literal_column(f"'{value}'", String)


class Base(DeclarativeBase):
    metadata = MetaData(naming_convention=NAMES)
    type_annotation_map: ClassVar[dict[Any, Any]] = {datetime: Instant}
