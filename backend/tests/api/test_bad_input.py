"""Whatever is sent, the answer is a clear refusal: never a 5xx, never HTML, never a redirect."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from tests.people import CODE, DAY, PASSWORD, Api, Doctor, Patient, error_of

JSON = "application/json"
LONGEST_SENTENCE = 200


@dataclass
class Clinic:
    """A doctor with a free slot, a patient with an appointment, and how each of the calls is made rightly."""

    client: FlaskClient
    doctor: Doctor
    patient: Patient
    # The one whose password changes, so that the others' tokens live on.
    changer: Patient
    slot_id: int
    appointment_id: int

    def token(self, who: str | None) -> str:
        people = {"doctor": self.doctor, "patient": self.patient, "changer": self.changer}
        return people[who].token if who else ""

    def send(self, method: str, path: str, who: str | None, **options: Any) -> TestResponse:
        token = self.token(who)
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        return self.client.open(path, method=method, headers=headers | options.pop("headers", {}), **options)

    def post_bytes(self, path: str, who: str | None, data: bytes, content_type: str | None = JSON) -> TestResponse:
        return self.send("POST", path, who, data=data, content_type=content_type)

    def good_bodies(self) -> dict[str, dict[str, Any]]:
        return {
            "/auth/register": {
                "name": "Ben Sample",
                "email": "ben@people.example",
                "password": PASSWORD,
                "role": "doctor",
                "invitation_code": CODE,
            },
            "/auth/login": {"email": self.patient.email, "password": PASSWORD},
            "/auth/password": {"current_password": PASSWORD, "new_password": "another password"},
            "/doctor/profile": {"designation": "Prof.", "specialization": "Cardiology", "time_zone": "Europe/Berlin"},
            "/doctor/availability": {"date": DAY, "start_time": "15:00", "end_time": "15:30"},
            "/appointments": {"slot_id": self.slot_id},
        }


WHO: dict[str, str | None] = {
    "/auth/register": None,
    "/auth/login": None,
    "/auth/password": "changer",
    "/doctor/profile": "doctor",
    "/doctor/availability": "doctor",
    "/appointments": "patient",
}


@pytest.fixture
def clinic(api: Api) -> Clinic:
    doctor, patient, changer = api.doctor(), api.patient(), api.patient("Cleo Sample")
    appointment_id = patient.book(doctor.publish("09:00", "09:30"))
    return Clinic(api.client, doctor, patient, changer, doctor.publish("10:00", "10:30"), appointment_id)


def refused(answer: TestResponse, status: int, case: object) -> str:
    """Check a refusal, and return its one plain sentence."""
    assert answer.status_code == status, (case, answer.status_code, answer.data[:300])
    sentence = error_of(answer)
    assert "\n" not in sentence, case
    assert 10 < len(sentence) < LONGEST_SENTENCE, (case, sentence)
    assert "Location" not in answer.headers, case
    return sentence


def still_works(clinic: Clinic) -> None:
    """Check that it was the bad part alone that was refused: the good bodies are taken, and nothing is spoilt."""
    for path, body in clinic.good_bodies().items():
        answer = clinic.send("POST", path, WHO[path], json=body)
        assert answer.status_code in {200, 201}, (path, answer.get_json())
    [mine] = [
        row
        for row in clinic.patient.get("/appointments/my").get_json()["data"]
        if row["appointment_id"] == clinic.appointment_id
    ]
    assert mine["status"] == "booked"


# --- Bodies ---------------------------------------------------------------------------------------------------------

NOT_OBJECTS = [
    b"",
    b" ",
    b"[]",
    b"null",
    b'"x"',
    b"1",
    b"1.5",
    b"true",
    b'[{"slot_id": 1}]',
    b"{",
    b"{}{}",
    b'{"slot_id": 1,}',
    b"{'slot_id': 1}",
    b"{slot_id: 1}",
    b'{"slot_id": NaN}',
    b'{"slot_id": -Infinity}',
    b'{"slot_id": 01}',
    b'{"slot_id": ' + b"9" * 5_000 + b"}",
    b'{"name": "a\nb"}',
    b'{"name": "\\x"}',
    b'{"name": "\\ud800"}',
    b'{"name": "\\udc00\\ud800"}',
    b'{"\\ud800": 1}',
    b"\xff\xfe\x00\x01",
    b'{"name": "\xff"}',
    b'{"name": "\xed\xa0\x80"}',
    b'{"name": "\xc0\x80"}',
    '{"slot_id": 1}'.encode("utf-16"),
    '{"slot_id": 1}'.encode("utf-32"),
    b"\x00",
    b"slot_id=1",
    b"<slot_id>1</slot_id>",
    b"[" * 30_000,
    b"[" * 30_000 + b"]" * 30_000,
    b'{"slot_id":' * 30_000,
    b'{"slot_id":' * 30_000 + b"1" + b"}" * 30_000,
    b'{"name":' + b"[" * 30_000 + b"]" * 30_000 + b"}",
]


def test_a_body_that_is_no_json_object_is_refused(clinic: Clinic) -> None:
    for path, who in WHO.items():
        for data in NOT_OBJECTS:
            refused(clinic.post_bytes(path, who, data), 400, (path, data[:60]))
        refused(clinic.send("POST", path, who, content_type=JSON), 400, path)
    still_works(clinic)


def test_a_body_of_another_content_type_is_refused(clinic: Clinic) -> None:
    types = [
        None,
        "",
        "text/plain",
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=x",
        "json",
        "x",
    ]
    for path, body in clinic.good_bodies().items():
        for content_type in types:
            answer = clinic.post_bytes(path, WHO[path], json.dumps(body).encode(), content_type)
            assert "application/json" in refused(answer, 415, (path, content_type))
        refused(clinic.send("POST", path, WHO[path]), 415, path)
    still_works(clinic)


def test_a_charset_beside_the_content_type_does_no_harm(clinic: Clinic) -> None:
    body = json.dumps(clinic.good_bodies()["/auth/login"]).encode()
    for content_type in ("application/json; charset=utf-8", "application/json;charset=UTF-8", "Application/JSON"):
        assert clinic.post_bytes("/auth/login", None, body, content_type).status_code == 200


def test_a_body_over_a_megabyte_is_refused(clinic: Clinic) -> None:
    most = 1024 * 1024
    for path, body in clinic.good_bodies().items():
        data = json.dumps(body).encode()
        sentence = refused(clinic.post_bytes(path, WHO[path], data + b" " * (most + 1 - len(data))), 413, path)
        assert "too large" in sentence
    login = json.dumps(clinic.good_bodies()["/auth/login"]).encode()
    assert clinic.post_bytes("/auth/login", None, login + b" " * (most - len(login))).status_code == 200
    still_works(clinic)


# --- Fields ---------------------------------------------------------------------------------------------------------

NO_STRINGS: list[Any] = [0, 1, -1, 1.5, 1e308, True, False, [], ["x"], {}, {"a": 1}, 10**40]
UNSAYABLE = ["a\0b", "\0", "a\ud800b", "\udfff"]
LONG = ["x" * 10_000, "\U0001f511" * 5_000]

NO_NAMES = ["", " ", "\t", "\n", "\u00a0", "\u200b", "\u2060\ufeff", "x" * 201]
NO_LINES = ["a\r\nb", "a\nb", "a\rb", "a\x1bb", "a\x7fb", "a\x85b", "a\u2028b", "a\u2029b", "a\tb"]
NO_ADDRESSES = [
    "",
    " ",
    "@",
    "ada",
    "ada@",
    "@people.example",
    "ada@people",
    "ada@people..example",
    "ada@.example",
    "ada@-people.example",
    "ada@people.example.",
    "ada@@people.example",
    "ada@people@people.example",
    ".ada@people.example",
    "ada.@people.example",
    "a..da@people.example",
    "ad a@people.example",
    "ada@peo ple.example",
    "ada@people.example\n",
    "\nada@people.example",
    "ada@people.example\r\nBcc: eve@people.example",
    "ada@people.example\nBcc: eve@people.example",
    "ada\r\n@people.example",
    "ada\t@people.example",
    "ada\u2028@people.example",
    "<ada@people.example>",
    "Ada <ada@people.example>",
    '"Ada" <ada@people.example>',
    "Ada Sample ada@people.example",
    "ada@people.example>",
    "ada@people.example (Ada)",
    "ada@people.example,eve@people.example",
    "ada@people.example, eve@people.example",
    "ada@people.example;eve@people.example",
    "ada@people.example eve@people.example",
    "mailto:ada@people.example",
    "a" * 300 + "@people.example",
    "ada@" + "x" * 64 + ".example",
    "ada@" + "x." * 150 + "example",
    "ada@people.example" + " " * 400,
    "ada\u200b@people.example",
    "ada\u202e@people.example",
]
NO_PASSWORDS = ["x" * 1025, "pass\0word", "\0" * 10, "pass\ud800word"]
NO_DATES = [
    "",
    " ",
    "today",
    "2026-02-30",
    "2030-02-29",
    "2030-04-31",
    "2030-13-01",
    "2030-00-10",
    "2030-01-00",
    "0000-01-01",
    "2030-1-5",
    "30-03-05",
    "02030-03-05",
    "+2030-03-05",
    "-2030-03-05",
    "05.03.2030",
    "03/05/2030",
    "2030/03/05",
    "20300305",
    "2030-064",
    "2030-W10-2",
    "2030-03-05T00:00",
    "2030-03-05T00:00:00Z",
    "2030-03-05 ",
    " 2030-03-05",
    "2030-03-05\n",
    "2030\u201003\u201005",
    "\u0662\u0660\u0663\u0660-\u0660\u0663-\u0660\u0665",
    "\uff12\uff10\uff13\uff10-03-05",
    "1899244800",
]
NO_TIMES = [
    "",
    " ",
    "noon",
    "9:5",
    "9:00",
    "09:5",
    "0900",
    "09.00",
    "09-00",
    "09:00:00",
    "09:00:00.000",
    "09:00 ",
    " 09:00",
    "09:00\n",
    "09:00Z",
    "09:00+00:00",
    "9:00 AM",
    "24:00",
    "25:00",
    "09:60",
    "-1:00",
    "009:00",
    "\u0660\u0669:\u0660\u0660",
    "\uff10\uff19:00",
    "09\uff1a00",
]
NO_IDS: list[Any] = [
    None,
    0,
    -1,
    1.5,
    1.0,
    1e308,
    -1e308,
    True,
    False,
    2**63,
    -(2**63),
    10**40,
    [],
    [1],
    {},
    {"id": 1},
    "",
    " ",
    "abc",
    "0",
    "-1",
    "+1",
    "1.5",
    "1.0",
    "1e3",
    "1_0",
    "0x1",
    " 1",
    "1 ",
    "1\n",
    "1\0",
    "null",
    "true",
    str(2**63),
    "1" + "0" * 40,
    "9" * 5_000,
    "\u0661",
    "\uff11",
    "\u00b9",
    "1\ud800",
]

BAD_FIELDS: list[tuple[str, str, list[Any]]] = [
    ("/auth/register", "name", [None, *NO_STRINGS, *UNSAYABLE, *LONG, *NO_NAMES, *NO_LINES]),
    ("/auth/register", "email", [None, *NO_STRINGS, *UNSAYABLE, *LONG, *NO_ADDRESSES]),
    ("/auth/register", "password", [None, *NO_STRINGS, *LONG, *NO_PASSWORDS, "", " ", "1234567", " " * 7]),
    ("/auth/register", "role", [None, *NO_STRINGS, *UNSAYABLE, *LONG, "", "admin", "Patient", "doctor ", "doctor\n"]),
    ("/auth/register", "invitation_code", [None, *NO_STRINGS, *UNSAYABLE, *LONG, "", " ", *NO_LINES]),
    ("/auth/login", "email", [None, *NO_STRINGS, *UNSAYABLE, *LONG, *NO_ADDRESSES]),
    ("/auth/login", "password", [None, *NO_STRINGS, *LONG, *NO_PASSWORDS]),
    ("/auth/password", "current_password", [None, *NO_STRINGS, *LONG, *NO_PASSWORDS]),
    ("/auth/password", "new_password", [None, *NO_STRINGS, *LONG, *NO_PASSWORDS, "", " ", "1234567", " " * 7]),
    ("/doctor/profile", "designation", [*NO_STRINGS, *UNSAYABLE, *LONG, *NO_LINES, "x" * 201]),
    ("/doctor/profile", "specialization", [*NO_STRINGS, *UNSAYABLE, *LONG, *NO_LINES, "x" * 201]),
    (
        "/doctor/profile",
        "time_zone",
        [*NO_STRINGS, *UNSAYABLE, *LONG, "", " ", "Mars/Olympus", "utc", "../UTC", "UTC\n"],
    ),
    ("/doctor/availability", "date", [None, *NO_STRINGS, *UNSAYABLE, *LONG, *NO_DATES]),
    ("/doctor/availability", "date", ["0001-01-01", "1970-01-01", "2030-03-03", "2041-01-01", "9999-12-31"]),
    (
        "/doctor/availability",
        "start_time",
        [None, *NO_STRINGS, *UNSAYABLE, *LONG, *NO_TIMES, "15:30", "15:31", "23:59"],
    ),
    ("/doctor/availability", "end_time", [None, *NO_STRINGS, *UNSAYABLE, *LONG, *NO_TIMES, "15:00", "14:59", "00:00"]),
    ("/appointments", "slot_id", NO_IDS),
]
REQUIRED = {
    "/auth/register": ["name", "email", "password", "role", "invitation_code"],
    "/auth/login": ["email", "password"],
    "/auth/password": ["current_password", "new_password"],
    "/doctor/availability": ["date", "start_time", "end_time"],
    "/appointments": ["slot_id"],
}


@pytest.mark.parametrize(("path", "field", "values"), BAD_FIELDS)
def test_a_field_of_a_wrong_value_is_refused(clinic: Clinic, path: str, field: str, values: list[Any]) -> None:
    good = clinic.good_bodies()[path]
    for value in values:
        data = json.dumps(good | {field: value}).encode()
        refused(clinic.post_bytes(path, WHO[path], data), 400, (path, field, value))
    still_works(clinic)


def test_a_wrong_value_is_blamed_on_its_field(clinic: Clinic) -> None:
    for path, field, _ in BAD_FIELDS:
        body = clinic.good_bodies()[path] | {field: [7]}
        assert refused(clinic.send("POST", path, WHO[path], json=body), 400, body).startswith(field)


def test_a_missing_field_is_refused(clinic: Clinic) -> None:
    for path, fields in REQUIRED.items():
        for field in fields:
            body = clinic.good_bodies()[path]
            del body[field]
            refused(clinic.send("POST", path, WHO[path], json=body), 400, (path, field))
        refused(clinic.send("POST", path, WHO[path], json={}), 400, path)
    still_works(clinic)


def test_a_right_slot_id_that_nobody_has_is_not_found(clinic: Clinic) -> None:
    for slot_id in (999, 2**31 - 1, 2**31, 2**32, 2**53 + 1, 2**63 - 1, str(2**31), str(2**63 - 1)):
        refused(clinic.patient.post("/appointments", {"slot_id": slot_id}), 404, slot_id)


# --- Paths ----------------------------------------------------------------------------------------------------------

ID_PATHS: list[tuple[str, str, str]] = [
    ("GET", "/patient/doctors/{}/availability", "patient"),
    ("GET", "/appointments/{}", "patient"),
    ("GET", "/appointments/{}", "doctor"),
    ("POST", "/appointments/{}/cancel", "patient"),
    ("POST", "/appointments/{}/cancel", "doctor"),
]
NO_PATH_IDS = [
    "0",
    "00",
    "-1",
    "+1",
    "%2B1",
    "1.5",
    "1.0",
    "1e3",
    "0x1",
    "1_0",
    "abc",
    "null",
    "NaN",
    "true",
    "%201",
    "1%20",
    "1%0A",
    "1%0D%0A",
    "1%00",
    "%00",
    "%",
    "1%",
    "%ff",
    "%D9%A1",
    "%EF%BC%91",
    "%C2%B9",
    "1;x=1",
    "1,2",
    "*",
    "'",
    "1'--",
    "%3Cscript%3E",
    "..",
    "%2e%2e",
    "1%2F2",
    str(2**63),
    str(2**64 + 1),
    "1" + "0" * 40,
    "9" * 5_000,
]
UNKNOWN_IDS = ["999", str(2**31), str(2**32), str(2**63 - 1)]


def test_an_id_that_is_none_is_not_found(clinic: Clinic) -> None:
    for method, template, who in ID_PATHS:
        for number in NO_PATH_IDS + UNKNOWN_IDS:
            path = template.format(number)
            refused(clinic.send(method, path, who), 404, (method, path[:80]))
    still_works(clinic)


ALLOWED: dict[str, set[str]] = {
    "/": {"GET"},
    "/health": {"GET"},
    "/health/live": {"GET"},
    "/health/ready": {"GET"},
    "/auth/register": {"POST"},
    "/auth/login": {"POST"},
    "/auth/me": {"GET"},
    "/auth/password": {"POST"},
    "/auth/logout": {"POST"},
    "/auth/logout-everywhere": {"POST"},
    "/doctor/dashboard": {"GET"},
    "/doctor/profile": {"GET", "POST"},
    "/doctor/account": {"DELETE"},
    "/doctor/availability": {"POST"},
    "/patient/dashboard": {"GET"},
    "/patient/doctors": {"GET"},
    "/patient/doctors/1/availability": {"GET"},
    "/appointments": {"POST"},
    "/appointments/my": {"GET"},
    "/appointments/doctor": {"GET"},
    "/appointments/1": {"GET"},
    "/appointments/1/cancel": {"POST"},
    "/dev/outbox": {"GET"},
}


def test_these_are_all_calls_that_there_are(client: FlaskClient) -> None:
    spec = client.get("/openapi.json").get_json()["paths"]
    there = {re.sub(r"{.*?}", "1", path): {method.upper() for method in calls} for path, calls in spec.items()}
    # Path parameters stand beside the methods in a path's description.
    assert {path: methods - {"PARAMETERS"} for path, methods in there.items()} == ALLOWED
    with_body = {
        path for path, calls in spec.items() if any("requestBody" in calls.get(m, {}) for m in ("post", "put"))
    }
    assert with_body == set(WHO)


def _slashed(path: str) -> Iterable[str]:
    yield f"{path}/"
    yield f"{path}//"
    yield f"/{path}"
    yield path.replace("/", "//")
    head, _, tail = path.rpartition("/")
    yield f"{head}//{tail}"


def test_a_slash_too_many_is_not_found_and_never_a_redirect(clinic: Clinic) -> None:
    for path, methods in ALLOWED.items():
        if path == "/":
            continue
        for method in methods:
            for wrong in _slashed(path):
                for who in (None, "doctor", "patient"):
                    # PATH_INFO itself: the test client would read //host/path.
                    answer = clinic.send(method, "/", who, environ_overrides={"PATH_INFO": wrong})
                    refused(answer, 404, (method, wrong))
    still_works(clinic)


def test_an_address_that_is_none_is_not_found(clinic: Clinic) -> None:
    paths = [
        "/nothing",
        "/auth",
        "/auth/me.json",
        "/AUTH/me",
        "/auth/%6De%00",
        "/api/auth/me",
        "/.env",
        "/%ff",
        "/\u00fc",
    ]
    for path in paths:
        for method in ("GET", "POST", "DELETE", "PUT", "PATCH"):
            refused(clinic.send(method, path, None), 404, (method, path))


def test_a_method_that_is_none_is_refused_with_those_that_are(clinic: Clinic) -> None:
    for path, methods in ALLOWED.items():
        for method in {"GET", "POST", "PUT", "PATCH", "DELETE", "TRACE", "BREW"} - methods:
            answer = clinic.send(method, path, "patient")
            refused(answer, 405, (method, path))
            allowed = {name.strip() for name in answer.headers["Allow"].split(",")}
            assert allowed - {"HEAD", "OPTIONS"} == methods, (method, path)
    still_works(clinic)


# --- Queries --------------------------------------------------------------------------------------------------------

NO_NUMBERS = [
    "",
    "0",
    "-1",
    "%2B1",
    "+1",
    "1.0",
    "1.5",
    "1e3",
    "1_0",
    "0x1",
    "%201",
    "1%20",
    "1%0A",
    "1%00",
    "%00",
    "abc",
    "null",
    "true",
    "NaN",
    "Infinity",
    "%ff",
    "%D9%A1",
    "%EF%BC%91",
    "%C2%B9",
    "1,2",
    "[1]",
    "1" + "0" * 22,
    "1" + "0" * 40,
    "9" * 5_000,
    str(2**63),
    str(2**64),
]
QUERIES = [
    ("/patient/doctors", "patient", "page"),
    ("/patient/doctors", "patient", "limit"),
    ("/appointments/my", "patient", "limit"),
    ("/appointments/my", "patient", "cursor"),
    ("/appointments/doctor", "doctor", "limit"),
    ("/appointments/doctor", "doctor", "cursor"),
]


def test_a_query_that_is_no_number_in_range_is_refused(clinic: Clinic) -> None:
    for path, who, name in QUERIES:
        assert clinic.send("GET", f"{path}?{name}=7", who).status_code == 200
        for value in NO_NUMBERS:
            case = f"{path}?{name}={value}"
            assert refused(clinic.send("GET", case, who), 400, case[:80]).startswith(name)
        assert clinic.send("GET", path, who).status_code == 200


def test_strange_queries_do_no_harm(clinic: Clinic) -> None:
    for query in (
        "page=1&page=abc",
        "limit=1&limit=2",
        "=",
        "&&&",
        "%00=1",
        "page[]=1",
        "page[a]=1",
        "%ff=%ff",
        "a" * 4_000,
    ):
        for path, who, _ in QUERIES:
            assert clinic.send("GET", f"{path}?{query}", who).status_code in {200, 400}, query


# --- Who asks comes before what is asked ----------------------------------------------------------------------------


def test_strangers_and_wrong_roles_learn_nothing_about_what_is_valid(clinic: Clinic) -> None:
    bodies = [b"", b"{", b"[]", b"null", b"{}", b"\xff", b"[" * 30_000, b'{"slot_id": 0, "date": 1, "designation": 1}']
    for path, who in WHO.items():
        if who is None:
            continue
        wrong = "patient" if who == "doctor" else "doctor"
        for data in bodies:
            for content_type in (JSON, "text/plain", None):
                refused(clinic.post_bytes(path, None, data, content_type), 401, (path, data[:40]))
                if who == "changer":
                    continue
                refused(clinic.post_bytes(path, wrong, data, content_type), 403, (path, data[:40]))
    for path, who, name in QUERIES:
        wrong = "patient" if who == "doctor" else "doctor"
        refused(clinic.send("GET", f"{path}?{name}=abc", None), 401, path)
        refused(clinic.send("GET", f"{path}?{name}=abc", wrong), 403, path)
    still_works(clinic)


# --- The answer itself ----------------------------------------------------------------------------------------------


def _refusals(clinic: Clinic) -> Iterable[tuple[int, Callable[[dict[str, str]], TestResponse]]]:
    def ask(method: str, path: str, who: str | None, **options: Any) -> Callable[[dict[str, str]], TestResponse]:
        return lambda headers: clinic.send(method, path, who, headers=headers, **options)

    yield 400, ask("POST", "/appointments", "patient", json={})
    yield 400, ask("POST", "/appointments", "patient", data=b"{", content_type=JSON)
    yield 401, ask("GET", "/auth/me", None)
    yield 403, ask("GET", "/doctor/profile", "patient")
    yield 404, ask("GET", "/appointments/999", "patient")
    yield 404, ask("GET", "/nothing", None)
    yield 405, ask("PUT", "/health", None)
    yield (
        409,
        ask(
            "POST", "/auth/register", None, json=clinic.good_bodies()["/auth/register"] | {"email": clinic.doctor.email}
        ),
    )
    yield 413, ask("POST", "/auth/login", None, data=b" " * (1024 * 1024 + 1), content_type=JSON)
    yield 415, ask("POST", "/auth/login", None, data=b"{}", content_type="text/plain")


def test_browsers_get_problem_json_too(clinic: Clinic) -> None:
    for status, ask in _refusals(clinic):
        refused(ask({"Accept": "text/html"}), status, status)


def test_the_web_client_may_read_every_refusal(clinic: Clinic) -> None:
    for status, ask in _refusals(clinic):
        origin = "http://localhost:5173"
        answer = ask({"Origin": origin})
        refused(answer, status, status)
        assert answer.headers["Access-Control-Allow-Origin"] == origin, status
        assert "Access-Control-Allow-Origin" not in ask({"Origin": "https://evil.example"}).headers, status
