"""The second factor on the pages: setting it up, logging in with it, recovery codes, turning it off."""

from __future__ import annotations

import re
from html import unescape

import pytest
from apiflask import APIFlask

from src.pages.second_factor import picture_of
from src.utils.second_factor import address_for_app, new_enrolment, secret_of
from tests.conftest import MakeApp, StillClock, make_settings
from tests.factors import Factor, begin, set_up
from tests.pages.conftest import Reader, hidden_fields
from tests.people import PASSWORD, Api

PROOF = "password-was-right"
OVER = "Too much time has passed since you typed the password"


def give_password(reader: Reader, factor: Factor, path: str = "/log-in") -> str:
    """Log in with the password alone, and return the address of the page that asks for the code."""
    answer = reader.send(path, email=factor.person.email, password=PASSWORD)
    assert answer.status_code == 303, answer.text
    assert reader.client.get_cookie("session") is None
    return answer.headers["Location"]


@pytest.mark.parametrize("role", ["patient", "doctor"])
def test_a_reader_sets_it_up_with_an_app_and_keeps_the_recovery_codes(
    api: Api, reader: Reader, clock: StillClock, role: str
) -> None:
    person = api.patient() if role == "patient" else api.doctor()
    reader.log_in(person)
    assert 'href="/second-factor"' in reader.read("/my/account" if role == "patient" else "/desk/account")
    assert 'href="/second-factor/set-up"' in reader.read("/second-factor")
    begun = reader.send("/second-factor/set-up", current_password=PASSWORD)
    assert begun.status_code == 200
    assert begun.headers["Cache-Control"] == "no-store"
    [secret] = re.findall(r"<code>([A-Z2-7 ]{39})</code>", begun.text)
    [address] = re.findall(r'href="(otpauth://[^"]+)"', begun.text)
    assert f"secret={secret.replace(' ', '')}&" in unescape(address)
    picture = begun.text[begun.text.index("<svg") : begun.text.index("</svg>") + 6]
    assert "style" not in picture
    assert "://" not in picture
    factor = Factor(person, clock, secret.replace(" ", ""))
    wrong = reader.send("/second-factor/confirm", otp=factor.wrong_otp())
    assert wrong.status_code == 403
    assert "This code is wrong, or it was used already" in wrong.text
    assert factor.wrong_otp() not in wrong.text
    done = reader.send("/second-factor/confirm", otp=factor.otp())
    assert done.status_code == 200
    factor.codes = re.findall(r"<li><code>([0-9A-Z-]{19})</code>", done.text)
    assert len(factor.codes) == 10
    assert f"Logged in as {person.name}." in done.text
    page = reader.read("/second-factor")
    assert "<dd>10</dd>" in page
    assert not any(code in page for code in factor.codes)
    assert factor.log_in(factor.codes[0]).status_code == 200


def test_a_log_in_asks_for_the_code_after_the_password_and_comes_back_with_the_time_held(
    api: Api, reader: Reader, clock: StillClock
) -> None:
    doctor, factor = api.doctor(), set_up(api.patient(), clock)
    slot_id = doctor.publish()
    chosen = f"/book/{doctor.doctor_id}/{slot_id}"
    page = give_password(reader, factor, f"/log-in?next={chosen}")
    assert page.startswith("/log-in/code?next=")
    text = reader.read(page)
    assert PASSWORD not in text
    assert 'autocomplete="one-time-code"' in text
    assert 'inputmode="numeric"' in text
    cookie = reader.client.get_cookie(PROOF)
    assert cookie is not None
    wrong = reader.send(page, otp=factor.wrong_otp())
    assert wrong.status_code == 401
    assert "This code is wrong, or it was used already" in wrong.text
    assert hidden_fields(wrong.text)["next"] == chosen
    done = reader.send(page, otp=factor.otp(1))
    assert (done.status_code, done.headers["Location"]) == (303, chosen)
    assert reader.client.get_cookie(PROOF) is None
    assert reader.client.get_cookie("session") is not None
    other = api.patient()
    assert slot_id not in [slot["slot_id"] for slot in other.free(doctor)], "it is held"


def test_a_recovery_code_is_typed_on_a_page_with_letters(api: Api, reader: Reader, clock: StillClock) -> None:
    factor = set_up(api.patient(), clock)
    page = give_password(reader, factor)
    [link] = re.findall(r'href="(/log-in/code\?recovery=yes[^"]*)"', reader.read(page))
    text = reader.read(unescape(link))
    assert "numeric" not in text
    done = reader.send(unescape(link), otp=factor.codes[0].lower())
    assert (done.status_code, done.headers["Location"]) == (303, "/home")


def test_the_cookie_of_the_first_step_is_kept_from_scripts_and_from_other_sites(
    api: Api, reader: Reader, clock: StillClock, make_app: MakeApp
) -> None:
    factor = set_up(api.patient(), clock)
    answer = reader.send("/log-in", email=factor.person.email, password=PASSWORD)
    [cookie] = [each for each in answer.headers.getlist("Set-Cookie") if each.startswith(PROOF)]
    assert {"HttpOnly", "SameSite=Strict", "Max-Age=300", "Path=/"} <= {part.strip() for part in cookie.split(";")}
    production = Reader(make_app(app_env="production").test_client())
    answer = production.send("/log-in", email=factor.person.email, password=PASSWORD)
    [cookie] = [each for each in answer.headers.getlist("Set-Cookie") if PROOF in each]
    assert cookie.startswith(f"__Host-{PROOF}=")
    assert "Secure" in cookie


def test_the_cookie_of_the_first_step_opens_nothing_by_itself(api: Api, reader: Reader, clock: StillClock) -> None:
    factor = set_up(api.patient(), clock)
    give_password(reader, factor)
    proof = reader.client.get_cookie(PROOF)
    assert proof is not None
    assert reader.open("/my").headers["Location"].startswith("/log-in?next=")
    reader.client.set_cookie("session", proof.value)
    assert reader.open("/my").headers["Location"].startswith("/log-in?next=")
    bearer = {"Authorization": f"Bearer {proof.value}"}
    assert api.client.get("/auth/me", headers=bearer).status_code == 401


def test_the_code_must_come_within_five_minutes(api: Api, reader: Reader, clock: StillClock) -> None:
    factor = set_up(api.patient(), clock)
    page = give_password(reader, factor)
    clock.forward(minutes=4, seconds=59)
    assert OVER not in reader.read(page)
    clock.forward(seconds=1)
    assert OVER in reader.read(page)
    late = reader.post(page, otp=factor.otp(), next="/my")
    assert late.status_code == 401
    assert OVER in late.text
    assert 'href="/log-in?next=/home"' in late.text
    assert reader.client.get_cookie("session") is None
    assert factor.log_in(factor.otp()).status_code == 200, "it was not used up"


@pytest.mark.parametrize("by", ["another password", "disabling", "forgery"])
def test_what_ends_the_sessions_ends_the_first_step_too(
    app: APIFlask, api: Api, reader: Reader, clock: StillClock, by: str
) -> None:
    factor = set_up(api.patient(), clock)
    page = give_password(reader, factor)
    if by == "another password":
        body = {"current_password": PASSWORD, "new_password": "another password"}
        assert factor.person.post("/auth/password", body).status_code == 200
    elif by == "disabling":
        app.test_cli_runner().invoke(args=["user", "disable", factor.person.email])
    else:
        proof = reader.client.get_cookie(PROOF)
        assert proof is not None
        reader.client.set_cookie(PROOF, "V" + proof.value[1:])
    refused = reader.post(page, otp=factor.otp(1), next="/my")
    assert refused.status_code == 401
    assert OVER in refused.text
    assert reader.client.get_cookie("session") is None


def test_who_has_not_given_the_password_is_sent_back_to_it(reader: Reader) -> None:
    assert OVER in reader.read("/log-in/code?next=/my")
    assert reader.post("/log-in/code", otp="000000").status_code == 401


def test_a_set_up_that_was_not_confirmed_changes_no_log_in(api: Api, reader: Reader, clock: StillClock) -> None:
    factor = begin(api.patient(), clock)
    reader.log_in(factor.person)
    assert reader.open("/log-in/code?next=/my").headers["Location"] == "/my"


def test_new_codes_and_turning_off_take_password_and_code(api: Api, reader: Reader, clock: StillClock) -> None:
    factor = set_up(api.patient(), clock)
    reader.send(give_password(reader, factor), otp=factor.codes[0])
    page = reader.read("/second-factor")
    assert "<dd>9</dd>" in page
    assert 'href="/second-factor/set-up"' not in page
    path = "/second-factor/recovery-codes"
    refused = reader.send(path, current_password="a wrong one", otp=factor.codes[1])
    assert refused.status_code == 403
    assert "The current password is wrong." in refused.text
    renewed = reader.send(path, current_password=PASSWORD, otp=factor.codes[1])
    new = re.findall(r"<li><code>([0-9A-Z-]{19})</code>", renewed.text)
    assert (renewed.status_code, len(new)) == (200, 10)
    off = reader.send("/second-factor/turn-off", current_password=PASSWORD, otp=new[0])
    assert (off.status_code, off.headers["Location"]) == (303, "/second-factor")
    page = reader.read("/second-factor")
    assert "Your second factor is off." in page
    assert 'href="/second-factor/set-up"' in page
    again = reader.send("/second-factor/turn-off", current_password=PASSWORD, otp=new[1])
    assert again.status_code == 409
    assert "You have no second factor." in again.text


def test_the_picture_has_room_for_the_longest_names() -> None:
    settings = make_settings(clinic_name="\U0001f3e5" * 200)
    secret = secret_of(2**63 - 1, new_enrolment(), settings)
    address = address_for_app(secret, "\u5bc6" * 20 + "@" + "\u5bc6" * 60 + ".example", settings)
    assert picture_of(address).startswith("<svg")


def test_who_must_have_one_first_is_led_to_setting_it_up(make_app: MakeApp, clock: StillClock) -> None:
    app = make_app(second_factor_required="everybody")
    api = Api(app.test_client())
    ada, reader = api.patient(), Reader(app.test_client())
    reader.log_in(ada)
    for path in ("/home", "/my", "/my/account"):
        answer = reader.open(path)
        assert (answer.status_code, answer.headers["Location"]) == (303, "/second-factor"), path
    wanted = "This clinic wants a second factor from you"
    assert wanted in reader.read("/second-factor")
    answer = reader.post("/my/account/delete")
    assert (answer.status_code, answer.headers["Location"]) == (303, "/second-factor")
    begun = reader.send("/second-factor/set-up", current_password=PASSWORD)
    [secret] = re.findall(r"<code>([A-Z2-7 ]{39})</code>", begun.text)
    otp = Factor(ada, clock, secret.replace(" ", "")).otp()
    assert reader.send("/second-factor/confirm", otp=otp).status_code == 200
    assert wanted not in reader.read("/second-factor")
    assert reader.open("/my").status_code == 200


def test_who_must_have_one_first_can_log_out(make_app: MakeApp) -> None:
    app = make_app(second_factor_required="everybody")
    reader = Reader(app.test_client())
    reader.log_in(Api(app.test_client()).patient())
    assert reader.send("/log-out").headers["Location"] == "/book"
    assert reader.client.get_cookie("session") is None
