"""Requests and answers about the caller's own account."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import ConfigDict, Field

from src.schemas.base import In, Out
from src.schemas.contact import LanguageCode, Phone
from src.schemas.fields import Email, Name, OneLine, Password, TimeZone

# Which a call can change at once. A new address has to be confirmed first.
AT_ONCE = ("name", "phone", "language", "time_zone")


class Me(Out):
    """The caller's account."""

    id: int
    name: str
    email: str
    role: Literal["patient", "doctor"]
    phone: str | None = Field(description="in the form of E.164", examples=["+493023125123"])
    language: str | None = Field(description="the language of the pages; null follows the browser", examples=["de"])
    time_zone: str | None = Field(description="IANA name; a doctor's is that of the weekly hours")
    email_confirmed: bool = Field(description="whether somebody has proven to read the mails to `email`")


class WholeAccount(Me):
    """The caller's account, and a new address that waits. GET /auth/me makes no query for that."""

    new_email: str | None = Field(description="an address that waits to be confirmed; `email` holds until then")


class AccountChanges(In):
    """What to change; what is left out stays, and null clears it. A new `email` needs the password."""

    # One field alone: documentation pages fill their forms with the example, and null would clear what it names.
    model_config = ConfigDict(json_schema_extra={"examples": [{"name": "Ada Example"}]})

    name: Name = Field(default_factory=str)
    phone: Phone | None = None
    language: LanguageCode | None = None
    time_zone: TimeZone | None = None
    email: Email = Field(default_factory=str)
    current_password: Password | None = None

    @property
    def at_once(self) -> dict[str, Any]:
        """Return what can be changed at once, by its name."""
        return self.model_dump(include=set(AT_ONCE), exclude_unset=True)

    def new_email(self, present: str) -> str | None:
        """Return the address that replaces the present one, if another one is given."""
        return self.email if "email" in self.model_fields_set and self.email != present else None


class AccountChanged(WholeAccount):
    """The account as it is now."""

    message: str


class EmailToken(In):
    """The token of a mail that confirms an address."""

    token: OneLine = Field(examples=["Z2l2ZW4gYnkgdGhlIG1haWwsIG9uY2Uu"])


class EmailConfirmed(Out):
    """The address is confirmed."""

    message: str
    is_new: bool = Field(description="whether it has replaced another address; then every session has ended")
