"""Migrations on both databases: the tables match the models, and their constraints refuse rows that break a rule."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta, timezone
from typing import Any

import flask_migrate
import pytest
import sqlalchemy as sa
from alembic.script import ScriptDirectory
from apiflask import APIFlask
from sqlalchemy.exc import IntegrityError
from sqlalchemy.pool import NullPool

from src.database.connections import listen_to_sqlite
from src.database.transaction import transaction
from src.domain.minutes import minute_of
from src.extensions import db
from src.models import Base
from src.services.mail import Mail
from src.services.memory_mailer import MemoryMailer
from src.tasks.delivery import deliver_due
from src.tasks.wall_clocks import fill
from tests.conftest import AT_ONCE, StillClock, make_settings

NINE = datetime(2030, 3, 5, 9, 0, tzinfo=timezone.utc)
HALF_AN_HOUR = timedelta(minutes=30)
KNOWN_TO_ALEMBIC = {"alembic_version"}


def tables() -> set[str]:
    return set(sa.inspect(db.engine).get_table_names())


def test_models_and_migrations_define_the_same_tables(empty_app: APIFlask) -> None:
    flask_migrate.upgrade()
    flask_migrate.check()  # exits if they differ


def test_the_check_notices_a_table_that_no_migration_makes(empty_app: APIFlask) -> None:
    flask_migrate.upgrade()
    forgotten = sa.Table("forgotten", Base.metadata, sa.Column("id", sa.Integer(), primary_key=True))
    try:
        with pytest.raises(SystemExit):
            flask_migrate.check()
    finally:
        Base.metadata.remove(forgotten)


def test_the_check_notices_a_column_that_no_migration_adds(empty_app: APIFlask) -> None:
    flask_migrate.upgrade()
    with db.engine.begin() as connection:
        connection.execute(sa.text("ALTER TABLE doctors DROP COLUMN designation"))
    with pytest.raises(SystemExit):
        flask_migrate.check()


def test_a_downgrade_removes_all_tables_and_an_upgrade_restores_them(empty_app: APIFlask) -> None:
    flask_migrate.upgrade()
    built = schema()
    assert set(Base.metadata.tables) | KNOWN_TO_ALEMBIC == set(built)

    flask_migrate.downgrade(revision="base")
    assert tables() == KNOWN_TO_ALEMBIC

    flask_migrate.upgrade()
    assert schema() == built
    flask_migrate.check()


def test_an_upgrade_of_a_database_at_head_changes_nothing(empty_app: APIFlask) -> None:
    flask_migrate.upgrade()
    built = schema()
    flask_migrate.upgrade()
    assert schema() == built


def test_migrations_are_numbered_in_one_sequence_without_branches(empty_app: APIFlask) -> None:
    configuration = empty_app.extensions["migrate"].migrate.get_config()
    script = ScriptDirectory.from_config(configuration)
    assert len(script.get_heads()) == 1
    revisions = [revision.revision for revision in script.walk_revisions()]
    assert revisions == [f"{number:04}" for number in range(len(revisions), 0, -1)]


def test_mails_that_were_rendered_by_an_older_version_stay_as_they_are(empty_app: APIFlask) -> None:
    flask_migrate.upgrade(revision="0003")
    with transaction(writes=True) as connection:
        add_what_a_mail_is_about(connection)
        mail = {"subject": "Booked", "text": "Old words", "html": "<p>Old words</p>"}
        about = {"event_id": 1, "appointment_id": 1, "recipient_id": 2, "recipient": "person2@people.example"}
        insert(connection, "outbox", key="k", due_at=NINE, created_at=NINE, **mail, **about)
    flask_migrate.upgrade()
    mailer, clock = MemoryMailer(), StillClock()
    clock.now = NINE
    assert deliver_due(transaction, mailer, clock, make_settings(), AT_ONCE) is True
    assert mailer.sent == [("k", Mail(to="person2@people.example", **mail))]
    flask_migrate.downgrade(revision="0003")
    with db.engine.connect() as connection:
        assert connection.execute(sa.text("SELECT subject, text, html, status FROM outbox")).one() == (
            *mail.values(),
            "sent",
        )


def add_what_a_mail_is_about(connection: sa.Connection) -> None:
    add_user(connection, 1, "doctor")
    add_user(connection, 2, "patient")
    insert(connection, "doctors", id=1, user_id=1, designation="", specialization="", time_zone="UTC")
    add_slot(connection, 1, 1)
    add_appointment(connection, 1, slot=1, doctor=1, patient=2)
    for number in (1, 2, 3, 4):
        insert(connection, "appointment_events", id=number, appointment_id=1, event="booked", actor_id=2, at=NINE)


def add_mail(connection: sa.Connection, number: int, **columns: Any) -> None:
    """Insert a mail as the version before 0008 does."""
    mail = {"key": f"k{number}", "event_id": number, "appointment_id": 1, "recipient_id": 2, "template": "booked"}
    insert(connection, "outbox", **(mail | {"facts": "{}", "due_at": NINE, "created_at": NINE} | columns))


def test_mails_from_before_0008_are_about_their_event(empty_app: APIFlask) -> None:
    flask_migrate.upgrade(revision="0007")
    with transaction(writes=True) as connection:
        add_what_a_mail_is_about(connection)
        add_mail(connection, 1, status="sent")
        add_mail(connection, 2)
        add_mail(connection, 3)
        connection.execute(sa.text("DELETE FROM outbox WHERE event_id = 3"))
    flask_migrate.upgrade()
    with transaction(writes=True) as connection:
        add_mail(connection, 4)
        mails = connection.execute(sa.text("SELECT id, key, about FROM outbox ORDER BY id")).all()
    assert [(mail.id, mail.key) for mail in mails] == [(1, "k1"), (2, "k2"), (4, "k4")]
    sent, waiting, of_the_version_before = (mail.about for mail in mails)
    assert waiting == "appointment:1 event:2"
    # On PostgreSQL, 0008 does not update mails that no longer wait.
    assert sent == ("" if db.engine.dialect.name == "postgresql" else "appointment:1 event:1")
    assert len(of_the_version_before) >= 32
    flask_migrate.downgrade(revision="0007")
    with db.engine.connect() as connection:
        assert list(connection.scalars(sa.text("SELECT key FROM outbox ORDER BY id"))) == ["k1", "k2", "k4"]


def test_a_downgrade_loses_no_mail_that_is_about_no_appointment(empty_app: APIFlask) -> None:
    flask_migrate.upgrade()
    with transaction(writes=True) as connection:
        add_what_a_mail_is_about(connection)
        add_mail(connection, 1, event_id=None, appointment_id=None)
    with pytest.raises(IntegrityError):
        flask_migrate.downgrade(revision="0007")
    with db.engine.connect() as connection:
        assert connection.scalars(sa.text("SELECT key FROM outbox")).one() == "k1"


def test_an_upgrade_and_a_downgrade_count_the_doctors(empty_app: APIFlask) -> None:
    flask_migrate.upgrade(revision="0004")
    with transaction(writes=True) as connection:
        for user, doctor in ((1, 3), (2, 499), (3, 500), (4, 1700)):
            add_user(connection, user, "doctor")
            insert(connection, "doctors", id=doctor, user_id=user, designation="", specialization="")
        connection.execute(
            sa.text(
                "UPDATE users SET deleted_at = created_at, email = NULL, email_key = NULL,"
                " password_hash = NULL WHERE id = 2"
            )
        )
    flask_migrate.upgrade()
    with db.engine.connect() as connection:
        counted = connection.execute(sa.text("SELECT block, living FROM doctor_blocks ORDER BY block")).all()
    assert counted == [(0, 1), (2, 1), (8, 1)]
    flask_migrate.downgrade(revision="0004")
    with db.engine.connect() as connection:
        assert connection.scalars(sa.text("SELECT value FROM totals")).one() == 3


def test_slots_from_before_0011_keep_their_times_and_get_wall_clocks_afterwards(empty_app: APIFlask) -> None:
    flask_migrate.upgrade(revision="0008")
    with transaction(writes=True) as connection:
        add_what_a_mail_is_about(connection)
        connection.execute(sa.text("UPDATE availability_slots SET time_zone = 'Asia/Tokyo'"))
    instants = sa.text(
        "SELECT starts_at, ends_at FROM availability_slots UNION ALL SELECT starts_at, ends_at FROM appointments"
    )
    walls = sa.text("SELECT wall_start FROM availability_slots UNION ALL SELECT wall_start FROM appointments")
    with db.engine.connect() as connection:
        before = connection.execute(instants).all()
    flask_migrate.upgrade()
    with db.engine.connect() as connection:
        assert list(connection.scalars(walls)) == [None, None]
    assert list(fill(transaction)) == [1, 1]
    with db.engine.connect() as connection:
        assert [str(wall)[:16] for wall in connection.scalars(walls)] == ["2030-03-05 18:00", "2030-03-05 09:00"]
        assert connection.execute(instants).all() == before
    flask_migrate.downgrade(revision="0008")
    with db.engine.connect() as connection:
        assert connection.execute(instants).all() == before


def test_appointments_ahead_get_their_range_of_minutes_from_0013(empty_app: APIFlask) -> None:
    flask_migrate.upgrade(revision="0012")
    with transaction(writes=True) as connection:
        for number in (1, 2):
            add_user(connection, number, "doctor" if number == 1 else "patient")
        insert(connection, "doctors", id=1, user_id=1, designation="", specialization="")
        seconds_after, past = NINE + timedelta(days=1, seconds=30), NINE - timedelta(days=3650)
        for number, starts in enumerate((NINE, seconds_after, past, minutes(600)), 1):
            add_slot(connection, number, 1, starts)
            add_appointment(connection, number, slot=number, doctor=1, patient=2, starts=starts, cancelled=number == 4)
    rows = sa.text("SELECT id, slot_id, starts_at, ends_at, status FROM appointments ORDER BY id")
    with db.engine.connect() as connection:
        before = connection.execute(rows).all()
    flask_migrate.upgrade(revision="0013")
    with db.engine.connect() as connection:
        ranges = connection.execute(sa.text("SELECT busy_from, busy_until FROM appointments ORDER BY id")).all()
        assert connection.execute(rows).all() == before
    nine = minute_of(NINE)
    assert ranges == [(nine, nine + 30), (nine + 1440, nine + 1471), (None, None), (None, None)]
    flask_migrate.downgrade(revision="0012")
    with db.engine.connect() as connection:
        assert connection.execute(rows).all() == before


@pytest.mark.parametrize("empty_database_url", ["sqlite"], indirect=True)
def test_0013_reads_the_appointments_of_sqlite_in_the_order_of_the_table(empty_app: APIFlask) -> None:
    """In the order of an index, each row was read from another place: with a million, that took ten times as long."""
    flask_migrate.upgrade(revision="0012")
    plans: list[str] = []

    def explain(_connection: Any, cursor: Any, statement: str, *_more: Any) -> None:
        if statement.startswith("UPDATE appointments"):
            plans.extend(row[3] for row in cursor.execute(f"EXPLAIN QUERY PLAN {statement}"))

    sa.event.listen(sa.Engine, "before_cursor_execute", explain)
    try:
        flask_migrate.upgrade(revision="0013")
    finally:
        sa.event.remove(sa.Engine, "before_cursor_execute", explain)
    assert plans == ["SCAN appointments"]


def schema() -> dict[str, Any]:
    """Return the columns, indexes, constraints and triggers of every table, by table name."""
    inspector = sa.inspect(db.engine)
    rules = "SELECT tgname AS name FROM pg_trigger WHERE NOT tgisinternal UNION SELECT conname FROM pg_constraint"
    if db.engine.dialect.name == "sqlite":
        rules = "SELECT name FROM sqlite_master WHERE type = 'trigger'"
    with db.engine.connect() as connection:
        names = sorted(connection.scalars(sa.text(rules)))
    return {
        table: (
            [(column["name"], str(column["type"]), column["nullable"]) for column in inspector.get_columns(table)],
            sorted(str(index["name"]) for index in inspector.get_indexes(table)),
            [name for name in names if name],
        )
        for table in inspector.get_table_names()
    }


# Rows that the database itself refuses; these tests use raw SQL and none of our queries.


@pytest.fixture
def connection(database_url: str) -> Iterator[sa.Connection]:
    """Yield a connection to a database with two doctors, two patients and a slot of the first doctor at nine."""
    engine = sa.create_engine(database_url, poolclass=NullPool)
    if engine.dialect.name == "sqlite":
        listen_to_sqlite(engine)
    with engine.connect() as connection:
        if is_sqlite(connection):
            connection.exec_driver_sql("BEGIN")
        for number in range(1, 5):
            add_user(connection, number, "doctor" if number < 3 else "patient")
        for number in (1, 2):
            insert(connection, "doctors", id=number, user_id=number, designation="Dr.", specialization="")
        add_slot(connection, 1, doctor=1)
        yield connection
        connection.rollback()


def insert(connection: sa.Connection, table: str, **row: Any) -> None:
    values = {
        name: value.replace(tzinfo=None) if isinstance(value, datetime) and is_sqlite(connection) else value
        for name, value in row.items()
    }
    types = [
        sa.bindparam(name, type_=instant(connection)) for name, value in row.items() if isinstance(value, datetime)
    ]
    names, places = ", ".join(row), ", ".join(f":{name}" for name in row)
    statement = sa.text(f"INSERT INTO {table} ({names}) VALUES ({places})").bindparams(*types)
    with connection.begin_nested():
        connection.execute(statement, values)


def instant(connection: sa.Connection) -> sa.DateTime:
    return sa.DateTime(timezone=not is_sqlite(connection))


def is_sqlite(connection: sa.Connection) -> bool:
    return connection.dialect.name == "sqlite"


def add_user(connection: sa.Connection, number: int, role: str, key: str | None = None) -> None:
    email = key or f"person{number}@people.example"
    insert(
        connection,
        "users",
        id=number,
        name=f"Person {number}",
        email=email,
        email_key=email,
        password_hash="x",
        role=role,
        created_at=NINE,
    )


def add_slot(
    connection: sa.Connection,
    number: int,
    doctor: int,
    starts: datetime = NINE,
    ends: datetime | None = None,
    status: str = "free",
) -> None:
    insert(
        connection,
        "availability_slots",
        id=number,
        doctor_id=doctor,
        starts_at=starts,
        ends_at=ends or starts + HALF_AN_HOUR,
        time_zone="UTC",
        status=status,
        created_at=NINE,
    )


def add_appointment(
    connection: sa.Connection,
    number: int,
    *,
    slot: int,
    doctor: int,
    patient: int,
    starts: datetime = NINE,
    cancelled: bool = False,
) -> None:
    insert(
        connection,
        "appointments",
        id=number,
        slot_id=slot,
        doctor_id=doctor,
        patient_id=patient,
        starts_at=starts,
        ends_at=starts + HALF_AN_HOUR,
        time_zone="UTC",
        status="cancelled" if cancelled else "booked",
        booked_at=NINE,
        cancelled_at=NINE if cancelled else None,
    )


def minutes(count: int) -> datetime:
    return NINE + timedelta(minutes=count)


@pytest.mark.parametrize(
    ("starts", "ends"),
    [(0, 30), (-10, 5), (29, 60), (10, 20), (-30, 90), (0, 10), (20, 30)],
    ids=str,
)
def test_slots_of_one_doctor_do_not_overlap(connection: sa.Connection, starts: int, ends: int) -> None:
    with pytest.raises(IntegrityError, match="slots_no_overlap"):
        add_slot(connection, 2, 1, minutes(starts), minutes(ends))


def test_adjacent_slots_another_doctors_slots_and_withdrawn_slots_do_not_overlap(connection: sa.Connection) -> None:
    add_slot(connection, 2, 1, minutes(30), minutes(60))
    add_slot(connection, 3, 1, minutes(-30), minutes(0))
    add_slot(connection, 4, 2)
    add_slot(connection, 5, 1, status="withdrawn")
    add_slot(connection, 6, 1, status="withdrawn")


def test_a_slot_cannot_be_moved_or_brought_back_onto_another(connection: sa.Connection) -> None:
    add_slot(connection, 2, 1, minutes(30))
    add_slot(connection, 3, 1, status="withdrawn")
    moved = sa.text("UPDATE availability_slots SET starts_at = :at WHERE id = 2").bindparams(
        sa.bindparam("at", type_=instant(connection))
    )
    at = minutes(29).replace(tzinfo=None) if is_sqlite(connection) else minutes(29)
    with pytest.raises(IntegrityError, match="slots_no_overlap"), connection.begin_nested():
        connection.execute(moved, {"at": at})
    with pytest.raises(IntegrityError, match="slots_no_overlap"), connection.begin_nested():
        connection.execute(sa.text("UPDATE availability_slots SET status = 'free' WHERE id = 3"))
    connection.execute(sa.text("UPDATE availability_slots SET status = 'booked' WHERE id = 1"))


def test_a_slot_has_one_active_appointment(connection: sa.Connection) -> None:
    add_appointment(connection, 1, slot=1, doctor=1, patient=3, cancelled=True)
    add_appointment(connection, 2, slot=1, doctor=1, patient=4)
    add_appointment(connection, 3, slot=1, doctor=1, patient=3, cancelled=True)
    # At a later time, so that the rules on overlaps allow it.
    with pytest.raises(IntegrityError, match=r"uq_appointments_active_slot|appointments\.slot_id"):
        add_appointment(connection, 4, slot=1, doctor=1, patient=3, starts=minutes(300))


def test_a_patients_appointments_do_not_overlap(connection: sa.Connection) -> None:
    add_slot(connection, 2, 2, minutes(15))
    add_slot(connection, 3, 2, minutes(60))
    add_appointment(connection, 1, slot=1, doctor=1, patient=3)
    with pytest.raises(IntegrityError, match="appointments_patient_no_overlap"):
        add_appointment(connection, 2, slot=2, doctor=2, patient=3, starts=minutes(15))
    add_appointment(connection, 3, slot=2, doctor=2, patient=3, starts=minutes(15), cancelled=True)
    add_appointment(connection, 4, slot=2, doctor=2, patient=4, starts=minutes(15))
    add_appointment(connection, 5, slot=3, doctor=2, patient=3, starts=minutes(60))


def test_a_doctors_appointments_do_not_overlap(connection: sa.Connection) -> None:
    # Only a withdrawn slot can overlap another one.
    add_slot(connection, 2, 1, minutes(15), status="withdrawn")
    add_slot(connection, 3, 1, minutes(30))
    add_appointment(connection, 1, slot=1, doctor=1, patient=3)
    with pytest.raises(IntegrityError, match="appointments_doctor_no_overlap"):
        add_appointment(connection, 2, slot=2, doctor=1, patient=4, starts=minutes(15))
    add_appointment(connection, 3, slot=2, doctor=1, patient=4, starts=minutes(15), cancelled=True)


def test_adjacent_appointments_do_not_overlap(connection: sa.Connection) -> None:
    add_slot(connection, 2, 1, minutes(30))
    add_slot(connection, 3, 1, minutes(-30))
    add_appointment(connection, 1, slot=1, doctor=1, patient=3)
    add_appointment(connection, 2, slot=2, doctor=1, patient=3, starts=minutes(30))
    add_appointment(connection, 3, slot=3, doctor=1, patient=3, starts=minutes(-30))


def test_a_cancelled_appointment_cannot_be_brought_back_onto_another(connection: sa.Connection) -> None:
    add_appointment(connection, 1, slot=1, doctor=1, patient=3, cancelled=True)
    add_appointment(connection, 2, slot=1, doctor=1, patient=4)
    revived = sa.text("UPDATE appointments SET status = 'booked', cancelled_at = NULL WHERE id = 1")
    with pytest.raises(IntegrityError), connection.begin_nested():
        connection.execute(revived)


def test_an_address_has_one_account(connection: sa.Connection) -> None:
    with pytest.raises(IntegrityError, match=r"uq_users_email_key|users\.email_key"):
        add_user(connection, 9, "patient", key="person1@people.example")


def test_one_person_gets_one_mail_of_a_kind_about_one_thing(connection: sa.Connection) -> None:
    def add(number: int, **columns: Any) -> None:
        mail = {"about": "appointment:1", "recipient_id": 3, "template": "reminder", "event_id": None}
        add_mail(connection, number, **(mail | {"appointment_id": None} | columns))

    add(1)
    with pytest.raises(IntegrityError, match=r"uq_outbox_about|outbox\.about"):
        add(2)
    add(3, recipient_id=4)
    add(4, template="invitation")
    add(5, about="appointment:2")
    with pytest.raises(IntegrityError, match="about"):
        add(6, about=None)


def test_contradictory_values_are_refused(connection: sa.Connection) -> None:
    for table, change in (
        ("users", "role = 'admin'"),
        ("users", "deleted_at = created_at"),
        ("availability_slots", "status = 'lost'"),
        ("availability_slots", "ends_at = starts_at"),
        ("availability_slots", "doctor_id = 99"),
    ):
        with pytest.raises(IntegrityError), connection.begin_nested():
            connection.execute(sa.text(f"UPDATE {table} SET {change}"))
