"""`flask prepare`, which `./run` calls, and `flask demo`: demo people only where their password harms nobody."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from apiflask import APIFlask
from click.testing import Result

from src.tasks.demo import DOCTORS, PATIENTS
from tests.conftest import ON_POSTGRESQL, ON_SQLITE, MakeApp
from tests.people import Api
from tests.processes.servers import free_port

Command = Callable[..., Result]
PEOPLE = len(DOCTORS) + len(PATIENTS)
PRODUCTION = {"app_env": "production", "doctor_invitation_code": "a code that nobody has read"}


def run(app: APIFlask, *words: str, answer: str = "") -> Result:
    return app.test_cli_runner().invoke(args=list(words), input=answer)


def demo_log_ins(app: APIFlask) -> int:
    api = Api(app.test_client())
    emails = [doctor.email for doctor in DOCTORS] + [email for _, email in PATIENTS]
    return sum(api.log_in(email).status_code == 200 for email in emails)


@ON_SQLITE
def test_an_empty_embedded_database_is_filled_and_topped_up_at_each_start(make_app: MakeApp) -> None:
    app = make_app(port=free_port())
    for start in range(2):
        prepared = run(app, "prepare")
        assert prepared.exit_code == 0, prepared.output
        assert "Demo data is complete." in prepared.output
        assert demo_log_ins(app) == PEOPLE
        # The people who register in between do not end that.
        Api(app.test_client()).register(email=f"{start}@people.example")


@ON_SQLITE
def test_the_title_of_a_demo_doctor_is_in_the_designation_only(make_app: MakeApp) -> None:
    app = make_app()
    assert run(app, "demo").exit_code == 0
    patient = Api(app.test_client()).patient()
    listed = patient.get("/patient/doctors").get_json()["data"]
    # The published client shows the designation before the name.
    assert [f"{doctor['designation']} {doctor['name']}" for doctor in listed] == [
        "Dr. Fenna Quill",
        "Prof. Dr. Tobias Marrow",
        "Dr. Imani Lark",
        "Dr. Koji Stem",
    ]


@ON_SQLITE
def test_a_filling_that_was_killed_goes_on_at_the_next_start(make_app: MakeApp) -> None:
    app = make_app(port=free_port())
    run(app, "prepare")
    with app.test_client() as client:
        token = Api(client).log_in(DOCTORS[0].email).get_json()["access_token"]
        client.delete("/doctor/account", headers={"Authorization": f"Bearer {token}"})
    assert demo_log_ins(app) == PEOPLE - 1
    run(app, "prepare")
    assert demo_log_ins(app) == PEOPLE


@ON_SQLITE
def test_a_database_with_people_of_its_own_is_left_alone(make_app: MakeApp) -> None:
    app = make_app(port=free_port())
    Api(app.test_client()).patient()
    assert_left_alone(app, "people of its own")


@ON_POSTGRESQL
def test_a_postgresql_is_left_alone_even_an_empty_one(make_app: MakeApp) -> None:
    assert_left_alone(make_app(port=free_port()), "not the embedded one")


def test_production_is_left_alone(make_app: MakeApp) -> None:
    app = make_app(port=free_port(), **PRODUCTION)
    prepared = run(app, "prepare")
    assert prepared.exit_code == 0, prepared.output
    assert prepared.output.splitlines()[-1].startswith("Demo data is refused in production")
    assert demo_log_ins(app) == 0


def assert_left_alone(app: APIFlask, reason: str) -> None:
    prepared = run(app, "prepare")
    assert prepared.exit_code == 0, prepared.output
    sentence = prepared.output.splitlines()[-1]
    assert reason in sentence
    assert "flask demo" in sentence
    assert demo_log_ins(app) == 0


def test_who_asks_for_demo_people_gets_them(make_app: MakeApp) -> None:
    app = make_app()
    Api(app.test_client()).patient()
    declined = run(app, "demo", answer="n\n")
    assert declined.exit_code != 0
    assert demo_log_ins(app) == 0
    assert run(app, "demo", answer="y\n").exit_code == 0
    assert demo_log_ins(app) == PEOPLE


def test_no_question_is_asked_where_the_answer_is_given(make_app: MakeApp) -> None:
    app = make_app()
    Api(app.test_client()).patient()
    assert run(app, "demo", "--yes").exit_code == 0
    assert demo_log_ins(app) == PEOPLE


def test_production_refuses_demo_people_whoever_asks(make_app: MakeApp) -> None:
    app = make_app(**PRODUCTION)
    refused = run(app, "demo", "--yes")
    assert refused.exit_code == 1
    assert "refused in production" in refused.output
    assert "Traceback" not in refused.output
    assert demo_log_ins(app) == 0


@ON_SQLITE
def test_demo_doctors_have_hours_breaks_a_holiday_visit_types_a_group_and_a_published_slot(make_app: MakeApp) -> None:
    app = make_app()
    for _ in range(2):
        assert run(app, "demo", "--yes").exit_code == 0
    api = Api(app.test_client())
    patient = api.patient()
    ids = [doctor["id"] for doctor in patient.get("/patient/doctors").get_json()["data"]]
    free = [patient.get(f"/patient/doctors/{number}/availability").get_json()["data"] for number in ids]
    published = [time["slot_id"] for time in free[0] if time["visit_type_id"] is None]
    assert published == [1], "README's curl lines book it"
    assert {time["start_time"] for time in free[1]} == {
        "09:00", "09:30", "10:00", "10:30", "11:00", "11:30", "13:00", "13:30", "14:00", "14:30", "15:00", "15:30",
    }  # fmt: skip
    assert "2030-03-13" not in {time["date"] for time in free[1]}, "the holiday, a Wednesday"
    kinds = patient.get(f"/patient/doctors/{ids[2]}/visit-types").get_json()["data"]
    assert [kind["name"] for kind in kinds] == ["Consultation", "Short visit", "Parents' evening"]
    group = patient.get(f"/patient/doctors/{ids[2]}/availability?visit_type={kinds[2]['id']}").get_json()["data"]
    assert {time["seats_left"] for time in group} == {6}


@ON_SQLITE
def test_demo_doctors_have_limits_appointments_in_a_closure_and_no_time_for_weeks(make_app: MakeApp) -> None:
    app = make_app()
    for _ in range(2):
        assert run(app, "demo", "--yes").exit_code == 0
    api = Api(app.test_client())

    def shown(number: int, path: str) -> Any:
        token = api.log_in(DOCTORS[number].email).get_json()["access_token"]
        return app.test_client().get(path, headers={"Authorization": f"Bearer {token}"}).get_json()

    booked = shown(1, "/appointments/doctor")["data"]
    assert sorted((row["patient_name"], row["start_time"]) for row in booked) == [
        ("Ben Placeholder", "13:00"), ("Cleo Example", "13:30"),
    ]  # fmt: skip
    closures = [row for row in shown(1, "/doctor/exceptions")["data"] if row["from"] is not None]
    assert [(row["first_day"], row["from"], row["until"]) for row in closures] == [
        (booked[0]["date"], "13:00", "16:00")
    ]
    policies = shown(2, "/doctor/policies")
    assert (policies["cancellation_notice"], policies["most_ahead"]) == (1440, 2)
    listed = api.patient().get("/patient/doctors").get_json()["data"][3]
    query = {"until": "2030-12-31", "limit": 1}
    [first] = api.patient().get(f"/patient/doctors/{listed['id']}/availability", query_string=query).get_json()["data"]
    assert first["date"] == "2030-04-08", "five weeks ahead"


@ON_SQLITE
def test_hours_that_a_demo_doctor_changed_stay(make_app: MakeApp) -> None:
    app = make_app()
    assert run(app, "demo", "--yes").exit_code == 0
    token = Api(app.test_client()).log_in(DOCTORS[0].email).get_json()["access_token"]
    headers = {"Authorization": f"Bearer {token}"}
    client = app.test_client()
    assert client.put("/doctor/hours", json={"time_zone": "UTC", "weekly": []}, headers=headers).status_code == 200
    assert run(app, "demo", "--yes").exit_code == 0
    assert client.get("/doctor/hours", headers=headers).get_json()["weekly"] == []
