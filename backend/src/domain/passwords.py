"""What makes a password easy to guess for whoever knows the person."""

from __future__ import annotations

import unicodedata


def is_about(password: str, name: str, email: str) -> bool:
    """Return whether the password is the name, the address, or what is before its @, however they are spelled."""
    bare = _bare(password)
    return bare != "" and bare in {_bare(name), _bare(email), _bare(email.partition("@")[0])}


def _bare(text: str) -> str:
    """Return the letters and digits alone, in one letter case."""
    return "".join(filter(str.isalnum, unicodedata.normalize("NFKC", text).casefold()))
