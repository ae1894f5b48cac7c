"""Requests and answers about accounts and log-ins."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from src.schemas.base import In, Out
from src.schemas.fields import Email, Name, NewPassword, OneLine, Password


class Registration(In):
    """A new account. Doctors need the clinic's invitation code."""

    name: Name = Field(examples=["Ada Example"])
    email: Email = Field(examples=["ada@patients.example"])
    password: NewPassword = Field(examples=["password123"])
    role: Literal["patient", "doctor"]
    invitation_code: OneLine | None = Field(None, examples=[""])


class Registered(Out):
    """The account exists now."""

    message: str
    id: int


class Credentials(In):
    """What a log-in needs."""

    email: Email = Field(examples=["ada@patients.example"])
    password: Password = Field(examples=["password123"])


class AccessToken(Out):
    """A token to send as `Authorization: Bearer <access_token>`."""

    access_token: str
    token_type: Literal["Bearer"] = "Bearer"  # noqa: S105
    expires_in: int = Field(description="seconds")


class NewPasswordIn(In):
    """A change of password."""

    current_password: Password
    new_password: NewPassword


class ForgottenPassword(In):
    """Whose password is forgotten."""

    email: Email = Field(examples=["ada@patients.example"])


class NewPasswordByToken(In):
    """A new password, by the token of a mail."""

    token: OneLine = Field(examples=["Z2l2ZW4gYnkgdGhlIG1haWwsIG9uY2Uu"])
    password: NewPassword = Field(examples=["a new password"])


class PasswordChanged(Out):
    """The new password holds; this token replaces all earlier ones."""

    message: str
    access_token: str


class Me(Out):
    """The caller's account."""

    id: int
    name: str
    email: str
    role: Literal["patient", "doctor"]
