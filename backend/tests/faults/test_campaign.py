"""Short fault campaigns, in every run of the tests; `./test --faults SEED SECONDS` runs longer ones."""

from __future__ import annotations

import pytest

from tests.faults.campaign import LEAST, run
from tests.faults.checker import linearizable
from tests.faults.record import NEVER, Record, SlotOperation
from tests.faults.world import World

# The seconds for a recovery; longer than in `./test --faults`, because other tests run at the same time.
PATIENCE = 20


def everything_has_happened(world: World, record: Record) -> bool:
    mails = len(world.resend.accepted)
    return len(world.faults) > 2 and record.moves > 2 and record.holds > 2 and record.limited.total() > 0 and mails > 20


@pytest.mark.timeout(170)
def test_nothing_is_lost_or_doubled_while_two_machines_and_postgresql_are_killed() -> None:
    report = run(7, 9, enough=everything_has_happened, recover_within=PATIENCE)
    print(report)
    assert report.violations == []
    assert report.faults.total() > 2
    assert report.appointments > 10
    assert report.moves > 2
    assert report.holds > 2
    assert report.forms > 10
    assert report.withdrawals > 0
    assert report.limited.total() > 0
    assert report.resets >= LEAST
    assert report.departures >= LEAST
    assert report.mails > 20
    assert report.batches > report.repeated_batches > 0


@pytest.mark.timeout(170)
def test_nothing_is_lost_or_doubled_on_sqlite_while_its_server_is_killed() -> None:
    report = run(7, 4, kind="sqlite", enough=lambda world, _: len(world.faults) > 1, recover_within=PATIENCE)
    print(report)
    assert report.violations == []
    assert report.faults.total() > 1
    assert report.appointments > 5
    assert report.resets >= LEAST
    assert report.departures >= LEAST


@pytest.mark.long
@pytest.mark.timeout(170)
def test_a_defect_is_caught() -> None:
    # On a loaded machine, the few requests of a campaign may never meet in the wrong instant.
    assert any(
        "two active appointments of one slot" in violation
        for seed in (1, 2, 3)
        for violation in run(seed, 4, mutant="check-then-insert", recover_within=PATIENCE).violations
    )


BOOKED = SlotOperation("book", 0, 1, "done", 1)
CANCELLED = SlotOperation("cancel", 2, 3, "done", 1)
CLOSED = SlotOperation("cancel_and_withdraw", 2, 3, "done", 1)
MOVED_AWAY = SlotOperation("move_out", 2, 3, "done", 1)
LEFT = SlotOperation("vacate", 2, 3, "done", 1)
UNTOLD = SlotOperation("book", 0, NEVER, "unknown", None, "ada")
HELD = SlotOperation("hold", 0, 1, "done", None, "ada")
EXPIRED = SlotOperation("expire", 2, 3, "done", None, "ada")


@pytest.mark.parametrize(
    ("operations", "makes_sense"),
    [
        ([BOOKED, CANCELLED, SlotOperation("book", 4, 5, "done", 2)], True),
        ([BOOKED, SlotOperation("book", 0, 1, "taken")], True),
        ([BOOKED, SlotOperation("book", 2, 3, "done", 2)], False),
        ([SlotOperation("book", 0, 1, "taken")], False),
        ([SlotOperation("book", 0, NEVER, "unknown"), SlotOperation("book", 2, 3, "taken")], True),
        ([SlotOperation("book", 4, NEVER, "unknown"), SlotOperation("book", 2, 3, "taken")], False),
        ([BOOKED, SlotOperation("look", 2, 3, "free")], False),
        ([BOOKED, SlotOperation("look", 0.5, 3, "free")], True),
        ([BOOKED, CANCELLED, SlotOperation("cancel", 2, 3, "done", 1)], False),
        ([BOOKED, CANCELLED, SlotOperation("cancel", 2, 3, "not_active", 1)], True),
        ([SlotOperation("withdraw", 0, 1, "done"), SlotOperation("book", 2, 3, "gone")], True),
        ([SlotOperation("withdraw", 0, 1, "done"), SlotOperation("book", 2, 3, "done", 1)], False),
        ([BOOKED, SlotOperation("withdraw", 2, 3, "done")], False),
        ([BOOKED, SlotOperation("withdraw", 2, 3, "taken")], True),
        ([BOOKED, SlotOperation("leave", 2, 3, "done")], True),
        ([BOOKED, LEFT, SlotOperation("book", 4, 5, "done", 2)], True),
        ([BOOKED, LEFT, SlotOperation("look", 4, 5, "not_free")], False),
        ([BOOKED, SlotOperation("vacate", 2, 3, "done", 2), SlotOperation("book", 4, 5, "done", 3)], False),
        ([UNTOLD, SlotOperation("vacate", 2, 3, "done", None, "ada"), SlotOperation("look", 4, 5, "free")], True),
        ([UNTOLD, SlotOperation("vacate", 2, 3, "done", None, "ben"), SlotOperation("book", 4, 5, "taken")], True),
        ([BOOKED, CLOSED, SlotOperation("book", 4, 5, "gone")], True),
        ([BOOKED, CLOSED, SlotOperation("book", 4, 5, "done", 2)], False),
        ([BOOKED, CLOSED, SlotOperation("withdraw", 4, 5, "done")], False),
        ([HELD, SlotOperation("withdraw", 2, 3, "done"), SlotOperation("expire", 4, 5, "done", None, "ada")], True),
        ([BOOKED, MOVED_AWAY, SlotOperation("book", 4, 5, "done", 2)], True),
        ([BOOKED, MOVED_AWAY, SlotOperation("cancel", 4, 5, "done", 1)], False),
        ([SlotOperation("move_in", 0, 1, "done", 1), CANCELLED], True),
        ([HELD, SlotOperation("book", 2, 3, "done", 1, "ada")], True),
        ([HELD, SlotOperation("book", 2, 3, "done", 1, "ben")], False),
        ([HELD, SlotOperation("book", 2, 3, "taken", None, "ben")], True),
        ([HELD, SlotOperation("book", 2, 3, "taken", None, "ada")], False),
        ([HELD, SlotOperation("look", 2, 3, "free", None, "ada")], True),
        ([HELD, SlotOperation("look", 2, 3, "free", None, "ben")], False),
        ([HELD, EXPIRED, SlotOperation("book", 4, 5, "taken", None, "ben")], False),
        ([HELD, EXPIRED, SlotOperation("book", 4, 5, "done", 1, "ben")], True),
        (
            [HELD, SlotOperation("release", 2, 3, "done", None, "ada"), SlotOperation("hold", 4, 5, "done", 1, "ben")],
            True,
        ),
        ([HELD, SlotOperation("release", 2, 3, "none", None, "ada")], False),
    ],
)
def test_the_checker_recognises_linearizable_histories(operations: list[SlotOperation], makes_sense: bool) -> None:  # noqa: FBT001
    assert linearizable(operations) is makes_sense
