"""Rules about appointments."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from typing import get_args

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from src.domain.appointment_rules import check_slot_times, shown_status
from src.domain.refusals import (
    ERROR_OF_REFUSAL,
    Refusal,
    accepted,
    raise_if_refused,
    why_not_bookable,
    why_not_changeable,
)
from src.errors_of_appointments import BadSlot

NOW = datetime(2030, 3, 4, 8, 0, tzinfo=timezone.utc)
SECOND, MINUTE, HOUR, DAY = (timedelta(**{unit: 1}) for unit in ("seconds", "minutes", "hours", "days"))
SPANS = st.timedeltas(-2 * DAY, 2 * DAY)


@pytest.mark.parametrize(
    ("starts_in", "status"),
    [
        (10 * DAY, "booked"),
        (SECOND, "booked"),
        (timedelta(), "in_progress"),
        (-MINUTE, "in_progress"),
        (SECOND - HOUR, "in_progress"),
        (-HOUR, "completed"),
        (-10 * DAY, "completed"),
    ],
)
def test_the_status_follows_the_clock(starts_in: timedelta, status: str) -> None:
    starts_at = NOW + starts_in
    assert shown_status("booked", starts_at, starts_at + HOUR, NOW) == status
    assert shown_status("cancelled", starts_at, starts_at + HOUR, NOW) == "cancelled"


@pytest.mark.parametrize(
    ("status", "starts_in", "refusal"),
    [
        ("booked", SECOND, None),
        ("booked", timedelta(), "already_begun"),
        ("booked", -DAY, "already_begun"),
        ("cancelled", DAY, "already_cancelled"),
        ("cancelled", -DAY, "already_cancelled"),
    ],
)
def test_what_is_booked_and_ahead_can_be_cancelled(status: str, starts_in: timedelta, refusal: Refusal | None) -> None:
    assert why_not_changeable(status, NOW + starts_in, "UTC", NOW, 0) == refusal


@pytest.mark.parametrize(
    ("status", "starts_in", "refusal"),
    [
        ("free", SECOND, None),
        ("free", timedelta(), "slot_past"),
        ("booked", SECOND, "slot_taken"),
        ("booked", -SECOND, "slot_past"),
        ("withdrawn", SECOND, "slot_unknown"),
        ("withdrawn", -SECOND, "slot_unknown"),
    ],
)
def test_what_is_free_and_ahead_can_be_booked(status: str, starts_in: timedelta, refusal: Refusal | None) -> None:
    assert why_not_bookable(status, NOW + starts_in, NOW) == refusal


@pytest.mark.parametrize("refusal", list(ERROR_OF_REFUSAL))
def test_a_refusal_is_raised_as_its_error(refusal: Refusal) -> None:
    with pytest.raises(ERROR_OF_REFUSAL[refusal]):
        accepted(refusal)
    with pytest.raises(ERROR_OF_REFUSAL[refusal]):
        raise_if_refused(refusal)


def test_what_is_not_refused_goes_on() -> None:
    assert accepted(17) == 17
    raise_if_refused(None)


def test_every_refusal_has_an_error() -> None:
    assert set(ERROR_OF_REFUSAL) == set(get_args(Refusal))


@settings(deadline=None, database=None)
@given(status=st.sampled_from(["booked", "cancelled"]), starts_in=SPANS, length=st.timedeltas(MINUTE, DAY))
def test_booked_is_shown_if_and_only_if_it_can_be_cancelled(
    status: str, starts_in: timedelta, length: timedelta
) -> None:
    starts_at = NOW + starts_in
    can_be_cancelled = why_not_changeable(status, starts_at, "UTC", NOW, 0) is None
    assert (shown_status(status, starts_at, starts_at + length, NOW) == "booked") == can_be_cancelled


@pytest.mark.parametrize("starts_in", [SECOND, HOUR, 3652 * DAY])
def test_a_slot_ahead_is_good(starts_in: timedelta) -> None:
    check_slot_times(NOW + starts_in, NOW + starts_in + MINUTE, NOW)


@pytest.mark.parametrize(
    ("starts_in", "length", "said"),
    [
        (HOUR, timedelta(), "after the start"),
        (HOUR, -SECOND, "after the start"),
        (timedelta(), HOUR, "in the future"),
        (-SECOND, HOUR, "in the future"),
        (-1000 * DAY, 2000 * DAY, "in the future"),
        (3654 * DAY, HOUR, "ten years"),
    ],
)
def test_a_slot_without_length_past_or_far_away_is_refused(starts_in: timedelta, length: timedelta, said: str) -> None:
    with pytest.raises(BadSlot, match=said):
        check_slot_times(NOW + starts_in, NOW + starts_in + length, NOW)
