"""Field types of how people can be reached: a telephone number, and the language that they read."""

from __future__ import annotations

import contextlib
from typing import Annotated

import phonenumbers
from phonenumbers import NumberParseException, PhoneNumberFormat, ValidationResult
from pydantic import AfterValidator, Field

from src.schemas.findings import Wrong
from src.schemas.one_line import one_line
from src.settings.languages import language_codes


def _phone(text: str) -> str:
    """Return the number in the form of E.164, in which an extension has no place."""
    number = None
    if text.startswith("+"):
        with contextlib.suppress(NumberParseException):
            number = phonenumbers.parse(text)
    if number is None or number.extension or not _is_possible(number):
        raise Wrong("not_a_phone_number", "must be a telephone number with its country code, like +49 30 23125123.")
    return phonenumbers.format_number(number, PhoneNumberFormat.E164)


def _is_possible(number: phonenumbers.PhoneNumber) -> bool:
    """Return whether the length is right. A number of a range that is newer than our data must not be refused."""
    return phonenumbers.is_possible_number_with_reason(number) == ValidationResult.IS_POSSIBLE


def _language(code: str) -> str:
    if code not in language_codes():
        raise Wrong("not_allowed", "must be {expected}.", expected=list(language_codes()))
    return code


Phone = Annotated[
    str, Field(max_length=40, examples=["+49 30 23125123"]), AfterValidator(one_line), AfterValidator(_phone)
]
LanguageCode = Annotated[str, Field(max_length=16, examples=["de"]), AfterValidator(_language)]
