"""The free times of a doctor in a frame on another site."""

from __future__ import annotations

from tests.conftest import MakeApp
from tests.pages.conftest import Reader
from tests.people import Api

SITE = "https://practice.example"


def test_the_frame_shows_times_whose_links_open_in_the_whole_window(api: Api, reader: Reader) -> None:
    doctor = api.doctor("Dr. Fenna Quill")
    slot_id = doctor.publish()
    page = reader.read(f"/embed/{doctor.doctor_id}")
    assert f'href="/book/{doctor.doctor_id}/{slot_id}" target="_top">09:00</a>' in page
    assert page.count("<a ") == page.count('target="_top"')
    assert "<header" not in page
    assert "<form" not in page


def test_the_frame_is_for_the_sites_that_the_clinic_names(make_app: MakeApp) -> None:
    app = make_app(embed_origins=f"{SITE},https://www.practice.example")
    doctor = Api(app.test_client()).doctor()
    headers = Reader(app.test_client()).open(f"/embed/{doctor.doctor_id}").headers
    policy = headers["Content-Security-Policy"]
    assert policy.endswith(f"frame-ancestors 'self' {SITE} https://www.practice.example")
    assert policy.startswith("default-src 'none'; style-src 'self'")
    assert "X-Frame-Options" not in headers
    assert headers["Cache-Control"] == "no-store"
    # No other page may be framed.
    assert "frame-ancestors 'none'" in Reader(app.test_client()).open("/book").headers["Content-Security-Policy"]


def test_the_frame_reads_and_sets_no_cookie(api: Api, reader: Reader) -> None:
    doctor, ada = api.doctor(), api.patient("Ada Sample")
    ada.hold(doctor.publish())
    reader.log_in(ada)
    reader.post("/log-out/everywhere", key="one")
    reader.log_in(ada)
    for name, value in (("flash", "x"), ("done", "x"), ("language", "de")):
        reader.client.set_cookie(name, value)
    for path in (f"/embed/{doctor.doctor_id}", f"/embed/{doctor.doctor_id}?language=de", "/embed/999"):
        answer = reader.open(path)
        assert "Set-Cookie" not in answer.headers
        assert "Ada Sample" not in answer.text
        assert "frame-ancestors 'self'" in answer.headers["Content-Security-Policy"]
        assert ('lang="de"' in answer.text) is path.endswith("=de")
    # Whoever holds a time would see it, if the session was read.
    assert "09:00</a>" not in reader.read(f"/embed/{doctor.doctor_id}")
    assert reader.open("/embed/999").status_code == 404
    assert reader.open("/my").status_code == 200
    reader.client.set_cookie("session", "dead")
    assert "Set-Cookie" not in reader.open(f"/embed/{doctor.doctor_id}").headers
