"""Every file of src/pages/translations has exactly what the product says, in a fixed order, with the same gaps."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from babel.messages.catalog import Message

from src.pages.languages import ENGLISH, TRANSLATIONS, languages
from tests.messages import as_po, entries_of, messages, wanted_in

GAP = re.compile(r"\{\w*\}|%\(\w+\)s")
WIRE_NAME = re.compile(r"\b[a-z]+_[a-z_]+\b(?!\}|\))|\b(?:before|after|without) from\b")
# No form has a field for it.
ONLY_ON_THE_WIRE = {"must be the next_cursor of the page before."}

every_file = pytest.mark.parametrize("file", sorted(TRANSLATIONS.glob("*.po")), ids=lambda file: file.name)


@every_file
def test_a_translation_has_every_sentence_and_no_other(file: Path) -> None:
    present, said = entries_of(file), messages()
    lacking, superfluous = wanted_in(file, said, present) - present.keys(), present.keys() - said
    assert not lacking, f"{file.name} lacks these; `python -m tests.messages --write` adds them:\n{as_po(lacking, {})}"
    assert not superfluous, f"nothing says these any more; `python -m tests.messages --write` removes them from {file}"


@every_file
def test_every_entry_is_translated_and_checked_by_a_person(file: Path) -> None:
    open_ones = [entry.id for entry in entries_of(file).values() if entry.fuzzy or not all(forms_of(entry))]
    assert open_ones == []


@every_file
def test_a_translation_has_the_gaps_of_its_sentence(file: Path) -> None:
    for entry in entries_of(file).values():
        *few, many = forms_of(entry)
        sentence = entry.id if isinstance(entry.id, str) else entry.id[-1]
        assert gaps(many) == gaps(sentence), entry.id
        # "One day" needs no number.
        assert all(gaps(form) <= gaps(sentence) for form in few), entry.id


@every_file
def test_the_entries_are_sorted_so_that_merges_conflict_little(file: Path) -> None:
    _, _, entries = file.read_text("utf-8").partition("\n\n")
    present = entries_of(file)
    assert entries == as_po(set(present), present), "`python -m tests.messages --write` sorts them"


def test_pages_name_no_field_as_the_wire_does() -> None:
    said = {key[1] for key in messages() if isinstance(key[1], str)}
    shown = {languages()[ENGLISH].gettext(sentence) for sentence in said}
    assert {sentence for sentence in shown if WIRE_NAME.search(sentence)} - ONLY_ON_THE_WIRE == set()


def forms_of(entry: Message) -> list[str]:
    return [entry.string] if isinstance(entry.string, str) else list(entry.string)


def gaps(text: str) -> set[str]:
    return set(GAP.findall(text))
