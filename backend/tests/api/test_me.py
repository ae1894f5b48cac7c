"""GET /auth/me, and with it every way in which a token can be wrong."""

from __future__ import annotations

import base64
from typing import Any

import jwt
import pytest

from tests.conftest import MakeApp
from tests.people import Api, Person, error_of

KEY = "a token secret of the tests, long enough"
FAR_FUTURE = 4102444800  # 2100


def again(token: str, key: str = KEY, algorithm: str = "HS256", **changes: Any) -> str:
    """Issue a person's token again with other claims; a claim changed to None is left out."""
    claims = jwt.decode(token, options={"verify_signature": False}) | changes
    kept = {name: value for name, value in claims.items() if value is not None}
    return jwt.encode(kept, key, algorithm)


def part(text: bytes | str) -> str:
    """Return a part of a token."""
    raw = text.encode() if isinstance(text, str) else text
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def ask(person: Person, header: str) -> Any:
    return person.client.get("/auth/me", headers={"Authorization": header})


def test_it_says_who_i_am(api: Api) -> None:
    doctor, patient = api.doctor("Dr. Fenna Quill"), api.patient("Ada Sample")
    for person, role in ((doctor, "doctor"), (patient, "patient")):
        answer = person.get("/auth/me")
        assert answer.status_code == 200
        assert answer.get_json() == {
            "id": person.id,
            "name": person.name,
            "email": person.email,
            "role": role,
            "phone": None,
            "language": None,
            "time_zone": "UTC" if role == "doctor" else None,
            "email_confirmed": False,
        }


def test_a_token_goes_with_the_word_bearer_in_any_letter_case(api: Api) -> None:
    ada = api.patient()
    for word in ("Bearer", "bearer", "BEARER"):
        assert ask(ada, f"{word} {ada.token}").status_code == 200


def test_a_wrong_header_is_refused(api: Api) -> None:
    ada = api.patient()
    head, body, signature = ada.token.split(".")
    for header in (
        "",
        " ",
        "Bearer",
        "Bearer ",
        "Bearer null",
        "Bearer undefined",
        "Bearer garbage",
        "Bearer a.b.c",
        "Bearer ..",
        "Bearer \u00fc.\u00fc.\u00fc",
        "Bearer " + "x" * 10_000,
        "Bearer " + "." * 5_000,
        ada.token,
        f"Basic {ada.token}",
        f"Token {ada.token}",
        f"JWT {ada.token}",
        f"Bearer{ada.token}",
        f"Bearer {ada.token} {ada.token}",
        f"Bearer {ada.token},",
        f"Bearer {head}.{body}",
        f"Bearer {head}.{body}.",
        f"Bearer {head}.{body}.{signature[:-4]}",
        f"Bearer {head}.{body}.{part('x' * 32)}",
        f"Bearer {body}.{head}.{signature}",
        f"Bearer {head}..{signature}",
    ):
        answer = ask(ada, header)
        assert answer.status_code == 401, header[:80]
        assert "log in" in error_of(answer)


@pytest.mark.filterwarnings("ignore::jwt.warnings.InsecureKeyLengthWarning")
def test_a_forged_or_outdated_token_is_refused(api: Api) -> None:
    ada = api.patient()
    # A token issued again without a mistake is accepted.
    assert ask(ada, f"Bearer {again(ada.token, exp=FAR_FUTURE)}").status_code == 200
    wrong = {
        "another key": again(ada.token, key="another secret, which is just as long"),
        "no algorithm": again(ada.token, key="", algorithm="none"),
        "another algorithm": again(ada.token, algorithm="HS384"),
        "expired": again(ada.token, iat=1, nbf=1, exp=2),
        "not yet": again(ada.token, nbf=FAR_FUTURE - 1, exp=FAR_FUTURE),
        "nobody": again(ada.token, sub=None),
        "unknown": again(ada.token, sub="999999"),
        "id 0": again(ada.token, sub="0"),
        "no number": again(ada.token, sub="ada"),
        "negative": again(ada.token, sub="-1"),
        "Arabic-Indic digits": again(ada.token, sub="\u0661"),
        "superscript": again(ada.token, sub="\u00b9"),
        "too large for the database": again(ada.token, sub=str(2**63)),
        "much too large": again(ada.token, sub="1" + "0" * 5000),
        "empty": again(ada.token, sub=""),
        "another epoch": again(ada.token, epoch=1),
        "no epoch": again(ada.token, epoch=None),
        "epoch of another type": again(ada.token, epoch="0"),
        "refresh token": again(ada.token, type="refresh"),
    }
    for name, token in wrong.items():
        answer = ask(ada, f"Bearer {token}")
        assert answer.status_code == 401, name
        assert "log in" in error_of(answer)


def test_a_payload_changed_on_the_way_is_refused(api: Api) -> None:
    ada, eve = api.patient("Ada Sample"), api.patient("Eve Sample")
    head, _, signature = eve.token.split(".")
    assert ask(eve, f"Bearer {head}.{ada.token.split('.')[1]}.{signature}").status_code == 401
    unsigned = ".".join((part('{"alg":"none","typ":"JWT"}'), ada.token.split(".")[1], ""))
    assert ask(eve, f"Bearer {unsigned}").status_code == 401


@pytest.mark.parametrize(
    ("head", "payload"),
    [
        ('{"alg":"HS256"}', "[" * 5_000),
        ('{"alg":"HS256"}', '{"a":' * 2_000),
        ("[" * 5_000, "{}"),
        ('{"alg":"HS256"}', "1" * 5_000),
        ('{"alg":"HS256"}', '{"exp":' + "1" * 5_000 + "}"),
        ('{"alg":"HS256"}', '{"exp":1e999}'),
        ('{"alg":"HS256"}', '{"sub":"\\ud800"}'),
        ('{"alg":["HS256"]}', "{}"),
        ('{"alg":{"a":1}}', "{}"),
        ('{"alg":null}', "{}"),
        ("{}", "{}"),
        ("null", "null"),
        ("[]", "[]"),
        ("1", '"x"'),
        (b"\xff\xfe", b"\xff"),
        ('{"alg":"HS256","kid":1}', "{}"),
        ('{"alg":"HS256","crit":["x"]}', "{}"),
        ('{"alg":"HS256","b64":false,"crit":["b64"]}', "{}"),
    ],
)
def test_a_token_of_strange_json_is_refused(api: Api, head: bytes | str, payload: bytes | str) -> None:
    answer = api.client.get("/auth/me", headers={"Authorization": f"Bearer {part(head)}.{part(payload)}.{part('x')}"})
    assert answer.status_code == 401
    error_of(answer)


def test_a_deleted_accounts_token_is_refused_at_once(api: Api) -> None:
    doctor = api.doctor()
    other_session = api.log_in(doctor.email).get_json()["access_token"]
    assert ask(doctor, f"Bearer {other_session}").status_code == 200
    assert doctor.delete("/doctor/account").status_code == 200
    for token in (doctor.token, other_session, again(doctor.token, epoch=0), again(doctor.token, epoch=1)):
        answer = ask(doctor, f"Bearer {token}")
        assert answer.status_code == 401
        error_of(answer)


def test_a_token_is_good_on_every_machine_with_the_same_secret(api: Api, make_app: MakeApp) -> None:
    ada = api.patient()
    header = {"Authorization": f"Bearer {ada.token}"}
    assert make_app().test_client().get("/auth/me", headers=header).status_code == 200
    stranger = make_app(jwt_secret_key="the secret of quite another clinic")
    answer = stranger.test_client().get("/auth/me", headers=header)
    assert answer.status_code == 401
    error_of(answer)
