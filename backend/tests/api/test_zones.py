"""`flask zones` and the worker: what people agreed on stays at its wall clock when a zone's rules change."""

from __future__ import annotations

import logging
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
from apiflask import APIFlask
from sqlalchemy import Connection, text

from src.database.transaction import transaction
from src.domain.minutes import instant_of_minute
from src.domain.wall_clock import instant_of
from src.settings.time_zones import zone_data_version
from src.tasks import wall_clocks as filling
from src.tasks import zones
from src.tasks.zone_report import Recomputed
from src.tasks.zone_versions import is_newer, recorded_version
from tests.conftest import StillClock
from tests.people import Api, Deliver, Doctor, Patient, error_of, hours
from tests.zone_rules import Rules, changeable_rules

VANCOUVER = "America/Vancouver"
OLD, NEW = "2025.2", "2026.6"
# By the old rules Vancouver changes its clocks like Los Angeles. By the new ones it stays on UTC-7, like Phoenix.
OLD_RULES, NEW_RULES = "America/Los_Angeles", "America/Phoenix"
WINTER = "2027-01-12"
# A Tuesday for which visits can be booked, after the old rules have put the clocks back.
TUESDAY = "2026-11-17"


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


def run(clock: StillClock, version: str = NEW, *, is_dry: bool = False) -> zones.Run:
    return zones.Run(transaction, clock(), version, "UTC", is_dry)


def recompute(app: APIFlask, clock: StillClock, version: str = NEW, *, is_dry: bool = False) -> Recomputed | None:
    with app.app_context():
        return zones.recompute(run(clock, version, is_dry=is_dry))


def slots_moved(app: APIFlask, clock: StillClock, version: str = NEW) -> tuple[int, list[str]]:
    """Recompute, and return how many slots moved and what stays."""
    done = recompute(app, clock, version)
    assert done is not None
    return sum(doctor.slots for doctor in done.doctors), done.staying


def recorded(app: APIFlask) -> str | None:
    with app.app_context():
        return recorded_version(transaction)


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
    assert slots_moved(app, clock) == (2, [])
    assert recorded(app) == NEW
    assert spans(ada.free(doctor)) == [("09:00", "09:30", f"{WINTER}T09:00:00-07:00")]
    for person, path in ((ada, "/appointments/my"), (doctor, "/appointments/doctor")):
        assert spans(person.get(path).get_json()["data"]) == [("10:00", "10:30", f"{WINTER}T10:00:00-07:00")]
    assert slots_moved(app, clock) == (0, [])


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
    assert slots_moved(app, clock) == (21, [])
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
    assert slots_moved(app, clock) == (3, [])


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
    moved, staying = slots_moved(app, clock)
    assert moved == 1
    why = "Another slot or appointment has that time."
    first, second = staying
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
    assert slots_moved(app, clock) == (0, staying)
    assert doctor.delete(f"/doctor/availability/{in_the_way}").status_code == 200
    assert slots_moved(app, clock) == (2, [])


def test_a_patients_other_appointment_is_a_collision(
    app: APIFlask, api: Api, clock: StillClock, rules: Rules, doctor: Doctor
) -> None:
    ada, abroad = api.patient(), api.doctor("Dr. Stem", time_zone="UTC")
    ada.book(doctor.publish("09:00", "10:00", WINTER))
    ada.book(abroad.publish("16:30", "17:00", WINTER))
    free = doctor.publish("08:00", "09:00", WINTER)
    rules(VANCOUVER, NEW_RULES)
    moved, staying = slots_moved(app, clock)
    assert (moved, len(staying)) == (1, 1)
    assert [slot["slot_id"] for slot in ada.free(doctor)] == [free]


def test_a_wall_clock_that_the_new_rules_skip_or_repeat_stays_and_is_listed(
    app: APIFlask, api: Api, clock: StillClock, rules: Rules
) -> None:
    rules(VANCOUVER, NEW_RULES)
    doctor = api.doctor(time_zone=VANCOUVER)
    doctor.publish("02:30", "03:30", "2027-03-14")
    doctor.publish("01:30", "03:30", "2027-11-07")
    rules(VANCOUVER, OLD_RULES)
    moved, staying = slots_moved(app, clock)
    assert moved == 0
    assert "02:30 does not exist on 2027-03-14" in staying[0]
    assert "01:30 comes twice on 2027-11-07" in staying[1]
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
    assert slots_moved(app, clock) == (0, [])


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
    assert is_newer("2026.10", "2026.9")
    assert is_newer("2021.2.post0", "2021.2")
    assert is_newer("2026.1", None)
    assert not is_newer("2026.9", "2026.10")
    assert not is_newer("2026.9", "2026.9")


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
    monkeypatch.setattr(filling, "CHUNK", 1)
    with app.app_context():
        assert list(filling.fill(transaction)) == [1, 1, 1, 1]
        assert list(filling.fill(transaction)) == []
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
    assert f"Zone data {version}: 2 wall clocks filled.\nNothing to move.\n" in said
    rules(VANCOUVER, NEW_RULES)
    doctor.publish("09:00", "10:00", WINTER)
    said = run(args=["zones"]).output
    assert f"Zone data {version}: 0 wall clocks filled." in said
    name = f"{doctor.name} (doctor {doctor.doctor_id})"
    assert f"{name}: moved 1 slot\n" in said
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
        assert list(zones.recompute_and_log(run(clock)))
        list(zones.recompute_and_log(run(clock, OLD)))
    said = "\n".join(caplog.messages)
    assert "Dr. Fenna Quill (doctor 1): moved 1 slot\n" in said
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


# Computed times.


@pytest.fixture
def open_doctor(doctor: Doctor) -> Doctor:
    """Return a doctor with hours on Tuesday mornings; visits of the first type take 30 minutes, without buffers."""
    doctor.set_hours(hours("tuesday", "09:00", "12:00"), time_zone=VANCOUVER)
    return doctor


def free_at(patient: Patient, doctor: Doctor, at: str, day: str = TUESDAY, **query: Any) -> int:
    """Return the id of the time at which a visit begins on the wall clock."""
    [slot_id] = [
        time["slot_id"]
        for time in patient.times(doctor, from_=day, until=day, **query)
        if time["start_time"] == at and time["visit_type_id"] is not None
    ]
    return slot_id


def changes(done: Recomputed | None) -> list[tuple[int, int, int, int]]:
    """Return the numbers of slots, appointments, holds and openings of each doctor with changes."""
    assert done is not None
    return [(doctor.slots, doctor.appointments, doctor.holds, doctor.openings) for doctor in done.changed]


def check_minutes(app: APIFlask) -> None:
    """Check that the columns of each computed time that is taken agree with its instants and its version."""
    rows = sql(
        app,
        "SELECT slot_id, version.id AS version_id, minutes, buffer_before, buffer_after, busy_from, busy_until,"
        " day, wall_start, starts_at, ends_at FROM appointments JOIN visit_type_versions AS version"
        " ON version.id = slot_id / 16777216 WHERE slot_id >= 4294967296 AND status <> 'cancelled'",
    )
    assert rows
    for row in rows:
        minute = row.slot_id - row.version_id * 2**24
        assert str(row.starts_at)[:16] == f"{instant_of_minute(minute):%Y-%m-%d %H:%M}"
        assert str(row.ends_at)[:16] == f"{instant_of_minute(minute + row.minutes):%Y-%m-%d %H:%M}"
        assert (row.busy_from, row.busy_until) == (
            minute - row.buffer_before,
            minute + row.minutes + row.buffer_after,
        )
        assert str(row.day) == str(row.wall_start)[:10]


def shown(patient: Patient) -> list[tuple[str, str, str]]:
    return spans(patient.get("/appointments/my").get_json()["data"])


def test_openings_are_laid_anew_and_computed_appointments_stay_in_them(
    app: APIFlask, api: Api, clock: StillClock, rules: Rules, open_doctor: Doctor
) -> None:
    ada = api.patient()
    kind = open_doctor.add_visit_type(minutes=20, buffer_before=15, buffer_after=10, step=5)
    ada.book(free_at(ada, open_doctor, "09:30", visit_type=kind))
    rules(VANCOUVER, NEW_RULES)
    # Five Tuesdays follow the change of the clocks; on those before it both rules agree.
    assert changes(recompute(app, clock)) == [(0, 1, 0, 5)]
    assert shown(ada) == [("09:30", "09:50", f"{TUESDAY}T09:30:00-07:00")]
    check_minutes(app)
    others = [time["starts_at"] for time in ada.times(open_doctor, from_=TUESDAY, until=TUESDAY)]
    assert others == [f"{TUESDAY}T{at}:00-07:00" for at in ("10:00", "10:30", "11:00", "11:30")]
    assert changes(recompute(app, clock)) == []


def test_openings_alone_are_laid_anew(app: APIFlask, clock: StillClock, rules: Rules, open_doctor: Doctor) -> None:
    before = sql(app, "SELECT count(*), min(id) FROM openings")
    rules(VANCOUVER, NEW_RULES)
    assert changes(recompute(app, clock)) == [(0, 0, 0, 5)]
    # Those that stay keep their rows.
    assert sql(app, "SELECT count(*), min(id) FROM openings") == before
    clock.forward(days=3)
    # Days that come into reach are not laid by this: `flask openings` does it.
    assert changes(recompute(app, clock)) == []


def test_computed_neighbours_move_together(
    app: APIFlask, api: Api, clock: StillClock, rules: Rules, open_doctor: Doctor
) -> None:
    ada = api.patient()
    for time in ada.times(open_doctor, from_=TUESDAY, until=TUESDAY):
        ada.book(time["slot_id"])
    published = open_doctor.publish("12:00", "12:30", TUESDAY)
    ada.book(published)
    rules(VANCOUVER, NEW_RULES)
    assert changes(recompute(app, clock)) == [(1, 7, 0, 5)]
    halves = [f"{half // 2:02}:{half % 2 * 30:02}" for half in range(18, 26)]
    assert [(start, at) for start, _, at in shown(ada)] == [
        (half, f"{TUESDAY}T{half}:00-07:00") for half in halves[:-1]
    ]
    check_minutes(app)


def test_a_group_moves_with_its_seats_and_the_next_seat_can_be_booked(
    app: APIFlask, api: Api, clock: StillClock, rules: Rules, open_doctor: Doctor
) -> None:
    ada, ben, cleo, dan = (api.patient(name) for name in ("Ada", "Ben", "Cleo", "Dan"))
    kind = open_doctor.add_visit_type("Group", minutes=60, capacity=3, buffer_before=10)
    old = free_at(ada, open_doctor, "10:00", visit_type=kind)
    ada.book(old)
    ben.book(old)
    rules(VANCOUVER, NEW_RULES)
    assert changes(recompute(app, clock)) == [(0, 2, 0, 5)]
    new = free_at(cleo, open_doctor, "10:00", visit_type=kind)
    assert new == old - 60
    [group] = [
        time
        for time in cleo.times(open_doctor, from_=TUESDAY, until=TUESDAY, visit_type=kind)
        if time["slot_id"] == new
    ]
    assert group["seats_left"] == 1
    cleo.book(new)
    assert error_of(dan.post("/appointments", {"slot_id": new})) == "This slot is already booked."
    assert sql(app, "SELECT seat FROM appointments WHERE slot_id = :slot ORDER BY seat", slot=new) == [(1,), (2,), (3,)]
    for patient in (ada, ben, cleo):
        assert shown(patient) == [("10:00", "11:00", f"{TUESDAY}T10:00:00-07:00")]
    check_minutes(app)


def test_a_hold_moves_and_is_booked(
    app: APIFlask, api: Api, clock: StillClock, rules: Rules, open_doctor: Doctor
) -> None:
    ada, ben = api.patient("Ada"), api.patient("Ben")
    old = free_at(ada, open_doctor, "09:00")
    ada.hold(old)
    ben.hold(open_doctor.publish("14:00", "14:30", TUESDAY))
    [until] = sql(app, "SELECT DISTINCT held_until FROM appointments")
    rules(VANCOUVER, NEW_RULES)
    assert changes(recompute(app, clock)) == [(1, 0, 2, 5)]
    assert sql(app, "SELECT DISTINCT held_until FROM appointments") == [until]
    check_minutes(app)
    new = old - 60
    assert ben.post("/appointments", {"slot_id": new}).status_code == 409
    ada.book(new)
    assert shown(ada) == [("09:00", "09:30", f"{TUESDAY}T09:00:00-07:00")]


def test_a_hold_that_has_expired_is_in_nobodys_way(
    app: APIFlask, api: Api, clock: StillClock, rules: Rules, open_doctor: Doctor
) -> None:
    ada, ben = api.patient("Ada"), api.patient("Ben")
    ada.book(free_at(ada, open_doctor, "09:00"))
    rules(VANCOUVER, NEW_RULES)
    ben.hold(open_doctor.publish("09:00", "09:30", TUESDAY))
    done = recompute(app, clock)
    assert done is not None
    [line] = done.staying
    assert line.startswith("appointment 1 of Dr. Fenna Quill, 2026-11-17 09:00 to 09:30 (America/Vancouver), stays at")
    # It is no news that it lies outside of the hours.
    assert done.outside == []
    clock.forward(minutes=11)
    assert changes(recompute(app, clock)) == [(0, 1, 0, 0)]


def test_what_a_day_may_have_is_counted_as_before(
    app: APIFlask, api: Api, clock: StillClock, rules: Rules, open_doctor: Doctor
) -> None:
    ada, ben = api.patient("Ada"), api.patient("Ben")
    kind = open_doctor.add_visit_type(minutes=30, most_per_day=2)
    booked = [ada.book(free_at(ada, open_doctor, at, visit_type=kind)) for at in ("09:00", "10:00")]
    rules(VANCOUVER, NEW_RULES)
    assert changes(recompute(app, clock)) == [(0, 2, 0, 5)]
    check_minutes(app)
    assert sql(app, "SELECT nth FROM appointments ORDER BY nth") == [(1,), (2,)]
    assert ben.times(open_doctor, from_=TUESDAY, until=TUESDAY, visit_type=kind) == []
    assert ada.cancel(booked[0]).status_code == 200
    ben.book(free_at(ben, open_doctor, "09:00", visit_type=kind))


def test_a_computed_appointment_that_collides_stays_whole_and_is_listed(
    app: APIFlask, api: Api, clock: StillClock, rules: Rules, open_doctor: Doctor
) -> None:
    ada, ben, cleo = (api.patient(name) for name in ("Ada", "Ben", "Cleo"))
    group = open_doctor.add_visit_type("Group", minutes=60, capacity=3)
    # The first appointment comes to the group last: PostgreSQL finds the second one before it.
    moved = ada.book(free_at(ada, open_doctor, "10:00", visit_type=group))
    ben.book(free_at(ben, open_doctor, "09:00", visit_type=group))
    assert ada.move(moved, free_at(ada, open_doctor, "09:00", visit_type=group)).status_code == 200
    # Follows the group, so it must stay, too.
    ada.book(free_at(ada, open_doctor, "10:00"))
    ada.book(free_at(ada, open_doctor, "11:30"))
    rules(VANCOUVER, NEW_RULES)
    in_the_way = open_doctor.publish("09:30", "10:00", TUESDAY)
    blocking = cleo.book(in_the_way)
    rows = "SELECT slot_id, starts_at, ends_at, busy_from, busy_until, day FROM appointments WHERE id < 4 ORDER BY id"
    before = sql(app, rows)
    done = recompute(app, clock)
    assert changes(done) == [(0, 1, 0, 5)]
    assert done is not None
    why = "Another slot or appointment has that time."
    group_stays, follower_stays = done.staying
    assert group_stays == (
        f"appointment 1, appointment 2 of Dr. Fenna Quill, {TUESDAY} 09:00 to 10:00 ({VANCOUVER}),"
        f" stays at {TUESDAY} 17:00 UTC: {why}"
    )
    assert follower_stays == (
        f"appointment 3 of Dr. Fenna Quill, {TUESDAY} 10:00 to 10:30 ({VANCOUVER}), stays at {TUESDAY} 18:00 UTC: {why}"
    )
    assert sql(app, rows) == before
    check_minutes(app)
    assert cleo.cancel(blocking).status_code == 200
    assert changes(recompute(app, clock)) == [(0, 3, 0, 0)]
    check_minutes(app)


def nightly(api: Api, zone: str) -> tuple[Doctor, int]:
    """Return a doctor with hours on Sunday nights, whose visits take an hour and can be booked for a year."""
    doctor = api.doctor(time_zone=zone)
    kind = doctor.add_visit_type("Night", minutes=60, step=30, horizon=366)
    doctor.set_hours(hours("sunday", "00:00", "06:00"), time_zone=zone)
    return doctor, kind


def test_a_computed_appointment_begins_when_the_clocks_first_show_its_start(
    app: APIFlask, api: Api, clock: StillClock, rules: Rules
) -> None:
    ada, ben = api.patient("Ada"), api.patient("Ben")
    rules(VANCOUVER, "Etc/GMT+8")
    doctor, kind = nightly(api, VANCOUVER)
    ada.book(free_at(ada, doctor, "01:30", "2026-11-01", visit_type=kind))
    ben.book(free_at(ben, doctor, "02:30", "2027-03-14", visit_type=kind))
    rules(VANCOUVER, OLD_RULES)
    done = recompute(app, clock)
    assert done is not None
    assert [doctor.appointments for doctor in done.changed] == [1]
    # It takes one real hour, from the first 01:30 to the second.
    assert shown(ada) == [("01:30", "01:30", "2026-11-01T01:30:00-07:00")]
    [line] = done.staying
    assert line.startswith("appointment 2 of")
    assert "02:30 does not exist on 2027-03-14" in line
    assert shown(ben) == [("02:30", "03:30", "2027-03-14T02:30:00-08:00")]
    check_minutes(app)


def test_the_clocks_may_show_another_end(app: APIFlask, api: Api, clock: StillClock, rules: Rules) -> None:
    ada = api.patient()
    rules(VANCOUVER, NEW_RULES)
    doctor, kind = nightly(api, VANCOUVER)
    ada.book(free_at(ada, doctor, "00:30", "2026-11-01", visit_type=kind))
    ada.book(free_at(ada, doctor, "01:30", "2026-11-01", visit_type=kind))
    rules(VANCOUVER, OLD_RULES)
    done = recompute(app, clock)
    assert done is not None
    assert [doctor.appointments for doctor in done.changed] == [1]
    assert shown(ada) == [
        ("00:30", "01:30", "2026-11-01T00:30:00-07:00"),
        ("01:30", "01:30", "2026-11-01T01:30:00-07:00"),
    ]
    assert changes(recompute(app, clock)) == []


def test_what_lies_outside_of_the_hours_afterwards_is_listed_and_not_touched(
    app: APIFlask, api: Api, clock: StillClock, rules: Rules, doctor: Doctor
) -> None:
    ada = api.patient()
    doctor.set_hours(hours("tuesday", "06:00", "09:00"), time_zone=VANCOUVER)
    appointment_id = ada.book(free_at(ada, doctor, "06:00"))
    ada.book(free_at(ada, doctor, "07:00"))
    # In the new zone's hours, for now.
    assert doctor.post("/doctor/profile", {"time_zone": "America/New_York"}).status_code == 200
    doctor.set_hours(hours("tuesday", "09:00", "12:00"), time_zone="America/New_York")
    rules(VANCOUVER, NEW_RULES)
    done = recompute(app, clock)
    assert changes(done) == [(0, 2, 0, 0)]
    assert done is not None
    [line] = done.outside
    assert line == (
        f"appointment {appointment_id} of Dr. Fenna Quill, {TUESDAY} 06:00 to 06:30 ({VANCOUVER}),"
        f" at {TUESDAY} 13:00 UTC, is outside of the hours."
    )
    assert [start for start, *_ in shown(ada)] == ["06:00", "07:00"]


def test_seats_that_were_agreed_on_in_two_zones_keep_their_own_wall_clocks(
    app: APIFlask, api: Api, clock: StillClock, rules: Rules, doctor: Doctor
) -> None:
    ada, ben = api.patient("Ada"), api.patient("Ben")
    kind = doctor.add_visit_type("Group", minutes=60, capacity=3)
    doctor.set_hours(hours("tuesday", "06:00", "09:00"), time_zone=VANCOUVER)
    slot_id = free_at(ada, doctor, "07:00", visit_type=kind)
    ada.book(slot_id)
    assert doctor.post("/doctor/profile", {"time_zone": "America/New_York"}).status_code == 200
    doctor.set_hours(hours("tuesday", "08:00", "12:00"), time_zone="America/New_York")
    ben.book(slot_id)
    rules(VANCOUVER, NEW_RULES)
    assert changes(recompute(app, clock)) == [(0, 1, 0, 0)]
    assert shown(ada) == [("07:00", "08:00", f"{TUESDAY}T07:00:00-07:00")]
    assert shown(ben) == [("10:00", "11:00", f"{TUESDAY}T10:00:00-05:00")]
    check_minutes(app)


def everything(app: APIFlask) -> list[list[Any]]:
    tables = ("availability_slots", "appointments", "openings", "outbox", "installation", "doctors")
    return [sql(app, f"SELECT * FROM {table} ORDER BY 1") for table in tables]


def test_a_dry_run_says_what_would_happen_and_writes_nothing(
    app: APIFlask, api: Api, clock: StillClock, rules: Rules, open_doctor: Doctor
) -> None:
    ada, ben = api.patient("Ada"), api.patient("Ben")
    ada.book(free_at(ada, open_doctor, "09:00"))
    ada.book(open_doctor.publish("14:00", "15:00", TUESDAY))
    ben.book(free_at(ben, open_doctor, "10:30"))
    ben.hold(free_at(ben, open_doctor, "11:30"))
    free = open_doctor.publish("09:00", "09:30", "2027-07-01")
    rules(VANCOUVER, NEW_RULES)
    ben.book(open_doctor.publish("09:00", "09:30", TUESDAY))
    # Nor does it fill what servers of the version before 0011 left empty.
    sql(app, "UPDATE availability_slots SET wall_start = NULL, wall_end = NULL WHERE id = :free", free=free)
    before = everything(app)
    said = app.test_cli_runner().invoke(args=["zones", "--dry-run"]).output
    assert everything(app) == before
    assert "nothing is written" in said
    assert "moved 1 slot, 2 appointments, 1 hold; laid anew 5 openings" in said
    assert "appointment 1 of Dr. Fenna Quill" in said
    assert recorded(app) is None
    really = app.test_cli_runner().invoke(args=["zones"]).output
    for line in said.splitlines()[1:]:
        assert line in really
    assert recorded(app) == zone_data_version()


def test_a_run_that_is_killed_is_continued_by_the_next(
    app: APIFlask, api: Api, clock: StillClock, rules: Rules, open_doctor: Doctor
) -> None:
    other = api.doctor("Dr. Stem", time_zone=VANCOUVER)
    other.set_hours(hours("tuesday", "09:00", "12:00"), time_zone=VANCOUVER)
    ada = api.patient()
    ada.book(free_at(ada, open_doctor, "09:00"))
    ada.book(free_at(ada, other, "10:00"))
    rules(VANCOUVER, NEW_RULES)
    writing: list[Connection] = []

    @contextmanager
    def killed(*, writes: bool) -> Generator[Connection]:
        with transaction(writes=writes) as db:
            yield db
            writing.extend([db] if writes else [])
            # Before the commit of the second doctor.
            if len(writing) == 2:
                raise KeyboardInterrupt

    with app.app_context(), pytest.raises(KeyboardInterrupt):
        zones.recompute(zones.Run(killed, clock(), NEW, "UTC"))
    assert [at for *_, at in shown(ada)] == [f"{TUESDAY}T09:00:00-07:00", f"{TUESDAY}T10:00:00-08:00"]
    check_minutes(app)
    assert recorded(app) is None
    assert changes(recompute(app, clock)) == [(0, 1, 0, 5)]
    assert [at for *_, at in shown(ada)] == [f"{TUESDAY}T09:00:00-07:00", f"{TUESDAY}T10:00:00-07:00"]
    assert recorded(app) == NEW


def test_a_patients_computed_appointments_with_two_doctors_move_whichever_is_first(
    app: APIFlask, api: Api, clock: StillClock, rules: Rules, open_doctor: Doctor
) -> None:
    other, ada = api.doctor("Dr. Stem", time_zone=VANCOUVER), api.patient()
    other.set_hours(hours("tuesday", "09:00", "12:00"), time_zone=VANCOUVER)
    for at, who in (("09:00", open_doctor), ("10:00", other), ("11:00", open_doctor)):
        kind = who.add_visit_type("Hour", minutes=60)
        ada.book(free_at(ada, who, at, visit_type=kind))
    rules(VANCOUVER, NEW_RULES)
    assert changes(recompute(app, clock)) == [(0, 2, 0, 5), (0, 1, 0, 5)]


def test_a_waiting_confirmation_is_useless_after_the_new_end(
    app: APIFlask, api: Api, clock: StillClock, rules: Rules, open_doctor: Doctor
) -> None:
    ada = api.patient()
    ada.book(free_at(ada, open_doctor, "09:00"))
    ada.book(open_doctor.publish("14:00", "15:00", TUESDAY))
    [due] = sql(app, "SELECT DISTINCT due_at FROM outbox")
    rules(VANCOUVER, NEW_RULES)
    recompute(app, clock)
    ends = sql(app, "SELECT useless_after FROM outbox ORDER BY id")
    assert [str(end)[:16] for (end,) in ends] == [f"{TUESDAY} 16:30", f"{TUESDAY} 22:00"]
    assert sql(app, "SELECT DISTINCT due_at FROM outbox") == [due]


def test_the_zone_of_the_clinic_counts_for_doctors_who_have_none(
    app: APIFlask, api: Api, clock: StillClock, rules: Rules
) -> None:
    doctor = api.doctor()
    doctor.set_hours(hours("tuesday", "09:00", "12:00"))
    rules("UTC", "Etc/GMT+1")
    done = recompute(app, clock)
    assert [doctor.openings for doctor in done.changed] == [9] if done else False
