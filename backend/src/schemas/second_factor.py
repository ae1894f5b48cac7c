"""Requests and answers about second factors."""

from __future__ import annotations

from pydantic import Field

from src.schemas.base import In, Out
from src.schemas.fields import OneLine, Password


class CurrentPassword(In):
    """Proof that it is the owner who asks."""

    current_password: Password


class OneTimeCode(In):
    """The code that the app shows now."""

    otp: OneLine = Field(examples=["123456"])


class PasswordAndCode(CurrentPassword, OneTimeCode):
    """Proof of both factors."""

    otp: OneLine = Field(description="the code that the app shows, or a recovery code", examples=["123456"])


class SecondFactorBegun(Out):
    """What an app needs to show codes. The second factor is on once one of them has come back."""

    secret: str = Field(description="base32", examples=["JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"])
    otpauth_uri: str = Field(description="the same for a link or a QR code, which apps read")
    message: str


class RecoveryCodes(Out):
    """Codes that log in once each, in place of the app's. No other answer shows them."""

    message: str
    recovery_codes: list[str] = Field(examples=[["0A1B-2C3D-4E5F-6G7H"]])


class SecondFactorOut(Out):
    """Whether log-ins need a second factor."""

    is_on: bool
    since: str | None = Field(description="RFC 3339, UTC")
    recovery_codes_left: int
