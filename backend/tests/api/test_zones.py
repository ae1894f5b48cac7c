"""`flask zones` and the worker: what people agreed on stays at its wall clock when a zone's rules change."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
from apiflask import APIFlask
from sqlalchemy import text

from src.database.transaction import transaction
from src.domain.wall_clock import instant_of
from src.settings.time_zones import zone_data_version
from src.tasks import zones
from tests.conftest import StillClock
from tests.people import Api, Deliver, Doctor, error_of
from tests.zone_rules import Rules, changeable_rules

VANCOUVER = "America/Vancouver"
OLD, NEW = "2025.2", "2026.6"
# By the old rules Vancouver changes its clocks like Los Angeles. By the new ones it stays on UTC-7, like Phoenix.
OLD_RULES, NEW_RULES = "America/Los_Angeles", "America/Phoenix"
WINTER = "2027-01-12"


@pytest.fixture
def rules(tmp_path: Path, clock: StillClock) -> Iterator[Rules]:
    """Let Vancouver have its old rules, on a day of 2026."""
    clock.now = datetime(2026, 10, 5, 12, 0, tzinfo=timezone.utc)
    with changeable_rules(tmp_path / "zones") as change:
        change(VANCOUVER, OLD_RULES)
        yield change


@pytest.fixture
def doctor(rules: Rules, api: Api) -> Doctor:
    return api.doctor(time_zone=VANCOUVER)


def recompute(app: APIFlask, clock: StillClock, version: str = NEW) -> zones.Recomputed | None:
    with app.app_context():
        return zones.recompute(transaction, clock(), version)


def recorded(app: APIFlask) -> str | None:
    with app.app_context():
        return zones.recorded_version(transaction)


def sql(app: APIFlask, statement: str, **values: Any) -> list[Any]:
    with app.app_context(), transaction(writes=True) as db:
        result = db.execute(text(statement), values)
        return list(result.all()) if result.returns_rows else []


def spans(listed: list[dict[str, Any]]) -> list[tuple[str, str, str]]:
    return sorted((one["start_time"], one["end_time"], one["starts_at"]) for one in listed)


def test_a_slot_stays_at_its_wall_clock(
    app: APIFlask, api: Api, clock: StillClock, rules: Rules, doctor: Doctor
) -> None:
    ada = api.patient()
    recompute(app, clock, OLD)
    doctor.publish("09:00", "09:30", WINTER)
    ada.book(doctor.publish("10:00", "10:30", WINTER))
    assert spans(ada.free(doctor)) == [("09:00", "09:30", f"{WINTER}T09:00:00-08:00")]
    rules(VANCOUVER, NEW_RULES)
    # Not recomputed yet: the old instant, which the clocks will show as 10:00, but what was agreed on is shown.
    assert instant_of(datetime(2027, 1, 12, 10), VANCOUVER) == datetime(2027, 1, 12, 17, tzinfo=timezone.utc)
    assert spans(ada.free(doctor)) == [("09:00", "09:30", f"{WINTER}T09:00:00-08:00")]
    assert recompute(app, clock) == zones.Recomputed(moved=2, staying=[])
    assert recorded(app) == NEW
    assert spans(ada.free(doctor)) == [("09:00", "09:30", f"{WINTER}T09:00:00-07:00")]
    for person, path in ((ada, "/appointments/my"), (doctor, "/appointments/doctor")):
        assert spans(person.get(path).get_json()["data"]) == [("10:00", "10:30", f"{WINTER}T10:00:00-07:00")]
    assert recompute(app, clock) == zones.Recomputed(moved=0, staying=[])


def test_the_time_of_booking_and_cancelling_follows(
    app: APIFlask, api: Api, clock: StillClock, rules: Rules, doctor: Doctor
) -> None:
    ada, ben = api.patient(), api.patient("Ben Sample")
    free, booked = doctor.publish("09:00", "09:30", WINTER), doctor.publish("08:30", "09:00", WINTER)
    appointment_id = ada.book(booked)
    rules(VANCOUVER, NEW_RULES)
    recompute(app, clock)
    clock.now = datetime(2027, 1, 12, 15, 45, tzinfo=timezone.utc)
    assert "begun" in error_of(ada.cancel(appointment_id))
    ben.book(free)
    clock.forward(minutes=15)
    assert ben.get("/appointments/my").get_json()["data"][0]["status"] == "in_progress"


def test_neighbours_move_together(app: APIFlask, api: Api, clock: StillClock, rules: Rules, doctor: Doctor) -> None:
    ada = api.patient()
    for half in range(16, 36):
        slot_id = doctor.publish(
            f"{half // 2:02}:{half % 2 * 30:02}", f"{(half + 1) // 2:02}:{(half + 1) % 2 * 30:02}", WINTER
        )
        if half % 3:
            ada.book(slot_id)
    overnight = doctor.publish("22:00", "02:00", "2027-01-14")
    ada.book(overnight)
    # A summer slot has the same instant by both rules.
    summer = doctor.publish("09:00", "09:30", "2027-07-01")
    rules(VANCOUVER, NEW_RULES)
    assert recompute(app, clock) == zones.Recomputed(moved=21, staying=[])
    free = {slot["slot_id"]: slot["starts_at"] for slot in ada.free(doctor)}
    assert free.pop(summer) == "2027-07-01T09:00:00-07:00"
    assert set(free.values()) == {f"{WINTER}T{half // 2:02}:{half % 2 * 30:02}:00-07:00" for half in range(18, 36, 3)}
    assert "2027-01-14T22:00:00-07:00" in {one["starts_at"] for one in ada.get("/appointments/my").get_json()["data"]}


def test_a_patients_appointments_with_two_doctors_move_whichever_is_first(
    app: APIFlask, api: Api, clock: StillClock, rules: Rules, doctor: Doctor
) -> None:
    ada, other = api.patient(), api.doctor("Dr. Stem", time_zone=VANCOUVER)
    ada.book(doctor.publish("10:00", "11:00", WINTER))
    ada.book(other.publish("09:00", "10:00", WINTER))
    ada.book(doctor.publish("08:00", "09:00", WINTER))
    rules(VANCOUVER, NEW_RULES)
    assert recompute(app, clock) == zones.Recomputed(moved=3, staying=[])


def test_what_collides_stays_at_its_instant_and_is_listed(
    app: APIFlask, api: Api, clock: StillClock, rules: Rules, doctor: Doctor
) -> None:
    ada = api.patient()
    blocked = doctor.publish("09:00", "10:00", WINTER)
    follows = doctor.publish("10:00", "11:00", WINTER)
    free_again = doctor.publish("13:00", "14:00", WINTER)
    appointment_id = ada.book(blocked)
    # A server with the new rules published this before the others were recomputed: 16:00 UTC.
    rules(VANCOUVER, NEW_RULES)
    in_the_way = doctor.publish("09:00", "10:00", WINTER)
    done = recompute(app, clock)
    assert done is not None
    assert done.moved == 1
    why = "Another slot or appointment has that time."
    first, second = done.staying
    assert first == (
        f"slot {blocked} (appointment {appointment_id}) of Dr. Fenna Quill, 2027-01-12 09:00 to 10:00 ({VANCOUVER}),"
        f" stays at 2027-01-12 17:00 UTC: {why}"
    )
    assert second == (
        f"slot {follows} of Dr. Fenna Quill, 2027-01-12 10:00 to 11:00 ({VANCOUVER}),"
        f" stays at 2027-01-12 18:00 UTC: {why}"
    )
    assert spans(ada.get("/appointments/my").get_json()["data"]) == [("09:00", "10:00", f"{WINTER}T09:00:00-08:00")]
    assert {slot["slot_id"]: slot["starts_at"] for slot in ada.free(doctor)} == {
        in_the_way: f"{WINTER}T09:00:00-07:00",
        follows: f"{WINTER}T10:00:00-08:00",
        free_again: f"{WINTER}T13:00:00-07:00",
    }
    # It is found again, and moves as soon as it can.
    assert recompute(app, clock) == zones.Recomputed(0, done.staying)
    assert doctor.delete(f"/doctor/availability/{in_the_way}").status_code == 200
    assert recompute(app, clock) == zones.Recomputed(2, [])


def test_a_patients_other_appointment_is_a_collision(
    app: APIFlask, api: Api, clock: StillClock, rules: Rules, doctor: Doctor
) -> None:
    ada, abroad = api.patient(), api.doctor("Dr. Stem", time_zone="UTC")
    ada.book(doctor.publish("09:00", "10:00", WINTER))
    ada.book(abroad.publish("16:30", "17:00", WINTER))
    free = doctor.publish("08:00", "09:00", WINTER)
    rules(VANCOUVER, NEW_RULES)
    done = recompute(app, clock)
    assert done is not None
    assert (done.moved, len(done.staying)) == (1, 1)
    assert [slot["slot_id"] for slot in ada.free(doctor)] == [free]


def test_a_wall_clock_that_the_new_rules_skip_or_repeat_stays_and_is_listed(
    app: APIFlask, api: Api, clock: StillClock, rules: Rules
) -> None:
    rules(VANCOUVER, NEW_RULES)
    doctor = api.doctor(time_zone=VANCOUVER)
    doctor.publish("02:30", "03:30", "2027-03-14")
    doctor.publish("01:30", "03:30", "2027-11-07")
    rules(VANCOUVER, OLD_RULES)
    done = recompute(app, clock)
    assert done is not None
    assert done.moved == 0
    assert "02:30 does not exist on 2027-03-14" in done.staying[0]
    assert "01:30 comes twice on 2027-11-07" in done.staying[1]
    assert spans(api.patient().free(doctor)) == [
        ("01:30", "03:30", "2027-11-07T01:30:00-07:00"),
        ("02:30", "03:30", "2027-03-14T02:30:00-07:00"),
    ]


def test_what_has_begun_and_what_was_withdrawn_stays(
    app: APIFlask, api: Api, clock: StillClock, rules: Rules, doctor: Doctor
) -> None:
    api.patient().book(doctor.publish("09:00", "09:30", WINTER))
    withdrawn = doctor.publish("09:00", "09:30", "2027-01-13")
    assert doctor.delete(f"/doctor/availability/{withdrawn}").status_code == 200
    rules(VANCOUVER, NEW_RULES)
    clock.now = datetime(2027, 1, 12, 17, 0, tzinfo=timezone.utc)
    assert recompute(app, clock) == zones.Recomputed(0, [])


def test_older_zone_data_changes_nothing(
    app: APIFlask, api: Api, clock: StillClock, rules: Rules, doctor: Doctor
) -> None:
    doctor.publish("09:00", "09:30", WINTER)
    recompute(app, clock, "2026.10")
    rules(VANCOUVER, NEW_RULES)
    assert recompute(app, clock, "2026.9") is None
    assert spans(api.patient().free(doctor)) == [("09:00", "09:30", f"{WINTER}T09:00:00-08:00")]
    assert recorded(app) == "2026.10"


def test_versions_are_compared_as_numbers() -> None:
    assert zones.is_newer("2026.10", "2026.9")
    assert zones.is_newer("2021.2.post0", "2021.2")
    assert zones.is_newer("2026.1", None)
    assert not zones.is_newer("2026.9", "2026.10")
    assert not zones.is_newer("2026.9", "2026.9")


def test_no_mail_is_sent_and_waiting_mails_show_the_agreed_wall_clock(
    app: APIFlask, api: Api, clock: StillClock, rules: Rules, doctor: Doctor, deliver: Deliver
) -> None:
    ada = api.patient()
    ada.book(doctor.publish("23:00", "00:30", WINTER))
    rules(VANCOUVER, NEW_RULES)
    recompute(app, clock)
    [mail] = deliver()
    assert "Tuesday, 12 January 2027" in mail.text
    assert "23:00 to 00:30 the next day (America/Vancouver)" in mail.text


def empty_wall_clocks(app: APIFlask) -> None:
    """Leave the rows as servers of the version before 0011 write them."""
    for table in ("availability_slots", "appointments"):
        sql(app, f"UPDATE {table} SET wall_start = NULL, wall_end = NULL")


def wall_clocks(app: APIFlask) -> list[tuple[str, str]]:
    return [
        (str(row.wall_start)[:16], str(row.wall_end)[:16])
        for table in ("availability_slots", "appointments")
        for row in sql(app, f"SELECT wall_start, wall_end FROM {table} ORDER BY id")
    ]


def test_rows_of_the_version_before_are_shown_and_filled(
    app: APIFlask, api: Api, doctor: Doctor, deliver: Deliver, monkeypatch: pytest.MonkeyPatch
) -> None:
    ada = api.patient()
    free = doctor.publish("22:00", "02:00", WINTER)
    ada.book(doctor.publish("10:00", "10:30", WINTER))
    written = wall_clocks(app)
    assert written == [("2027-01-12 22:00", "2027-01-13 02:00"), *[("2027-01-12 10:00", "2027-01-12 10:30")] * 2]
    shown = ada.free(doctor), ada.get("/appointments/my").get_json()
    empty_wall_clocks(app)
    assert (ada.free(doctor), ada.get("/appointments/my").get_json()) == shown
    # Booked while the slot's wall clock is empty.
    ada.book(free)
    deliver()
    monkeypatch.setattr(zones, "CHUNK", 1)
    with app.app_context():
        assert list(zones.fill(transaction)) == [1, 1, 1, 1]
        assert list(zones.fill(transaction)) == []
    assert wall_clocks(app) == [*written, written[0]]


def test_the_command_fills_recomputes_and_lists(
    app: APIFlask, api: Api, clock: StillClock, rules: Rules, doctor: Doctor
) -> None:
    doctor.publish("09:00", "10:00", WINTER)
    doctor.publish("13:00", "14:00", WINTER)
    empty_wall_clocks(app)
    run = app.test_cli_runner().invoke
    version = zone_data_version()
    said = run(args=["zones"]).output
    assert f"Zone data {version}: 2 wall clocks filled, 0 slots moved to their wall clock." in said
    rules(VANCOUVER, NEW_RULES)
    doctor.publish("09:00", "10:00", WINTER)
    said = run(args=["zones"]).output
    assert f"Zone data {version}: 0 wall clocks filled, 1 slots moved to their wall clock." in said
    assert "stays at 2027-01-12 17:00 UTC" in said
    assert "Agree with these people" in said
    recompute(app, clock, "9999.1")
    assert "newer zone data" in run(args=["zones"]).output


def test_the_worker_logs_what_it_cannot_move(
    app: APIFlask, clock: StillClock, rules: Rules, doctor: Doctor, caplog: pytest.LogCaptureFixture
) -> None:
    doctor.publish("09:00", "10:00", WINTER)
    doctor.publish("13:00", "14:00", WINTER)
    rules(VANCOUVER, NEW_RULES)
    doctor.publish("09:00", "10:00", WINTER)
    with app.app_context(), caplog.at_level(logging.INFO):
        zones.recompute_and_log(transaction, clock(), NEW)
        zones.recompute_and_log(transaction, clock(), OLD)
    said = "\n".join(caplog.messages)
    assert "1 slots moved" in said
    assert "stays at 2027-01-12 17:00 UTC" in said
    assert "newer zone data than 2025.2" in said


def test_an_appointment_keeps_the_hour_that_its_slot_shows(app: APIFlask, api: Api, doctor: Doctor) -> None:
    """Booking copies the wall clock, whatever the zone's rules make of the instant."""
    ada = api.patient()
    slot_id = doctor.publish("09:00", "09:30", WINTER)
    sql(
        app,
        "UPDATE availability_slots SET wall_start = :start, wall_end = :end",
        start="2027-01-12 07:00:00.000000",
        end="2027-01-12 07:30:00.000000",
    )
    ada.book(slot_id)
    [mine] = ada.get("/appointments/my").get_json()["data"]
    assert (mine["start_time"], mine["end_time"], mine["starts_at"]) == ("07:00", "07:30", f"{WINTER}T07:00:00-10:00")
    assert datetime.fromisoformat(mine["starts_at"]).utcoffset() == timedelta(hours=-10)
