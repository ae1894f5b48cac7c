"""Which time zones there are, by the `tzdata` package.

Zone data never comes from the system, so that all machines use the same offsets.
"""

from __future__ import annotations

import importlib.metadata
import zoneinfo
from functools import cache
from zoneinfo import ZoneInfo

zoneinfo.reset_tzpath(to=())

# Names that zone data contains for programs. Factory is what an unconfigured machine has: it stands for "no zone".
NOT_FOR_PEOPLE = {"Factory", "localtime", "posixrules"}


@cache
def time_zone_names() -> frozenset[str]:
    """Return the IANA names that a clinic or a doctor may choose."""
    return frozenset(zoneinfo.available_timezones() - NOT_FOR_PEOPLE)


def zone_data_version() -> str:
    return importlib.metadata.version("tzdata")


def time_zone(name: str) -> ZoneInfo:
    return ZoneInfo(name)
