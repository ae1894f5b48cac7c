"""The models and a migrated database have the same CHECK constraints; `flask db check` does not compare these."""

from __future__ import annotations

from pathlib import Path

import pytest
import sqlalchemy as sa
from sqlalchemy.pool import NullPool

from src.models import Base
from tests.conftest import create_database

# In these tables, 0001 gave the constraints their prefix twice, and no later migration has rebuilt them on SQLite.
DOUBLED_ON_SQLITE = {"users", "availability_slots"}


@pytest.fixture
def models_url(database_url: str, tmp_path: Path, worker_id_: str) -> str:
    """Return the URL of a database of the same kind, created from the models."""
    is_sqlite = database_url.startswith("sqlite")
    url = f"sqlite:///{tmp_path / 'models.db'}" if is_sqlite else create_database(f"models_{worker_id_}")
    engine = sa.create_engine(url, poolclass=NullPool)
    Base.metadata.create_all(engine)
    return url


def checks(url: str) -> dict[str, dict[str | None, str]]:
    """Return the CHECK constraints of each table, name and condition, as the database reports them."""
    inspector = sa.inspect(sa.create_engine(url, poolclass=NullPool))
    return {
        table: {check["name"]: " ".join(check["sqltext"].split()) for check in found}
        for table in inspector.get_table_names()
        if (found := inspector.get_check_constraints(table))
    }


def named_once(table: str, name: str | None) -> str:
    doubled = f"ck_{table}_ck_{table}_"
    assert name is not None
    assert name.startswith(doubled), f"{table} was made anew: take it off the list"
    return name.replace(doubled, f"ck_{table}_")


def test_models_and_migrations_make_the_same_checks(database_url: str, models_url: str) -> None:
    migrated = checks(database_url)
    if database_url.startswith("sqlite"):
        for table in DOUBLED_ON_SQLITE:
            migrated[table] = {named_once(table, name): condition for name, condition in migrated[table].items()}
    assert migrated == checks(models_url)
    assert sum(map(len, migrated.values())) >= 10, "the database tells its checks"
