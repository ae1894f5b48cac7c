"""What can go wrong with accounts and log-ins."""

from __future__ import annotations

from src.errors import Conflict, Forbidden, Invalid, Unauthenticated


class InvitationCodeMissing(Invalid):
    """A doctor needs the clinic's invitation code."""


class ResetTokenRefused(Invalid):
    """This code is wrong, expired or already used; please ask for a new mail."""


class ConfirmationRefused(Invalid):
    """This code is wrong, expired or already used; please ask for another mail."""


class CurrentPasswordMissing(Invalid):
    """A new e-mail address needs your current password, too."""


class ZoneOfHours(Invalid):
    """A doctor's time zone is changed in the doctor's profile, because the weekly hours are on its clocks."""


class LogInRefused(Unauthenticated):
    """You are not logged in."""

    def __init__(self, account_id: int | None = None) -> None:
        """Name the account for the security log; the caller does not learn whether there is one."""
        super().__init__()
        self.account_id = account_id


class WrongCredentials(LogInRefused):
    """The e-mail address or the password is wrong."""


class AccountDisabled(LogInRefused):
    """This account is disabled; please ask the clinic."""


class RefreshTokenRefused(LogInRefused):
    """This refresh token is wrong, expired or already used; please log in again."""

    def __init__(self, account_id: int | None = None, *, was_reused: bool = False) -> None:
        """Say to the security log alone whether a used token came again."""
        super().__init__(account_id)
        self.was_reused = was_reused


class SecondFactorRequired(LogInRefused):
    """Please also give the code that your app shows, or a recovery code."""


class SecondFactorWrong(LogInRefused):
    """This code is wrong, or it was used already; please wait for the next one."""


class WrongSecondFactorCode(Forbidden):
    """This code is wrong, or it was used already; please try the next one that your app shows."""


class PasswordTypedTooLongAgo(LogInRefused):
    """Too much time has passed since you typed the password; please log in again."""


class SecondFactorMissing(Forbidden):
    """This clinic wants a second factor from you; please set it up first."""


class SecondFactorOn(Conflict):
    """Your second factor is already on; turn it off before you set it up anew."""


class SecondFactorOff(Conflict):
    """You have no second factor."""


class SecondFactorNotBegun(Conflict):
    """You have not begun to set up a second factor."""


class WrongCurrentPassword(Forbidden):
    """The current password is wrong."""


class GuestsRefused(Forbidden):
    """Nobody can book here without an account; please register."""


class EmailNotConfirmed(Forbidden):
    """Please confirm your e-mail address first, with the mail that we have sent; you can ask for another."""


class WrongInvitationCode(Forbidden):
    """The invitation code is wrong."""


class NotADoctor(Forbidden):
    """Only doctors can do this."""


class NotAPatient(Forbidden):
    """Only patients can do this."""


class ForeignForm(Forbidden):
    """This form was not sent by one of our pages; please open the page again, and try once more."""


class NoDemo(Forbidden):
    """This is only possible with demo data, on a development server of your own machine."""


class EmailTaken(Conflict):
    """This e-mail address is already registered."""


class RoleUnknown(Forbidden):
    """This server does not know the role of your account yet; please try again later."""
