"""The codes of a second factor: those that an app shows (TOTP, RFC 6238), and recovery codes."""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
import secrets
from datetime import datetime

from pyotp.exceptions import OTPVerificationError
from pyotp.totp import TOTP

from config import Settings

# RFC 6238, section 5.2: the code of the step before and of the step after are taken, too, because clocks differ.
STEPS_OF_DRIFT = 1
RECOVERY_CODES = 10
# Crockford's base32: nobody can confuse two of these characters.
ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
CONFUSED = str.maketrans("ILO", "110")
# 80 bits.
CHARACTERS = 16
# Of the clinic's name: an app shows no more, and the QR code must have room for the rest.
LONGEST_ISSUER = 40

_OF_APP = re.compile(r"[0-9]{6}", re.ASCII)
_BETWEEN = re.compile(r"[\s-]+")


def new_enrolment() -> str:
    """Return the random id of one set-up, from which its secret follows."""
    return secrets.token_urlsafe(24)


def secret_of(user_id: int, enrolment: str, settings: Settings) -> str:
    """Return the secret of a set-up in base32: 160 bits that follow from it and from SECRET_KEY.

    So no table contains the secret, and the database alone shows nobody a code.
    """
    about = f"second factor:{user_id}:{enrolment}"
    digest = hmac.digest(settings.secret_key.encode(), about.encode(), "sha256")
    return base64.b32encode(digest[:20]).decode()


def address_for_app(secret: str, email: str, settings: Settings) -> str:
    """Return the otpauth:// address, which apps read from a link or from a QR code."""
    return TOTP(secret).provisioning_uri(name=email, issuer_name=settings.clinic_name[:LONGEST_ISSUER])


def is_of_app(otp: str) -> bool:
    """Return whether this is written like the code of an app; otherwise it may be a recovery code."""
    return _OF_APP.fullmatch(_plain(otp)) is not None


def step_of(otp: str, secret: str, now: datetime) -> int | None:
    """Return the time step whose code this is, or None for a wrong code."""
    try:
        return TOTP(secret).verify_and_get_timecode(_plain(otp), for_time=now, valid_window=STEPS_OF_DRIFT)
    except OTPVerificationError:
        return None


def new_recovery_codes() -> list[str]:
    """Return codes as people read them, in groups of four characters."""
    return [_grouped("".join(secrets.choice(ALPHABET) for _ in range(CHARACTERS))) for _ in range(RECOVERY_CODES)]


def hash_of_recovery_code(code: str) -> str:
    """Return what the database stores of a recovery code, however it is written.

    It needs no salt, because nobody can guess 80 bits.
    """
    return hashlib.sha256(_plain(code).upper().translate(CONFUSED).encode()).hexdigest()


def _plain(otp: str) -> str:
    return _BETWEEN.sub("", otp)


def _grouped(code: str) -> str:
    return "-".join(code[at : at + 4] for at in range(0, len(code), 4))
