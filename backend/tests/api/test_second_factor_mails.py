"""The mail that tells somebody of a changed second factor, and how many of them there can be."""

from __future__ import annotations

import pytest
from apiflask import APIFlask
from sqlalchemy import select

from src.database.transaction import transaction
from src.models import OutboxMail
from tests.conftest import MakeApp, StillClock
from tests.factors import begin, set_up
from tests.people import PASSWORD, Api, Deliver

ON, OFF, CODES = "Your second factor is on", "Your second factor is off", "You have new recovery codes"


@pytest.mark.parametrize("role", ["patient", "doctor"])
def test_each_change_is_told_once_without_secrets(api: Api, clock: StillClock, deliver: Deliver, role: str) -> None:
    factor = set_up(api.patient() if role == "patient" else api.doctor(), clock)
    renewed = factor.renew(factor.codes[0])
    assert renewed.status_code == 200
    assert factor.turn_off(renewed.get_json()["recovery_codes"][0]).status_code == 200
    mails = deliver()
    assert [mail.subject for mail in mails] == [ON, CODES, OFF]
    assert {mail.to for mail in mails} == {factor.person.email}
    secrets = [factor.secret, *factor.codes, *renewed.get_json()["recovery_codes"], PASSWORD]
    for mail in mails:
        for part in (mail.text, mail.html):
            assert "Monday, 4 March 2030, at 08:00 (UTC)" in part
            assert "http://localhost:5000/password/forgot" in part
            assert not [secret for secret in secrets if secret in part]


def test_nothing_is_told_of_a_change_that_was_refused(api: Api, clock: StillClock, deliver: Deliver) -> None:
    ben = begin(api.patient("Ben"), clock)
    assert ben.confirm(ben.wrong_otp()).status_code == 403
    factor = set_up(api.patient("Ada"), clock)
    assert factor.turn_off(factor.wrong_otp()).status_code == 403
    assert factor.turn_off(factor.codes[0], password="a wrong one").status_code == 403
    assert [(mail.subject, mail.to) for mail in deliver()] == [(ON, factor.person.email)]


def test_who_asked_the_clinic_to_turn_it_off_is_told(
    app: APIFlask, api: Api, clock: StillClock, deliver: Deliver
) -> None:
    factor = set_up(api.patient(), clock)
    runner = app.test_cli_runner()
    assert runner.invoke(args=["user", "second-factor", "off", factor.person.email]).exit_code == 0
    assert [mail.subject for mail in deliver()] == [ON, OFF]
    assert runner.invoke(args=["user", "second-factor", "off", "nobody@people.example"]).exit_code == 1
    assert len(deliver()) == 2


def test_beyond_the_limit_nothing_changes_and_no_code_is_used_up(make_app: MakeApp, clock: StillClock) -> None:
    api = Api(make_app(password_resets_per_hour=2).test_client())
    factor = set_up(api.patient(), clock)
    codes = factor.renew(factor.codes[0]).get_json()["recovery_codes"]
    clock.forward(minutes=20)
    refused = factor.turn_off(codes[0])
    assert refused.status_code == 429
    assert refused.headers["Retry-After"] == "2400"
    state = factor.person.get("/auth/second-factor").get_json()
    assert (state["is_on"], state["recovery_codes_left"]) == (True, 10)
    clock.forward(minutes=40)
    assert factor.turn_off(codes[0]).status_code == 200


@pytest.mark.parametrize("role", ["patient", "doctor"])
def test_the_mails_of_who_leaves_are_dropped_or_say_nothing(
    app: APIFlask, api: Api, clock: StillClock, deliver: Deliver, role: str
) -> None:
    factor = set_up(api.patient("Orla Vanishing") if role == "patient" else api.doctor("Dr. Orla Vanishing"), clock)
    [_] = deliver()
    factor.renew(factor.codes[0])
    assert factor.person.delete(f"/{role}/account").status_code == 200
    assert len(deliver()) == 1
    with app.app_context(), transaction(writes=False) as db:
        rows = db.execute(select(OutboxMail.__table__)).all()
    assert sorted(row.status for row in rows) == ["dropped", "sent"]
    assert "orla" not in repr(rows).lower()
