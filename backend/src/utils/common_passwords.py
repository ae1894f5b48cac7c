"""The commonest passwords of people whose passwords were stolen and published: zxcvbn's list, the commonest 30,000."""

from __future__ import annotations

import runpy
from functools import cache
from importlib.util import find_spec
from pathlib import Path

SHORTEST = 8


def is_common(password: str) -> bool:
    """Return whether the list has the password, in any letter case."""
    return "\n" not in password and f"\n{password.casefold()}\n" in the_list()


@cache
def the_list() -> str:
    """Return the passwords of SHORTEST characters and more, each between two line breaks.

    One text takes a tenth of the memory of a set and, unlike a set's entries, is never written to, so that processes
    that are forked later share it. Importing zxcvbn would keep 15 MB of other lists, so only its file is run.
    """
    package = find_spec("zxcvbn")
    if package is None or package.origin is None:
        raise ModuleNotFoundError("zxcvbn")
    lists = runpy.run_path(str(Path(package.origin).with_name("frequency_lists.py")))
    passwords = lists["FREQUENCY_LISTS"]["passwords"]
    return "\n".join(("", *(password.casefold() for password in passwords if len(password) >= SHORTEST), ""))
