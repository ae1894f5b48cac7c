"""The cookies of the pages: session, half a log-in, what a form has just done, language. The API reads none of them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from flask import Response, g, request
from itsdangerous import BadSignature, URLSafeTimedSerializer

from config import Settings
from src.context import TokenClaims
from src.errors import Unauthenticated
from src.utils.password_proof import LIFETIME
from src.utils.security import read_token

FLASH = "done"
SECONDS_OF_FLASH = 60
LANGUAGE = "language"
SECONDS_OF_LANGUAGE = 365 * 24 * 3600
PROOF = "password-was-right"


def sent_cookies() -> Mapping[str, str]:
    """Return the cookies of this request: none for a page in a frame on another site."""
    return {} if g.get("embedded", False) else request.cookies


def session_name(settings: Settings) -> str:
    """Return the name of the session's cookie: browsers take `__Host-` only over https and for this host alone."""
    return "__Host-session" if settings.is_production else "session"


def session_claims(settings: Settings) -> TokenClaims | None:
    """Return the claims of the session's token, or None if there is none or it is dead."""
    token = sent_cookies().get(session_name(settings))
    if not token:
        return None
    try:
        return read_token(token, settings)
    except Unauthenticated:
        return None


def has_session(settings: Settings) -> bool:
    """Return whether the browser sent a session, alive or not."""
    return session_name(settings) in sent_cookies()


def begin_session(response: Response, token: str, settings: Settings) -> None:
    """Keep the token that a log-in answers in the browser, until the browser or the token ends."""
    _set(response, session_name(settings), token, settings)


def end_session(response: Response, settings: Settings) -> None:
    _set(response, session_name(settings), "", settings, seconds=0)


def keep_proof(response: Response, proof: str, settings: Settings) -> None:
    """Keep the proof that the password was right, for the page that asks for the code."""
    seconds = int(LIFETIME.total_seconds())
    _set(response, _proof_name(settings), proof, settings, seconds=seconds, samesite="Strict")


def sent_proof(settings: Settings) -> str:
    """Return the proof that the browser sent, or an empty text."""
    return sent_cookies().get(_proof_name(settings), "")


def forget_proof(response: Response, settings: Settings) -> None:
    if sent_proof(settings):
        _set(response, _proof_name(settings), "", settings, seconds=0, samesite="Strict")


def _proof_name(settings: Settings) -> str:
    return f"__Host-{PROOF}" if settings.is_production else PROOF


def flash(response: Response, answer: dict[str, Any], settings: Settings) -> None:
    """Let the next page say what the form has done, once: the `message`, whose gaps the other members fill."""
    _set(response, FLASH, _serializer(settings).dumps(answer), settings, seconds=SECONDS_OF_FLASH)


def flashed(settings: Settings) -> dict[str, Any] | None:
    """Return what the form has done that led to this page, as `flash` got it."""
    signed = sent_cookies().get(FLASH)
    if not signed:
        return None
    try:
        answer = _serializer(settings).loads(signed, max_age=SECONDS_OF_FLASH)
    except BadSignature:
        return None
    # The version before wrote the message alone.
    return answer if isinstance(answer, dict) else None


def forget_flash(response: Response, settings: Settings) -> None:
    if FLASH in sent_cookies():
        _set(response, FLASH, "", settings, seconds=0)


def remember_language(response: Response, code: str, settings: Settings) -> None:
    _set(response, LANGUAGE, code, settings, seconds=SECONDS_OF_LANGUAGE)


def _set(
    response: Response,
    name: str,
    value: str,
    settings: Settings,
    *,
    seconds: int | None = None,
    samesite: Literal["Lax", "Strict"] = "Lax",
) -> None:
    response.set_cookie(
        name, value, max_age=seconds, path="/", secure=settings.is_production, httponly=True, samesite=samesite
    )


def _serializer(settings: Settings) -> URLSafeTimedSerializer:
    return URLSafeTimedSerializer(settings.secret_key, salt="flash")
