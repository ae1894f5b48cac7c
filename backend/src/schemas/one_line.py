"""What a name, or another text of one line, may contain: nothing that deceives the eye of whoever reads it."""

from __future__ import annotations

import unicodedata

from src.schemas.findings import Wrong

# Two texts that differ in these alone look the same. Beside them, all characters of the category Cf are refused.
INVISIBLE = frozenset("\u034f\u115f\u1160\u17b4\u17b5\u2800\u3164\uffa0")
# Embeddings, overrides and isolates: with them "Ada" can be shown as "adA", and so can the rest of the line.
DIRECTIONS = frozenset(map(chr, [*range(0x202A, 0x202F), *range(0x2066, 0x206A)]))
# The zero width (non-)joiner. Persian, Sinhala, Hindi and other languages write names with them.
JOINERS = frozenset("\u200c\u200d")
# The canonical combining class of signs like the Devanagari virama, after which a word may end with a joiner.
VIRAMA = 9


def one_line(text: str) -> str:
    """Return the text without blanks around it; raise Wrong if it is no single line of visible characters."""
    text = text.strip()
    if any(unicodedata.category(character) in {"Cc", "Cs", "Zl", "Zp"} for character in text):
        raise Wrong("not_one_line", "must not contain line breaks or control characters.")
    for at, character in enumerate(text):
        found = {"character": f"U+{ord(character):04X}"}
        if character in DIRECTIONS:
            raise Wrong(
                "changes_direction", "must not contain {character}, which changes the direction of text.", **found
            )
        if character in JOINERS:
            if not _joins(text[:at], text[at + 1 :]):
                raise Wrong("invisible", "must not contain {character} except between letters.", **found)
        elif character in INVISIBLE or unicodedata.category(character) == "Cf":
            raise Wrong("invisible", "must not contain the invisible character {character}.", **found)
    return text


def _joins(before: str, after: str) -> bool:
    """Return whether a joiner may stand between the texts (see RFC 5892, appendix A.1 and A.2)."""
    if not before:
        return False
    return unicodedata.combining(before[-1]) == VIRAMA or (_is_letter(before[-1]) and _is_letter(after[:1]))


def _is_letter(character: str) -> bool:
    # The vowel signs of many scripts are marks (M).
    return bool(character) and unicodedata.category(character)[0] in "LM"
