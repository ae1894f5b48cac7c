"""Field types that several schemas share. Their messages complete the sentence "<field> …"."""

from __future__ import annotations

import re
import unicodedata
from datetime import date, datetime, time, timedelta
from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, Field, WithJsonSchema

from src.domain.minutes import MINUTES_OF_DAY
from src.domain.policies import LONGEST_NOTICE
from src.schemas.findings import Code, Wrong
from src.schemas.one_line import one_line
from src.settings.time_zones import time_zone_names
from src.utils.addresses import parsed_address

LARGEST_ID = 2**63 - 1
SHORTEST_PASSWORD = 8  # NIST SP 800-63B, section 5.1.1.1
LONGEST_PASSWORD = 1024
# By which the OpenAPI document finds the fields whose least length a setting can raise.
NEW_PASSWORD_FORMAT = "password"  # noqa: S105 - a word of OpenAPI
END_OF_DAY = "24:00"
NOT_AN_ID = f"must be a whole number from 1 to {LARGEST_ID}."
BEFORE: dict[Code, str] = {
    "before_from": "must not be before from.",
    "before_first_day": "must not be before first_day.",
    "before_valid_from": "must not be before valid_from.",
}

_DIGITS = re.compile(r"[0-9]{1,20}", re.ASCII)
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_TIME = re.compile(r"(?:[01][0-9]|2[0-3]):[0-5][0-9]")


def email_key(address: str) -> str:
    """Return the address without letter case and in one Unicode form: the same for all spellings of a mailbox."""
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", address).casefold())


def _not_blank(text: str) -> str:
    # Characters of the categories C and Z are invisible or blank; a name needs at least one other.
    if not any(unicodedata.category(character)[0] not in "CZ" for character in text):
        raise Wrong("blank", "must not be blank.")
    return text


def _address(text: str) -> str:
    # The library refuses these too, but our sentence for its errors does not mention the brackets.
    if "<" in text or ">" in text:
        raise Wrong("not_a_plain_email", "must be a plain e-mail address, without name or angle brackets.")
    try:
        return parsed_address(text.strip(" ")).normalized
    except ValueError:
        raise Wrong("not_an_email", "must be one valid e-mail address, like ada@example.org.") from None


def _without_nul(text: str) -> str:
    if "\0" in text:
        raise Wrong("contains_nul", "must not contain the character NUL.")
    return text


def _long_enough(text: str) -> str:
    if len(text) < SHORTEST_PASSWORD:
        raise Wrong("too_short", "must have at least {min_length} characters.", min_length=SHORTEST_PASSWORD)
    return text


def _date(text: object) -> date:
    if not isinstance(text, str) or not _DATE.fullmatch(text):
        raise Wrong("not_a_date", "must be a date written as YYYY-MM-DD, like 2030-05-14.")
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise Wrong("no_such_date", "is a date that no calendar has.") from None


def _time(text: object) -> time:
    if not isinstance(text, str) or not _TIME.fullmatch(text):
        raise Wrong("not_a_time", "must be a time from 00:00 to 23:59 written as HH:MM, like 09:30.")
    return time.fromisoformat(text)


def _date_and_time(text: object) -> datetime:
    day, _, at = text.partition("T") if isinstance(text, str) else ("", "", "")
    if not (_DATE.fullmatch(day) and _TIME.fullmatch(at)):
        raise Wrong("not_a_date_and_time", "must be written as YYYY-MM-DDTHH:MM, like 2030-05-14T09:30.")
    return datetime.combine(_date(day), _time(at))


def _end_time(text: object) -> timedelta:
    if text == END_OF_DAY:
        return timedelta(hours=24)
    if not isinstance(text, str) or not _TIME.fullmatch(text):
        raise Wrong("not_a_time", "must be a time from 00:00 to 24:00 written as HH:MM, like 09:30.")
    return timedelta(hours=int(text[:2]), minutes=int(text[3:]))


def _time_of_day(text: object) -> int:
    begin = _time(text)
    return 60 * begin.hour + begin.minute


def _end_time_of_day(text: object) -> int:
    return _end_time(text) // timedelta(minutes=1) or MINUTES_OF_DAY


def _time_zone(text: str) -> str:
    if text not in time_zone_names():
        raise Wrong("not_a_time_zone", "must be an IANA time zone, like Europe/Berlin.")
    return text


def last_day(last: date | None, first: date | None, wrong: Code = "before_from") -> date | None:
    """Return the last day; raise Wrong with this code of BEFORE if it is before the first."""
    if first is not None and last is not None and last < first:
        raise Wrong(wrong, BEFORE[wrong])
    return last


def ascii_digits(value: object) -> Any:
    """Return the number for a string of ASCII digits, and any other value unchanged."""
    return int(value) if isinstance(value, str) and _DIGITS.fullmatch(value) else value


def _id(value: object) -> int:
    value = ascii_digits(value)
    if type(value) is not int or not 1 <= value <= LARGEST_ID:
        raise Wrong("not_an_id", NOT_AN_ID)
    return value


def _whole_number(value: object) -> int:
    if type(value) is not int:
        raise Wrong("not_a_whole_number", "must be a whole number.")
    return value


def _flag(value: object) -> bool:
    if not isinstance(value, bool):
        raise Wrong("not_true_or_false", "must be true or false.")
    return value


def _query_flag(value: object) -> bool:
    return _flag({"true": True, "false": False}.get(value, value) if isinstance(value, str) else value)


def _query_number(value: object) -> int:
    number = ascii_digits(value)
    if type(number) is not int:
        raise Wrong("not_a_whole_number", "must be a whole number.")
    return number


OneLine = Annotated[str, Field(max_length=200), AfterValidator(one_line)]
Description = Annotated[str, Field(max_length=1000), AfterValidator(one_line)]
Name = Annotated[OneLine, Field(min_length=1), AfterValidator(_not_blank)]
Email = Annotated[
    str,
    Field(max_length=320, json_schema_extra={"format": "email"}),
    AfterValidator(_without_nul),
    AfterValidator(_address),
]
Password = Annotated[str, Field(max_length=LONGEST_PASSWORD), AfterValidator(_without_nul)]
NewPassword = Annotated[
    Password,
    Field(json_schema_extra={"minLength": SHORTEST_PASSWORD, "format": NEW_PASSWORD_FORMAT}),
    AfterValidator(_long_enough),
]
WallDate = Annotated[
    date, BeforeValidator(_date), WithJsonSchema({"type": "string", "format": "date", "examples": ["2030-05-14"]})
]
WallTime = Annotated[
    time,
    BeforeValidator(_time),
    WithJsonSchema({"type": "string", "pattern": "^([01][0-9]|2[0-3]):[0-5][0-9]$", "examples": ["09:30"]}),
]
WallDateTime = Annotated[
    datetime,
    BeforeValidator(_date_and_time),
    WithJsonSchema(
        {
            "type": "string",
            "pattern": "^[0-9]{4}-[0-9]{2}-[0-9]{2}T([01][0-9]|2[0-3]):[0-5][0-9]$",
            "examples": ["2030-05-14T09:30"],
        }
    ),
]
# The time since the midnight before: a `time` cannot be 24:00.
WallEndTime = Annotated[
    timedelta,
    BeforeValidator(_end_time),
    WithJsonSchema(
        {
            "type": "string",
            "pattern": "^(([01][0-9]|2[0-3]):[0-5][0-9]|24:00)$",
            "examples": ["10:00"],
            "description": "24:00 is the end of the day, and so is 00:00 (unless the slot starts then). Another time"
            " before `start_time` means the next day, if the clock shows at most 12 hours more by then.",
        }
    ),
]
# Minutes since midnight, as hours are kept.
TimeOfDay = Annotated[
    int,
    BeforeValidator(_time_of_day),
    WithJsonSchema({"type": "string", "pattern": "^([01][0-9]|2[0-3]):[0-5][0-9]$", "examples": ["09:00"]}),
]
EndTimeOfDay = Annotated[
    int,
    BeforeValidator(_end_time_of_day),
    WithJsonSchema(
        {
            "type": "string",
            "pattern": "^(([01][0-9]|2[0-3]):[0-5][0-9]|24:00)$",
            "examples": ["17:30"],
            "description": "24:00 is the end of the day, and so is 00:00",
        }
    ),
]
TimeZone = Annotated[str, Field(max_length=64, examples=["Europe/Berlin"]), AfterValidator(_time_zone)]
Id = Annotated[
    int,
    BeforeValidator(_id),
    WithJsonSchema(
        {
            "anyOf": [
                {"type": "integer", "minimum": 1, "maximum": LARGEST_ID},
                {"type": "string", "pattern": "^0*[1-9][0-9]{0,17}$"},
            ],
            "examples": [17],
        }
    ),
]
QueryNumber = Annotated[int, BeforeValidator(_query_number)]
QueryId = Annotated[int, Field(ge=1, le=LARGEST_ID), BeforeValidator(_query_number)]
QueryFlag = Annotated[bool, BeforeValidator(_query_flag), WithJsonSchema({"type": "boolean"})]
WholeNumber = Annotated[int, BeforeValidator(_whole_number)]
# A number of minutes, or of visits, each of which takes a minute or more.
WithinADay = Annotated[int, Field(ge=1, le=MINUTES_OF_DAY), BeforeValidator(_whole_number)]
# In minutes, up to a leap year.
Notice = Annotated[int, Field(ge=0, le=LONGEST_NOTICE), BeforeValidator(_whole_number)]
Limit = Annotated[int, Field(ge=1, le=1_000_000), BeforeValidator(_whole_number)]
Flag = Annotated[bool, BeforeValidator(_flag)]
