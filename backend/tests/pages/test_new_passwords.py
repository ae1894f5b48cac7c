"""The pages of registration, change and reset say which passwords the clinic accepts."""

from __future__ import annotations

import re

import pytest
from apiflask import APIFlask

from tests.conftest import MakeApp
from tests.mail_tokens import reset_token_of
from tests.pages.conftest import Reader
from tests.people import Api

STRICT = {"password_min_length": 10, "password_refuse_common": "yes"}
STRONG = "a horse that correctly reads batteries"
COMMON = {
    "en": "is one of the commonest passwords; please choose another one.",
    "de": "gehört zu den häufigsten Passwörtern. Bitte wählen Sie ein anderes.",
}
LEAST = {"en": "At least {} characters.", "de": "Mindestens {} Zeichen."}


@pytest.fixture
def strict(make_app: MakeApp) -> APIFlask:
    return make_app(**STRICT)


def marked(page: str) -> list[str]:
    """Return the names of the fields that are marked as wrong."""
    return re.findall(r'<input id="(\w+)"[^>]*aria-invalid="true"', page)


@pytest.mark.parametrize("code", ["en", "de"])
def test_the_pages_say_how_long_a_password_must_be(app: APIFlask, make_app: MakeApp, code: str) -> None:
    for each, least in ((app, 8), (make_app(**STRICT), 10)):
        page = Reader(each.test_client()).read(f"/register?language={code}")
        assert LEAST[code].format(least) in page
        assert f'minlength="{least}"' in page


@pytest.mark.parametrize("code", ["en", "de"])
def test_a_registration_with_a_common_password_says_so_at_the_field(strict: APIFlask, code: str) -> None:
    reader = Reader(strict.test_client())
    form = {"name": "Ada Sample", "email": "ada@people.example"}
    refused = reader.send(f"/register?language={code}", **form, password="Password123")
    assert refused.status_code == 400
    assert marked(refused.text) == ["password"]
    assert COMMON[code] in refused.text
    assert 'value="ada@people.example"' in refused.text
    assert "Password123" not in refused.text
    assert marked(reader.send("/register", **form, password="Ada Sample").text) == ["password"]
    assert reader.send("/register", **form, password=STRONG).status_code == 303


def test_a_change_and_a_reset_say_so_too(app: APIFlask, strict: APIFlask, api: Api) -> None:
    ada = api.patient()
    reader = Reader(strict.test_client())
    reader.log_in(ada)
    refused = reader.send("/password", current_password="password123", new_password="1234567890")
    assert (refused.status_code, marked(refused.text)) == (400, ["new_password"])
    assert COMMON["en"] in refused.text
    page = f"/password/reset?token={reset_token_of(app, ada)}"
    refused = reader.send(page, password="ninechars")
    assert (refused.status_code, marked(refused.text)) == (400, ["password"])
    assert "must have at least 10 characters." in refused.text
    assert reader.send(page, password=STRONG).status_code == 303
