"""Guessing is slowed down; knowing is not."""

from __future__ import annotations

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from tests.conftest import MakeApp, StillClock
from tests.people import PASSWORD, Api, error_of


def guess(client: FlaskClient, email: str, address: str = "127.0.0.1", **headers: str) -> TestResponse:
    return client.post(
        "/auth/login",
        json={"email": email, "password": "a wrong guess"},
        environ_base={"REMOTE_ADDR": address},
        headers=headers,
    )


def test_the_eleventh_guess_at_an_account_must_wait(api: Api, clock: StillClock) -> None:
    patient, other = api.patient(), api.patient()
    assert [guess(api.client, patient.email).status_code for _ in range(10)] == [401] * 10
    clock.forward(minutes=5)
    refused = guess(api.client, patient.email)
    assert refused.status_code == 429
    assert refused.headers["Retry-After"] == "600"
    error_of(refused)
    assert api.log_in(patient.email).status_code == 429, "else guessing would go on"
    assert api.log_in(other.email).status_code == 200
    clock.forward(minutes=10, seconds=1)
    assert api.log_in(patient.email).status_code == 200


def test_unknown_accounts_are_throttled_alike(api: Api) -> None:
    answers = [guess(api.client, "nobody@people.example").status_code for _ in range(11)]
    assert answers == [401] * 10 + [429]


def test_successes_are_never_counted(api: Api) -> None:
    patient = api.patient()
    assert {api.log_in(patient.email).status_code for _ in range(30)} == {200}


def test_a_hundred_failures_from_one_address_shut_the_address_out(make_app: MakeApp) -> None:
    client = make_app(login_failures_per_address=5).test_client()
    patient = Api(client).patient()
    for number in range(5):
        assert guess(client, f"nobody{number}@people.example", "192.0.2.1").status_code == 401
    assert guess(client, "nobody5@people.example", "192.0.2.1").status_code == 429
    assert guess(client, patient.email, "192.0.2.2").status_code == 401


def test_an_ipv6_customer_is_one_address(make_app: MakeApp) -> None:
    client = make_app(login_failures_per_address=2).test_client()
    answers = [guess(client, f"n{n}@people.example", f"2001:db8:0:1::{n}").status_code for n in range(1, 4)]
    assert answers == [401, 401, 429]


def test_who_has_reached_two_limits_waits_for_the_longer_one(make_app: MakeApp, clock: StillClock) -> None:
    client = make_app(login_failures_per_account=2, login_failures_per_address=3).test_client()
    for n in range(8):
        address = f"192.0.2.{n}"
        guess(client, f"first{n}@people.example", address)
        clock.forward(minutes=10)
        assert [guess(client, f"n{n}@people.example", address).status_code for _ in range(2)] == [401, 401]
        assert guess(client, f"n{n}@people.example", address).headers["Retry-After"] == "900", "for the account"
        clock.forward(minutes=6)
        assert [guess(client, f"{m}other{n}@people.example", address).status_code for m in range(3)] == [401] * 3
        assert guess(client, f"n{n}@people.example", address).headers["Retry-After"] == "900", "for the address"


@pytest.mark.parametrize(("trusted", "last"), [(0, 429), (1, 401)])
def test_forwarded_addresses_count_only_behind_trusted_proxies(make_app: MakeApp, trusted: int, last: int) -> None:
    client = make_app(login_failures_per_address=2, trusted_proxies=trusted).test_client()
    answers = [
        guess(client, f"n{n}@people.example", **{"X-Forwarded-For": f"192.0.2.{n}"}).status_code for n in range(1, 4)
    ]
    assert answers == [401, 401, last]


@pytest.mark.parametrize("forwarded", ["203.0.113.9:{}", "[2001:db8::1]:{}", "no address {}"])
def test_a_client_with_another_port_is_the_same_client(make_app: MakeApp, forwarded: str) -> None:
    client = make_app(login_failures_per_address=2, trusted_proxies=1).test_client()
    answers = [
        guess(client, f"n{n}@people.example", **{"X-Forwarded-For": forwarded.format(40_000 + n)}).status_code
        for n in range(3)
    ]
    assert answers == [401, 401, 429]


def test_wrong_invitation_codes_are_throttled(api: Api) -> None:
    def try_code(code: str) -> int:
        return api.register(role="doctor", invitation_code=code).status_code

    assert [try_code("wrong") for _ in range(20)] == [403] * 20
    assert try_code("wrong") == 429
    assert try_code("DOC2024SECRET") == 429
    assert api.register().status_code == 201, "patients need no code"


OTHER_NETWORK = "192.0.2.77"


def test_guesses_from_another_network_do_not_shut_the_owner_out(api: Api) -> None:
    patient = api.patient()
    answers = [guess(api.client, patient.email, OTHER_NETWORK).status_code for _ in range(11)]
    assert answers == [401] * 10 + [429]
    assert api.log_in(patient.email).status_code == 200
    assert guess(api.client, patient.email).status_code == 401
    body = {"current_password": PASSWORD, "new_password": "another password"}
    assert patient.post("/auth/password", body).status_code == 200


def test_guesses_from_many_networks_are_limited_together(make_app: MakeApp) -> None:
    client = make_app(login_failures_per_account=2).test_client()
    patient = Api(client).patient()
    answers = [guess(client, patient.email, f"192.0.2.{n}").status_code for n in range(21)]
    assert answers == [401] * 20 + [429]
    assert guess(client, "nobody@people.example", "192.0.2.1").status_code == 401
    body = {"current_password": PASSWORD, "new_password": "another password"}
    assert patient.post("/auth/password", body).status_code == 200


def test_wrong_current_passwords_are_throttled_for_the_session_alone(api: Api) -> None:
    patient = api.patient()
    other = replace(patient, token=api.log_in(patient.email).get_json()["access_token"])
    body = {"current_password": "a wrong guess", "new_password": "another password"}
    assert [patient.post("/auth/password", body).status_code for _ in range(11)] == [403] * 10 + [429]
    assert patient.post("/auth/password", body | {"current_password": PASSWORD}).status_code == 429
    assert guess(api.client, patient.email).status_code == 401
    assert other.post("/auth/password", body | {"current_password": PASSWORD}).status_code == 200


def test_guesses_at_once_on_two_machines_get_no_more_verdicts_than_one_after_the_other(make_app: MakeApp) -> None:
    machines = [make_app(), make_app()]
    patient = Api(machines[0].test_client()).patient()

    with ThreadPoolExecutor(max_workers=10) as pool:
        answers = list(pool.map(lambda n: guess(machines[n % 2].test_client(), patient.email).status_code, range(40)))

    assert Counter(answers) == {401: 10, 429: 30}
