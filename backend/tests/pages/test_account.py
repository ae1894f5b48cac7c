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
    assert ada.email in page.replace("<wbr>", "")
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


def test_a_patient_leaves_by_a_page_that_asks_and_the_session_ends(api: Api, reader: Reader) -> None:
    doctor, ada = api.doctor(), api.patient("Ada Sample")
    reader.log_in(ada)
    assert 'href="/my/account/delete"' in reader.read("/my/account")
    page = reader.read("/my/account/delete")
    assert "No appointments are ahead." in page
    assert 'href="/my/account" aria-current="page"' in page
    assert 'href="/my" aria-current="page"' not in page
    ada.book(doctor.publish())
    assert "1 appointment ahead is cancelled" in reader.read("/my/account/delete")
    assert ada.get("/auth/me").status_code == 200
    gone = reader.send("/my/account/delete")
    assert (gone.status_code, gone.headers["Location"]) == (303, "/")
    assert "Your account is deleted. Doctors with appointments ahead are told by e-mail." in reader.read("/")
    assert reader.open("/my/account").status_code == 303
    [kept] = doctor.get("/appointments/doctor").get_json()["data"]
    assert (kept["status"], kept["patient_name"]) == ("cancelled", "A former patient")


@pytest.mark.parametrize("page", ["/my/account", "/desk/profile"])
def test_everybody_can_download_what_is_held(api: Api, reader: Reader, page: str) -> None:
    person = api.patient("Ada Sample") if page.startswith("/my") else api.doctor()
    reader.log_in(person)
    assert f'href="{page}/export"' in reader.read(page)
    answer = reader.open(f"{page}/export")
    assert answer.headers["Content-Disposition"] == "attachment; filename=my-data.json"
    assert answer.mimetype == "application/json"
    assert answer.get_json()["account"]["email"] == person.email
