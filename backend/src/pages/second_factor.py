"""The reader's second factor: setting it up with an app, recovery codes, turning it off."""

from __future__ import annotations

import re
from dataclasses import dataclass

import segno

from src.context import Caller, Context, SlowContext
from src.controllers import second_factor_controller as second_factors
from src.domain.second_factor import lacks_second_factor
from src.schemas.base import Out
from src.schemas.second_factor import CurrentPassword

# In pixels, of one module of the QR code.
SCALE = 5


@dataclass(frozen=True)
class State:
    """Whether the second factor is on, since which day, and how many recovery codes are left.

    `is_missing` says that the clinic wants it, and that nothing else works before.
    """

    is_on: bool
    is_missing: bool
    since: str
    recovery_codes_left: int


def state(ctx: Context[Caller]) -> State:
    now = second_factors.show(ctx)
    is_missing = lacks_second_factor(ctx.actor.role, ctx.settings.second_factor_required, has_factor=now.is_on)
    return State(now.is_on, is_missing, (now.since or "")[:10], now.recovery_codes_left)


class Begun(Out):
    """What the app needs: as a picture, as a link, and as a text to type."""

    picture: str
    otpauth_uri: str
    secret: str


def begin(ctx: SlowContext[Caller], body: CurrentPassword) -> Begun:
    begun = second_factors.begin(ctx, body)
    return Begun(
        picture=picture_of(begun.otpauth_uri),
        otpauth_uri=begun.otpauth_uri,
        secret=" ".join(re.findall("....", begun.secret)),
    )


def picture_of(address: str) -> str:
    """Return the QR code as an SVG element, black on white, because cameras of phones may not read it otherwise."""
    code = segno.make(address, error="m", micro=False)
    return code.svg_inline(scale=SCALE, dark="#000", light="#fff", svgclass="qr", lineclass=None, omitsize=True)
