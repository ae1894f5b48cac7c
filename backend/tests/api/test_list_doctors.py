"""GET /patient/doctors."""

from __future__ import annotations

import pytest
from apiflask import APIFlask
from sqlalchemy import text

from src.database.transaction import transaction
from tests.people import Api, error_of

PATH = "/patient/doctors"


def test_no_doctors_are_no_pages(api: Api) -> None:
    answer = api.patient().get(PATH)
    assert answer.status_code == 200
    assert answer.get_json() == {"data": [], "page": 1, "total_pages": 0, "total": 0}


def test_doctors_are_listed_without_their_addresses(api: Api) -> None:
    doctor, ada = api.doctor("Dr. Fenna Quill", designation="Prof.", specialization="Cardiology"), api.patient()
    other = api.doctor("Dr. Koji Stem", designation="", specialization="")
    answer = ada.get(PATH)
    assert answer.get_json() == {
        "data": [
            {
                "id": doctor.doctor_id,
                "name": "Dr. Fenna Quill",
                "designation": "Prof.",
                "specialization": "Cardiology",
            },
            {"id": other.doctor_id, "name": "Dr. Koji Stem", "designation": "", "specialization": ""},
        ],
        "page": 1,
        "total_pages": 1,
        "total": 2,
    }
    assert b"@" not in answer.data


def test_pages_hold_every_doctor_once_in_a_stable_order(api: Api) -> None:
    ada = api.patient()
    doctors = [api.doctor(f"Dr. Number {number}").doctor_id for number in range(5)]
    # A changed row must not move in the list.
    assert api.client.get("/health").status_code == 200
    for limit, pages in ((1, 5), (2, 3), (3, 2), (5, 1), (100, 1)):
        seen = []
        for page in range(1, pages + 1):
            body = ada.get(f"{PATH}?page={page}&limit={limit}").get_json()
            assert (body["page"], body["total_pages"], body["total"]) == (page, pages, 5)
            assert len(body["data"]) <= limit
            seen += [row["id"] for row in body["data"]]
        assert seen == doctors


def test_pages_are_right_when_doctors_have_left_and_ids_have_gaps(app: APIFlask, api: Api) -> None:
    """Doctors are counted in blocks of 200 ids: here some blocks have several doctors and others have none."""
    ada, doctors = api.patient(), []
    for number in (1, 2, 199, 200, 201, 399, 400, 2501, 2502, 2503):
        give_the_next_doctor_the_id(app, number)
        doctors.append(api.doctor(f"Dr. Number {number}"))
    assert [doctor.doctor_id for doctor in doctors][-1] == 2503
    for gone in (0, 5, 7):
        assert doctors[gone].delete("/doctor/account").status_code == 200
    here = [doctor.doctor_id for number, doctor in enumerate(doctors) if number not in {0, 5, 7}]
    for limit in range(1, 9):
        for page in range(1, 10):
            body = ada.get(f"{PATH}?page={page}&limit={limit}").get_json()
            assert [row["id"] for row in body["data"]] == here[(page - 1) * limit : page * limit], (page, limit)
            assert body["total"] == 7


def give_the_next_doctor_the_id(app: APIFlask, number: int) -> None:
    with app.app_context(), transaction(writes=True) as db:
        if db.dialect.name == "postgresql":
            db.execute(text("SELECT setval('doctors_id_seq', :id, false)"), {"id": number})
        else:
            db.execute(text("DELETE FROM sqlite_sequence WHERE name = 'doctors'"))
            db.execute(text("INSERT INTO sqlite_sequence (name, seq) VALUES ('doctors', :id - 1)"), {"id": number})


def test_a_page_has_ten_rows_unless_asked(api: Api) -> None:
    ada = api.patient()
    for number in range(11):
        api.doctor(f"Dr. Number {number}")
    body = ada.get(PATH).get_json()
    assert (len(body["data"]), body["total_pages"], body["total"]) == (10, 2, 11)
    assert len(ada.get(f"{PATH}?page=2").get_json()["data"]) == 1


@pytest.mark.parametrize("page", ["2", "3", "1000", str(2**31), str(2**53)])
def test_a_page_after_the_last_is_empty(api: Api, page: str) -> None:
    ada = api.patient()
    api.doctor()
    answer = ada.get(f"{PATH}?page={page}&limit=100")
    assert answer.status_code == 200
    assert answer.get_json() == {"data": [], "page": int(page), "total_pages": 1, "total": 1}


def test_the_order_survives_changes(api: Api) -> None:
    ada = api.patient()
    first, second = api.doctor("Dr. Quill"), api.doctor("Dr. Stem")
    assert first.post("/doctor/profile", {"specialization": "Cardiology"}).status_code == 200
    assert [row["id"] for row in ada.get(PATH).get_json()["data"]] == [first.doctor_id, second.doctor_id]


def test_a_deleted_doctor_is_gone_and_not_counted(api: Api) -> None:
    ada = api.patient()
    first, second = api.doctor("Dr. Quill"), api.doctor("Dr. Stem")
    assert first.delete("/doctor/account").status_code == 200
    body = ada.get(f"{PATH}?limit=1").get_json()
    assert [row["id"] for row in body["data"]] == [second.doctor_id]
    assert (body["total_pages"], body["total"]) == (1, 1)


@pytest.mark.parametrize("limit", ["0", "101", "1000000", "-1"])
def test_a_limit_out_of_range_is_refused(api: Api, limit: str) -> None:
    answer = api.patient().get(f"{PATH}?limit={limit}")
    assert answer.status_code == 400
    assert error_of(answer).startswith("limit")


def test_unknown_parameters_are_ignored(api: Api) -> None:
    api.doctor()
    body = api.patient().get(f"{PATH}?order=name&offset=5&q=x").get_json()
    assert len(body["data"]) == 1


def test_one_doctor_is_shown_with_the_time_zone(api: Api) -> None:
    doctor, ada = api.doctor("Dr. Fenna Quill", specialization="Cardiology", time_zone="Europe/Berlin"), api.patient()
    shown = ada.get(f"{PATH}/{doctor.doctor_id}")
    assert shown.status_code == 200
    assert shown.get_json() == {
        "id": doctor.doctor_id,
        "name": "Dr. Fenna Quill",
        "designation": "Dr.",
        "specialization": "Cardiology",
        "time_zone": "Europe/Berlin",
    }
    assert doctor.delete("/doctor/account").status_code == 200
    gone = ada.get(f"{PATH}/{doctor.doctor_id}")
    assert gone.status_code == 404
    error_of(gone)
