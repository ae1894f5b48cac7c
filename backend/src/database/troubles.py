"""What is wrong with the database itself, told from an error of its driver."""

from __future__ import annotations

from sqlalchemy.exc import DatabaseError, InterfaceError, OperationalError, SQLAlchemyError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from src.errors_of_service import (
    DatabaseAway,
    DatabaseBehind,
    DatabaseBusy,
    DatabaseFull,
    DatabaseNotMigrated,
    DatabaseReadOnly,
    DatabaseUnfit,
)

# PostgreSQL, by SQLSTATE (https://www.postgresql.org/docs/current/errcodes-appendix.html).
TROUBLE_OF_SQLSTATE: dict[str, type[DatabaseUnfit]] = {
    "25006": DatabaseReadOnly,  # read_only_sql_transaction
    "25P03": DatabaseAway,  # idle_in_transaction_session_timeout
    "26000": DatabaseAway,  # invalid_sql_statement_name
    "3D000": DatabaseAway,  # invalid_catalog_name
    "40001": DatabaseBusy,  # serialization_failure
    "40P01": DatabaseBusy,  # deadlock_detected
    "42501": DatabaseAway,  # insufficient_privilege
    "42703": DatabaseBehind,  # undefined_column
    "42P01": DatabaseNotMigrated,  # undefined_table
    "42P05": DatabaseAway,  # duplicate_prepared_statement
    "53100": DatabaseFull,  # disk_full
    "55P03": DatabaseBusy,  # lock_not_available
    "57014": DatabaseBusy,  # query_canceled, by the statement timeout
}
# SQLite, by its message: Python 3.10 does not give the code.
TROUBLE_OF_MESSAGE: dict[str, type[DatabaseUnfit]] = {
    "readonly database": DatabaseReadOnly,
    "disk is full": DatabaseFull,
    "is locked": DatabaseBusy,
    "no such table": DatabaseNotMigrated,
    "no such column": DatabaseBehind,
    "no column named": DatabaseBehind,
    "not a database": DatabaseAway,
    "malformed": DatabaseAway,
}
# A prepared statement is missing on the server's connection, or another client has left one of the same name there. If
# that one has other parameters, the SQLSTATE is the general 08P01.
SHARED_CONNECTION = {"26000", "42P05"}
SET_POOLED = "DATABASE_URL seems to go through a transaction pooler: set DATABASE_POOLED=yes"


def trouble_of(error: Exception) -> type[DatabaseUnfit] | None:
    """Return what is wrong with the database, or None for a mistake of ours in a statement."""
    if isinstance(error, PoolTimeout):
        return DatabaseBusy
    if not isinstance(error, (DatabaseError, InterfaceError)):
        return None
    usual = DatabaseAway if isinstance(error, (OperationalError, InterfaceError)) else None
    sqlstate = _sqlstate(error)
    if sqlstate is not None:
        return TROUBLE_OF_SQLSTATE.get(sqlstate, usual)
    said = str(error.orig)
    return next((trouble for part, trouble in TROUBLE_OF_MESSAGE.items() if part in said), usual)


def in_one_line(error: SQLAlchemyError) -> str:
    """Return what the database said, for logs and operators, and what to do if that is known."""
    said = str(getattr(error, "orig", None) or error).strip().partition("\n")[0].rstrip(".")
    is_shared = _sqlstate(error) in SHARED_CONNECTION or "prepared statement" in said
    return f"{said}. {SET_POOLED}" if is_shared else said


def _sqlstate(error: SQLAlchemyError) -> str | None:
    return getattr(getattr(error, "orig", None), "sqlstate", None)
