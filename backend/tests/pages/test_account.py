"""A reader's own account: the password, and ending every session."""

from __future__ import annotations

import pytest

from tests.pages.conftest import Reader
from tests.people import PASSWORD, Api

NEW = "another password"


def test_a_patient_finds_the_account_in_the_navigation(api: Api, reader: Reader) -> None:
    ada = api.patient("Ada Sample")
    reader.log_in(ada)
    page = reader.read("/my/account")
    assert ada.email in page
    assert 'href="/my/account" aria-current="page"' in page
    assert 'href="/my" aria-current="page"' not in page
    assert 'href="/my/account"' in reader.read("/my")


@pytest.mark.parametrize("role", ["patient", "doctor"])
def test_a_change_of_the_password_begins_the_session_anew(api: Api, reader: Reader, role: str) -> None:
    person = api.patient() if role == "patient" else api.doctor()
    reader.log_in(person)
    changed = reader.send("/password", current_password=PASSWORD, new_password=NEW)
    assert (changed.status_code, changed.headers["Location"]) == (303, "/home")
    assert person.get("/auth/me").status_code == 401
    assert api.log_in(person.email, NEW).status_code == 200
    assert reader.open("/home").status_code == 303
    assert "Your password is changed." in reader.read("/password")


def test_a_wrong_password_changes_nothing_and_shows_the_form_again(api: Api, reader: Reader) -> None:
    ada = api.patient()
    reader.log_in(ada)
    refused = reader.send("/password", current_password="a wrong one", new_password=NEW)
    assert refused.status_code == 403
    assert "The current password is wrong." in refused.text
    assert "a wrong one" not in refused.text
    short = reader.send("/password", current_password=PASSWORD, new_password="short")
    assert short.status_code == 400
    assert 'aria-invalid="true"' in short.text
    assert ada.get("/auth/me").status_code == 200


def test_who_is_not_logged_in_logs_in_first(reader: Reader) -> None:
    for path in ("/password", "/log-out/everywhere", "/my/account"):
        assert reader.open(path).headers["Location"].startswith("/log-in?next=")


def test_a_log_out_everywhere_ends_every_session_after_a_page_that_asks(api: Api, reader: Reader) -> None:
    ada = api.patient()
    reader.log_in(ada)
    assert "Log out everywhere?" in reader.read("/log-out/everywhere")
    assert ada.get("/auth/me").status_code == 200
    done = reader.send("/log-out/everywhere")
    assert (done.status_code, done.headers["Location"]) == (303, "/book")
    assert ada.get("/auth/me").status_code == 401
    assert reader.client.get_cookie("session") is None
