"""Requests and answers about accounts and log-ins."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field, SerializerFunctionWrapHandler, model_serializer

from src.schemas.base import In, Out
from src.schemas.fields import Email, Flag, Name, NewPassword, OneLine, Password


class MayRefresh(In):
    """What every call takes that begins a session."""

    refresh: Flag = Field(False, description="whether to answer a refresh token, and an access token that lives short")


class SessionTokens(Out):
    """The tokens of a session; those that the call did not ask for are left out."""

    refresh_token: str | None = Field(None, description="for `/auth/refresh`, once; only if `refresh` was true")
    refresh_expires_at: str | None = Field(
        None, description="RFC 3339, UTC: when the session ends, however often it is refreshed"
    )

    @model_serializer(mode="wrap")
    def _without_null(self, serialize: SerializerFunctionWrapHandler) -> dict[str, Any]:
        return {name: value for name, value in serialize(self).items() if value is not None}

    def members(self) -> dict[str, Any]:
        return self.model_dump()


class Registration(MayRefresh):
    """A new account. Doctors need the clinic's invitation code."""

    name: Name = Field(examples=["Ada Example"])
    email: Email = Field(examples=["ada@patients.example"])
    password: NewPassword = Field(examples=["password123"])
    role: Literal["patient", "doctor"]
    invitation_code: OneLine | None = Field(None, examples=[""])


class Registered(SessionTokens):
    """The account exists now."""

    message: str
    id: int
    access_token: str | None = Field(None, description="only if `refresh` was true")
    expires_in: int | None = Field(None, description="seconds; only if `refresh` was true")


class Credentials(MayRefresh):
    """What a log-in needs."""

    email: Email = Field(examples=["ada@patients.example"])
    password: Password = Field(examples=["password123"])
    otp: OneLine | None = Field(
        None,
        description="the code that an app shows, or a recovery code: for accounts with a second factor",
        examples=[None],
    )


class AccessToken(SessionTokens):
    """A token to send as `Authorization: Bearer <access_token>`."""

    access_token: str
    token_type: Literal["Bearer"] = "Bearer"  # noqa: S105
    expires_in: int = Field(description="seconds")


class Refresh(In):
    """A refresh token, which the call uses up."""

    refresh_token: OneLine = Field(examples=["Z2l2ZW4gYnkgYSBsb2ctaW4sIGZvciBvbmUgdXNlIG9ubHku"])


class NewPasswordIn(MayRefresh):
    """A change of password."""

    current_password: Password = Field(examples=["password123"])
    new_password: NewPassword = Field(examples=["a new password"])


class ForgottenPassword(In):
    """Whose password is forgotten."""

    email: Email = Field(examples=["ada@patients.example"])


class NewPasswordByToken(In):
    """A new password, by the token of a mail."""

    token: OneLine = Field(examples=["Z2l2ZW4gYnkgdGhlIG1haWwsIG9uY2Uu"])
    password: NewPassword = Field(examples=["a new password"])


class PasswordChanged(SessionTokens):
    """The new password holds; this token replaces all earlier ones."""

    message: str
    access_token: str
    expires_in: int = Field(description="seconds")
