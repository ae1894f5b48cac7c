"""Tokens, without a database."""

from __future__ import annotations

from hypothesis import HealthCheck, settings

from tests.conftest import make_settings

SETTINGS = make_settings()
QUICK = settings(deadline=None, database=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
