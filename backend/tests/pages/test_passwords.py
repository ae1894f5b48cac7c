"""Forgotten passwords, from the page of the log-in to a new one."""

from __future__ import annotations

from apiflask import APIFlask

from tests.conftest import StillClock
from tests.mail_tokens import newest_token, reset_token_of
from tests.pages.conftest import Reader, hidden_fields
from tests.people import Api, Deliver

NEW = "another password"
SENT = "If there is an account for this address, we have sent a mail."
DEAD = "This link no longer works"


def test_who_has_forgotten_the_password_gets_a_mail_and_chooses_a_new_one(
    api: Api, reader: Reader, deliver: Deliver
) -> None:
    ada = api.patient()
    assert 'href="/password/forgot"' in reader.read("/log-in")
    asked = reader.send("/password/forgot", email=ada.email)
    assert (asked.status_code, asked.headers["Location"]) == (303, "/password/forgot/sent")
    for _ in range(2):
        assert reader.read("/password/forgot/sent").count(SENT) == 1
    [mail] = deliver()
    [link] = [line for line in mail.text.splitlines() if line.startswith("http://localhost:5000/password/reset?token=")]
    page = link.removeprefix("http://localhost:5000")
    assert DEAD not in reader.read(page)
    done = reader.send(page, password=NEW)
    assert (done.status_code, done.headers["Location"]) == (303, "/log-in")
    assert "Your password is changed. Please log in." in reader.read("/log-in")
    assert api.log_in(ada.email, NEW).status_code == 200
    assert DEAD in reader.read(page)


def test_an_unknown_address_gets_the_same_pages(api: Api, reader: Reader) -> None:
    asked = reader.send("/password/forgot", email="nobody@people.example")
    assert (asked.status_code, asked.headers["Location"]) == (303, "/password/forgot/sent")
    wrong = reader.send("/password/forgot", email="nobody")
    assert wrong.status_code == 400
    assert 'aria-invalid="true"' in wrong.text


def test_a_get_changes_nothing_and_a_bad_password_keeps_the_token(app: APIFlask, api: Api, reader: Reader) -> None:
    ada = api.patient()
    page = f"/password/reset?token={reset_token_of(app, ada)}"
    for _ in range(2):
        assert hidden_fields(reader.read(page))["token"] == newest_token(app)
    assert ada.get("/auth/me").status_code == 200
    short = reader.send(page, password="short")
    assert short.status_code == 400
    assert 'aria-invalid="true"' in short.text
    assert hidden_fields(short.text)["token"] == newest_token(app)
    assert reader.send(page, password=NEW).status_code == 303


def test_the_code_alone_is_enough(app: APIFlask, api: Api, reader: Reader) -> None:
    token = reset_token_of(app, api.patient())
    refused = reader.send("/password/reset", token="a guess", password=NEW)
    assert refused.status_code == 400
    assert "This code is wrong, expired or already used" in refused.text
    assert reader.send("/password/reset", token=token, password=NEW).status_code == 303


def test_a_link_that_is_too_old_says_so_at_once(app: APIFlask, api: Api, reader: Reader, clock: StillClock) -> None:
    page = f"/password/reset?token={reset_token_of(app, api.patient())}"
    clock.forward(minutes=31)
    for text in (reader.read(page), reader.read("/password/reset?token=nonsense")):
        assert DEAD in text
        assert 'href="/password/forgot"' in text
        assert "<input" not in text.split("<main", 1)[1].split("</main>", 1)[0]


def test_the_page_with_the_token_leads_nowhere_else_and_sends_no_referrer(
    app: APIFlask, api: Api, reader: Reader
) -> None:
    page = reader.read(f"/password/reset?token={reset_token_of(app, api.patient())}")
    assert "://" not in page
    before_files = page.split("<link", 1)[0]
    assert '<meta name="referrer" content="strict-origin">' in before_files
    assert "referrer" not in reader.read("/log-in")
