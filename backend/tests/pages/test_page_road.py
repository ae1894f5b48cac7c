"""What is true of every page and form: sessions, forms of other sites, problems, headers."""

from __future__ import annotations

import re

import pytest
from flask.testing import FlaskClient
from sqlalchemy import Connection, event
from sqlalchemy.exc import OperationalError

from app import FORMS, PAGES, ROUTES
from src.extensions import db
from tests.conftest import ON_BOTH, MakeApp
from tests.pages.conftest import HEADERS, Reader
from tests.people import PASSWORD, Api


def first_step(path: str) -> str:
    return path.split("/")[1]


def test_pages_and_calls_share_no_first_step_but_the_two_that_accept_decides() -> None:
    steps = {first_step(route.path) for route in ROUTES} & {first_step(page.path) for page in PAGES}
    assert steps == {"", "dev"}


def test_every_form_stands_on_a_page() -> None:
    assert {form.path for form in FORMS} <= {page.path for page in PAGES}


FOREIGN = [{"Sec-Fetch-Site": "cross-site"}, {"Sec-Fetch-Site": "same-site"}, {"Origin": "https://evil.example"}, {}]


@pytest.mark.parametrize("headers", FOREIGN)
@pytest.mark.parametrize("form", FORMS, ids=lambda form: form.path)
def test_forms_of_other_sites_are_refused(client: FlaskClient, form: object, headers: dict[str, str]) -> None:
    path = re.sub(r"<int:\w+>", "1", getattr(form, "path", ""))
    answer = client.post(path, data={"email": "ada@people.example", "password": PASSWORD}, headers=headers)
    assert (answer.status_code, answer.mimetype) == (403, "text/html")
    assert "Set-Cookie" not in answer.headers


def test_an_old_browser_says_its_origin_alone(api: Api, reader: Reader) -> None:
    ada = api.patient()
    fields = {"email": ada.email, "password": PASSWORD}
    assert reader.post("/log-in", headers={"Origin": "http://localhost"}, **fields).status_code == 303


def test_the_clinics_address_is_ours_behind_a_proxy_that_is_not_trusted(make_app: MakeApp) -> None:
    app = make_app(clinic_url="https://clinic.example/booking")
    Api(app.test_client()).register(name="Ada Sample", email="ada@people.example")
    fields = {"email": "ada@people.example", "password": PASSWORD}
    for origin, status in (("https://clinic.example", 303), ("https://evil.example", 403), ("null", 403)):
        answer = Reader(app.test_client()).post("/log-in", headers={"Origin": origin}, **fields)
        assert answer.status_code == status, origin


def test_a_wrong_password_shows_the_form_again_with_what_was_typed_but_the_password(api: Api, reader: Reader) -> None:
    ada = api.patient()
    answer = reader.send("/log-in", email=ada.email, password="a wrong one")
    assert answer.status_code == 401
    assert "The e-mail address or the password is wrong." in answer.text
    assert f'value="{ada.email}"' in answer.text
    assert "a wrong one" not in answer.text


@pytest.mark.parametrize("next_", ["//evil.example", "/\\evil.example", "https://evil.example", "/\tmy", "my", ""])
def test_a_log_in_leads_to_no_other_site(api: Api, reader: Reader, next_: str) -> None:
    ada = api.patient()
    answer = reader.post("/log-in", email=ada.email, password=PASSWORD, next=next_)
    assert (answer.status_code, answer.headers["Location"]) == (303, "/home")


@pytest.mark.parametrize("size", [600_000, 1_200_000])
def test_a_form_that_is_too_large_is_refused_by_a_page(reader: Reader, size: int) -> None:
    answer = reader.post("/log-in", email="a" * size)
    assert answer.status_code in {400, 413}
    assert answer.mimetype == "text/html"


def test_the_api_reads_no_cookie(api: Api, reader: Reader) -> None:
    reader.log_in(api.patient())
    assert reader.client.get("/auth/me").status_code == 401


def test_a_log_out_ends_the_session_on_the_server_too(api: Api, reader: Reader) -> None:
    reader.log_in(api.patient())
    cookie = reader.client.get_cookie("session")
    assert cookie is not None
    assert reader.open("/my").status_code == 200
    assert reader.post("/log-out").headers["Location"] == "/book"
    reader.client.set_cookie("session", cookie.value)
    assert reader.open("/my").status_code == 303


def test_a_doctor_does_not_get_a_patients_page(api: Api, reader: Reader) -> None:
    reader.log_in(api.doctor())
    answer = reader.open("/my")
    assert (answer.status_code, answer.mimetype) == (403, "text/html")


def test_an_unknown_address_is_a_page_only_for_who_navigates(client: FlaskClient) -> None:
    assert client.get("/nowhere", headers=HEADERS).mimetype == "text/html"
    assert client.get("/nowhere", headers={"Accept": "text/html"}).mimetype == "application/problem+json"
    assert client.get("/auth/me", headers=HEADERS).mimetype == "application/problem+json"


def test_who_is_logged_in_stays_so_at_an_unknown_address(api: Api, reader: Reader) -> None:
    ada = api.patient("Ada Sample")
    reader.log_in(ada)
    answer = reader.open("/nowhere")
    assert answer.status_code == 404
    assert "Logged in as Ada Sample." in answer.text


@ON_BOTH
@pytest.mark.parametrize(("path", "status"), [("/nowhere", 404), ("/book", 503), ("/", 503)])
def test_a_browser_gets_a_page_also_while_the_database_is_away(make_app: MakeApp, path: str, status: int) -> None:
    app = make_app()
    reader = Reader(app.test_client())
    reader.log_in(Api(app.test_client()).patient())
    with app.app_context():
        engine = db.engine
    event.listen(engine, "engine_connect", be_away)
    try:
        answer = reader.open(path)
    finally:
        event.remove(engine, "engine_connect", be_away)
    assert (answer.status_code, answer.mimetype) == (status, "text/html")
    assert "Logged in as" not in answer.text


def be_away(_connection: Connection) -> None:
    raise OperationalError("", None, Exception("the database is away"))


def test_pages_allow_nothing_inline_and_no_frame(reader: Reader) -> None:
    headers = reader.open("/book").headers
    policy = headers["Content-Security-Policy"]
    assert policy.startswith("default-src 'none'; style-src 'self'; script-src 'self';")
    assert "unsafe" not in policy
    assert "frame-ancestors 'none'" in policy
    assert headers["X-Frame-Options"] == "DENY"
    assert headers["Cache-Control"] == "no-store"
    assert headers["Referrer-Policy"] == "same-origin"


def test_static_files_are_kept_for_a_year_and_come_zipped(reader: Reader) -> None:
    page = reader.read("/book")
    address = page.partition('<link rel="stylesheet" href="')[2].partition('"')[0]
    answer = reader.open(address, headers={"Accept-Encoding": "gzip"})
    assert answer.headers["Cache-Control"] == "public, max-age=31536000, immutable"
    assert answer.headers["Content-Encoding"] == "gzip"
    assert answer.mimetype == "text/css"
    of_another_version = address.replace(address.split(".")[1], "0123456789")
    assert reader.open(of_another_version).headers["Cache-Control"] == "public, max-age=60"
    assert reader.open("/static/unknown.css").status_code == 404


def test_the_session_is_for_https_and_this_host_alone_in_production(make_app: MakeApp) -> None:
    app = make_app(app_env="production", doctor_invitation_code="a code of our own")
    Api(app.test_client()).register(name="Ada Sample", email="ada@people.example")
    answer = Reader(app.test_client()).post("/log-in", email="ada@people.example", password=PASSWORD)
    cookie = answer.headers["Set-Cookie"]
    assert cookie.startswith("__Host-session=")
    for word in ("Secure", "HttpOnly", "SameSite=Lax", "Path=/"):
        assert word in cookie
    assert "Domain" not in cookie
