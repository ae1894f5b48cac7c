"""GET /dev/outbox, a convenience of development."""

from __future__ import annotations

from flask.testing import FlaskClient

from tests.conftest import MakeApp, StillClock
from tests.people import Api, Deliver, error_of

PATH = "/dev/outbox"


def test_it_is_empty_at_first(client: FlaskClient) -> None:
    answer = client.get(PATH)
    assert answer.status_code == 200
    assert answer.get_json() == {"data": []}
    assert b"No e-mails yet" in client.get(PATH, headers={"Accept": "text/html"}).data


def test_it_shows_mails_before_and_after_they_are_sent(api: Api, deliver: Deliver, clock: StillClock) -> None:
    doctor, ada = api.doctor("Dr. Fenna Quill"), api.patient("Ada Sample")
    ada.book(doctor.publish("09:00", "09:30"))
    [waiting] = api.client.get(PATH).get_json()["data"]
    assert waiting["to"] == ada.email
    assert "Dr. Fenna Quill" in waiting["subject"]
    assert waiting["created_at"] == "2030-03-04T08:00:00+00:00"
    assert waiting["sent_at"] is None
    clock.forward(minutes=1)
    [mail] = deliver()
    [sent] = api.client.get(PATH).get_json()["data"]
    assert sent == waiting | {"sent_at": "2030-03-04T08:01:00+00:00"}
    assert (sent["subject"], sent["text"], sent["html"]) == (mail.subject, mail.text, mail.html)


def test_the_newest_mail_comes_first(api: Api) -> None:
    doctor, ada = api.doctor(), api.patient()
    assert ada.cancel(ada.book(doctor.publish())).status_code == 200
    mails = api.client.get(PATH).get_json()["data"]
    assert [mail["subject"].split(":")[0] for mail in mails] == [
        "Appointment cancelled",
        "Appointment cancelled",
        "Appointment booked",
    ]
    assert [mail["id"] for mail in mails] == sorted((mail["id"] for mail in mails), reverse=True)


def test_the_page_escapes_names(api: Api) -> None:
    doctor, ada = api.doctor(), api.patient("Ada <script>alert(1)</script> Sample")
    ada.book(doctor.publish())
    page = api.client.get(PATH, headers={"Accept": "text/html"})
    assert page.mimetype == "text/html"
    assert b"<script>" not in page.data
    assert b"Ada &lt;script&gt;" in page.data


def test_an_erased_address_is_null(api: Api, deliver: Deliver) -> None:
    doctor, ada = api.doctor(), api.patient()
    assert ada.cancel(ada.book(doctor.publish())).status_code == 200
    deliver()
    assert doctor.delete("/doctor/account").status_code == 200
    answer = api.client.get(PATH)
    assert {mail["to"] for mail in answer.get_json()["data"]} == {ada.email, None}
    assert doctor.email.encode() not in answer.data
    assert b"an erased address" in api.client.get(PATH, headers={"Accept": "text/html"}).data


def test_production_has_no_such_page(make_app: MakeApp) -> None:
    app = make_app(app_env="production", doctor_invitation_code="a code of our own")
    answer = app.test_client().get(PATH)
    assert answer.status_code == 404
    error_of(answer)
