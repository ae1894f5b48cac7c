"""The list of doctors: the search, the next three times of each, and the pages."""

from __future__ import annotations

import re

from apiflask import APIFlask

from tests.api.test_statement_counts import statements
from tests.conftest import ON_BOTH
from tests.pages.conftest import Reader
from tests.people import Api, Doctor, hours

pytestmark = ON_BOTH

CHIP = re.compile(r'<a class="chip" href="/book/(\d+)/(\d+)">')


def chips(page: str) -> list[tuple[int, int]]:
    return [(int(doctor_id), int(slot_id)) for doctor_id, slot_id in CHIP.findall(page)]


def test_each_doctor_has_the_first_three_times_of_the_own_list(api: Api, reader: Reader) -> None:
    ada = api.patient()
    one, two, none = api.doctor("Dr. Fenna Quill"), api.doctor("Dr. Tobias Marrow"), api.doctor("Dr. Imani Lark")
    one.set_hours(hours("tuesday", "09:00", "10:00"))
    one.publish("08:00", "08:20")
    two.publish("10:00", "10:30")
    page = reader.read("/book")
    expected = [(one.doctor_id, time["slot_id"]) for time in ada.times(one, until="2030-03-31")[:3]]
    expected += [(two.doctor_id, time["slot_id"]) for time in ada.times(two)]
    assert chips(page) == expected
    assert "Dr. Imani Lark" in page
    assert page.count("No free times at the moment") == 1
    assert none.doctor_id not in {doctor_id for doctor_id, _ in chips(page)}


def test_a_search_by_visit_type_shows_its_times_alone(api: Api, reader: Reader) -> None:
    doctor, other = api.doctor("Dr. Fenna Quill"), api.doctor("Dr. Tobias Marrow")
    for each in (doctor, other):
        each.set_hours(hours("tuesday", "09:00", "12:00"))
    group = doctor.add_visit_type("Back school", 60, capacity=4)
    page = reader.read("/book?visit_type=bACK+school")
    times = api.patient().times(doctor, visit_type=group, until="2030-03-31")
    assert chips(page) == [(doctor.doctor_id, time["slot_id"]) for time in times[:3]]
    assert "Dr. Tobias Marrow" not in page
    assert f'href="/book/{doctor.doctor_id}?visit_type={group}"' in page
    assert "<option selected>Back school</option>" in page


def test_what_a_patient_holds_is_among_the_chips_of_that_patient_alone(api: Api, reader: Reader) -> None:
    doctor, ada = api.doctor(), api.patient()
    slot_id = doctor.publish()
    ada.hold(slot_id)
    assert chips(reader.read("/book")) == []
    reader.log_in(ada)
    assert chips(reader.read("/book")) == [(doctor.doctor_id, slot_id)]


def test_the_form_offers_what_there_is_and_keeps_what_was_asked_for(api: Api, reader: Reader) -> None:
    api.doctor("Dr. Fenna Quill", specialization="Cardiology").add_visit_type("For staff", booked_by="staff")
    api.doctor("Dr. Tobias Marrow", specialization="cardiology")
    page = reader.read("/book?name=quill&specialization=CARDIOLOGY&visit_type=")
    assert 'name="name" type="search" value="quill"' in page
    assert "<option selected>Cardiology</option>" in page
    assert "<option>cardiology</option>" not in page
    assert "<option>Consultation</option>" in page
    assert "For staff" not in page
    assert "1 doctor found" in page
    assert "Dr. Tobias Marrow" not in page
    assert "No doctor fits" in reader.read("/book?specialization=Astrology")
    assert "<option selected>Astrology</option>" in reader.read("/book?specialization=Astrology")


def test_what_the_search_tells_apart_is_two_choices(api: Api, reader: Reader) -> None:
    api.doctor("Dr. Fenna Quill", specialization="Fußpflege")
    api.doctor("Dr. Tobias Marrow", specialization="Fusspflege")
    page = reader.read("/book?specialization=fußpflege")
    assert "1 doctor found" in page
    assert page.count("<option selected>") == 1
    assert "<option selected>Fußpflege</option>" in page
    assert "<option>Fusspflege</option>" in page


def test_a_page_has_ten_doctors(api: Api, reader: Reader) -> None:
    for number in range(11):
        api.doctor(f"Dr. Number {number}")
    first, second = reader.read("/book"), reader.read("/book?page=2")
    assert first.count("<h2>") == 10
    assert "Page 1 of 2" in first
    assert 'rel="next" href="?page=2"' in first
    assert second.count("<h2>") == 1
    assert 'rel="prev" href="?page=1"' in second
    assert 'href="?name=number&amp;page=2"' in reader.read("/book?name=number")
    assert "There are no more doctors." in reader.read("/book?page=7")


def test_the_list_takes_as_many_statements_however_many_doctors_there_are(
    app: APIFlask, api: Api, reader: Reader
) -> None:
    counts = set[int]()
    for _ in range(2):
        for _ in range(3):
            api.doctor().publish()
        with statements(app) as seen:
            reader.read("/book?name=quill")
        counts.add(len(seen))
    assert counts == {4}


def test_a_wrong_query_is_a_page_with_a_way_out(reader: Reader) -> None:
    for query in ("page=0", "page=x", "name=%00"):
        answer = reader.open(f"/book?{query}")
        assert (answer.status_code, answer.mimetype) == (400, "text/html")
        assert 'href="/book">Open the page anew</a>' in answer.text


def test_the_api_finds_the_doctors_of_a_visit_type_and_its_next_time(api: Api) -> None:
    ada, doctor = api.patient(), api.doctor()
    _with_a_type(doctor, "Checkup")
    _with_a_type(api.doctor(), "Checkup", booked_by="staff")
    retired = api.doctor()
    assert retired.delete(f"/doctor/visit-types/{_with_a_type(retired, 'Checkup')}").status_code == 200
    query = {"visit_type": "CHECKUP", "next_available": "true"}
    [row] = ada.get("/patient/doctors", query_string=query).get_json()["data"]
    assert row["id"] == doctor.doctor_id
    [kind] = [each["id"] for each in doctor.visit_types() if each["name"] == "Checkup"]
    assert row["next_available"] == ada.times(doctor, visit_type=kind, until="2030-03-31")[0]
    del query["next_available"]
    [row] = ada.get("/patient/doctors", query_string=query).get_json()["data"]
    assert "next_available" not in row


def _with_a_type(doctor: Doctor, name: str, **fields: str) -> int:
    doctor.set_hours(hours("tuesday", "09:00", "12:00"))
    return doctor.add_visit_type(name, 60, **fields)
