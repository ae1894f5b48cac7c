"""Wrong paths, queries and methods are refused: never by a 5xx, never by a redirect."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

import pytest

from tests.calls import CALLS, Clinic, refused
from tests.hostile import NOT_PATH_IDS, STRANGE_QUERIES, UNKNOWN_IDS, bad_query_values
from tests.people import Person

METHODS = {"GET", "POST", "PUT", "PATCH", "DELETE", "TRACE", "BREW"}


def everybody(clinic: Clinic) -> list[Person | None]:
    return [None, *clinic.people.values()]


def test_a_malformed_or_unknown_id_is_not_found(clinic: Clinic) -> None:
    with clinic.unchanged():
        for call in CALLS:
            for name in call.ids:
                for role in call.who:
                    for number in NOT_PATH_IDS + UNKNOWN_IDS:
                        path = call.path_in(clinic, **{name: number})
                        answer = clinic.ask(call.method, path, clinic.people[role], **clinic.body_of(call))
                        refused(answer, 404, (call.name, role, path[:80]))


def with_an_extra_slash(path: str) -> Iterator[str]:
    yield f"{path}/"
    yield f"{path}//"
    yield f"/{path}"
    yield path.replace("/", "//")
    head, _, tail = path.rpartition("/")
    yield f"{head}//{tail}"


def test_a_path_with_an_extra_slash_is_not_found(clinic: Clinic) -> None:
    with clinic.unchanged():
        for call in CALLS:
            if call.path == "/":
                continue
            for wrong in with_an_extra_slash(call.path_in(clinic)):
                for person in everybody(clinic):
                    # PATH_INFO itself: the test client would read //host/path.
                    answer = clinic.ask(call.method, "/", person, environ_overrides={"PATH_INFO": wrong})
                    refused(answer, 404, (call.name, wrong))


@pytest.mark.parametrize(
    "path",
    ["/nothing", "/auth", "/auth/me.json", "/AUTH/me", "/auth/%6De%00", "/api/auth/me", "/.env", "/%ff", "/\u00fc"],
)
def test_an_unknown_address_is_not_found(clinic: Clinic, path: str) -> None:
    for method in METHODS:
        refused(clinic.ask(method, path), 404, (method, path))


def test_another_method_is_refused_and_the_allowed_ones_are_named(clinic: Clinic) -> None:
    methods_of: dict[str, set[str]] = defaultdict(set)
    for call in CALLS:
        methods_of[call.path_in(clinic)].add(call.method)
    with clinic.unchanged():
        for path, methods in methods_of.items():
            for method in METHODS - methods:
                for person in everybody(clinic):
                    answer = clinic.ask(method, path, person)
                    refused(answer, 405, (method, path))
                    allowed = {name.strip() for name in answer.headers["Allow"].split(",")}
                    assert allowed - {"HEAD", "OPTIONS"} == methods, (method, path)


def test_a_bad_value_in_a_query_is_refused(clinic: Clinic) -> None:
    for call in CALLS:
        if call.signature.query:
            caller, path = clinic.caller(call), call.path_in(clinic)
            for name, field in call.signature.query.model_fields.items():
                for value in bad_query_values(call.signature.query, name):
                    said = field.alias or name
                    others = [f"{other}={good}&" for other, good in call.query.items() if other != said]
                    url = f"{path}?{''.join(others)}{said}={value}"
                    answer = clinic.ask(call.method, url, caller, **clinic.body_of(call))
                    assert refused(answer, 400, url[:80]).startswith(said)


def test_strange_queries_are_ignored_or_refused(clinic: Clinic) -> None:
    for call in CALLS:
        if not call.route.writes:
            caller, path = clinic.caller(call), call.path_in(clinic)
            for query in STRANGE_QUERIES:
                status = clinic.ask(call.method, f"{path}?{query}", caller).status_code
                assert status in {call.route.status, 400 if call.signature.query else None}, (path, query)
