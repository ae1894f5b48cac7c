"""The security log: one line for each event that somebody who watches for attacks wants to see.

A line has the form `event=log_in_failed call=auth.log_in account=17 email=… address=…`. E-mail address and network
address are keyed hashes, the same that throttling stores. docs/security.md lists the events.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable
from typing import Any

from flask import request

from config import Settings
from src.context import Caller, Event
from src.errors import ClinicError, Throttled
from src.errors_of_accounts import (
    AccountDisabled,
    ConfirmationRefused,
    RefreshTokenRefused,
    ResetTokenRefused,
    SecondFactorRequired,
    SecondFactorWrong,
    WrongCredentials,
    WrongCurrentPassword,
    WrongInvitationCode,
    WrongSecondFactorCode,
)
from src.repositories.throttle_limits import account_subject, address_subject
from src.schemas.base import In
from src.schemas.fields import email_key

log = logging.getLogger("security")

EVENT_OF_ERROR: dict[type[ClinicError], str] = {
    WrongCredentials: "log_in_failed",
    AccountDisabled: "log_in_of_disabled_account",
    SecondFactorRequired: "second_factor_asked",
    SecondFactorWrong: "second_factor_wrong",
    WrongSecondFactorCode: "second_factor_wrong",
    WrongCurrentPassword: "current_password_wrong",
    WrongInvitationCode: "invitation_code_wrong",
    ResetTokenRefused: "reset_token_wrong",
    RefreshTokenRefused: "refresh_token_wrong",
    ConfirmationRefused: "confirmation_token_wrong",
    Throttled: "throttled",
}
EVENT_OF_CALL = {
    "session.change_password": "password_changed",
    "session.log_out_everywhere": "logged_out_everywhere",
    "second_factor.confirm": "second_factor_on",
    "second_factor.turn_off": "second_factor_off",
    "second_factor.renew_recovery_codes": "recovery_codes_renewed",
    "doctor.delete_account": "account_deleted",
    "patient.delete_account": "account_deleted",
}
HASH_DIGITS = 16


def log_refusal(call: str, error: ClinicError, actor: Caller | None, body: In | None, settings: Settings) -> None:
    """Log the event that the error is, if it is one."""
    event = "refresh_token_reused" if getattr(error, "was_reused", False) else EVENT_OF_ERROR.get(type(error))
    if event is None:
        return
    account = actor.user_id if actor else getattr(error, "account_id", None)
    email = getattr(body, "email", None)
    hashed = _hashed(settings, email_key(email)) if email else "-"
    log.warning("event=%s call=%s account=%s email=%s %s", event, call, account or "-", hashed, _address(settings))


def log_success(call: str, actor: Caller | None, settings: Settings) -> None:
    """Log the event that the call is, if it is one; call it after the commit."""
    if actor is not None and call in EVENT_OF_CALL:
        log.info("event=%s call=%s account=%s %s", EVENT_OF_CALL[call], call, actor.user_id, _address(settings))


def log_events(call: str, events: Iterable[Event], settings: Settings) -> None:
    """Log what a controller has reported; call it after the commit."""
    for event in events:
        account, hashed = event.account_id or "-", _hashed(settings, event.email_key)
        log.info("event=%s call=%s account=%s email=%s %s", event.name, call, account, hashed, _address(settings))


def log_command(event: str, account: Any) -> None:
    """Log what an operator did to an account by a command."""
    log.info("event=%s account=%s", event, account)


def _hashed(settings: Settings, key: str) -> str:
    return account_subject(settings, key)[:HASH_DIGITS]


def _address(settings: Settings) -> str:
    return f"address={address_subject(settings, request.remote_addr or '')[:HASH_DIGITS]}"
