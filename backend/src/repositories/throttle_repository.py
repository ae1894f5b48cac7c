"""Limits on guesses of passwords and of the invitation code, of which only failures count, and on what sends mails.

The counts are in the database, so that all workers share them.
"""

from __future__ import annotations

import hashlib
import hmac
import math
import re
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address
from typing import Any

from sqlalchemy import Connection, case, delete, select

from config import Settings
from src.context import SlowContext
from src.database.statements import insert_of
from src.errors import Throttled
from src.models import FailedAttempts

# How many times the failures of one network all networks together may have at one account. With the default, that makes
# 100 in a window: NIST SP 800-63B, section 5.2.2, allows no more failures in a row.
NETWORKS_TOGETHER = 10
NO_NETWORK = "no address"
# In which REGISTRATIONS_PER_HOUR, PASSWORD_RESETS_PER_HOUR and CONFIRMATIONS_PER_HOUR count.
HOUR = timedelta(hours=1)
# In which wrong codes of an app count. No window is longer.
DAY = timedelta(days=1)

# Some proxies add the port, and brackets around IPv6, to the address in X-Forwarded-For.
_ADDRESS = re.compile(r"\[(?P<ipv6>[0-9A-Fa-f:.]+)(?:%[^\]]*)?\](?::[0-9]+)?|(?P<ipv4>[0-9.]+)(?::[0-9]+)?")


@dataclass(frozen=True)
class Limit:
    """The number of failures that one subject may have in a window: that of the settings, unless it has its own.

    `subject` is a keyed hash of an account or a network address.
    """

    subject: str
    failures: int
    window: timedelta | None = None


def log_in_limits(settings: Settings, email_key: str, address: str) -> list[Limit]:
    """Return the limits on log-ins, whether or not the account exists.

    An account has two: a low one for each network, and a higher one for all networks together. With the low one alone
    for all networks, whoever knows an address could shut its owner out; without the higher one, a botnet could guess
    without end.
    """
    per_network = settings.login_failures_per_account
    return [
        Limit(_subject(settings, "account and address", f"{email_key} {network_of(address)}"), per_network),
        Limit(account_subject(settings, email_key), per_network * NETWORKS_TOGETHER),
        Limit(address_subject(settings, address), settings.login_failures_per_address),
    ]


def password_limits(settings: Settings, session: str) -> list[Limit]:
    """Return the limit on guesses of the current password in one session.

    It shares no count with the log-ins, so that nobody else can keep the owner from changing the password.
    """
    return [Limit(_subject(settings, "session", session), settings.login_failures_per_account)]


def second_factor_limits(settings: Settings, user_id: int) -> list[Limit]:
    """Return the limit on guesses of the six digits of an app, from all networks and sessions together in a day.

    Only somebody who knows the password can count here, so a low limit lets no stranger shut the owner out. With the
    default of ten, three codes being right at a time, a guesser succeeds within a year with a probability of 1 %.
    """
    subject = _subject(settings, "second factor", str(user_id))
    return [Limit(subject, settings.login_failures_per_account, DAY)]


def invitation_limits(settings: Settings, address: str) -> list[Limit]:
    """Return the limit on guesses of the invitation code from one network address."""
    subject = _subject(settings, "invitation", network_of(address))
    return [Limit(subject, settings.invitation_failures_per_address)]


def reset_limits(settings: Settings, email_key: str, address: str) -> list[Limit]:
    """Return the limits on mails for forgotten passwords within an hour, whether or not the account exists."""
    return _mails_to(settings, "reset", email_key, address, settings.password_resets_per_hour)


def confirmation_limits(settings: Settings, email_key: str, address: str) -> list[Limit]:
    """Return the limits on mails that confirm the address of an account within an hour."""
    return _mails_to(settings, "confirmation", email_key, address, settings.confirmations_per_hour)


def new_address_limits(settings: Settings, email_key: str, address: str) -> list[Limit]:
    """Return the limits on mails to addresses that accounts want to have, within an hour.

    They share no count with the mails to addresses that accounts have. Otherwise a refusal could tell that somebody
    else has just registered with the address.
    """
    return _mails_to(settings, "new address", email_key, address, settings.confirmations_per_hour)


def guest_limits(settings: Settings, email_key: str, address: str) -> list[Limit]:
    """Return the limits on mails to guests within an hour, counted alone for the same reason."""
    return _mails_to(settings, "guest", email_key, address, settings.confirmations_per_hour)


def _mails_to(settings: Settings, kind: str, email_key: str, address: str, most: int) -> list[Limit]:
    """Return the limits on what sends mails: `most` for one mailbox, and ten times as many for one network."""
    return [
        Limit(_subject(settings, kind, email_key), most),
        Limit(_subject(settings, f"{kind}, network", network_of(address)), most * NETWORKS_TOGETHER),
    ]


def mail_token_limits(settings: Settings, address: str) -> list[Limit]:
    """Return the limit on guesses of tokens in mails from one network address."""
    return [Limit(_subject(settings, "reset token", network_of(address)), settings.login_failures_per_address)]


def refresh_token_limits(settings: Settings, address: str) -> list[Limit]:
    """Return the limit on wrong refresh tokens from one network address."""
    return [Limit(_subject(settings, "refresh token", network_of(address)), settings.login_failures_per_address)]


def password_change_limits(settings: Settings, user_id: int) -> list[Limit]:
    """Return the limit on new passwords of one account within an hour, each of which sends a mail."""
    return [Limit(_subject(settings, "password changes", str(user_id)), settings.password_resets_per_hour)]


def registration_limits(settings: Settings, email_key: str, address: str) -> list[Limit]:
    """Return the limits on registrations within an hour.

    PATIENT_CHANGES_PER_HOUR limits the mails of one account. Without a limit on accounts, somebody could register the
    address of somebody else again and again, delete the account each time, and fill that mailbox.
    """
    return _mails_to(settings, "registration", email_key, address, settings.registrations_per_hour)


def check(db: Connection, ctx: SlowContext[Any], limits: Iterable[Limit]) -> None:
    """Raise Throttled where a limit is reached."""
    limit_of = {limit.subject: limit for limit in limits}
    for subject, (failures, began) in _failures_of(db, limit_of).items():
        window = limit_of[subject].window or _window(ctx.settings)
        if failures >= limit_of[subject].failures and began > ctx.now - window:
            raise Throttled(_seconds_left(began, ctx.now, window))


def count_failure(ctx: SlowContext[Any], limits: Iterable[Limit]) -> None:
    """Count a failure against every limit; raise Throttled where concurrent failures have passed one.

    Beyond the limit the caller must not raise its own error, which would confirm that the guess was wrong.
    """
    _count_and_commit(ctx, limits, _window(ctx.settings))


def count_or_refuse(ctx: SlowContext[Any], limits: Iterable[Limit]) -> None:
    """Count something that was asked for against every limit within an hour; raise Throttled where one is passed."""
    _count_and_commit(ctx, limits, HOUR)


def count_asked(db: Connection, limits: Iterable[Limit], now: datetime) -> bool:
    """Count something that was asked for against every limit within an hour, and say whether all are kept."""
    return _count(db, limits, now, HOUR) is None


def count_success(db: Connection, limits: Iterable[Limit], now: datetime) -> None:
    """Count what the transaction does against every limit within an hour; raise Throttled where one is passed."""
    seconds_left = _count(db, limits, now, HOUR)
    if seconds_left is not None:
        raise Throttled(seconds_left)


def _count_and_commit(ctx: SlowContext[Any], limits: Iterable[Limit], window: timedelta) -> None:
    """Count in a transaction of its own, so that the refusal does not undo the count."""
    with ctx.transaction(writes=True) as db:
        seconds_left = _count(db, limits, ctx.now, window)
    if seconds_left is not None:
        raise Throttled(seconds_left)


def _count(db: Connection, limits: Iterable[Limit], now: datetime, window: timedelta) -> int | None:
    """Count against every limit; where some are passed, return in how many seconds the last of their windows ends."""
    passed: list[int] = []
    for limit in limits:
        lasts = limit.window or window
        count, began = _count_one(db, limit.subject, now, lasts)
        if count > limit.failures:
            passed.append(_seconds_left(began, now, lasts))
    return max(passed, default=None)


def forget_log_in_failures(db: Connection, settings: Settings, email_key: str, address: str) -> None:
    """Forget the failures of an account, from this network and from all together.

    One by one, in the order in which they are counted: transactions that lock in one order cannot deadlock.
    """
    for limit in log_in_limits(settings, email_key, address)[:-1]:
        db.execute(delete(FailedAttempts).where(FailedAttempts.subject == limit.subject))


def purge_before(db: Connection, instant: datetime) -> None:
    """Delete windows that began before the instant."""
    db.execute(delete(FailedAttempts).where(FailedAttempts.window_began < instant))


def network_of(address: str) -> str:
    """Return the address, or its /64 network for IPv6: providers commonly give one customer a whole /64.

    All texts that are no address are one network together; otherwise each of them would have limits of its own.
    """
    try:
        parsed = _parsed(address.strip())
    except ValueError:
        return NO_NETWORK
    if isinstance(parsed, IPv6Address):
        return str(parsed.ipv4_mapped or IPv6Network((int(parsed), 64), strict=False))
    return str(parsed)


def _parsed(address: str) -> IPv4Address | IPv6Address:
    parts = _ADDRESS.fullmatch(address)
    if parts is None:
        return ip_address(address)
    return IPv4Address(parts["ipv4"]) if parts["ipv4"] else IPv6Address(parts["ipv6"])


def account_subject(settings: Settings, email_key: str) -> str:
    """Return the keyed hash that stands for an account, whether or not it exists."""
    return _subject(settings, "account", email_key)


def address_subject(settings: Settings, address: str) -> str:
    """Return the keyed hash that stands for the network of an address."""
    return _subject(settings, "address", network_of(address))


def _window(settings: Settings) -> timedelta:
    return timedelta(minutes=settings.throttle_window_minutes)


def _seconds_left(began: datetime, now: datetime, window: timedelta) -> int:
    return max(1, math.ceil((began + window - now).total_seconds()))


def _subject(settings: Settings, kind: str, who: str) -> str:
    return hmac.new(settings.secret_key.encode(), f"{kind}:{who}".encode(), hashlib.sha256).hexdigest()


def _failures_of(db: Connection, subjects: Collection[str]) -> dict[str, tuple[int, datetime]]:
    """Return (failures, when the window began) by subject, also for windows that have ended."""
    query = select(FailedAttempts.subject, FailedAttempts.failures, FailedAttempts.window_began).where(
        FailedAttempts.subject.in_(subjects)
    )
    return {row.subject: (row.failures, row.window_began) for row in db.execute(query)}


def _count_one(db: Connection, subject: str, now: datetime, window: timedelta) -> tuple[int, datetime]:
    """Count one more failure and return (failures, when the window began), in one atomic statement."""
    runs = FailedAttempts.window_began > now - window
    statement = (
        insert_of(db)(FailedAttempts)
        .values(subject=subject, window_began=now, failures=1)
        .on_conflict_do_update(
            index_elements=[FailedAttempts.subject],
            set_={
                "failures": case((runs, FailedAttempts.failures + 1), else_=1),
                "window_began": case((runs, FailedAttempts.window_began), else_=now),
            },
        )
        .returning(FailedAttempts.failures, FailedAttempts.window_began)
    )
    row = db.execute(statement).one()
    return row.failures, row.window_began
