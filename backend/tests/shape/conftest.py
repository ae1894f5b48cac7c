"""Fixtures: databases before their first migration."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from apiflask import APIFlask

from src.extensions import db
from tests.conftest import build_app, create_database, make_settings


@pytest.fixture(params=["sqlite", "postgresql"])
def empty_database_url(request: pytest.FixtureRequest, tmp_path: Path, worker_id_: str) -> str:
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'empty.db'}"
    return create_database(f"migrations_{worker_id_}")


@pytest.fixture
def empty_app(empty_database_url: str) -> Iterator[APIFlask]:
    app = build_app(make_settings(database_url=empty_database_url))
    with app.app_context():
        yield app
        db.engine.dispose()
