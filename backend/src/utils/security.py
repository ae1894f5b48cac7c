"""Passwords and tokens. Hashing a password is slow by design: never do it inside a transaction."""

from __future__ import annotations

import base64
import hashlib
import hmac
import warnings
from datetime import datetime, timedelta, timezone
from functools import cache, lru_cache

import jwt
from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from flask_jwt_extended import create_access_token
from jwt.exceptions import PyJWTError
from jwt.types import Options
from jwt.warnings import InsecureKeyLengthWarning

from config import Settings
from src.context import TokenClaims
from src.errors import Unauthenticated
from src.schemas.fields import LARGEST_ID
from src.utils.clock import system_clock

# The published secret for development is short; in production, config.py refuses short secrets.
warnings.filterwarnings("ignore", category=InsecureKeyLengthWarning)


ALGORITHM = "HS256"
# The number of tokens that each process caches; a token takes about a kilobyte.
CACHED_TOKENS = 2048
# How far the clocks of two machines may differ: a token is taken that much before it is valid, and after it expired.
LEEWAY = timedelta(seconds=30)
REQUIRED: Options = {"require": ["sub", "exp", "jti"]}


@cache
def _hasher(memory_kib: int, iterations: int) -> PasswordHasher:
    # OWASP's Password Storage Cheat Sheet recommends argon2id with 19 MiB, t=2 and p=1 first.
    return PasswordHasher(time_cost=iterations, memory_cost=memory_kib, parallelism=1)


@cache
def _dummy_hash(memory_kib: int, iterations: int) -> str:
    return _hasher(memory_kib, iterations).hash("the password of nobody")


def hash_password(password: str, settings: Settings) -> str:
    """Return the argon2id hash in PHC string format."""
    return _hasher(settings.argon2_memory_kib, settings.argon2_iterations).hash(password)


def password_matches(password: str, password_hash: str | None, settings: Settings) -> bool:
    """Return whether the password is right; without a hash (unknown account) take the same time and return False."""
    cost = (settings.argon2_memory_kib, settings.argon2_iterations)
    try:
        _hasher(*cost).verify(password_hash or _dummy_hash(*cost), password)
    except (VerificationError, InvalidHashError):
        return False
    return password_hash is not None


def needs_new_hash(password_hash: str, settings: Settings) -> bool:
    """Return whether the hash was made with other parameters than the current settings."""
    return _hasher(settings.argon2_memory_kib, settings.argon2_iterations).check_needs_rehash(password_hash)


def mail_token(about: str, settings: Settings) -> str:
    """Return the token in the mail that is `about` this: 192 bits that follow from it and from SECRET_KEY.

    So no table contains the token, and every attempt to send the mail sends the same one.
    """
    # It says so for all tokens: the version before, whose mails may wait, had those alone.
    digest = hmac.digest(settings.secret_key.encode(), f"password reset token:{about}".encode(), "sha256")
    return base64.urlsafe_b64encode(digest[:24]).decode()


def hash_of_token(token: str) -> str:
    """Return what the database stores of a token; it needs no salt, because nobody can guess 192 bits."""
    return hashlib.sha256(token.encode()).hexdigest()


def issue_token(user_id: int, role: str, epoch: int, lifetime: timedelta, session: str | None = None) -> str:
    """Return an access token; `session` is the id of a session that has several tokens.

    The claims contain only ASCII letters, digits and hyphens. So the payload never contains the two characters in which
    base64url differs from base64: the published client decodes it with `atob`, which reads base64.
    """
    return create_access_token(
        identity=str(user_id),
        additional_claims={"role": role, "epoch": epoch} | ({} if session is None else {"sid": session}),
        expires_delta=lifetime,
    )


def read_token(token: str, settings: Settings) -> TokenClaims:
    """Check signature, algorithm, type and expiry; raise Unauthenticated if one of them is wrong."""
    claims = _verified(token, settings.jwt_secret_key)
    if claims.expires_at + LEEWAY <= system_clock():
        raise Unauthenticated
    return claims


@lru_cache(maxsize=CACHED_TOKENS)
def _verified(token: str, secret: str) -> TokenClaims:
    """Return the claims of a token. They never change, so they are cached, and only the expiry is checked each time.

    This calls PyJWT and not `decode_token` of Flask-JWT-Extended, which decodes every token three times.
    """
    try:
        claims = jwt.decode(token, secret, algorithms=[ALGORITHM], options=REQUIRED, leeway=LEEWAY)
        subject, epoch, expires = claims["sub"], claims["epoch"], claims["exp"]
        session = claims.get("sid", claims["jti"])
    except (PyJWTError, KeyError, ValueError) as error:
        raise Unauthenticated from error
    if not (
        isinstance(subject, str)
        and subject.isascii()
        and subject.isdigit()
        and isinstance(epoch, int)
        and isinstance(session, str)
    ):
        raise Unauthenticated
    user_id = int(subject[:20])
    if user_id > LARGEST_ID or claims.get("type") != "access":
        raise Unauthenticated
    return TokenClaims(user_id, epoch, session, datetime.fromtimestamp(expires, timezone.utc))
