"""Values that the API must refuse, by the type of the field."""

from __future__ import annotations

import typing
from types import NoneType
from typing import Any, Literal
from urllib.parse import quote

from pydantic import BaseModel

from src.schemas import contact, fields
from src.schemas.affected import AppointmentIds
from src.schemas.appointment_list import Cursor
from src.schemas.availability import FreeCursor
from src.schemas.hours import VisitTypeIds, WeeklyRows
from src.schemas.hours_exception import ExceptionCursor

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
WRONG_CONTENT_TYPES = [
    None,
    "",
    "text/plain",
    "application/x-www-form-urlencoded",
    "multipart/form-data; boundary=x",
    "json",
    "x",
]

NOT_STRINGS: list[Any] = [0, 1, -1, 1.5, 1e308, True, False, [], ["x"], {}, {"a": 1}, 10**40]
NUL_AND_SURROGATES = ["a\0b", "\0", "a\ud800b", "\udfff"]
LONG = ["x" * 10_000, "\U0001f511" * 5_000]
NOT_NAMES = ["", " ", "\t", "\n", "\u00a0", "\u200b", "\u2060\ufeff", "x" * 201]
NOT_ONE_LINE = ["a\r\nb", "a\nb", "a\rb", "a\x1bb", "a\x7fb", "a\x85b", "a\u2028b", "a\u2029b", "a\tb"]
NOT_VISIBLE = ["a\u202eb", "a\u2066b", "a\u200bb", "a\u00adb", "a\ufeff", "a\u200d"]
NOT_ADDRESSES = [
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
NOT_PASSWORDS = ["x" * 1025, "pass\0word", "\0" * 10, "pass\ud800word"]
NOT_DATES = [
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
NOT_TIMES = [
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
    "24:01",
    "24:59",
    "25:00",
    "09:60",
    "-1:00",
    "009:00",
    "\u0660\u0669:\u0660\u0660",
    "\uff10\uff19:00",
    "09\uff1a00",
]
NOT_DATES_AND_TIMES = [
    *(f"{day}T09:00" for day in NOT_DATES),
    *(f"2030-03-05T{at}" for at in (*NOT_TIMES, "24:00")),
    "2030-03-05",
    "2030-03-05 09:00",
    "2030-03-05t09:00",
    "09:00",
    "0001-01-01T00:00",
    "9999-12-31T23:59",
]
NOT_IDS: list[Any] = [
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
NOT_PHONES = ["", "+", "+4", "+4930", "030 23125123", "0049 30 23125123", "+999 12345678", "+49 30 23125123 ext. 7"]
NOT_TIME_ZONES = [
    "",
    " ",
    "Mars/Olympus",
    "utc",
    "europe/berlin",
    "Europe/Berlin ",
    "UTC\n",
    "+02:00",
    "CEST",
    "Factory",
    "localtime",
    "posixrules",
    "../UTC",
    "/etc/passwd",
]

# Percent-encoded, for the path of a URL.
NOT_PATH_IDS = [
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
# Percent-encoded, for the query of a URL.
NOT_NUMBERS = [
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
STRANGE_QUERIES = [
    "page=1&page=abc",
    "limit=1&limit=2",
    "=",
    "&&&",
    "%00=1",
    "page[]=1",
    "page[a]=1",
    "%ff=%ff",
    "a" * 4_000,
]

NOT_FLAGS: list[Any] = [0, 1, 1.0, "true", "false", "", [], [True], {}]
NOT_WHOLE_NUMBERS: list[Any] = [1.0, 1.5, 1e308, True, False, "", "1", " 1", [], [1], {}, 10**40, -(10**40)]
NOT_LISTS: list[Any] = [0, 1.5, True, "", "[]", {}, {"0": 1}]
NOT_OBJECTS_IN_A_LIST: list[Any] = [[7], [None], ["x"], [[]], [{}]]

_TEXT = [*NOT_STRINGS, *NUL_AND_SURROGATES, *LONG]
_LINE = [*_TEXT, *NOT_ONE_LINE, *NOT_VISIBLE, "x" * 201]
_PASSWORD = [*NOT_STRINGS, *LONG, *NOT_PASSWORDS]
BAD_FOR: dict[Any, list[Any]] = {
    fields.Name: [*_LINE, *NOT_NAMES],
    fields.OneLine: _LINE,
    fields.Email: [*_TEXT, *NOT_ADDRESSES],
    fields.Password: _PASSWORD,
    fields.NewPassword: [*_PASSWORD, "", " ", "1234567", " " * 7],
    fields.WallDate: [*_TEXT, *NOT_DATES],
    fields.WallDateTime: [*_TEXT, *NOT_DATES_AND_TIMES],
    fields.WallTime: [*_TEXT, *NOT_TIMES, "24:00"],
    fields.WallEndTime: [*_TEXT, *NOT_TIMES],
    contact.Phone: [*_LINE, *NOT_PHONES],
    contact.LanguageCode: [*_TEXT, "", " ", "DE", "de ", "de-AT", "tlh", "../de"],
    fields.TimeZone: [*_TEXT, *NOT_TIME_ZONES],
    fields.Id: NOT_IDS,
    fields.Description: [*_TEXT, *NOT_ONE_LINE, *NOT_VISIBLE, "x" * 1001],
    fields.Flag: NOT_FLAGS,
    fields.QueryFlag: ["", " ", "1", "0", "True", "FALSE", "yes", "no", "null", "true ", "\u0661"],
    fields.TimeOfDay: [*_TEXT, *NOT_TIMES, "24:00"],
    fields.EndTimeOfDay: [*_TEXT, *NOT_TIMES],
    VisitTypeIds: [*NOT_LISTS, [], *([number] for number in NOT_IDS), [1, 0], [1] * 101],
    AppointmentIds: [*NOT_LISTS, [], *([number] for number in NOT_IDS), [1, 0], [1, 1], list(range(1, 502))],
    WeeklyRows: [*NOT_LISTS, *NOT_OBJECTS_IN_A_LIST],
}


def bad_values(schema: type[BaseModel], field: str) -> list[Any]:
    """Return the values that a field of a body must refuse; raise KeyError for a type that is not in BAD_FOR."""
    kind, optional = _kind_of(schema, field)
    if typing.get_origin(kind) is Literal:
        words = typing.get_args(kind)
        forms = (str.upper, str.capitalize, " {}".format, "{} ".format, "{}\n".format)
        bad = [*_TEXT, "", "admin", list(words), *({form(word) for word in words for form in forms} - set(words))]
    elif set(fields.WholeNumber.__metadata__) <= set(getattr(kind, "__metadata__", ())):
        limits = _limits(schema, field)
        beyond = [limit["minimum"] - 1 for limit in limits] + [limit["maximum"] + 1 for limit in limits]
        bad = [*NOT_WHOLE_NUMBERS, *beyond]
    else:
        bad = BAD_FOR[kind]
    return bad if optional else [None, *bad]


def bad_query_values(schema: type[BaseModel], name: str) -> list[str]:
    """Return the values, percent-encoded, that a query parameter must refuse."""
    kind, _ = _kind_of(schema, name)
    if kind == ExceptionCursor:
        return [*NOT_NUMBERS, "2030-02-30-1", "2030-03-05", "2030-03-05-", f"2030-03-05-{2**63}", "2030-03-05-1%20"]
    if kind == FreeCursor:
        return [*NOT_NUMBERS, "1", "5350000", "5350000-", "-1", "5350000-1-1", "999999999-1", "5350000-x"]
    if kind == Cursor:
        return [*NOT_NUMBERS, "0", str(2**63), "1-1-1", "1-1-0000000g", "9" * 18 + "-1-00000000"]
    if set(fields.QueryNumber.__metadata__) <= set(getattr(kind, "__metadata__", ())):
        limits = _limits(schema, name)
        return (
            NOT_NUMBERS
            + [str(limit["minimum"] - 1) for limit in limits if "minimum" in limit]
            + [str(limit["maximum"] + 1) for limit in limits if "maximum" in limit]
        )
    return [quote(value) for value in bad_values(schema, name) if isinstance(value, str) and _has_bytes(value)]


def _limits(schema: type[BaseModel], name: str) -> list[dict[str, Any]]:
    """Return the schema of a number as it is described, or its alternatives except null."""
    described = schema.model_json_schema()["properties"][name]
    return [limit for limit in described.get("anyOf", [described]) if limit.get("type") != "null"]


def _has_bytes(text: str) -> bool:
    """Return whether the text can be encoded as UTF-8: lone surrogates cannot."""
    return text.encode(errors="ignore").decode() == text


def _kind_of(schema: type[BaseModel], field: str) -> tuple[Any, bool]:
    """Return the field's annotated type without `| None`, and whether the annotation has `| None`."""
    annotation = typing.get_type_hints(schema, include_extras=True)[field]
    if NoneType not in typing.get_args(annotation):
        return annotation, False
    [kind] = (kind for kind in typing.get_args(annotation) if kind is not NoneType)
    return kind, True
