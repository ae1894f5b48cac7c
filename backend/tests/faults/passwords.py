"""What people of a campaign do with their passwords: forget them and set new ones, or change them."""

from __future__ import annotations

import random
import threading
import time

from tests.faults.callers import SECONDS_TO_GIVE_UP, Answered, Town
from tests.faults.practice import Practitioner
from tests.faults.record import NEVER, now
from tests.faults.resets import tokens_for
from tests.people import PASSWORD

RESET = "/auth/password/reset"
CHANGE = "/auth/password"


class Forgetful(Practitioner):
    """Somebody with an account, and with a password that changes."""

    def __init__(self, town: Town, rng: random.Random) -> None:
        super().__init__(town, rng)
        # How often this client has set a new password with the token of a mail.
        self.resets = 0

    def be_somebody_new(self) -> None:
        super().be_somebody_new()
        self.password = PASSWORD
        # How many mails for a new password had come when another one was asked for; None if none is awaited.
        self.mails_before: int | None = None
        # Whether every mail that comes from then on was asked for since the last new password.
        self.is_sure = True

    def settle(self) -> None:
        """Register and log in."""
        self.token = self.join(self.email, "patient", self.name)

    def settle_anew(self) -> None:
        """Go on as another patient."""
        self.be_somebody_new()
        self.settle()

    # Forgotten passwords.

    def reset_now(self) -> None:
        """Ask for a mail, wait for it, and set a new password."""
        before, began = self.resets, now()
        while self.resets == before and now() - began < SECONDS_TO_GIVE_UP:
            self.forget_password()
            self.use_mail()
            time.sleep(0.1)

    def forget_password(self) -> None:
        """Ask for a mail, unless one is awaited already."""
        if self.mails_before is not None:
            return
        asked = self.record.resets[self.email]
        came = len(tokens_for(self.email, self.town.world.resend.accepted))
        self.mails_before, self.is_sure = came, came == asked.sent
        answer = self.until_answered("POST", "/auth/password/forgot", {"email": self.email})
        asked.sent += NEVER if answer is None else answer.attempts
        asked.answered += answer is not None
        if answer is not None and answer.status != 200:
            self.record.violation(f"a forgotten password was answered {answer.status} {answer.body}")

    def use_mail(self) -> None:
        """Set a new password with the token of the first mail that came since it was asked for, if one came."""
        if self.mails_before is not None:
            tokens = tokens_for(self.email, self.town.world.resend.accepted)
            for token in tokens[self.mails_before :][:1]:
                self.use_token(token)

    def use_token(self, token: str) -> None:
        """Use a token once, twice, or twice at the same moment, each time for another password."""
        self.mails_before = None
        old_tokens = [self.token, self.log_in(self.email, self.password)] if self.rng.random() < 0.5 else [self.token]
        how = self.rng.choice(("once", "twice", "twice", "at once"))
        wanted = [self.new_password() for _ in range(1 if how == "once" else 2)]
        answers: dict[str, Answered | None] = {}

        def use(password: str) -> None:
            body = {"token": token, "password": password}
            answers[password] = self.until_answered("POST", RESET, body)

        threads = [threading.Thread(target=use, args=(password,)) for password in wanted]
        for thread in threads:
            thread.start()
            if how == "twice":
                thread.join()
        for thread in threads:
            thread.join()
        self.note_reset(token, answers, old_tokens)

    def note_reset(self, token: str, answers: dict[str, Answered | None], old_tokens: list[str]) -> None:
        """Note which password it is now. If no answer said so, the log-in decides."""
        done = [password for password, answer in answers.items() if answer is not None and answer.status == 200]
        with self.record.lock:
            self.record.reset_tokens[token] += len(done)
        for answer in answers.values():
            if answer is not None and answer.status != 200 and answer.kind != "reset-token-refused":
                self.record.violation(f"a reset was answered {answer.status} {answer.body}")
        doubtful = [password for password, answer in answers.items() if answer is None or answer.is_doubtful]
        if done or doubtful:
            self.note_new_password(self.email, is_sure=bool(done))
        if done:
            self.resets += 1
            self.is_known_by(done, [self.password], RESET)
            self.expect_dead(old_tokens, RESET)
        elif None in answers.values():
            # It may be done at any time.
            self.settle_anew()
        else:
            if self.is_sure and not doubtful:
                self.record.violation(f"the reset token of {self.email} was refused, and nobody has used it")
            self.is_known_by([*doubtful, self.password], [], RESET)

    # Changes.

    def change_password(self) -> None:
        self.mails_before = None
        old, old_token, new = self.password, self.token, self.new_password()
        answer = self.until_answered("POST", CHANGE, {"current_password": old, "new_password": new}, old_token)
        if answer is None or answer.status == 200 or answer.is_doubtful:
            self.note_new_password(self.email, is_sure=answer is not None)
        if answer is None:
            self.settle_anew()
        elif answer.status == 200:
            self.record.password_changes += 1
            self.password, self.token = new, answer.body["access_token"]
            self.expect_dead([old_token], CHANGE)
        elif answer.status == 401 and answer.is_doubtful:
            self.is_known_by([new], [old], CHANGE)
        else:
            self.record.violation(f"a change of password was answered {answer.status} {answer.body}")

    # Helpers.

    def note_new_password(self, email: str, *, is_sure: bool) -> None:
        """Note that a mail tells this address of a new password, or perhaps does."""
        with self.record.lock:
            self.record.new_passwords[email].add(is_sure=is_sure)

    def new_password(self) -> str:
        return f"password {next(self.town.numbers)}"

    def is_known_by(self, possible: list[str], impossible: list[str], ended_by: str) -> None:
        """Log in with the one of the possible passwords that is right, and find out that all others are wrong."""
        opened: list[str] = []
        for password in [*possible, *impossible]:
            answer = self.until_answered("POST", "/auth/login", {"email": self.email, "password": password})
            if answer is None:
                self.settle_anew()
                return
            if answer.status == 200:
                self.password, self.token = password, answer.body["access_token"]
                opened.append(password)
        if len(opened) != 1 or opened[0] in impossible:
            self.record.violation(
                f"{len(opened)} passwords of {self.email} are right after {ended_by}, of {len(possible)} that may be,"
                f" and {len(impossible)} that may not: {[*possible, *impossible].index(opened[0]) if opened else None}"
            )

    def expect_dead(self, tokens: list[str], ended_by: str) -> None:
        """Check that every machine refuses the tokens of sessions that a call has ended."""
        with self.record.lock:
            self.record.ended_sessions += [(token, ended_by) for token in tokens if token]
        for token in tokens * 2:
            self.try_dead(token, ended_by)

    def try_dead(self, token: str, ended_by: str) -> None:
        answer = self.once("GET", "/auth/me", token=token)
        if answer is not None and answer.status == 200:
            self.record.violation(f"a token still opens after {ended_by} was answered")
