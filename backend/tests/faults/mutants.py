"""Deliberate defects, each of which a campaign must report: they show that the checker can fail.

A mutant patches functions in the processes of its campaign, and drops constraints that would hide the defect; src/
contains nothing of it. Pauses make a race more likely.
"""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timezone
from typing import Any

from sqlalchemy import Connection, TextClause, TextualSelect, bindparam, delete, select, true, update

from app import app
from src.controllers import (
    auth_controller,
    availability_controller,
    cancellation_controller,
)
from src.database.statements import insert_unless_conflict
from src.domain.minutes import minute_after, minute_of
from src.domain.refusals import Refusal
from src.models import Appointment, AvailabilitySlot, DoctorProfile, OutboxMail, PasswordReset, User
from src.models.appointment import FIRST_COMPUTED_SLOT
from src.models.base import Instant, state_literal
from src.repositories import (
    affected_repository,
    appointment_repository,
    availability_repository,
    batch_repository,
    booking_history,
    booking_repository,
    booking_statement,
    booking_steps,
    booking_targets,
    free_times_repository,
    holds,
    hours_repository,
    mail_erasure,
    offered,
    outbox_repository,
    password_reset_repository,
    reschedule_steps,
    session_repository,
    slots_at_appointments,
    user_repository,
)
from src.repositories.booking_sql import typed
from src.repositories.cancellations import Cancellation
from src.services.resend_mailer import ResendMailer
from src.tasks import demo
from src.web import road

PAUSE = 0.03
NO_RULES = (
    "DROP INDEX uq_appointments_active_slot",
    "ALTER TABLE appointments DROP CONSTRAINT appointments_doctor_no_overlap",
    "ALTER TABLE appointments DROP CONSTRAINT appointments_patient_no_overlap",
    "DROP INDEX uq_appointment_events_patient_nth",
)


def nothing() -> None:
    """No defect."""


@dataclass(frozen=True)
class Mutant:
    """A defect: `apply` patches functions, `sql` drops constraints, `postgres` has settings of the server.

    The mutant counts as caught only if a violation contains `seen_as`, or one of several sentences, because another
    violation may have another cause.
    """

    seen_as: str | tuple[str, ...]
    apply: Callable[[], None] = nothing
    sql: tuple[str, ...] = ()
    postgres: dict[str, str] = field(default_factory=dict)
    under_faults: bool = False
    seconds: float = 6

    def explains(self, violation: str) -> bool:
        sentences = (self.seen_as,) if isinstance(self.seen_as, str) else self.seen_as
        return any(sentence in violation for sentence in sentences)


def _in_steps() -> None:
    """Run every controller in a transaction with BEGIN, because the defect needs several statements."""
    transaction = app.extensions["transaction"]
    app.extensions["transaction"] = lambda *, writes, one_statement=False: transaction(writes=writes)


def _book_carelessly(take: Callable[[Connection, int, datetime], Any]) -> Callable[..., Any]:
    """Return a `book` in steps that gets published slots from `take`; computed times are booked as always."""
    _in_steps()
    book_well = booking_repository.book

    def book(db: Connection, slot_id: int, patient_id: int, now: datetime, *others: Any, **options: Any) -> Any:
        if slot_id >= FIRST_COMPUTED_SLOT:
            return book_well(db, slot_id, patient_id, now, *others, **options)
        slot = take(db, slot_id, now)
        if slot is None:
            return "slot_taken"
        columns = ("doctor_id", "starts_at", "ends_at", "time_zone", "wall_start", "wall_end")
        placement = {"slot_id": slot_id, **{name: getattr(slot, name) for name in columns}}
        busy = {"busy_from": minute_of(slot.starts_at), "busy_until": minute_after(slot.ends_at)}
        appointment_id = insert_unless_conflict(
            db, Appointment, patient_id=patient_id, booked_at=now, **placement, **busy
        )
        if appointment_id is None:
            return "slot_taken"
        availability_repository.mark_booked(db, slot_id)
        booking_history.add_booked(db, appointment_id, patient_id, now)
        return appointment_id

    return book


def _look_at_free_slot(db: Connection, slot_id: int) -> Any:
    return db.execute(
        select(
            AvailabilitySlot.id,
            AvailabilitySlot.doctor_id,
            AvailabilitySlot.starts_at,
            AvailabilitySlot.ends_at,
            AvailabilitySlot.time_zone,
            AvailabilitySlot.wall_start,
            AvailabilitySlot.wall_end,
        ).where(AvailabilitySlot.id == slot_id, AvailabilitySlot.status == "free")
    ).one_or_none()


def check_then_insert() -> None:
    def take(db: Connection, slot_id: int, now: datetime) -> Any:
        slot = _look_at_free_slot(db, slot_id)
        time.sleep(PAUSE * 16)
        return slot

    booking_repository.book = _book_carelessly(take)


def book_without_locking_slot_or_people() -> None:
    def take(db: Connection, slot_id: int, now: datetime) -> Any:
        slot = _look_at_free_slot(db, slot_id)
        time.sleep(PAUSE * 30)
        return slot

    booking_repository.book = _book_carelessly(take)


def commit_before_the_outbox_row() -> None:
    """A server that is killed between the two transactions has booked without a mail."""
    transaction, execute = app.extensions["transaction"], Connection.execute

    def execute_mails_later(self: Connection, statement: Any, *values: Any, **options: Any) -> Any:
        late = self.info.get("late mails")
        if late is not None and str(statement).strip().startswith("INSERT INTO outbox"):
            return late.append((statement, *values))
        return execute(self, statement, *values, **options)

    @contextmanager
    def committing_first(*, writes: bool, one_statement: bool = False) -> Generator[Connection]:
        with transaction(writes=writes) as db:
            late = db.info["late mails"] = []
            yield db
            db.info["late mails"] = None
        if late:
            time.sleep(PAUSE * 3)
            with transaction(writes=True) as db:
                for statement, *values in late:
                    db.execute(statement, *values)

    booking_repository.book = _book_in_steps(booking_repository.book)
    booking_repository.cancel = _cancel_in_steps()
    Connection.execute = execute_mails_later
    app.extensions["transaction"] = committing_first


def _book_in_steps(book: Callable[..., int | Refusal]) -> Callable[..., int | Refusal]:
    def book_in_steps(*others: Any, in_steps: bool, **options: Any) -> int | Refusal:
        return book(*others, in_steps=True, **options)

    return book_in_steps


def _cancel_in_steps() -> Callable[..., int | Refusal]:
    """Return the function that cancels in steps, as on SQLite."""
    _in_steps()
    cancel = booking_repository.cancel

    def cancel_in_steps(db: Connection, cancellation: Cancellation, *, in_steps: bool) -> int | Refusal:
        return cancel(db, cancellation, in_steps=True)

    return cancel_in_steps


def fresh_key_per_attempt() -> None:
    send, send_batch = ResendMailer.send, ResendMailer.send_batch

    def send_anew(self: ResendMailer, mail: Any, key: str) -> None:
        send(self, mail, str(uuid.uuid4()))

    def send_batch_anew(self: ResendMailer, mails: Any, key: str) -> Any:
        return send_batch(self, mails, str(uuid.uuid4()))

    ResendMailer.send, ResendMailer.send_batch = send_anew, send_batch_anew


def smaller_batch_under_the_same_key() -> None:
    """Repeat a batch without its last mail."""
    find_members = batch_repository.members
    seen: set[str] = set()

    def all_but_the_last(db: Connection, key: str) -> Any:
        members = find_members(db, key)
        if key in seen and len(members) > 1:
            return members[:-1]
        seen.add(key)
        return members

    batch_repository.members = all_but_the_last


def other_key_for_a_repeated_batch() -> None:
    """Forget a batch whose answer is unknown, and send its mails one by one."""
    postpone = outbox_repository.postpone

    def postpone_alone(db: Connection, rows: Any, due_at: datetime, error: str) -> None:
        postpone(db, rows, due_at, error)
        ids = [row.id for row in rows]
        alone = update(OutboxMail).where(OutboxMail.id.in_(ids)).values(batch_key=None, batch_position=None)
        db.execute(alone)

    outbox_repository.postpone = postpone_alone


def give_up_after_one_attempt() -> None:
    def postpone(db: Connection, rows: Any, due_at: datetime, error: str) -> None:
        ids = [row.id for row in rows]
        db.execute(update(OutboxMail).where(OutboxMail.id.in_(ids)).values(status="dropped"))

    outbox_repository.postpone = postpone


def mails_overtake_each_other() -> None:
    def claim_any(db: Connection, now: datetime, lease: Any, limit: int, limit_begun: int) -> Any:
        ids = list(
            db.scalars(
                select(OutboxMail.id)
                .where(OutboxMail.status == "waiting", OutboxMail.due_at <= now)
                .order_by(OutboxMail.id.desc())
                .limit(limit)
                .with_for_update(skip_locked=True)
            )
        )
        if not ids:
            return []
        db.execute(update(OutboxMail).where(OutboxMail.id.in_(ids)).values(due_at=now + lease))
        columns = (
            OutboxMail.id, OutboxMail.key, OutboxMail.batch_key, OutboxMail.recipient_id, OutboxMail.recipient,
            OutboxMail.template, OutboxMail.facts, OutboxMail.subject, OutboxMail.text, OutboxMail.html,
            OutboxMail.attempts, OutboxMail.useless_after,
        )  # fmt: skip
        return list(db.execute(select(*columns).where(OutboxMail.id.in_(ids))))

    outbox_repository.claim = claim_any


def cancel_without_looking() -> None:
    """Two cancels at once both succeed."""
    cancel = _cancel_in_steps()

    def cancel_any(db: Connection, cancellation: Cancellation, *, in_steps: bool) -> int | Refusal:
        appointment_id = cancellation.appointment_id
        time.sleep(PAUSE)
        db.execute(
            update(Appointment).where(Appointment.id == appointment_id).values(status="booked", cancelled_at=None)
        )
        return cancel(db, cancellation, in_steps=in_steps)

    booking_repository.cancel = cancel_any


def cancelled_slots_stay_taken() -> None:
    cancel = _cancel_in_steps()

    def cancel_and_keep(db: Connection, cancellation: Cancellation, *, in_steps: bool) -> int | Refusal:
        appointment_id = cancellation.appointment_id
        done = cancel(db, cancellation, in_steps=in_steps)
        db.execute(
            update(AvailabilitySlot)
            .where(
                AvailabilitySlot.id
                == select(Appointment.slot_id).where(Appointment.id == appointment_id).scalar_subquery(),
                AvailabilitySlot.status == "free",
            )
            .values(status="booked")
        )
        return done

    booking_repository.cancel = cancel_and_keep


def taken_slots_are_offered() -> None:
    def list_published(db: Connection, doctor_id: int, *others: Any) -> Any:
        query = select(
            AvailabilitySlot.id,
            AvailabilitySlot.starts_at,
            AvailabilitySlot.ends_at,
            AvailabilitySlot.wall_start,
            AvailabilitySlot.wall_end,
            AvailabilitySlot.time_zone,
            true().label("has_openings"),
        ).where(AvailabilitySlot.doctor_id == doctor_id, AvailabilitySlot.status != "withdrawn")
        return list(db.execute(query))

    free_times_repository.list_published = list_published


def history_is_deleted_on_cancel() -> None:
    cancel = _cancel_in_steps()

    def cancel_and_delete(db: Connection, cancellation: Cancellation, *, in_steps: bool) -> int | Refusal:
        appointment_id = cancellation.appointment_id
        done = cancel(db, cancellation, in_steps=in_steps)
        # The time of one that is withdrawn is read afterwards.
        if done == appointment_id and not cancellation.withdraw:
            db.execute(delete(Appointment).where(Appointment.id == appointment_id))
        return done

    booking_repository.cancel = cancel_and_delete


def tokens_of_ended_sessions_still_open() -> None:
    def find_caller(db: Connection, user_id: int, epoch: int, session: str) -> Any:
        query = (
            select(*user_repository._CALLER.selected_columns)
            .outerjoin(DoctorProfile, DoctorProfile.user_id == User.id)
            .where(User.id == user_id)
        )
        return db.execute(query).one_or_none()

    user_repository.find_caller = find_caller


def log_outs_are_forgotten() -> None:
    session_repository.end = lambda db, session, expires_at: None


def repetitions_work_again() -> None:
    """Ignore the Idempotency-Key."""

    def answer_each_time(
        db: Connection, user_id: int, key: str, now: datetime, settings: Any, work: Any, **_: Any
    ) -> Any:
        return work()

    road.answer_once = answer_each_time


def mailboxes_differ_by_letter_case() -> None:
    def same(address: str) -> str:
        return address

    auth_controller.email_key = same
    demo.email_key = same


def wall_clocks_are_taken_for_utc() -> None:
    def instant_of(wall: datetime, zone: str) -> datetime:
        return wall.replace(tzinfo=timezone.utc)

    availability_controller.instant_of = instant_of


def accounts_go_and_appointments_stay() -> None:
    booking_steps.cancel_all_ahead = lambda *_: None


def leases_are_not_taken() -> None:
    """Let two workers claim the same mail, and send it with different keys."""
    fresh_key_per_attempt()
    claim_leased = outbox_repository.claim

    def claim(db: Connection, now: datetime, lease: Any, limit: int, limit_begun: int) -> Any:
        rows = claim_leased(db, now, lease, limit, limit_begun)
        for row in rows:
            db.execute(update(OutboxMail).where(OutboxMail.id == row.id).values(due_at=now))
        return rows

    outbox_repository.claim = claim


def _reword(changes: dict[str, str]) -> None:
    """Replace parts of the SQL that lists, books, holds and moves to computed times."""

    def reworded(statement: TextClause) -> TextClause:
        sql = statement.text
        for old, new in changes.items():
            sql = sql.replace(old, new)
        return typed(sql)

    def reworded_rows(statement: TextualSelect) -> TextualSelect:
        assert isinstance(statement.element, TextClause)
        return TextualSelect(reworded(statement.element), statement.column_args, positional=statement.positional)

    places, reasons = booking_targets._PLACE, booking_targets._WHY_NOT
    before = [booking_statement._BOOK_TIME.text, *(reason.text for reason in reasons.values())]
    before += [place.element.text for place in places.values()]
    assert all(any(old in sql for sql in before) for old in changes), "the SQL has no such part"
    booking_statement._BOOK_TIME = reworded(booking_statement._BOOK_TIME)
    booking_targets._PLACE = {dialect: reworded_rows(place) for dialect, place in places.items()}
    booking_targets._WHY_NOT = {dialect: reworded(reason) for dialect, reason in reasons.items()}
    computed = free_times_repository._computed

    def computed_reworded(dialect: str, chosen: str, most: int) -> TextualSelect:
        return reworded_rows(computed(dialect, chosen, most))

    free_times_repository._computed = computed_reworded


def buffers_are_not_taken() -> None:
    columns = offered.COLUMNS
    _reword({columns["busy_from"]: "offered.minute", columns["busy_until"]: "offered.minute + type.minutes"})


def one_seat_too_many() -> None:
    _reword(
        {
            "HAVING count(*) < capacity": "HAVING count(*) <= capacity",
            " END, capacity, ": " END, capacity + 1, ",
            "capacity AS seats": "capacity + 1 AS seats",
        }
    )


def notice_is_ignored() -> None:
    _reword({"ELSE visit_type.minimum_notice END": "ELSE 0 END"})


def day_limit_is_counted() -> None:
    """Count, wait and insert."""
    _reword({"EXISTS (SELECT FROM offered)": f"EXISTS (SELECT FROM offered CROSS JOIN pg_sleep({PAUSE * 12}))"})


def expired_holds_still_block() -> None:
    def clear(db: Connection, target: Any, patient_id: int, now: datetime) -> holds.Holds:
        held = db.execute(holds._OF_EITHER, {"doctor_id": target.doctor_id, "me": patient_id}).all()
        mine = [hold for hold in held if hold.patient_id == patient_id and hold.held_until > now]
        return holds.Holds(next((hold.id for hold in mine if hold.slot_id == target.slot_id), None), len(mine))

    holds.clear = clear


def expired_holds_are_not_offered() -> None:
    list_published, computed = free_times_repository._published, free_times_repository._computed
    expired = "held_until <= :now OR "

    def without(make: Callable[..., TextualSelect]) -> Callable[..., TextualSelect]:
        def reworded(*others: Any) -> TextualSelect:
            made = make(*others)
            sql = typed(made.element.text.replace(expired, ""))
            return TextualSelect(sql, made.column_args, positional=made.positional)

        return reworded

    free_times_repository._published, free_times_repository._computed = without(list_published), without(computed)


def holds_of_others_can_be_booked() -> None:
    clear = holds.clear

    def clear_all(db: Connection, target: Any, patient_id: int, now: datetime) -> holds.Holds:
        others = delete(Appointment).where(
            Appointment.slot_id == target.slot_id, Appointment.status == "held", Appointment.patient_id != patient_id
        )
        db.execute(others)
        return clear(db, target, patient_id, now)

    holds.clear = clear_all


def holds_cost_their_owner_the_time() -> None:
    holds.claim = lambda *_: "slot_taken"


def holds_are_listed() -> None:
    appointment_repository.HELD = state_literal("nothing")


def moves_forget_the_old_time() -> None:
    """Write into the history where the appointment is now as where it was."""
    add = booking_history.add_rescheduled

    def add_new_time(
        db: Connection, appointment_id: int, actor_id: int, by: str, now: datetime, was: dict[str, Any], **who: bool
    ) -> None:
        columns = [getattr(Appointment, name.removeprefix("was_")).label(name) for name in was]
        row = db.execute(select(*columns).where(Appointment.id == appointment_id)).mappings().one()
        add(db, appointment_id, actor_id, by, now, dict(row), **who)

    booking_history.add_rescheduled = add_new_time


def cancelled_appointments_can_be_moved() -> None:
    reschedule_steps._why_not_movable = lambda *_: None


def moves_keep_the_old_slot() -> None:
    availability_repository.free = lambda *_: None


def mails_of_moves_name_the_old_time() -> None:
    _reword_mails_of_moves("appointment.wall_start,", "event.was_wall_start,")


def old_doctors_are_not_told() -> None:
    _reword_mails_of_moves("(patient.id, doctor.id, was_doctor.id)", "(patient.id, doctor.id)")


def _reword_mails_of_moves(old: str, new: str) -> None:
    def reworded(statement: TextClause) -> TextClause:
        sql = " ".join(statement.text.split())
        assert old in sql
        return typed(sql.replace(old, new))

    booking_history._RESCHEDULED = {
        dialect: reworded(statement) for dialect, statement in booking_history._RESCHEDULED.items()
    }


def hours_are_changed_without_the_lock() -> None:
    def lock(db: Connection, user_id: int, doctor_id: int, *others: int) -> Any:
        return db.execute(hours_repository._FACTS, {"doctor_id": doctor_id}).one()

    replace = hours_repository.replace

    def replace_slowly(db: Connection, doctor_id: int, weekly: Any) -> int:
        time.sleep(PAUSE * 10)
        return replace(db, doctor_id, weekly)

    hours_repository.lock, hours_repository.replace = lock, replace_slowly


def _reword_bookings(old: str, new: str) -> None:
    """Replace a part of the statements that book on PostgreSQL."""
    slot, time_ = booking_statement._BOOK_SLOT.text, booking_statement._BOOK_TIME.text
    assert old in slot or old in time_, "the SQL has no such part"
    booking_statement._BOOK_SLOT = typed(slot.replace(old, new))
    booking_statement._BOOK_TIME = typed(time_.replace(old, new))


def limits_are_counted_before_the_lock() -> None:
    """Count, wait and insert: two bookings of one patient at the same moment count the same."""
    _reword_bookings(
        "(SELECT refusal FROM limits) IS NULL",
        f"(SELECT refusal FROM limits CROSS JOIN pg_sleep({PAUSE * 4})) IS NULL",
    )


def policies_of_doctors_are_ignored() -> None:
    _reword_bookings("coalesce((SELECT most_ahead FROM people WHERE id <> :me), ", "coalesce(NULL, ")


def changes_are_not_numbered() -> None:
    """Count no booking of an hour."""
    _reword_bookings(
        "SELECT id, 'booked', :me, :now, nth + 1 ", "SELECT id, 'booked', :me, :now, CAST(NULL AS BIGINT) "
    )


def patients_cancel_too_late() -> None:
    cancel = booking_statement._CANCEL.text
    assert "AND present.until >= :now" in cancel
    booking_statement._CANCEL = typed(cancel.replace("AND present.until >= :now", ""))


def withdrawn_slots_can_be_booked() -> None:
    _reword_bookings("FROM slot WHERE status = 'free'", "FROM slot WHERE status <> 'booked'")


def withdrawn_times_are_offered_again() -> None:
    cancellation_controller.close_time_of = lambda *_: None


def slots_that_overlap_withdrawn_times_stay() -> None:
    """Withdraw the slots of the appointments only."""
    of_appointments = select(Appointment.slot_id).where(slots_at_appointments._THESE)
    withdraw = update(AvailabilitySlot).where(AvailabilitySlot.id.in_(of_appointments)).values(status="withdrawn")
    slots_at_appointments._WITHDRAW_AT_APPOINTMENTS = withdraw


def affected_are_cancelled_without_mails() -> None:
    def add_events(db: Connection, ids: Any, actor_id: int, by: str, now: datetime, reason: str | None) -> None:
        values = {"ids": ids, "actor_id": actor_id, "now": now, "reason": reason}
        db.execute(booking_history._ADD_CANCELLED_MANY, values)

    booking_history.add_cancelled_many = add_events


def some_affected_are_cancelled() -> None:
    """Leave out the first, and say that all are cancelled."""
    cancel = affected_repository.cancel

    def cancel_some(db: Connection, ids: Any, *others: Any) -> None:
        cancel(db, ids[1:], *others)

    affected_repository.cancel = cancel_some


def erased_names_are_left_in_mails() -> None:
    """Clear no mail that was under way when its patient left."""
    mail_erasure.clear_finished = lambda *_: None


def reset_tokens_are_reusable() -> None:
    """Give a permission for every token that has not expired, used or not."""
    password_reset_repository._FIND = select(
        PasswordReset.id, PasswordReset.user_id, User.token_epoch.label("epoch"), User.name, User.email
    ).where(
        PasswordReset.user_id == User.id,
        PasswordReset.token_hash == bindparam("token_hash"),
        PasswordReset.expires_at > bindparam("now", type_=Instant()),
    )


def sessions_survive_resets() -> None:
    def reset_password(db: Connection, user_id: int, *, epoch: int, new_hash: str, now: datetime) -> Any:
        account = update(User).where(User.id == user_id, User.token_epoch == epoch)
        return db.scalars(account.values(password_hash=new_hash).returning(User.email_key)).one_or_none()

    user_repository.reset_password = reset_password


# Where a constraint would hide a defect, the mutant drops it.
MUTANTS: dict[str, Mutant] = {
    "check-then-insert": Mutant("two active appointments of one slot", check_then_insert, sql=NO_RULES),
    "book-without-locking-slot-or-people": Mutant(
        "an active appointment of a gone doctor", book_without_locking_slot_or_people, sql=NO_RULES, seconds=10
    ),
    "patient-overlaps-allowed": Mutant(
        "overlapping appointments of one patient",
        sql=("ALTER TABLE appointments DROP CONSTRAINT appointments_patient_no_overlap",),
        seconds=15,
    ),
    "commit-before-the-outbox-row": Mutant("mails to", commit_before_the_outbox_row, under_faults=True, seconds=15),
    "fresh-key-per-attempt": Mutant("mails to", fresh_key_per_attempt),
    "smaller-batch-under-the-same-key": Mutant("mails to", smaller_batch_under_the_same_key),
    "other-key-for-a-repeated-batch": Mutant("mails to", other_key_for_a_repeated_batch),
    "give-up-after-one-attempt": Mutant("mails to", give_up_after_one_attempt),
    "mails-overtake-each-other": Mutant("mails to", mails_overtake_each_other),
    "leases-are-not-taken": Mutant("mails to", leases_are_not_taken),
    "cancel-without-looking": Mutant("the one event that cancelled it", cancel_without_looking),
    "cancelled-slots-stay-taken": Mutant("no order in which it makes sense", cancelled_slots_stay_taken),
    "taken-slots-are-offered": Mutant("no order in which it makes sense", taken_slots_are_offered),
    "history-deleted-on-cancel": Mutant(
        "was acknowledged and is lost",
        history_is_deleted_on_cancel,
        sql=(
            "ALTER TABLE outbox DROP CONSTRAINT fk_outbox_appointment_id",
            "ALTER TABLE appointment_events DROP CONSTRAINT fk_appointment_events_appointment_id",
        ),
    ),
    "tokens-of-ended-sessions-still-open": Mutant("a token still opens", tokens_of_ended_sessions_still_open),
    "log-outs-are-forgotten": Mutant("a token still opens after /auth/logout was", log_outs_are_forgotten, seconds=10),
    "repetitions-work-again": Mutant(
        "one key booked two appointments", repetitions_work_again, under_faults=True, seconds=12
    ),
    "mailboxes-differ-by-letter-case": Mutant("accounts registered for", mailboxes_differ_by_letter_case),
    "wall-clocks-are-taken-for-utc": Mutant("was published for", wall_clocks_are_taken_for_utc),
    "accounts-go-and-appointments-stay": Mutant(
        "an active appointment of a gone doctor", accounts_go_and_appointments_stay, seconds=10
    ),
    "buffers-are-not-taken": Mutant("overlapping appointments of one doctor", buffers_are_not_taken),
    "one-seat-too-many": Mutant("more patients than seats", one_seat_too_many, seconds=10),
    "notice-is-ignored": Mutant("too close", notice_is_ignored),
    "day-limit-is-counted": Mutant(
        "more on one day than its limit",
        day_limit_is_counted,
        sql=("DROP INDEX uq_appointments_day_limit",),
        seconds=20,
    ),
    "expired-holds-still-block": Mutant("without a reason", expired_holds_still_block, seconds=10),
    "expired-holds-are-not-offered": Mutant(
        ("nothing was in the way", "no order in which it makes sense"), expired_holds_are_not_offered, seconds=10
    ),
    "holds-of-others-can-be-booked": Mutant("that another patient held", holds_of_others_can_be_booked, seconds=10),
    "holds-cost-their-owner-the-time": Mutant("and held it", holds_cost_their_owner_the_time),
    "holds-are-listed": Mutant("holds are listed", holds_are_listed),
    "moves-forget-the-old-time": Mutant("is not what was answered", moves_forget_the_old_time),
    "cancelled-appointments-can-be-moved": Mutant(
        "is cancelled with the history", cancelled_appointments_can_be_moved, seconds=10
    ),
    "moves-keep-the-old-slot": Mutant("no order in which it makes sense", moves_keep_the_old_slot, seconds=10),
    "mails-of-moves-name-the-old-time": Mutant("mails to", mails_of_moves_name_the_old_time),
    "old-doctors-are-not-told": Mutant("mails to", old_doctors_are_not_told, seconds=10),
    "hours-are-changed-without-the-lock": Mutant(
        "outside of the hours", hours_are_changed_without_the_lock, seconds=12
    ),
    "limits-are-counted-before-the-lock": Mutant(
        "than the limit",
        limits_are_counted_before_the_lock,
        sql=("DROP INDEX uq_appointment_events_patient_nth",),
        seconds=10,
    ),
    "policies-of-doctors-are-ignored": Mutant(
        "with one doctor than the limit", policies_of_doctors_are_ignored, seconds=10
    ),
    "changes-are-not-numbered": Mutant("are not numbered one by one", changes_are_not_numbered),
    "patients-cancel-too-late": Mutant("too late:", patients_cancel_too_late),
    "withdrawn-slots-can-be-booked": Mutant("after its time was withdrawn", withdrawn_slots_can_be_booked, seconds=10),
    "withdrawn-times-are-offered-again": Mutant("could not be booked", withdrawn_times_are_offered_again, seconds=10),
    "slots-that-overlap-withdrawn-times-stay": Mutant(
        ("withdrawn, and", "could not be booked"), slots_that_overlap_withdrawn_times_stay, seconds=20
    ),
    "affected-are-cancelled-without-mails": Mutant("mails to", affected_are_cancelled_without_mails, seconds=10),
    "some-affected-are-cancelled": Mutant("all or none", some_affected_are_cancelled, seconds=10),
    "erased-name-left-in-a-mail": Mutant("still says", erased_names_are_left_in_mails, seconds=10),
    "reset-token-reusable": Mutant("a reset token worked", reset_tokens_are_reusable),
    "sessions-survive-a-reset": Mutant("still opens after /auth/password/reset", sessions_survive_resets),
    "synchronous-commit-off": Mutant(
        "lost",
        postgres={"synchronous_commit": "off", "wal_writer_delay": "10s"},
        under_faults=True,
        seconds=20,
    ),
}
