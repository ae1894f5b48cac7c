"""Which new passwords the clinic takes, beyond what the field of a new password always demands.

NIST SP 800-63B, section 5.1.1.2: a least length and a list of common passwords, and no rules about kinds of characters.
"""

from __future__ import annotations

from config import Settings
from src.domain.passwords import is_about
from src.schemas.findings import FieldWrong, Wrong
from src.utils.common_passwords import is_common


def check_new_password(password: str, settings: Settings, *, name: str, email: str, field: str = "password") -> None:
    """Raise FieldWrong if the person of this name and address cannot have this password."""
    if len(password) < settings.password_min_length:
        least = settings.password_min_length
        raise FieldWrong(field, Wrong("too_short", "must have at least {min_length} characters.", min_length=least))
    if not settings.refuses_common_passwords:
        return
    if is_common(password):
        raise FieldWrong(field, Wrong("too_common", "is one of the commonest passwords; please choose another one."))
    if is_about(password, name, email):
        raise FieldWrong(field, Wrong("about_yourself", "must not be your name or your e-mail address."))
