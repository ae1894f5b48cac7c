"""GET /dev/outbox, a convenience of development."""

from __future__ import annotations

from flask.testing import FlaskClient

from tests.conftest import MakeApp, StillClock
from tests.people import CODE, Api, Deliver, error_of

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


def test_each_reads_the_address_of_their_own_page(make_app: MakeApp) -> None:
    api = Api(make_app(clinic_url="https://clinic.example/booking/", reply_to="desk@clinic.example").test_client())
    doctor, other, ada = api.doctor("Dr. Fenna Quill"), api.doctor("Dr. Gil Sample"), api.patient("Ada Sample")
    number = ada.book(doctor.publish("09:00", "09:30"))
    assert ada.move(number, doctor.publish("10:00", "10:30")).status_code == 200
    assert ada.move(number, other.publish("11:00", "11:30")).status_code == 200
    assert ada.cancel(number).status_code == 200
    mails = list(reversed(api.client.get(PATH).get_json()["data"]))
    # `doctor` has no page of an appointment that was moved to another doctor.
    mine, theirs = f"/my/{number}", f"/desk/appointments/{number}"
    assert sorted((mail["to"], mail["subject"].partition(":")[0], link_in(mail["text"])) for mail in mails) == sorted(
        [
            (ada.email, "Appointment booked", mine),
            (ada.email, "Appointment moved", mine),
            (doctor.email, "Appointment moved", theirs),
            (ada.email, "Appointment moved", mine),
            (doctor.email, "Appointment moved", ""),
            (other.email, "Appointment moved", theirs),
            (ada.email, "Appointment cancelled", mine),
            (other.email, "Appointment cancelled", theirs),
        ]
    )
    assert {mail["reply_to"] for mail in mails} == {"desk@clinic.example"}


def link_in(text: str) -> str:
    """Return the address of the page that a mail links to, without the address of the installation."""
    [*_, last] = ["", *(line for line in text.splitlines() if line.startswith("https://"))]
    return last.removeprefix("https://clinic.example/booking")


def test_in_development_links_lead_to_this_machine(api: Api) -> None:
    number = api.patient().book(api.doctor().publish())
    answer = api.client.get(PATH, headers={"Host": "evil.example"})
    assert f"http://localhost:5000/my/{number}" in answer.get_json()["data"][0]["text"].splitlines()
    assert b"evil.example" not in answer.data


def test_in_production_there_are_no_links_without_an_address(make_app: MakeApp) -> None:
    app = make_app(app_env="production", doctor_invitation_code=CODE)
    api = Api(app.test_client())
    api.patient().book(api.doctor().publish())
    shown = app.test_cli_runner().invoke(args=["outbox", "show", "1"]).output
    assert "Your appointment is booked." in shown
    assert "://" not in shown


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
