"""The front page: what a clinic's people see, and one click into the demo data."""

from __future__ import annotations

import pytest
from apiflask import APIFlask

from src.context import SlowContext
from src.database.transaction import transaction
from src.tasks import demo
from tests.conftest import NOW, ON_POSTGRESQL, ON_SQLITE, MakeApp
from tests.pages.conftest import Reader

ADA = "ada@patients.example"
FENNA = "fenna.quill@clinic.example"


def add_demo_data(app: APIFlask) -> None:
    with app.app_context():
        for _ in demo.top_up(SlowContext(transaction, NOW, "", None, app.extensions["settings"])):
            pass


@ON_SQLITE
@pytest.mark.unguarded
@pytest.mark.parametrize(("email", "home"), [(ADA, "/my"), (FENNA, "/desk")])
def test_one_click_makes_a_demo_person(app: APIFlask, reader: Reader, email: str, home: str) -> None:
    add_demo_data(app)
    assert f'value="{email}"' in reader.read("/")
    entered = reader.post("/demo", email=email)
    assert (entered.status_code, entered.headers["Location"]) == (303, "/home")
    assert reader.open("/home").headers["Location"] == home


@ON_SQLITE
@pytest.mark.unguarded
def test_one_click_is_for_this_machine_and_for_demo_people_alone(app: APIFlask, reader: Reader) -> None:
    assert reader.post("/demo", email=ADA).status_code == 403
    add_demo_data(app)
    assert reader.post("/demo", email="somebody@people.example").status_code == 403
    elsewhere = Reader(app.test_client())
    elsewhere.client.environ_base["REMOTE_ADDR"] = "192.0.2.7"
    assert elsewhere.post("/demo", email=ADA).status_code == 403
    assert reader.post("/demo", email=ADA).status_code == 303


@ON_POSTGRESQL
@pytest.mark.unguarded
def test_no_click_makes_anybody_on_another_database(app: APIFlask, reader: Reader) -> None:
    add_demo_data(app)
    assert ADA not in reader.read("/")
    assert reader.post("/demo", email=ADA).status_code == 403


@ON_SQLITE
def test_production_has_neither_demo_nor_links_for_developers(make_app: MakeApp) -> None:
    app = make_app(app_env="production", doctor_invitation_code="a code of our own")
    page = Reader(app.test_client()).read("/")
    assert ADA not in page
    assert "/dev/outbox" not in page
    assert "/docs" not in page
    assert 'href="/book"' in page
    assert Reader(app.test_client()).post("/demo", email=ADA).status_code == 404
