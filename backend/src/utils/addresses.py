"""E-mail addresses, judged by their syntax alone: no DNS lookup."""

from __future__ import annotations

import email_validator

# Accept special-use domains such as .test and .local, which a clinic's test system may use.
email_validator.SPECIAL_USE_DOMAIN_NAMES.clear()


def parsed_address(text: str, *, of_sender: bool = False) -> email_validator.ValidatedEmail:
    """Return the parts of an address; raise ValueError if it is none.

    `of_sender`: it may have a display name, and its host may have no period, like `localhost`.
    """
    return email_validator.validate_email(
        text, check_deliverability=False, allow_display_name=of_sender, globally_deliverable=not of_sender
    )


def address_in_mail(text: str) -> str:
    """Return an address as mail servers take it, with the domain in ASCII (RFC 5891); raise ValueError if it is none.

    Only a server with SMTPUTF8 (RFC 6531) takes the result if the part before the @ is not ASCII.
    """
    address = parsed_address(text)
    return f"{address.local_part}@{address.ascii_domain}"


def masked(address: str) -> str:
    """Return an address that its owner knows again, and that tells others little: a•••@people.example."""
    local, _, domain = address.rpartition("@")
    return f"{local[: len(local) > 1]}\u2022\u2022\u2022@{domain}"
