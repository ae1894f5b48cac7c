"""POST /auth/password/forgot and /auth/password/reset, and `flask user reset`."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

from apiflask import APIFlask
from sqlalchemy import event, select

from src.database.transaction import transaction
from src.extensions import db
from src.models import Base, PasswordReset
from src.services.mail import MailRefused
from src.services.memory_mailer import MemoryMailer
from src.tasks.delivery import deliver_due
from src.tasks.purge import purge_expired
from src.utils.security import LEEWAY
from tests.conftest import AT_ONCE, MakeApp, StillClock
from tests.mail_tokens import newest_token, reset_token_of
from tests.people import Api, Deliver, error_of

NEW = "a new password"
SENT = {"message": "If there is an account for this address, we have sent a mail."}
REFUSED = "This code is wrong, expired or already used; please ask for a new mail."


def forget(api: Api, email: str) -> None:
    answer = api.client.post("/auth/password/forgot", json={"email": email})
    assert (answer.status_code, answer.get_json()) == (200, SENT)


def reset(api: Api, token: str, password: str = NEW) -> int:
    answer = api.client.post("/auth/password/reset", json={"token": token, "password": password})
    if answer.status_code == 400:
        assert error_of(answer) == REFUSED
        assert answer.get_json()["type"] == "urn:problem:reset-token-refused"
    return answer.status_code


@contextmanager
def statements(app: APIFlask) -> Iterator[list[str]]:
    """Collect what is executed."""
    seen: list[str] = []

    def note(_connection: object, _cursor: object, statement: str, *_: object) -> None:
        seen.append(statement)

    with app.app_context():
        event.listen(db.engine, "before_cursor_execute", note)
        try:
            yield seen
        finally:
            event.remove(db.engine, "before_cursor_execute", note)


def dump(app: APIFlask) -> str:
    with app.app_context(), transaction(writes=False) as session:
        return repr([tuple(row) for table in Base.metadata.sorted_tables for row in session.execute(select(table))])


def test_the_mails_token_sets_a_new_password_once_and_ends_every_session(api: Api, deliver: Deliver) -> None:
    ada, ben = api.patient(), api.patient()
    forget(api, ada.email.upper())
    [mail] = deliver()
    assert mail.to == ada.email
    [token] = [line for line in mail.text.splitlines() if re.fullmatch(r"[A-Za-z0-9_-]{32}", line)]
    assert reset(api, f" {token} ") == 200
    assert ada.get("/auth/me").status_code == 401
    assert ben.get("/auth/me").status_code == 200
    assert api.log_in(ada.email).status_code == 401
    assert api.log_in(ada.email, NEW).status_code == 200
    assert reset(api, token, "yet another one") == 400
    assert api.log_in(ada.email, NEW).status_code == 200


def test_without_such_an_account_the_answer_and_the_statements_are_the_same_and_no_mail_goes(
    app: APIFlask, api: Api, deliver: Deliver
) -> None:
    disabled, deleted, known = api.patient(), api.doctor(), api.patient()
    app.test_cli_runner().invoke(args=["user", "disable", disabled.email])
    assert deleted.delete("/doctor/account").status_code == 200
    sent: list[list[str]] = []
    for email in ("nobody@people.example", disabled.email, deleted.email, known.email):
        with statements(app) as seen:
            forget(api, email)
        sent.append(seen)
    assert len(sent[0]) >= 4
    assert sent == [sent[0]] * 4
    assert [mail.to for mail in deliver()] == [known.email]


def test_a_token_works_for_half_an_hour(app: APIFlask, api: Api, clock: StillClock) -> None:
    ada = api.patient()
    token = reset_token_of(app, ada)
    clock.forward(minutes=30)
    assert reset(api, token) == 400
    token = reset_token_of(app, ada)
    clock.forward(minutes=29, seconds=59)
    assert reset(api, token) == 200


def test_whatever_ends_the_sessions_ends_the_tokens_too(app: APIFlask, api: Api) -> None:
    ada, ben, cleo, dora = api.patient(), api.patient(), api.patient(), api.doctor()
    first, second = reset_token_of(app, ada), reset_token_of(app, ada)
    of_ben, of_cleo, of_dora = (reset_token_of(app, person) for person in (ben, cleo, dora))
    assert reset(api, second) == 200
    assert ben.post("/auth/logout-everywhere").status_code == 200
    runner = app.test_cli_runner()
    runner.invoke(args=["user", "disable", cleo.email])
    runner.invoke(args=["user", "enable", cleo.email])
    assert dora.delete("/doctor/account").status_code == 200
    assert [reset(api, token) for token in (first, of_ben, of_cleo, of_dora, "no token", "")] == [400] * 6


def test_a_bad_password_does_not_use_the_token_up(app: APIFlask, api: Api) -> None:
    token = reset_token_of(app, api.patient())
    answer = api.client.post("/auth/password/reset", json={"token": token, "password": "short"})
    assert error_of(answer) == "password must have at least 8 characters."
    assert reset(api, token) == 200


def test_somebody_who_failed_to_log_in_does_not_wait_after_a_reset(make_app: MakeApp) -> None:
    app = make_app(login_failures_per_account=1)
    api = Api(app.test_client())
    ada = api.patient()
    assert [api.log_in(ada.email, "forgotten").status_code for _ in range(2)] == [401, 429]
    assert reset(api, reset_token_of(app, ada)) == 200
    assert api.log_in(ada.email, NEW).status_code == 200


def test_an_account_gets_so_many_mails_an_hour(make_app: MakeApp, mailer: MemoryMailer, clock: StillClock) -> None:
    app = make_app(password_resets_per_hour=2)
    api = Api(app.test_client())
    ada, ben = api.patient(), api.patient()
    for _ in range(4):
        forget(api, ada.email)
    forget(api, ben.email)
    assert resets(app) == [ada.id, ada.id, ben.id]
    with app.app_context():
        clock.forward(minutes=59)
        purge_expired(transaction, clock(), app.extensions["settings"])
    forget(api, ada.email)
    assert resets(app) == []
    clock.forward(minutes=1)
    forget(api, ada.email)
    assert resets(app) == [ada.id]


def test_a_network_gets_ten_times_as_many(make_app: MakeApp) -> None:
    app = make_app(password_resets_per_hour=1)
    api = Api(app.test_client())
    for number in range(10):
        forget(api, f"nobody{number}@people.example")
    ada = api.patient()
    forget(api, ada.email)
    assert resets(app) == []
    elsewhere = app.test_client()
    elsewhere.environ_base["REMOTE_ADDR"] = "192.0.2.7"
    forget(Api(elsewhere), ada.email)
    assert resets(app) == [], "this was the second one for the account"


def resets(app: APIFlask) -> list[int]:
    with app.app_context(), transaction(writes=False) as session:
        return list(session.scalars(select(PasswordReset.user_id).order_by(PasswordReset.id)))


def test_guesses_of_one_network_are_throttled(make_app: MakeApp) -> None:
    app = make_app(login_failures_per_address=2)
    api = Api(app.test_client())
    token = reset_token_of(app, api.patient())
    assert [reset(api, "a guess") for _ in range(3)] == [400, 400, 429]
    assert reset(api, token) == 429
    assert api.log_in("nobody@people.example").status_code == 401, "log-ins have a count of their own"


def test_no_table_has_the_token_once_the_mail_has_gone(
    app: APIFlask, api: Api, deliver: Deliver, mailer: MemoryMailer, clock: StillClock
) -> None:
    ada = api.patient()
    forget(api, ada.email)
    token = newest_token(app)
    assert token not in dump(app)
    mailer.failures.append(TimeoutError("the provider does not answer"))
    assert deliver() == []
    assert token in dump(app), "every attempt must send the same text"
    assert token not in shown(app)
    clock.forward(minutes=1)
    [mail] = deliver()
    assert token in mail.text
    assert token not in dump(app)
    assert token not in shown(app)
    assert reset(api, token) == 200
    assert token not in dump(app)


def shown(app: APIFlask) -> str:
    """Return what commands show of the first mail, which must not be an error."""
    runner = app.test_cli_runner()
    one = runner.invoke(args=["outbox", "show", "1"])
    assert "Your new password" in one.output
    return one.output + runner.invoke(args=["outbox", "list"]).output


def test_a_mail_that_was_refused_is_tried_again_with_its_token(
    app: APIFlask, api: Api, deliver: Deliver, mailer: MemoryMailer
) -> None:
    forget(api, api.patient().email)
    token = newest_token(app)
    mailer.failures.append(MailRefused("no such mailbox"))
    assert deliver() == []
    assert token not in dump(app)
    assert app.test_cli_runner().invoke(args=["outbox", "retry", "1"]).exit_code == 0
    [mail] = deliver()
    assert token in mail.text


def test_a_mail_that_would_come_too_late_is_dropped(
    app: APIFlask, api: Api, deliver: Deliver, clock: StillClock
) -> None:
    forget(api, api.patient().email)
    clock.forward(minutes=30)
    assert deliver() == []
    assert "dropped" in app.test_cli_runner().invoke(args=["outbox", "show", "1"]).output


def test_a_worker_with_another_secret_sends_no_mail_whose_token_would_fail(
    api: Api, make_app: MakeApp, mailer: MemoryMailer, clock: StillClock
) -> None:
    forget(api, api.patient().email)
    other = make_app(secret_key="another secret of the tests")
    with other.app_context():
        deliver_due(transaction, mailer, clock, other.extensions["settings"], AT_ONCE)
    assert mailer.sent == []
    page = other.test_client().get("/dev/outbox").get_json()["data"][0]
    assert "SECRET_KEY" in page["subject"]


def test_in_development_the_outbox_shows_the_token_also_when_the_mail_has_gone(
    app: APIFlask, api: Api, deliver: Deliver
) -> None:
    forget(api, api.patient().email)
    token = newest_token(app)
    [before] = api.client.get("/dev/outbox").get_json()["data"]
    deliver()
    [after] = api.client.get("/dev/outbox").get_json()["data"]
    assert token in before["text"]
    assert (before["text"], before["html"]) == (after["text"], after["html"])


def test_an_operator_sends_the_mail_by_a_command(app: APIFlask, api: Api, deliver: Deliver) -> None:
    ada = api.patient()
    runner = app.test_cli_runner()
    for _ in range(7):
        done = runner.invoke(args=["user", "reset", ada.email.upper()])
        assert f"A mail to {ada.email.upper()} waits to be sent; it works for 30 minutes from now." in done.output
        assert newest_token(app) not in done.output
    assert {mail.to for mail in deliver()} == {ada.email}
    assert reset(api, newest_token(app)) == 200
    runner.invoke(args=["user", "disable", ada.email])
    for email in (ada.email, "nobody@people.example"):
        refused = runner.invoke(args=["user", "reset", email])
        assert refused.exit_code == 1
        assert f"There is no account of {email} that can log in." in refused.output


def test_expired_permissions_are_purged(app: APIFlask, api: Api, clock: StillClock) -> None:
    reset_token_of(app, api.patient())
    ends = clock() + timedelta(minutes=30)
    with app.app_context():
        purge_expired(transaction, ends + 2 * LEEWAY, app.extensions["settings"])
        assert len(resets(app)) == 1
        purge_expired(transaction, ends + 2 * LEEWAY + timedelta(seconds=1), app.extensions["settings"])
        assert resets(app) == []
