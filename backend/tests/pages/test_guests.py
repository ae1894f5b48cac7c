"""Booking without an account, from a chosen time over a mail to the appointment."""

from __future__ import annotations

import pytest
from apiflask import APIFlask

from tests.conftest import MakeApp, StillClock
from tests.mail_tokens import guest_token_of
from tests.pages.conftest import Reader, hidden_fields
from tests.people import Api, Deliver

GUS = {"name": "Gus Passing", "email": "gus@people.example", "phone": ""}
DEAD = "This link no longer works"


def test_a_guest_chooses_a_time_and_books_it_with_the_link_of_the_mail(
    api: Api, reader: Reader, deliver: Deliver
) -> None:
    doctor = api.doctor()
    chosen = f"/book/{doctor.doctor_id}/{doctor.publish()}"
    page = f"/guest?next={chosen.replace('/', '%2F')}"
    assert "Book without an account" in reader.read(chosen)
    asked = reader.send(page, **GUS)
    assert (asked.status_code, asked.headers["Location"]) == (303, "/guest/sent")
    assert "Please go on with the link or the code in it." in reader.read("/guest/sent")
    mail = deliver()[-1]
    [link] = [line for line in mail.text.splitlines() if line.startswith("http://localhost:5000/guest/confirm?token=")]
    confirm = link.removeprefix("http://localhost:5000")
    for _ in range(2):
        assert DEAD not in reader.read(confirm), "a GET uses nothing up"
    went_on = reader.send(confirm)
    assert (went_on.status_code, went_on.headers["Location"]) == (303, chosen)
    assert "We hold this time for you" in reader.read(chosen)
    booked = reader.send(chosen)
    assert booked.status_code == 303
    assert booked.headers["Location"].startswith("/my/")
    assert deliver()[-1].to == GUS["email"]
    assert DEAD in reader.read(confirm)


def test_the_account_of_a_guest_offers_to_choose_a_password(app: APIFlask, reader: Reader) -> None:
    sent = reader.send("/guest/confirm", token=guest_token_of(app, GUS["email"]))
    assert sent.status_code == 303
    page = reader.read("/my/account")
    assert 'href="/password/forgot"' in page
    for link in ("/password", "/email", "/second-factor"):
        assert f'href="{link}"' not in page


@pytest.mark.parametrize("field", ["name", "email"])
def test_a_mistake_is_shown_at_its_field_and_no_mail_goes(reader: Reader, deliver: Deliver, field: str) -> None:
    refused = reader.send("/guest?next=/book", **(GUS | {field: ""}))
    assert refused.status_code == 400
    assert 'aria-invalid="true"' in refused.text
    assert hidden_fields(refused.text)["next"] == "/book"
    assert deliver() == []


def test_a_link_to_another_site_is_not_followed(app: APIFlask, reader: Reader) -> None:
    token = guest_token_of(app, GUS["email"])
    sent = reader.send(f"/guest/confirm?token={token}&next=//elsewhere.example/")
    assert sent.headers["Location"] == "/home"


def test_a_link_that_is_too_old_says_so_at_once(app: APIFlask, reader: Reader, clock: StillClock) -> None:
    page = f"/guest/confirm?token={guest_token_of(app, GUS['email'])}&next=/book"
    clock.forward(minutes=24 * 60 + 1)
    text = reader.read(page)
    assert DEAD in text
    assert 'href="/guest?next=/book"' in text
    assert "<input" not in text.split("<main", 1)[1].split("</main>", 1)[0]


def test_without_guests_no_page_offers_it(make_app: MakeApp) -> None:
    reader = Reader(make_app(guests_may_book="no").test_client())
    refused = reader.open("/guest")
    assert refused.status_code == 403
    assert "Nobody can book here without an account" in refused.text
