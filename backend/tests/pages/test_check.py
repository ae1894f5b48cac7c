"""The page that asks whether a time suits: what it says before somebody books."""

from __future__ import annotations

import pytest

from tests.conftest import ON_BOTH, MakeApp
from tests.pages.conftest import Reader
from tests.people import Api

pytestmark = ON_BOTH


def test_who_holds_the_time_sees_until_when(api: Api, reader: Reader) -> None:
    doctor, ada, ben = api.doctor(), api.patient(), api.patient()
    slot_id = doctor.publish()
    ada.hold(slot_id, 10)
    path = f"/book/{doctor.doctor_id}/{slot_id}"
    assert "this time has just gone" in reader.read(path)
    reader.log_in(ada)
    assert "We hold this time for you until 08:10." in reader.read(path)
    reader.post("/log-out")
    reader.log_in(ben)
    assert "We hold this time" not in reader.read(path)


def test_the_hold_ends_on_the_clock_of_the_chosen_time(api: Api, reader: Reader) -> None:
    doctor, ada = api.doctor(time_zone="Europe/Berlin"), api.patient()
    slot_id = doctor.publish()
    ada.hold(slot_id, 5)
    reader.log_in(ada)
    assert "We hold this time for you until 09:05." in reader.read(f"/book/{doctor.doctor_id}/{slot_id}")


@pytest.mark.parametrize("reasons", ["yes", "no"])
def test_a_reason_is_asked_for_where_the_clinic_wants_it(make_app: MakeApp, reasons: str) -> None:
    app = make_app(appointment_reasons=reasons)
    api, reader = Api(app.test_client()), Reader(app.test_client())
    doctor, ada = api.doctor(), api.patient()
    path = f"/book/{doctor.doctor_id}/{doctor.publish()}"
    reader.log_in(ada)
    assert ('name="reason"' in reader.read(path)) is (reasons == "yes")
    proof = reader.read(reader.send(path, reason="A cough").headers["Location"])
    assert ("A cough" in proof) is (reasons == "yes")


@pytest.mark.parametrize(
    ("notice", "words"),
    [
        (0, "You can cancel or move it until it begins."),
        (90, "You can cancel or move it until Tuesday 5 March, 07:30."),
        (26 * 60, "It begins so soon that you cannot cancel or move it here."),
    ],
)
def test_the_policy_is_said_in_words(api: Api, reader: Reader, notice: int, words: str) -> None:
    doctor = api.doctor()
    slot_id = doctor.publish()
    assert doctor.put("/doctor/policies", {"cancellation_notice": notice}).status_code == 200
    reader.log_in(api.patient())
    assert words in reader.read(f"/book/{doctor.doctor_id}/{slot_id}")


def test_the_clinics_address_is_the_place_where_no_other_is_named(make_app: MakeApp) -> None:
    app = make_app(clinic_address="1 Example Street")
    doctor = Api(app.test_client()).doctor()
    page = Reader(app.test_client()).read(f"/book/{doctor.doctor_id}/{doctor.publish()}")
    assert "1 Example Street" in page
