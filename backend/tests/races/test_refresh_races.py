"""One refresh token is used many times at once, and refreshes while all sessions end and while their owner leaves."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest
from apiflask import APIFlask
from werkzeug.test import TestResponse

from tests.people import Api, Person
from tests.races.crowd import at_once, count, statuses
from tests.refreshing import refreshable

pytestmark = pytest.mark.unguarded
AT_ONCE = 16


def refreshing(app: APIFlask, token: str) -> Callable[[], TestResponse]:
    client = app.test_client()
    return lambda: client.post("/auth/refresh", json={"refresh_token": token})


def posting(app: APIFlask, person: Person, path: str) -> Callable[[], TestResponse]:
    own = replace(person, client=app.test_client())
    return lambda: own.post(path)


def assert_dead(app: APIFlask, ada: Person, answers: list[TestResponse]) -> None:
    """Check that nothing that these refreshes answered works."""
    for tokens in (answer.get_json() for answer in answers if answer.status_code == 200):
        assert replace(ada, token=tokens["access_token"]).get("/auth/me").status_code == 401
        assert refreshing(app, tokens["refresh_token"])().status_code == 401


def test_of_many_refreshes_with_one_token_at_once_one_succeeds_and_the_session_ends(app: APIFlask, api: Api) -> None:
    ada = api.patient()
    first = refreshable(api, ada.email).get_json()
    answers = at_once([refreshing(app, first["refresh_token"]) for _ in range(AT_ONCE)])
    assert statuses(answers) == {200: 1, 401: AT_ONCE - 1}
    assert count(app, "SELECT count(*) FROM refresh_tokens") == 2
    assert count(app, "SELECT count(*) FROM revoked_tokens") == 1
    assert replace(ada, token=first["access_token"]).get("/auth/me").status_code == 401
    assert_dead(app, ada, answers)
    assert ada.get("/auth/me").status_code == 200, "another session of the account goes on"


@pytest.mark.parametrize("path", ["/auth/logout", "/auth/logout-everywhere"])
def test_no_refresh_goes_on_with_a_session_that_is_ended_at_the_same_time(app: APIFlask, api: Api, path: str) -> None:
    for _ in range(4):
        ada = api.patient()
        sessions = [refreshable(api, ada.email).get_json() for _ in range(4)]
        calls = [refreshing(app, tokens["refresh_token"]) for tokens in sessions]
        ends = [posting(app, replace(ada, token=tokens["access_token"]), path) for tokens in sessions]
        answers = at_once([call for pair in zip(calls, ends, strict=True) for call in pair])
        assert set(statuses(answers)) <= {200, 401}
        assert 200 in statuses(answers[1::2])
        assert_dead(app, ada, answers[::2])
        for tokens in sessions:
            assert refreshing(app, tokens["refresh_token"])().status_code == 401


def test_who_leaves_while_refreshing_leaves_no_refresh_token(app: APIFlask, api: Api) -> None:
    for _ in range(4):
        ada = api.patient()
        sessions = [refreshable(api, ada.email).get_json() for _ in range(6)]
        calls = [refreshing(app, tokens["refresh_token"]) for tokens in sessions]
        own = replace(ada, client=app.test_client())
        calls.insert(3, lambda own=own: own.delete("/patient/account"))
        answers = at_once(calls)
        assert answers.pop(3).status_code == 200
        assert set(statuses(answers)) <= {200, 401}
        assert count(app, "SELECT count(*) FROM refresh_tokens") == 0
