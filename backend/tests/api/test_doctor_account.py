"""DELETE /doctor/account."""

from __future__ import annotations

from tests.conftest import StillClock
from tests.people import CODE, Api, Deliver, error_of

PATH = "/doctor/account"


def test_a_doctor_deletes_the_account(api: Api) -> None:
    doctor = api.doctor()
    answer = doctor.delete(PATH)
    assert answer.status_code == 200
    assert set(answer.get_json()) == {"message"}


def test_appointments_ahead_are_cancelled_and_only_the_patients_get_a_mail(api: Api, deliver: Deliver) -> None:
    doctor, ada, ben = api.doctor("Dr. Fenna Quill"), api.patient("Ada Sample"), api.patient("Ben Sample")
    first, second = ada.book(doctor.publish("09:00", "09:30")), ben.book(doctor.publish("10:00", "10:30"))
    confirmations = deliver()
    assert doctor.delete(PATH).status_code == 200
    mails = deliver()[len(confirmations) :]
    assert sorted(mail.to for mail in mails) == sorted([ada.email, ben.email])
    for mail in mails:
        assert "cancelled by the doctor, Dr. Fenna Quill" in mail.text
        assert "Dr. Fenna Quill" in mail.html
    for patient, appointment_id in ((ada, first), (ben, second)):
        [listed] = patient.get("/appointments/my").get_json()["data"]
        assert (listed["appointment_id"], listed["status"]) == (appointment_id, "cancelled")


def test_a_patient_who_has_left_meanwhile_gets_no_mail(api: Api, clock: StillClock, deliver: Deliver) -> None:
    """The call has arrived before the start, and has waited until the patient left after the start."""
    doctor, ada = api.doctor(), api.patient()
    ada.book(doctor.publish("09:00", "09:30", "2030-03-04"))
    sent = deliver()
    clock.forward(hours=1)
    assert ada.delete("/patient/account").status_code == 200
    clock.forward(seconds=-1)
    assert doctor.delete(PATH).status_code == 200
    assert deliver() == sent


def test_what_was_cancelled_before_is_not_cancelled_again(api: Api, deliver: Deliver) -> None:
    doctor, ada = api.doctor(), api.patient()
    assert ada.cancel(ada.book(doctor.publish())).status_code == 200
    before = len(deliver())
    assert doctor.delete(PATH).status_code == 200
    assert len(deliver()) == before


def test_the_patients_history_stays_with_the_doctors_name(api: Api, clock: StillClock) -> None:
    doctor, ada = api.doctor("Dr. Fenna Quill", specialization="Cardiology"), api.patient()
    past = ada.book(doctor.publish("09:00", "09:30", "2030-03-04"))
    running = ada.book(doctor.publish("10:00", "12:00", "2030-03-04"))
    cancelled = ada.book(doctor.publish("13:00", "13:30", "2030-03-04"))
    assert ada.cancel(cancelled).status_code == 200
    ahead = ada.book(doctor.publish("14:00", "14:30", "2030-03-04"))
    clock.forward(hours=3)
    assert doctor.delete(PATH).status_code == 200
    listed = ada.get("/appointments/my").get_json()["data"]
    assert [(row["appointment_id"], row["status"]) for row in listed] == [
        (ahead, "cancelled"),
        (cancelled, "cancelled"),
        (running, "in_progress"),
        (past, "completed"),
    ]
    assert {row["doctor_name"] for row in listed} == {"Dr. Fenna Quill"}
    shown = ada.get(f"/appointments/{ahead}").get_json()
    assert shown["doctor_name"] == "Dr. Fenna Quill"
    assert [(event["event"], event["by"]) for event in shown["history"]] == [
        ("booked", "Ada Sample"),
        ("cancelled", "Dr. Fenna Quill"),
    ]


def test_slots_are_withdrawn_and_the_doctor_is_not_found(api: Api) -> None:
    doctor, stays, ada = api.doctor("Dr. Quill"), api.doctor("Dr. Stem"), api.patient()
    free, taken, kept = doctor.publish("09:00", "09:30"), doctor.publish("10:00", "10:30"), stays.publish()
    appointment_id = ada.book(taken)
    assert doctor.delete(PATH).status_code == 200
    assert [row["name"] for row in ada.get("/patient/doctors").get_json()["data"]] == ["Dr. Stem"]
    answer = ada.get(f"/patient/doctors/{doctor.doctor_id}/availability")
    assert answer.status_code == 404
    assert "no such doctor" in error_of(answer)
    for slot_id in (free, taken):
        answer = ada.post("/appointments", {"slot_id": slot_id})
        assert answer.status_code == 404
        assert "no such appointment slot" in error_of(answer)
    answer = ada.cancel(appointment_id)
    assert answer.status_code == 409
    error_of(answer)
    assert [slot["slot_id"] for slot in ada.free(stays)] == [kept]


def test_the_patient_is_free_at_that_time_again(api: Api) -> None:
    doctor, other, ada = api.doctor("Dr. Quill"), api.doctor("Dr. Stem"), api.patient()
    ada.book(doctor.publish())
    slot_id = other.publish()
    assert ada.post("/appointments", {"slot_id": slot_id}).status_code == 409
    assert doctor.delete(PATH).status_code == 200
    ada.book(slot_id)


def test_the_address_may_register_again_as_somebody_new(api: Api) -> None:
    doctor, ada = api.doctor("Dr. Fenna Quill"), api.patient()
    ada.book(doctor.publish())
    for role, code in (("doctor", CODE), ("patient", "")):
        if role == "doctor":
            assert doctor.delete(PATH).status_code == 200
        else:
            headers = {"Authorization": f"Bearer {api.log_in(doctor.email).get_json()['access_token']}"}
            assert api.client.delete(PATH, headers=headers).status_code == 200
        fields = {"email": doctor.email.upper(), "role": role, "invitation_code": code}
        answer = api.register(name="Somebody New", **fields)
        assert answer.status_code == 201, answer.get_json()
        assert answer.get_json()["id"] != doctor.id
        assert doctor.get("/auth/me").status_code == 401
    [listed] = ada.get("/appointments/my").get_json()["data"]
    assert listed["doctor_name"] == "Dr. Fenna Quill"


def test_a_new_account_of_the_address_starts_empty(api: Api) -> None:
    doctor, ada = api.doctor(specialization="Cardiology", time_zone="Asia/Tokyo"), api.patient()
    ada.book(doctor.publish())
    assert doctor.delete(PATH).status_code == 200
    assert api.register(email=doctor.email, role="doctor", invitation_code=CODE).status_code == 201
    headers = {"Authorization": f"Bearer {api.log_in(doctor.email).get_json()['access_token']}"}
    profile = api.client.get("/doctor/profile", headers=headers).get_json()
    assert (profile["specialization"], profile["time_zone"]) == ("General Practitioner", "UTC")
    assert profile["doctor_id"] != doctor.doctor_id
    assert api.client.get("/appointments/doctor", headers=headers).get_json()["data"] == []


def test_mails_already_due_still_go_and_then_the_address_is_scrubbed(api: Api, deliver: Deliver) -> None:
    doctor, ada = api.doctor(), api.patient()
    assert ada.cancel(ada.book(doctor.publish("09:00", "09:30"))).status_code == 200
    deliver()
    assert ada.cancel(ada.book(doctor.publish("10:00", "10:30"))).status_code == 200
    assert doctor.delete(PATH).status_code == 200
    assert [mail.to for mail in deliver()].count(doctor.email) == 2
    written = api.client.get("/dev/outbox").get_json()["data"]
    recipients = [mail["to"] for mail in written]
    assert doctor.email not in recipients
    assert recipients.count(None) == 2
    assert recipients.count(ada.email) == 4


def test_the_confirmation_arrives_before_the_cancellation(api: Api, deliver: Deliver) -> None:
    doctor, ada = api.doctor(), api.patient()
    ada.book(doctor.publish())
    assert doctor.delete(PATH).status_code == 200
    subjects = [mail.subject for mail in deliver() if mail.to == ada.email]
    assert [subject.split(":")[0] for subject in subjects] == ["Appointment booked", "Appointment cancelled"]
