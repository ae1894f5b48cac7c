"""Which languages the pages have: one for each file of translations."""

from __future__ import annotations

from functools import cache
from pathlib import Path

ENGLISH = "en"
TRANSLATIONS = Path(__file__).parents[1] / "pages" / "translations"


@cache
def language_codes() -> tuple[str, ...]:
    """Return the codes in alphabetical order, but English first."""
    return ENGLISH, *sorted({file.stem for file in TRANSLATIONS.glob("*.po")} - {ENGLISH})
