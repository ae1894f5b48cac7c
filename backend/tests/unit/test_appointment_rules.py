"""Rules about appointments."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from src.domain.appointment_rules import check_cancel, check_slot_times, shown_status
from src.errors import ClinicError
from src.errors_of_appointments import AlreadyBegun, AlreadyCancelled, BadSlot, NotYourAppointment

NOW = datetime(2030, 3, 4, 8, 0, tzinfo=timezone.utc)
SECOND, MINUTE, HOUR, DAY = (timedelta(**{unit: 1}) for unit in ("seconds", "minutes", "hours", "days"))
SPANS = st.timedeltas(-2 * DAY, 2 * DAY)
PATIENT, DOCTOR, STRANGER = 1, 2, 3


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


@pytest.mark.parametrize("caller", [PATIENT, DOCTOR])
def test_both_parties_may_cancel_what_is_ahead(caller: int) -> None:
    check_cancel("booked", NOW + SECOND, NOW, (PATIENT, DOCTOR), caller)


@pytest.mark.parametrize(
    ("status", "starts_in", "caller", "refusal"),
    [
        ("booked", timedelta(), PATIENT, AlreadyBegun),
        ("booked", -DAY, DOCTOR, AlreadyBegun),
        ("cancelled", DAY, PATIENT, AlreadyCancelled),
        ("cancelled", -DAY, DOCTOR, AlreadyCancelled),
        ("booked", DAY, STRANGER, NotYourAppointment),
        ("booked", -DAY, STRANGER, NotYourAppointment),
        ("cancelled", DAY, STRANGER, NotYourAppointment),
    ],
)
def test_everything_else_cannot_be_cancelled(
    status: str, starts_in: timedelta, caller: int, refusal: type[ClinicError]
) -> None:
    with pytest.raises(refusal):
        check_cancel(status, NOW + starts_in, NOW, (PATIENT, DOCTOR), caller)


@settings(deadline=None, database=None)
@given(status=st.sampled_from(["booked", "cancelled"]), starts_in=SPANS, length=st.timedeltas(MINUTE, DAY))
def test_booked_is_shown_if_and_only_if_it_can_be_cancelled(
    status: str, starts_in: timedelta, length: timedelta
) -> None:
    starts_at = NOW + starts_in
    try:
        check_cancel(status, starts_at, NOW, (PATIENT, DOCTOR), PATIENT)
        can_be_cancelled = True
    except ClinicError:
        can_be_cancelled = False
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
