"""A patient's own appointments: the list, the proof, the calendar file, and the cancellation."""

from __future__ import annotations

import pytest
from apiflask import APIFlask

from tests.api.test_statement_counts import statements
from tests.conftest import MakeApp, StillClock
from tests.pages.conftest import Reader
from tests.people import Api


def test_the_proof_says_what_happened(api: Api, reader: Reader) -> None:
    doctor, ada = api.doctor("Dr. Fenna Quill", time_zone="Europe/Berlin"), api.patient("Ada Sample")
    mine = ada.book(doctor.publish())
    reader.log_in(ada)
    page = reader.read(f"/my/{mine}")
    assert "You have an appointment" in page
    assert 'Booked by Ada Sample</strong><br><span class="mute">Monday 4 March 2030, 09:00</span>' in page
    assert doctor.post(f"/appointments/{mine}/cancel", {"reason": "The doctor is ill"}).status_code == 200
    page = reader.read(f"/my/{mine}")
    for words in ("This appointment is cancelled", "Cancelled by Dr. Fenna Quill", "Reason: The doctor is ill"):
        assert words in page
    for path in ("cancel", "move", "calendar.ics"):
        assert f'href="/my/{mine}/{path}"' not in page
    assert f'href="/book/{doctor.doctor_id}"' in page


def test_who_wants_to_book_again_is_led_to_the_doctor_unless_the_doctor_has_left(api: Api, reader: Reader) -> None:
    doctor, ada = api.doctor(), api.patient()
    mine = ada.book(doctor.publish())
    assert ada.cancel(mine).status_code == 200
    reader.log_in(ada)
    assert f'href="/book/{doctor.doctor_id}">Book again</a>' in reader.read(f"/my/{mine}")
    assert doctor.delete("/doctor/account").status_code == 200
    assert "Book again" not in reader.read(f"/my/{mine}")


def test_the_calendar_file_is_of_this_appointment_in_the_readers_language(make_app: MakeApp) -> None:
    app = make_app(clinic_name="Lindenhof Practice", clinic_address="1 Example Street")
    api, reader = Api(app.test_client()), Reader(app.test_client())
    doctor, ada, ben = api.doctor("Dr. Fenna Quill"), api.patient(), api.patient()
    mine = ada.book(doctor.publish())
    path = f"/my/{mine}/calendar.ics"
    reader.log_in(ada)
    assert f'href="{path}"' in reader.read(f"/my/{mine}")
    file = reader.open(path)
    assert (file.status_code, file.mimetype) == (200, "text/calendar")
    assert file.headers["Content-Disposition"] == f"attachment; filename=appointment-{mine}.ics"
    for line in ("SUMMARY:Appointment: Dr. Fenna Quill", "DTSTART:20300305T090000Z", "STATUS:CONFIRMED"):
        assert line in file.text
    assert "LOCATION:Lindenhof Practice\\, 1 Example Street" in file.text
    assert "SUMMARY:Termin: Dr. Fenna Quill" in reader.open(path, headers={"Accept-Language": "de"}).text
    ben_reads = Reader(app.test_client())
    ben_reads.log_in(ben)
    assert ben_reads.open(path).status_code == 403


def test_a_patient_cancels_after_a_page_that_asks(api: Api, reader: Reader) -> None:
    doctor, ada = api.doctor(), api.patient()
    mine = ada.book(doctor.publish())
    reader.log_in(ada)
    assert "Cancel this appointment?" in reader.read(f"/my/{mine}/cancel")
    done = reader.send(f"/my/{mine}/cancel", reason="I am well again")
    assert (done.status_code, done.headers["Location"]) == (303, "/my")
    assert "The appointment is cancelled." in reader.read("/my")
    again = reader.post(f"/my/{mine}/cancel", key="another-key")
    assert again.status_code == 409
    assert "This appointment is cancelled" in again.text


@pytest.mark.parametrize("phone", [None, "+49 30 5550100"])
def test_too_late_to_cancel(make_app: MakeApp, clock: StillClock, phone: str | None) -> None:
    app = make_app(clinic_phone=phone, cancellation_notice_minutes=60)
    api, reader = Api(app.test_client()), Reader(app.test_client())
    doctor, ada = api.doctor(), api.patient()
    mine = ada.book(doctor.publish())
    clock.forward(hours=24.5)
    reader.log_in(ada)
    for page in (reader.read(f"/my/{mine}"), reader.read(f"/my/{mine}/cancel")):
        assert "until Tuesday 5 March 2030, 08:00." in page
        assert 'type="hidden" name="key"' not in page
        assert ("tel:+49305550100" in page) is (phone is not None)


def test_a_long_history_comes_in_pages_with_as_many_statements_as_a_short_one(
    app: APIFlask, api: Api, reader: Reader
) -> None:
    doctor, ada = api.doctor(), api.patient()
    for _ in range(25):
        cancelled = ada.book(doctor.publish())
        assert doctor.post(f"/appointments/{cancelled}/cancel").status_code == 200
        assert doctor.delete(f"/doctor/availability/{ada.free(doctor)[0]['slot_id']}").status_code == 200
    ahead = ada.book(doctor.publish())
    reader.log_in(ada)
    with statements(app) as seen:
        page = reader.read("/my")
    assert len(seen) == 3
    assert page.count('<a class="card"') == 20
    assert page.index(f'href="/my/{ahead}"') < page.index("Past and cancelled")
    cursor = page.partition("?cursor=")[2].partition('"')[0]
    rest = reader.read(f"/my?cursor={cursor}")
    assert rest.count('<a class="card"') == 6
    assert "Nothing is ahead." not in rest
