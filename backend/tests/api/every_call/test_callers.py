"""Who is let in: 401 without a good token, 403 in a wrong role, and both before the request is looked at."""

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


def headers_of_nobody(api: Api) -> Iterator[dict[str, str]]:
    """Yield what callers send who are not logged in, or no longer."""
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
    """Make the call well and badly: with unknown ids, and with bad bodies or queries if it reads any."""
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


def test_nobody_is_let_in_without_a_good_token(clinic: Clinic) -> None:
    nobodies = list(headers_of_nobody(clinic.api))
    with clinic.unchanged():
        for call in PROTECTED:
            for headers in nobodies:
                sentence = refused(clinic.make(call, None, headers), 401, (call.name, headers))
                assert sentence == Unauthenticated.sentence()


def test_strangers_learn_nothing_about_what_is_valid_or_exists(clinic: Clinic) -> None:
    with clinic.unchanged():
        for call in PROTECTED:
            for answer in attempts(clinic, call, None):
                refused(answer, 401, (call.name, answer.request.url, answer.request.content_type))


def test_wrong_roles_are_refused_and_learn_nothing_about_what_is_valid_or_exists(clinic: Clinic) -> None:
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
    for headers in headers_of_nobody(clinic.api):
        for call in PUBLIC:
            answer = clinic.make(call, None, headers)
            assert answer.status_code == call.route.status, (call.name, headers, answer.get_json())
