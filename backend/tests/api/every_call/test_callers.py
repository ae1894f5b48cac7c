"""401 without a valid token, 403 in a wrong role, and both before the rest of the request is checked."""

from __future__ import annotations

from collections.abc import Iterator

from werkzeug.test import TestResponse

from src.errors import Unauthenticated
from tests.calls import CALLS, JSON, Call, Clinic, refused
from tests.people import Api, Person

PUBLIC = [call for call in CALLS if not call.who]
PROTECTED = [call for call in CALLS if call.who]
UNKNOWN_ID = "999"
BODIES = [b"", b"{", b"[]", b"null", b"{}", b"\xff", b"[" * 30_000, b'{"slot_id": 0, "date": 1, "designation": 1}']


def headers_without_a_valid_token(api: Api) -> Iterator[dict[str, str]]:
    """Yield the headers of callers who have never logged in or whose session has ended."""
    doctor, patient = api.doctor(), api.patient()
    assert doctor.delete("/doctor/account").status_code == 200
    assert patient.post("/auth/logout").status_code == 200
    yield {}
    for header in ("", "Bearer", "Bearer garbage", "Basic x", "\u00fc"):
        yield {"Authorization": header}
    for person in (doctor, patient):
        yield {"Authorization": f"Bearer {person.token}"}


def wrong_people(clinic: Clinic, call: Call) -> list[Person]:
    return [person for role, person in clinic.people.items() if role not in call.who]


def attempts(clinic: Clinic, call: Call, person: Person | None) -> Iterator[TestResponse]:
    """Make the call rightly, then with unknown ids, bad queries and bad bodies, as far as it reads them."""
    yield clinic.make(call, person)
    method, path = call.method, call.path_in(clinic)
    if call.ids:
        yield clinic.ask(method, call.path_in(clinic, **dict.fromkeys(call.ids, UNKNOWN_ID)), person)
    if call.signature.query:
        for name in call.signature.query.model_fields:
            yield clinic.ask(method, f"{path}?{name}=%00", person)
    if call.signature.body:
        for data in BODIES:
            for content_type in (JSON, "text/plain", None):
                yield clinic.ask(method, path, person, data=data, content_type=content_type)


def test_without_a_valid_token_the_answer_is_401(clinic: Clinic) -> None:
    invalid = list(headers_without_a_valid_token(clinic.api))
    with clinic.unchanged():
        for call in PROTECTED:
            for headers in invalid:
                sentence = refused(clinic.make(call, None, headers), 401, (call.name, headers))
                assert sentence == Unauthenticated.sentence()


def test_401_comes_before_the_request_is_checked(clinic: Clinic) -> None:
    with clinic.unchanged():
        for call in PROTECTED:
            for answer in attempts(clinic, call, None):
                refused(answer, 401, (call.name, answer.request.url, answer.request.content_type))


def test_a_wrong_role_is_403_before_the_request_is_checked(clinic: Clinic) -> None:
    tried = 0
    with clinic.unchanged():
        for call in PROTECTED:
            for person in wrong_people(clinic, call):
                for answer in attempts(clinic, call, person):
                    sentence = refused(answer, 403, (call.name, answer.request.url, answer.request.content_type))
                    assert sentence == call.route.access.refusal.sentence()
                    tried += 1
    assert tried > 50


def test_public_calls_succeed_whatever_token_is_sent(clinic: Clinic) -> None:
    for headers in headers_without_a_valid_token(clinic.api):
        for call in PUBLIC:
            answer = clinic.make(call, None, headers)
            assert answer.status_code == call.route.status, (call.name, headers, answer.get_json())
