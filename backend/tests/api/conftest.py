"""Fixtures of tests about computed times: a doctor with hours, and two patients."""

from __future__ import annotations

import pytest

from tests.people import Api, Doctor, Patient, hours


@pytest.fixture
def doctor(api: Api) -> Doctor:
    """Return a doctor with hours on Tuesday mornings; the first visit type takes 30 minutes."""
    doctor = api.doctor("Dr. Fenna Quill")
    doctor.set_hours(hours("tuesday", "09:00", "11:00"))
    return doctor


@pytest.fixture
def ada(api: Api) -> Patient:
    return api.patient("Ada Sample")


@pytest.fixture
def ben(api: Api) -> Patient:
    return api.patient("Ben Sample")
