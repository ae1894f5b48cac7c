"""The thin slice: register, log in, publish, book, mail."""

from __future__ import annotations

from tests.people import Api, Deliver


def test_a_patient_books_a_doctor_and_is_told_by_mail(api: Api, deliver: Deliver) -> None:
    doctor = api.doctor("Dr. Fenna Quill", specialization="Cardiology", time_zone="Europe/Berlin")
    patient = api.patient("Ada Sample")
    slot_id = doctor.publish("09:00", "09:30", "2030-07-01")

    [offered] = patient.free(doctor)
    assert offered == {
        "slot_id": slot_id,
        "date": "2030-07-01",
        "start_time": "09:00",
        "end_time": "09:30",
        "starts_at": "2030-07-01T09:00:00+02:00",
        "ends_at": "2030-07-01T09:30:00+02:00",
        "time_zone": "Europe/Berlin",
        "visit_type_id": None,
        "seats_left": None,
        "place": None,
    }
    appointment_id = patient.book(slot_id)
    assert patient.free(doctor) == []

    [mail] = deliver()
    assert mail.to == patient.email
    for fact in ("Dr. Fenna Quill", "Cardiology", "1 July 2030", "09:00", "Europe/Berlin"):
        assert fact in mail.text
        assert fact in mail.html

    assert patient.cancel(appointment_id).status_code == 200
    assert [slot["slot_id"] for slot in patient.free(doctor)] == [slot_id]
    cancellations = deliver()[1:]
    assert {mail.to for mail in cancellations} == {patient.email, doctor.email}
    news = {patient.email: "You cancelled this appointment.", doctor.email: "cancelled by the patient, Ada Sample."}
    assert all(news[mail.to] in mail.text for mail in cancellations)
    [listed] = patient.get("/appointments/my").get_json()["data"]
    assert listed["status"] == "cancelled"
