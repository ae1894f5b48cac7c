"""Who asks about an account learns nothing from the time: the statements and the hashing are the same without one."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from apiflask import APIFlask
from argon2 import PasswordHasher

from tests.api.test_statement_counts import statements
from tests.conftest import StillClock
from tests.mail_tokens import reset_token_of
from tests.people import Api

NEW = "a new password"
Work = tuple[int, list[str], list[str]]
Measure = Callable[[str, dict[str, str]], Work]


@pytest.fixture
def hashed(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Return the list of what is hashed from now on: the parameters of each hash, which decide how long it takes."""
    seen: list[str] = []
    verify, make = PasswordHasher.verify, PasswordHasher.hash

    def noted_verify(self: PasswordHasher, hash: str, password: str) -> bool:  # noqa: A002 - argon2's name
        seen.append(hash.rpartition("$")[0].rpartition("$")[0])
        return verify(self, hash, password)

    def noted_hash(self: PasswordHasher, password: str) -> str:
        made = make(self, password)
        seen.append(made.rpartition("$")[0].rpartition("$")[0])
        return made

    monkeypatch.setattr(PasswordHasher, "verify", noted_verify)
    monkeypatch.setattr(PasswordHasher, "hash", noted_hash)
    return seen


@pytest.fixture
def measure(app: APIFlask, api: Api, hashed: list[str]) -> Measure:
    """Return a function that sends a request, and returns its status, its statements and what it hashed."""

    def run(path: str, body: dict[str, str]) -> Work:
        hashed.clear()
        with statements(app) as seen:
            answer = api.client.post(path, json=body)
        return answer.status_code, seen, list(hashed)

    return run


@pytest.fixture
def emails(app: APIFlask, api: Api) -> list[str]:
    """Return addresses of an account, of nobody, and of a disabled, a deleted and a doctor's account."""
    known, disabled, deleted, doctor = api.patient(), api.patient(), api.patient(), api.doctor()
    app.test_cli_runner().invoke(args=["user", "disable", disabled.email])
    assert deleted.delete("/patient/account").status_code == 200
    # The first log-in without an account makes the hash that all later ones compare with.
    api.log_in("warm-up@people.example")
    return [known.email, "nobody@people.example", disabled.email, deleted.email, doctor.email]


def test_a_log_in_that_fails(emails: list[str], measure: Measure) -> None:
    works = [measure("/auth/login", {"email": email, "password": "a wrong guess"}) for email in emails]
    status, seen, hashed = works[0]
    assert (status, len(hashed)) == (401, 1)
    assert hashed[0].startswith("$argon2id$")
    assert len(seen) >= 4
    assert works == [works[0]] * len(emails)


def test_a_mail_for_a_forgotten_password(emails: list[str], measure: Measure) -> None:
    works = [measure("/auth/password/forgot", {"email": email}) for email in emails]
    assert (works[0][0], works[0][2]) == (200, [])
    assert len(works[0][1]) >= 4
    assert works == [works[0]] * len(emails)


def test_a_token_that_is_wrong_expired_used_or_of_a_disabled_account(
    app: APIFlask, api: Api, measure: Measure, clock: StillClock
) -> None:
    ada, ben = api.patient(), api.patient()
    expired = reset_token_of(app, ada)
    clock.now += timedelta(minutes=31)
    used, of_disabled = reset_token_of(app, ada), reset_token_of(app, ben)
    assert api.client.post("/auth/password/reset", json={"token": used, "password": NEW}).status_code == 200
    app.test_cli_runner().invoke(args=["user", "disable", ben.email])
    works = [
        measure("/auth/password/reset", {"token": token, "password": NEW})
        for token in ("a guess", expired, used, of_disabled, used[::-1])
    ]
    assert (works[0][0], works[0][2]) == (400, [])
    assert len(works[0][1]) >= 3
    assert works == [works[0]] * len(works)


def test_the_mail_of_a_guest(emails: list[str], measure: Measure) -> None:
    works = [measure("/auth/guest", {"name": "Ada Sample", "email": email}) for email in emails]
    status, seen, hashed = works[0]
    assert (status, len(hashed)) == (200, 1)
    assert len(seen) >= 5
    assert works == [works[0]] * len(emails)
