"""Every write of a known caller honours its Idempotency-Key; test_idempotency.py tests what that means.

Calls with slow work in them (`SlowContext`) know no keys: a change of password is answered with a token, which must not
be kept.
"""

from __future__ import annotations

import pytest

from tests.calls import CALLS, Call, Clinic, refused
from tests.people import KEY

WRITES = [call for call in CALLS if call.method != "GET" and call.who and not call.signature.is_slow]
REPEATABLE = [call for call in WRITES if not call.ends_session]


@pytest.mark.parametrize("call", REPEATABLE, ids=[call.name for call in REPEATABLE])
def test_the_same_request_is_answered_the_same_and_done_once(clinic: Clinic, call: Call) -> None:
    caller = clinic.caller(call)
    first = clinic.make(call, caller, KEY)
    assert first.status_code == call.route.status
    with clinic.unchanged():
        again = clinic.make(call, caller, KEY)
    assert (again.status_code, again.data) == (first.status_code, first.data)
    assert again.headers.get("Location") == first.headers.get("Location")


@pytest.mark.parametrize("call", REPEATABLE, ids=[call.name for call in REPEATABLE])
def test_another_request_under_the_same_key_is_422(clinic: Clinic, call: Call) -> None:
    caller = clinic.caller(call)
    assert clinic.make(call, caller, KEY).status_code == call.route.status
    with clinic.unchanged():
        refused(clinic.send(call, caller, headers=KEY, data=b"another body"), 422, call.name)


def test_a_malformed_key_is_refused_and_nothing_is_done(clinic: Clinic) -> None:
    for call in WRITES:
        caller = clinic.caller(call)
        with clinic.unchanged():
            assert "Idempotency-Key" in refused(clinic.make(call, caller, {"Idempotency-Key": ""}), 400, call.name)


def test_every_answer_is_kept_under_its_key(clinic: Clinic) -> None:
    for number, call in enumerate(WRITES, start=1):
        answer = clinic.make(call, clinic.caller(call), {"Idempotency-Key": call.name})
        assert answer.status_code == call.route.status, (call.name, answer.get_json())
        assert len(clinic.rows()["idempotent_answers"]) == number, call.name
