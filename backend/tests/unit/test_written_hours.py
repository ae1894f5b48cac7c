"""The hours of a day as people write them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from src.domain.written_hours import NotUnderstood, spans_of, written

MORNING, AFTERNOON = (9 * 60, 12 * 60 + 30), (14 * 60, 17 * 60)


@pytest.mark.parametrize(
    "text",
    [
        "09:00-12:30, 14:00-17:00",
        "09:00\u201312:30, 14:00\u201317:00",
        "9-12:30 and 14-17",
        "9\u201312.30, 14\u201317",
        "9-12.30 und 14-17 Uhr",
        "9 Uhr - 12.30 Uhr und 14 Uhr - 17 Uhr",
        "von 9 bis 12.30 Uhr, von 14 bis 17 Uhr",
        "from 9 to 12:30, and from 14 to 17",
        "  14-17 ;9 \u2014 12h30,  ",
        "9h-12h30/14h-17h",
        "0900-1230 1400-1700",
        "9-12:30\n14-17",
        "9\u221212:30 & 14\u221217",
    ],
)
def test_many_spellings_mean_the_same_hours(text: str) -> None:
    assert spans_of(text) == [MORNING, AFTERNOON]


@pytest.mark.parametrize("text", ["", "  ", "-", "\u2013", "closed", "Geschlossen"])
def test_a_day_can_be_closed(text: str) -> None:
    assert spans_of(text) == []


@pytest.mark.parametrize("text", ["0-24", "00:00-24:00", "0:00 - 00:00"])
def test_a_day_can_be_open_until_midnight(text: str) -> None:
    assert spans_of(text) == [(0, 1440)]


def test_hours_that_touch_stay_two() -> None:
    assert spans_of("9-12, 12-15") == [(540, 720), (720, 900)]


@pytest.mark.parametrize(
    ("text", "trouble"),
    [
        ("9", "not_understood"),
        ("9-12-14", "not_understood"),
        ("9-12,5", "not_understood"),
        ("9,30-12", "not_understood"),
        ("nine to five", "not_understood"),
        ("9am-5pm", "not_understood"),
        ("9-25", "not_understood"),
        ("9-24:30", "not_understood"),
        ("24-24", "not_understood"),
        ("9:60-12", "not_understood"),
        ("9-12 maybe", "not_understood"),
        (", 9-12", "not_understood"),
        ("\u0669-\u0661\u0662", "not_understood"),
        ("17-9", "ends_before_it_begins"),
        ("9-9", "ends_before_it_begins"),
        ("9-5", "ends_before_it_begins"),
        ("9-12, 11-14", "overlapping"),
        ("11-14, 9-12", "overlapping"),
    ],
)
def test_what_is_not_understood_is_refused_with_its_reason(text: str, trouble: str) -> None:
    with pytest.raises(NotUnderstood) as refusal:
        spans_of(text)
    assert refusal.value.trouble == trouble


def test_a_long_text_takes_no_long_time() -> None:
    with pytest.raises(NotUnderstood):
        spans_of("9" + " " * 5000 + "x")
    with pytest.raises(NotUnderstood):
        spans_of("9-10," * 2000 + "x")


@given(st.lists(st.integers(0, 1440), unique=True, max_size=12))
def test_what_is_written_is_read_as_the_same_hours(minutes: list[int]) -> None:
    ends = sorted(minutes)
    spans = list(zip(ends[::2], ends[1::2], strict=False))
    assert spans_of(written(spans)) == spans


@given(st.text(max_size=40))
def test_any_text_is_understood_or_refused(text: str) -> None:
    try:
        spans_of(text)
    except NotUnderstood:
        return
