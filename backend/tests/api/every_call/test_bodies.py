"""Bodies: whatever is sent, the answer is a clear refusal and nothing changes.

On PostgreSQL only, because they are refused before a statement uses them; its types are the stricter ones.
"""

from __future__ import annotations

import json

import pytest

from tests.calls import CALLS, JSON, Call, Clinic, refused
from tests.conftest import ON_POSTGRESQL
from tests.hostile import NOT_OBJECTS, WRONG_CONTENT_TYPES, bad_values

pytestmark = ON_POSTGRESQL
WITH_BODY = [call for call in CALLS if call.signature.body]
every_call_with_a_body = pytest.mark.parametrize("call", WITH_BODY, ids=[call.name for call in WITH_BODY])
LARGEST_BODY = 1024 * 1024


@every_call_with_a_body
def test_a_body_that_is_no_json_object_is_refused(clinic: Clinic, call: Call) -> None:
    caller = clinic.caller(call)
    with clinic.unchanged():
        for data in [data for data in NOT_OBJECTS if data or not call.route.body_optional]:
            refused(clinic.send(call, caller, data=data, content_type=JSON), 400, data[:60])
        if not call.route.body_optional:
            refused(clinic.send(call, caller, content_type=JSON), 400, "no body")
    assert clinic.make(call, caller).status_code == call.route.status


def test_a_body_that_is_no_json_is_told_from_one_that_is_no_object(clinic: Clinic) -> None:
    call = WITH_BODY[0]
    for data, sentence in ((b"{'email': 1}", "not valid JSON"), (b"[]", "must be a JSON object")):
        assert sentence in refused(clinic.send(call, clinic.caller(call), data=data, content_type=JSON), 400, data)


def test_a_body_of_another_content_type_is_refused(clinic: Clinic) -> None:
    for call in WITH_BODY:
        caller, data = clinic.caller(call), json.dumps(call.good_body(clinic))
        with clinic.unchanged():
            for content_type in WRONG_CONTENT_TYPES:
                answer = clinic.send(call, caller, data=data, content_type=content_type)
                assert "application/json" in refused(answer, 415, (call.name, content_type))
            if not call.route.body_optional:
                refused(clinic.send(call, caller), 415, (call.name, "no body"))


def test_a_body_of_a_megabyte_is_taken_and_a_charset_is_ignored(clinic: Clinic) -> None:
    for call in WITH_BODY:
        caller, data = clinic.caller(call), json.dumps(call.good_body(clinic)).ljust(LARGEST_BODY)
        answer = clinic.send(call, caller, data=data, content_type="Application/JSON; charset=UTF-8")
        assert answer.status_code == call.route.status, (call.name, answer.get_json())


def test_a_body_over_a_megabyte_is_refused(clinic: Clinic) -> None:
    for call in CALLS:
        if call.route.writes:
            caller = clinic.caller(call)
            with clinic.unchanged():
                answer = clinic.send(call, caller, data=b" " * (LARGEST_BODY + 1), content_type=JSON)
                assert "too large" in refused(answer, 413, call.name)


@every_call_with_a_body
def test_a_field_of_a_wrong_value_is_refused(clinic: Clinic, call: Call) -> None:
    caller, good, schema = clinic.caller(call), call.good_body(clinic), call.signature.body
    assert schema
    with clinic.unchanged():
        for name in schema.model_fields:
            said = schema.model_fields[name].alias or name
            for value in bad_values(schema, name) + call.bad.get(said, []):
                data = json.dumps(good | {said: value})
                refused(clinic.send(call, caller, data=data, content_type=JSON), 400, (name, value))
    assert clinic.make(call, caller).status_code == call.route.status


def test_a_wrong_value_and_a_missing_field_are_named(clinic: Clinic) -> None:
    for call in WITH_BODY:
        caller, good, schema = clinic.caller(call), call.good_body(clinic), call.signature.body
        assert schema
        with clinic.unchanged():
            for field_name, field in schema.model_fields.items():
                name = field.alias or field_name
                answer = clinic.send(call, caller, json=good | {name: [[]]})
                assert refused(answer, 400, (call.name, name)).startswith(name)
                if field.is_required():
                    without = {other: value for other, value in good.items() if other != name}
                    answer = clinic.send(call, caller, json=without)
                    assert refused(answer, 400, (call.name, name)) == f"{name} is missing."
