"""Field types: what is taken, what is refused, and what becomes of it."""

from __future__ import annotations

from datetime import date, time, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from src.schemas.fields import LARGEST_ID, Email, Id, Name, OneLine, WallDate, WallEndTime, WallTime, email_key

QUICK = settings(deadline=None, database=None)
ANYTHING = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(), st.text(), st.lists(st.integers()), st.binary()
)


def taken(kind: Any, value: object) -> Any:
    """Return what the type makes of the value, or None when it is refused."""
    try:
        return TypeAdapter(kind).validate_python(value)
    except ValidationError:
        return None


@QUICK
@given(number=st.integers(1, LARGEST_ID))
def test_an_id_is_a_number_or_its_digits(number: int) -> None:
    assert taken(Id, number) == taken(Id, str(number)) == number


@QUICK
@given(value=ANYTHING)
def test_an_id_is_nothing_else(value: object) -> None:
    number = taken(Id, value)
    if number is None:
        is_id = type(value) is int and 1 <= value <= LARGEST_ID
        assert not is_id
    else:
        assert 1 <= number <= LARGEST_ID
        assert type(value) in {int, str}
        assert int(str(value)) == number


@pytest.mark.parametrize(
    "value", [0, -1, True, 1.0, 2**63, "0", "", " 1", "1 ", "+1", "1_0", "1.0", "\u0661", "\u00b9"]
)
def test_these_are_no_ids(value: object) -> None:
    assert taken(Id, value) is None


@QUICK
@given(day=st.dates())
def test_a_date_is_written_in_one_way(day: date) -> None:
    assert taken(WallDate, day.isoformat()) == day
    for other in (day.strftime("%d.%m.%Y"), day.isoformat() + "T00:00", day.isoformat() + "\n", day):
        assert taken(WallDate, other) is None


@QUICK
@given(text=st.one_of(st.text(), st.from_regex(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")))
def test_what_is_taken_as_a_date_is_written_as_one(text: str) -> None:
    day = taken(WallDate, text)
    assert day is None or day.isoformat() == text


@QUICK
@given(text=st.one_of(st.text(), st.from_regex(r"\d{2}:\d{2}"), st.times().map(lambda at: f"{at:%H:%M}")))
def test_what_is_taken_as_a_time_is_written_as_one(text: str) -> None:
    at, end = taken(WallTime, text), taken(WallEndTime, text)
    assert at is None or f"{at:%H:%M}" == text
    assert (end is None) == (at is None and text != "24:00")


def test_every_minute_of_the_day_is_a_time() -> None:
    for minute in range(24 * 60):
        text = f"{minute // 60:02}:{minute % 60:02}"
        assert taken(WallTime, text) == time(minute // 60, minute % 60)
        assert taken(WallEndTime, text) == timedelta(minutes=minute)


def test_the_end_of_the_day_is_an_end_and_no_start() -> None:
    assert taken(WallTime, "24:00") is None
    assert taken(WallEndTime, "24:00") == timedelta(hours=24)


@QUICK
@given(text=st.text())
def test_one_line_is_one_line(text: str) -> None:
    line = taken(OneLine, text)
    if line is not None:
        assert len(line.splitlines()) <= 1
        assert line == text.strip()
        line.encode()
        assert "\0" not in line


def sentence_about(kind: Any, value: object) -> str:
    with pytest.raises(ValidationError) as refused:
        TypeAdapter(kind).validate_python(value)
    return str(refused.value.errors()[0]["ctx"]["error"])


@pytest.mark.parametrize("blank", ["", " ", "\u00a0"])
def test_a_name_can_be_seen(blank: str) -> None:
    assert taken(Name, blank) is None
    assert taken(Name, blank + "Ada") == "Ada"


@pytest.mark.parametrize("kind", [Name, OneLine])
@pytest.mark.parametrize(
    "character",
    ["\u200b", "\u2060", "\ufeff", "\u00ad", "\u200e", "\u200f", "\u061c", "\u180e", "\U000e0041", "\u3164", "\u034f"],
)
def test_no_character_is_invisible(kind: Any, character: str) -> None:
    for text in (character, f"Ada{character}", f"{character}Ada", f"A{character}da"):
        assert sentence_about(kind, text) == f"must not contain the invisible character U+{ord(character):04X}."


@pytest.mark.parametrize("kind", [Name, OneLine])
@pytest.mark.parametrize("number", [*range(0x202A, 0x202F), *range(0x2066, 0x206A)])
def test_no_character_changes_the_direction_of_text(kind: Any, number: int) -> None:
    sentence = sentence_about(kind, f"Ada {chr(number)}Sample")
    assert sentence == f"must not contain U+{number:04X}, which changes the direction of text."


@pytest.mark.parametrize(
    "name",
    [
        "\u0639\u0644\u06cc\u200c\u0631\u0636\u0627",  # Persian, a joined name of two words
        "\u0dc1\u0dca\u200d\u0dbb\u0dd3",  # Sinhala, after a virama
        "\u0915\u094d\u200d\u0937\u092e\u093e",  # Devanagari
        "\u0d30\u0d3e\u0d1c\u0d28\u0d4d\u200d",  # Malayalam, after a virama at the end of a word
        "\u0d30\u0d3e\u0d1c\u0d28\u0d4d\u200d \u0d15",
        "O\u2019Neill-M\u00fcller",
        "Rene\u0301",
        "\u9089\U000e0101",  # a variant of a character in a Japanese family name
    ],
)
def test_names_of_all_languages_are_taken(name: str) -> None:
    assert taken(Name, name) == name


@pytest.mark.parametrize("joiner", ["\u200c", "\u200d"])
def test_a_joiner_stands_between_letters_only(joiner: str) -> None:
    assert taken(Name, f"\u0639{joiner}\u0631") is not None
    for text in (
        f"Ada{joiner}",
        f"{joiner}Ada",
        f"Ada{joiner} B",
        f"Ada {joiner}B",
        f"A{joiner}{joiner}da",
        f"1{joiner}2",
    ):
        assert sentence_about(Name, text) == f"must not contain U+{ord(joiner):04X} except between letters."


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("ada@people.example", "ADA@People.Example"),
        ("\u00e4nne@people.example", "\u00c4NNE@people.example"),
        ("ren\u00e9@people.example", "RENE\u0301@people.example"),
        ("\u03bf\u03b4\u03cd\u03c2@people.example", "\u039f\u0394\u038e\u03a3@people.example"),
    ],
)
def test_two_spellings_of_a_mailbox_have_one_key(one: str, other: str) -> None:
    assert email_key(taken(Email, one)) == email_key(taken(Email, other))


def test_two_mailboxes_have_two_keys() -> None:
    addresses = ["ada@people.example", "ad\u00e1@people.example", "a.da@people.example", "ada+tag@people.example"]
    assert len({email_key(taken(Email, address)) for address in addresses}) == len(addresses)


@QUICK
@given(text=st.text())
def test_a_key_of_a_key_is_the_key(text: str) -> None:
    assert email_key(email_key(text)) == email_key(text)


@QUICK
@given(text=st.text(st.characters(codec="utf-8"), max_size=40), before=st.booleans())
def test_nothing_can_be_smuggled_into_a_header_with_an_address(text: str, *, before: bool) -> None:
    address = taken(Email, text + "ada@people.example" if before else "ada@people.example" + text)
    if address is not None:
        assert not set(address) & set("\r\n\0<>,; \t")
        assert address.count("@") == 1
