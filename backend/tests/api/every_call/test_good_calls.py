"""The table of calls is complete, and each call succeeds for everybody who may make it."""

from __future__ import annotations

from collections import Counter

import pytest

from app import ROUTES
from src.context import Caller
from tests.calls import CALLS, JSON, Clinic


def test_the_table_has_one_row_for_each_route() -> None:
    assert Counter(call.name for call in CALLS) == Counter(route.name for route in ROUTES)


def test_a_row_has_a_body_if_and_only_if_its_call_reads_one() -> None:
    for call in CALLS:
        fields = call.signature.body.model_fields if call.signature.body else {}
        assert bool(call.body) == bool(fields), call.name
        assert call.bad.keys() <= {field.alias or name for name, field in fields.items()}, call.name


def test_the_public_calls_are_those_that_the_table_leaves_to_nobody() -> None:
    assert [c.name for c in CALLS if c.route.access.is_public] == [c.name for c in CALLS if not c.who]


def test_the_clinic_has_somebody_of_every_role(clinic: Clinic) -> None:
    assert set(clinic.people) == set(Caller.__subclasses__())


@pytest.mark.parametrize("role", [None, *Caller.__subclasses__()])
def test_every_good_call_succeeds_for_everybody_who_may_make_it(clinic: Clinic, role: type[Caller] | None) -> None:
    for call in CALLS:
        if role not in (call.who or (None,)):
            continue
        person = clinic.member(call, role) if role else None
        answer = clinic.make(call, person)
        assert answer.status_code == call.route.status, (call.name, answer.get_json())
        assert answer.mimetype == JSON, call.name
        assert ("Location" in answer.headers) == (call.route.location is not None), call.name
        if person is not None:
            assert (person.get("/auth/me").status_code == 401) == call.ends_session, call.name


@pytest.mark.parametrize(("data", "content_type"), [(b"{broken", JSON), (b"a=1", "application/x-www-form-urlencoded")])
def test_a_call_without_a_body_does_not_look_at_one(clinic: Clinic, data: bytes, content_type: str) -> None:
    for call in CALLS:
        if call.route.writes and not call.signature.body:
            answer = clinic.send(call, clinic.caller(call), data=data, content_type=content_type)
            assert answer.status_code == call.route.status, (call.name, answer.get_json())
