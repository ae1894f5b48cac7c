"""Second factors of test users."""

from __future__ import annotations

from dataclasses import dataclass, field

from pyotp.totp import TOTP
from werkzeug.test import TestResponse

from src.utils.clock import Clock
from tests.people import PASSWORD, Person


@dataclass
class Factor:
    """Somebody's app, and the recovery codes."""

    person: Person
    clock: Clock
    secret: str
    codes: list[str] = field(default_factory=list)

    def otp(self, steps: int = 0) -> str:
        """Return the code of the present time step, or of one that is so many steps away."""
        return TOTP(self.secret).at(self.clock(), counter_offset=steps)

    def wrong_otp(self) -> str:
        """Return six digits that are no code at this time."""
        right = {self.otp(steps) for steps in (-1, 0, 1)}
        return next(code for code in map("{:06}".format, range(4)) if code not in right)

    def confirm(self, otp: str | None = None) -> TestResponse:
        return self.person.post("/auth/second-factor/confirm", {"otp": otp or self.otp()})

    def turn_off(self, otp: str, password: str = PASSWORD) -> TestResponse:
        return self.person.delete("/auth/second-factor", json={"current_password": password, "otp": otp})

    def renew(self, otp: str, password: str = PASSWORD) -> TestResponse:
        body = {"current_password": password, "otp": otp}
        return self.person.post("/auth/second-factor/recovery-codes", body)

    def log_in(self, otp: str | None, password: str = PASSWORD) -> TestResponse:
        body = {"email": self.person.email, "password": password, "otp": otp}
        return self.person.client.post("/auth/login", json=body)


def begin(person: Person, clock: Clock) -> Factor:
    """Begin a set-up."""
    answer = person.post("/auth/second-factor", {"current_password": PASSWORD})
    assert answer.status_code == 201, answer.get_json()
    return Factor(person, clock, answer.get_json()["secret"])


def set_up(person: Person, clock: Clock) -> Factor:
    """Turn a second factor on; the code of the present step is used up then."""
    factor = begin(person, clock)
    answer = factor.confirm()
    assert answer.status_code == 200, answer.get_json()
    factor.codes = answer.get_json()["recovery_codes"]
    return factor
