"""The time zones that people choose from."""

from __future__ import annotations

from itertools import groupby

from src.settings.time_zones import time_zone_names

# Of zone data's names, those that people know: a continent or an ocean, and a city.
REGIONS = {
    "Africa", "America", "Antarctica", "Arctic", "Asia", "Atlantic", "Australia", "Europe", "Indian", "Pacific",
}  # fmt: skip
Zones = list[tuple[str, list[str]]]


def zones_to_choose(present: str | None) -> Zones:
    """Return the time zones that can be chosen, by region; the present one is among them."""
    names = sorted(name for name in time_zone_names() if name.partition("/")[0] in REGIONS or name in {"UTC", present})
    return [(region, list(zones)) for region, zones in groupby(names, key=lambda name: name.partition("/")[0])]
