"""Check the mails about passwords, and how often each token for a forgotten one worked."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from typing import Any

from tests.faults.record import Record

_SUBJECT = "Your new password"
_CHANGED = "Your password was changed"
_TOKEN = re.compile(r"^[\w-]{32}$", re.MULTILINE)


def is_of_reset(mail: dict[str, Any]) -> bool:
    return mail["subject"] == _SUBJECT


def is_about_password(mail: dict[str, Any]) -> bool:
    return is_of_reset(mail) or mail["subject"] == _CHANGED


def tokens_for(email: str, accepted: Sequence[dict[str, Any]]) -> list[str]:
    """Return the token of each such mail to the address, the earliest mail first."""
    return [_TOKEN.findall(mail["text"])[0] for mail in accepted if is_of_reset(mail) and mail["to"] == [email]]


def wrong_resets(record: Record, accepted: Sequence[dict[str, Any]]) -> list[str]:
    """Check that each mail came once, unless its recipient left, and that no token set two passwords."""
    found = [f"a reset token worked {times} times" for times in record.reset_tokens.values() if times > 1]
    left = {departure.email for departure in record.departures.values()}
    for email, asked in record.resets.items():
        tokens = tokens_for(email, accepted)
        least = 0 if email in left else asked.answered
        if not least <= len(tokens) <= asked.sent:
            found.append(f"{len(tokens)} mails for a new password to {email}, who asked for {least} to {asked.sent}")
    carried = Counter(token for email in record.resets for token in tokens_for(email, accepted))
    found += [f"{times} mails carry one reset token" for times in carried.values() if times > 1]
    return found[:10]


def wrong_news_of_passwords(record: Record, accepted: Sequence[dict[str, Any]]) -> list[str]:
    """Check that one mail told of each new password, unless its recipient left."""
    left = {departure.email for departure in record.departures.values()}
    came = Counter(to for mail in accepted if mail["subject"] == _CHANGED for to in mail["to"])
    return [
        f"{came[email]} mails tell {email} of {times.least} to {times.most} new passwords"
        for email in came.keys() | record.new_passwords.keys()
        for times in [record.new_passwords[email]]
        if not (0 if email in left else times.least) <= came[email] <= times.most
    ][:10]
