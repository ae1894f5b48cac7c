"""DELETE /patient/account."""

from __future__ import annotations

import pytest
from apiflask import APIFlask
from sqlalchemy import select, text

from src.database.transaction import transaction
from src.models import Base
from src.services.mail import MailDelayed, MailRefused
from src.services.memory_mailer import MemoryMailer
from tests.conftest import StillClock
from tests.mail_tokens import reset_token_of
from tests.people import DAY, KEY, Api, Deliver, Doctor, Patient, error_of, hours

PATH = "/patient/account"
NAME = "Orla Vanishing"


@pytest.fixture
def doctor(api: Api) -> Doctor:
    return api.doctor("Dr. Fenna Quill")


@pytest.fixture
def orla(api: Api) -> Patient:
    return api.patient(NAME)


def dump(app: APIFlask) -> str:
    """Return all that is in all tables."""
    with app.app_context(), transaction(writes=False) as db:
        tables = {
            table.name: [tuple(row) for row in db.execute(select(table))] for table in Base.metadata.tables.values()
        }
    return repr(tables)


def assert_unknown(app: APIFlask, orla: Patient) -> None:
    found = dump(app).lower()
    for word in ("orla", "vanishing", orla.email):
        assert word not in found, found[max(0, found.index(word) - 200) : found.index(word) + 200]


def test_a_patient_deletes_the_account_and_the_token_is_dead(orla: Patient) -> None:
    answer = orla.delete(PATH)
    assert answer.status_code == 200
    assert set(answer.get_json()) == {"message"}
    assert orla.get("/auth/me").status_code == 401
    assert orla.delete(PATH).status_code == 401


def test_appointments_ahead_are_cancelled_and_only_the_doctors_get_a_mail(
    api: Api, doctor: Doctor, orla: Patient, deliver: Deliver
) -> None:
    stem = api.doctor("Dr. Stem")
    orla.book(doctor.publish("09:00", "09:30"))
    orla.book(stem.publish("10:00", "10:30"))
    before = len(deliver())
    assert orla.delete(PATH).status_code == 200
    mails = deliver()[before:]
    assert sorted(mail.to for mail in mails) == sorted([doctor.email, stem.email])
    for mail in mails:
        assert mail.subject.startswith("Appointment cancelled: Dr. ")
        assert "cancelled by the patient, who no longer has an account here" in mail.text
        assert "5 March 2030" in mail.text
        assert "Patient:        A former patient" in mail.text
        assert "Orla" not in mail.text + mail.html + mail.subject
    [listed] = doctor.get("/appointments/doctor").get_json()["data"]
    assert (listed["patient_name"], listed["status"]) == ("A former patient", "cancelled")


def test_a_doctor_who_has_left_meanwhile_gets_no_mail(
    api: Api, doctor: Doctor, orla: Patient, clock: StillClock, deliver: Deliver
) -> None:
    """The call has arrived before the start, and has waited until the doctor left after the start."""
    orla.book(doctor.publish("09:00", "09:30", "2030-03-04"))
    sent = deliver()
    clock.forward(hours=1)
    assert doctor.delete("/doctor/account").status_code == 200
    clock.forward(seconds=-1)
    assert orla.delete(PATH).status_code == 200
    assert deliver() == sent


def test_slots_and_times_are_free_again(api: Api, doctor: Doctor, orla: Patient) -> None:
    doctor.set_hours(hours("tuesday", "10:00", "12:00"))
    ada = api.patient()
    slot_id, held = doctor.publish("08:00", "08:30"), doctor.publish("09:00", "09:30")
    offered = [time["slot_id"] for time in ada.free(doctor)]
    computed = next(time for time in offered if time not in {slot_id, held})
    orla.book(slot_id)
    orla.book(computed)
    orla.hold(held)
    assert orla.delete(PATH).status_code == 200
    assert [time["slot_id"] for time in ada.free(doctor)] == offered
    for time in (slot_id, held, computed):
        ada.book(time)


def test_the_doctor_keeps_an_anonymous_history(api: Api, doctor: Doctor, orla: Patient, clock: StillClock) -> None:
    today = "2030-03-04"
    past = orla.book(doctor.publish("09:00", "09:30", today))
    running = orla.book(doctor.publish("10:00", "12:00", today))
    cancelled, ahead = (orla.book(doctor.publish(f"{hour}:00", f"{hour}:30", today)) for hour in (13, 14))
    assert doctor.post(f"/appointments/{cancelled}/cancel", {"reason": "Orla has a fever."}).status_code == 200
    assert doctor.put(f"/appointments/{past}/note", {"note": "Orla brings results."}).status_code == 200
    clock.forward(hours=3)
    assert orla.delete(PATH).status_code == 200
    listed = doctor.get("/appointments/doctor").get_json()["data"]
    assert [(row["appointment_id"], row["status"]) for row in listed] == [
        (ahead, "cancelled"),
        (cancelled, "cancelled"),
        (running, "in_progress"),
        (past, "completed"),
    ]
    assert {row["patient_name"] for row in listed} == {"A former patient"}
    assert doctor.get(f"/appointments/{past}").get_json()["note"] is None
    shown = doctor.get(f"/appointments/{cancelled}").get_json()
    assert [(event["event"], event["by"], event["reason"]) for event in shown["history"]] == [
        ("booked", "A former patient", None),
        ("cancelled", "Dr. Fenna Quill", None),
    ]
    assert [event["by"] for event in doctor.get(f"/appointments/{ahead}").get_json()["history"]] == [
        "A former patient",
        "A former patient",
    ]


def test_the_address_may_register_again_as_somebody_new(api: Api, doctor: Doctor, orla: Patient) -> None:
    orla.book(doctor.publish())
    assert orla.delete(PATH).status_code == 200
    answer = api.register(name="Somebody New", email=orla.email.upper())
    assert answer.status_code == 201
    assert answer.get_json()["id"] != orla.id
    headers = {"Authorization": f"Bearer {api.log_in(orla.email).get_json()['access_token']}"}
    assert api.client.get("/appointments/my", headers=headers).get_json()["data"] == []


def test_mails_to_the_patient_that_wait_are_dropped(doctor: Doctor, orla: Patient, deliver: Deliver) -> None:
    orla.book(doctor.publish())
    assert orla.delete(PATH).status_code == 200
    assert [mail.to for mail in deliver()] == [doctor.email]


@pytest.mark.parametrize("sent", [False, True], ids=["waiting", "sent"])
def test_nothing_in_the_database_says_who_it_was_whatever_mails_there_are(
    app: APIFlask, api: Api, doctor: Doctor, orla: Patient, deliver: Deliver, *, sent: bool
) -> None:
    stem = api.doctor("Dr. Stem")
    slots = [doctor.publish(f"{hour:02}:00", f"{hour:02}:30") for hour in range(8, 14)]
    one, two, three, _ = (orla.book(slot_id) for slot_id in slots[:4])
    assert orla.move(one, slots[4]).status_code == 200
    assert doctor.move(one, slots[5]).status_code == 200
    assert stem.publish() > 0
    assert orla.post(f"/appointments/{two}/cancel", {"reason": "Orla Vanishing is well."}).status_code == 200
    assert doctor.post(f"/appointments/{three}/cancel", {"reason": "For Orla."}).status_code == 200
    assert doctor.put(f"/appointments/{one}/note", {"note": "Orla asks."}).status_code == 200
    assert "orla" in dump(app).lower()
    if sent:
        deliver()
    assert orla.delete(PATH, headers=KEY).status_code == 200
    assert_unknown(app, orla)
    deliver()
    assert_unknown(app, orla)
    shown = api.client.get("/dev/outbox").get_json()["data"]
    assert {mail["to"] for mail in shown} == {None, doctor.email}


@pytest.mark.parametrize("sent", [False, True], ids=["waiting", "sent"])
def test_a_forgotten_password_is_forgotten_with_its_account(
    app: APIFlask, api: Api, orla: Patient, deliver: Deliver, *, sent: bool
) -> None:
    token = reset_token_of(app, orla)
    if sent:
        deliver()
    assert orla.delete(PATH).status_code == 200
    assert len(deliver()) == sent
    assert_unknown(app, orla)
    assert [mail["to"] for mail in api.client.get("/dev/outbox").get_json()["data"]] == [None]
    answer = api.client.post("/auth/password/reset", json={"token": token, "new_password": "another password"})
    assert 400 <= answer.status_code < 500


def test_kept_answers_of_doctors_do_not_say_who_it_was(app: APIFlask, doctor: Doctor, orla: Patient) -> None:
    orla.book(doctor.publish())
    closed = {"kind": "closed", "first_day": DAY}
    first = doctor.post("/doctor/exceptions", closed, headers=KEY)
    assert first.get_json()["affected"][0]["patient_name"] == NAME
    assert orla.delete(PATH).status_code == 200
    assert_unknown(app, orla)
    again = doctor.post("/doctor/exceptions", closed, headers=KEY)
    assert (again.status_code, again.get_json()["id"]) == (201, first.get_json()["id"])
    assert again.get_json()["affected"][0]["patient_name"] == "A former patient"


@pytest.mark.parametrize("failure", [MailRefused("no mailbox of Orla"), MailDelayed("later")], ids=["refused", "later"])
def test_a_mail_that_was_attempted_goes_on_as_it_is_and_is_cleared_when_it_is_finished(
    app: APIFlask,
    doctor: Doctor,
    orla: Patient,
    deliver: Deliver,
    mailer: MemoryMailer,
    clock: StillClock,
    failure: Exception,
) -> None:
    orla.cancel(orla.book(doctor.publish()))
    mailer.failures.extend([failure] * 2)
    deliver()
    assert orla.delete(PATH).status_code == 200
    clock.forward(hours=2)
    mails = deliver()
    clock.forward(hours=2)
    assert deliver() == mails
    assert_unknown(app, orla)
    assert len([mail for mail in mails if mail.to == doctor.email]) <= 1
    with app.app_context(), transaction(writes=False) as db:
        assert db.execute(text("SELECT count(*) FROM outbox WHERE status = 'waiting'")).scalar_one() == 0


def test_a_doctor_cannot_call_it(doctor: Doctor) -> None:
    answer = doctor.delete(PATH)
    assert answer.status_code == 403
    error_of(answer)
