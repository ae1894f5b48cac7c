"""The time zones that people choose from."""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from itertools import groupby

Zones = list[tuple[str, list[str]]]


def zones_to_choose(present: str | None) -> Zones:
    """Return the time zones that can be chosen, by region; the present one is among them."""
    names = sorted(_zones_of_countries() | {"UTC"} | ({present} if present else set()))
    return [(region, list(zones)) for region, zones in groupby(names, key=lambda name: name.partition("/")[0])]


@cache
def _zones_of_countries() -> frozenset[str]:
    """Return the zones of all countries; zone data has former names of many of them, too."""
    lines = (files("tzdata") / "zoneinfo" / "zone.tab").read_text("utf-8").splitlines()
    return frozenset(line.split("\t")[2] for line in lines if not line.startswith("#"))
