"""Which limits hold for what somebody tries or asks for, and whom each of them counts."""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import dataclass
from datetime import timedelta

from config import Settings
from src.utils.network import network_of

# How many times the failures of one network all networks together may have at one account. With the default, that makes
# 100 in a window: NIST SP 800-63B, section 5.2.2, allows no more failures in a row.
NETWORKS_TOGETHER = 10
# In which wrong codes of an app count. No window is longer.
DAY = timedelta(days=1)


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


def second_factor_change_limits(settings: Settings, user_id: int) -> list[Limit]:
    """Return the limit on changes of one account's second factor within an hour, each of which sends a mail."""
    return [Limit(_subject(settings, "second factor changes", str(user_id)), settings.password_resets_per_hour)]


def registration_limits(settings: Settings, email_key: str, address: str) -> list[Limit]:
    """Return the limits on registrations within an hour.

    PATIENT_CHANGES_PER_HOUR limits the mails of one account. Without a limit on accounts, somebody could register the
    address of somebody else again and again, delete the account each time, and fill that mailbox.
    """
    return _mails_to(settings, "registration", email_key, address, settings.registrations_per_hour)


def account_subject(settings: Settings, email_key: str) -> str:
    """Return the keyed hash that stands for an account, whether or not it exists."""
    return _subject(settings, "account", email_key)


def address_subject(settings: Settings, address: str) -> str:
    """Return the keyed hash that stands for the network of an address."""
    return _subject(settings, "address", network_of(address))


def _subject(settings: Settings, kind: str, who: str) -> str:
    return hmac.new(settings.secret_key.encode(), f"{kind}:{who}".encode(), hashlib.sha256).hexdigest()
