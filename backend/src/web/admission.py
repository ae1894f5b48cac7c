"""Authentication: turn the bearer token of a request into the actor that its controller receives."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from flask import request
from sqlalchemy import Connection, Row

from config import Settings
from src.context import Caller, Doctor, Patient, TokenClaims
from src.domain.second_factor import lacks_second_factor
from src.errors import Unauthenticated
from src.errors_of_accounts import RoleUnknown, SecondFactorMissing
from src.repositories import user_repository as users
from src.utils.security import read_token
from src.web.routes import Access


def claims_of_request(access: Access[Any], settings: Settings) -> TokenClaims | None:
    """Return the claims of this request's token, or None if the call needs none; raise Unauthenticated."""
    if access.is_public:
        return None
    try:
        return bearer_claims(settings)
    except Unauthenticated:
        if access.is_open(settings):
            return None
        raise


def admit(db: Connection, claims: TokenClaims | None, access: Access[Any], settings: Settings) -> Caller | None:
    """Return the caller, or None for nobody in particular; raise as `_caller` does."""
    if claims is None:
        return None
    try:
        return _caller(db, claims, access, settings)
    except (Unauthenticated, RoleUnknown):
        if access.is_open(settings):
            return None
        raise


def bearer_claims(settings: Settings) -> TokenClaims:
    """Return the claims of this request's token; raise Unauthenticated if there is no valid token."""
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() != "bearer":
        raise Unauthenticated
    return read_token(token.strip(), settings)


def _caller(db: Connection, claims: TokenClaims, access: Access[Any], settings: Settings) -> Caller:
    """Return the caller, or raise Unauthenticated (401), or the refusal that the access names (403).

    RoleUnknown and SecondFactorMissing are 403, too.

    Every request looks the account up, so the tokens of a deleted account stop working at once on every machine.
    """
    account = users.find_caller(db, claims.user_id, claims.epoch, claims.session)
    if account is None:
        raise Unauthenticated
    actor_of = ACTORS.get(account.role)
    if actor_of is None:
        raise RoleUnknown
    caller = actor_of(claims, account, settings)
    lacks = lacks_second_factor(account.role, settings.second_factor_required, has_factor=account.has_second_factor)
    if lacks and not (access.without_second_factor or access.is_open(settings)):
        raise SecondFactorMissing
    if access.refusal is not None and not isinstance(caller, access.actor or Caller):
        raise access.refusal
    return caller


def _patient(claims: TokenClaims, account: Row[Any], _settings: Settings) -> Patient:
    return users.patient_of(claims, account)


def _doctor(claims: TokenClaims, account: Row[Any], settings: Settings) -> Doctor:
    return users.doctor_of(claims, account, settings.clinic_time_zone)


ACTORS: dict[str, Callable[[TokenClaims, Row[Any], Settings], Caller]] = {"doctor": _doctor, "patient": _patient}
