"""A fixture of tests about races: as many patients as wanted."""

from __future__ import annotations

import pytest
from apiflask import APIFlask

from tests.people import Api
from tests.races.crowd import Crowd, with_own_client


@pytest.fixture
def crowd(app: APIFlask, api: Api) -> Crowd:
    """Return a function that returns so many patients, each with a client of their own."""
    return lambda number: [with_own_client(app, api.patient(f"Patient {n}")) for n in range(number)]
