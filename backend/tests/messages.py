"""The sentences that translations translate, collected from the code, the errors and the templates.

`python -m tests.messages` prints the entries that a file of src/pages/translations lacks, ready to be filled in.
`python -m tests.messages --write` puts them into the files, removes what nothing says any more, and sorts the entries.
"""

from __future__ import annotations

import ast
import importlib
import sys
from collections.abc import Iterable, Iterator
from io import BytesIO
from pathlib import Path
from typing import Any

from babel.messages.catalog import Catalog, Message
from babel.messages.extract import DEFAULT_KEYWORDS, extract
from babel.messages.pofile import read_po, write_po

import src
from src.errors import ClinicError
from src.pages.languages import DATE_PATTERN, ENGLISH, PATTERNS, TRANSLATIONS
from src.web.problems import NOT_VALID, SENTENCE_OF_STATUS, WORDS

SOURCES = Path(src.__file__).parent
TEMPLATES = SOURCES / "pages" / "templates"
TRIMMED = {"trimmed": "true", "silent": "false"}

# The context of a message, or None, and its msgid, or its msgids for one and for many.
Key = tuple[str | None, str | tuple[str, ...]]


def messages() -> set[Key]:
    """Return everything that a translation must have, and nothing else."""
    for file in SOURCES.glob("errors_of_*.py"):
        importlib.import_module(f"src.{file.stem}")
    errors = {error.__name__: error for error in _with_subclasses(ClinicError)}
    sentences = {error.sentence() for error in errors.values()}
    sentences |= {words for _, words in (*WORDS.values(), NOT_VALID)} | set(SENTENCE_OF_STATUS.values())
    for file in SOURCES.rglob("*.py"):
        sentences |= set(_sentences_of(file, errors))
    patterns = {(DATE_PATTERN, pattern) for pattern in PATTERNS.values()}
    return {(None, sentence) for sentence in sentences} | patterns | set(_marked())


def _with_subclasses(error: type[ClinicError]) -> Iterator[type[ClinicError]]:
    yield error
    for kind in error.__subclasses__():
        yield from _with_subclasses(kind)


def _sentences_of(file: Path, errors: dict[str, type[ClinicError]]) -> Iterator[str]:
    """Yield what errors, wrong values and answers say in this file."""
    for call in ast.walk(ast.parse(file.read_text("utf-8"))):
        if not isinstance(call, ast.Call):
            continue
        name = call.func.id if isinstance(call.func, ast.Name) else ast.unparse(call.func)
        if name == "Wrong":
            yield from _templates(call.args[1], file)
        elif name in errors and call.args and errors[name].__init__ is ClinicError.__init__:
            yield from _templates(call.args[0], file)
        elif name == "super().__init__" and file.name.startswith("errors"):
            yield from (text for given in call.args for text in _said(given, file))
        if file.parent.name == "controllers":
            yield from (text for word in call.keywords if word.arg == "message" for text in _said(word.value, file))


def _templates(given: ast.expr, file: Path) -> list[str]:
    """Return the templates that this expression can be; it must be none that is filled in at once."""
    templates = list(_said(given, file))
    filled = any(isinstance(part, ast.JoinedStr) for part in ast.walk(given))
    assert not filled, f"{file.name}, line {given.lineno}: leave gaps in the template, and give keywords for them"
    assert templates, f"{file.name}, line {given.lineno}: write the template here, or name a constant of the module"
    return templates


def _said(given: ast.expr, file: Path) -> Iterator[str]:
    """Yield the texts that this expression can be; of an f-string, a text with gaps that are named as the values."""
    if isinstance(given, ast.IfExp):
        yield from (*_said(given.body, file), *_said(given.orelse, file))
    elif isinstance(given, ast.Constant) and isinstance(given.value, str):
        yield given.value
    elif isinstance(given, ast.JoinedStr):
        yield "".join(_part(part) for part in given.values)
    elif isinstance(given, (ast.Name, ast.Subscript)) and isinstance(value := _constant(given, file), (str, dict)):
        yield from [value] if isinstance(value, str) else value.values()


def _part(part: ast.expr) -> str:
    if isinstance(part, ast.Constant):
        return str(part.value)
    assert isinstance(part, ast.FormattedValue)
    return f"{{{ast.unparse(part.value).rpartition('.')[2]}}}"


def _constant(given: ast.Name | ast.Subscript, file: Path) -> Any:
    """Return the constant of the module that is named here; of an entry of a table, the whole table."""
    name = given.value if isinstance(given, ast.Subscript) else given
    module = ".".join(("src", *file.relative_to(SOURCES).with_suffix("").parts))
    return getattr(importlib.import_module(module), ast.unparse(name), None) if ast.unparse(name).isupper() else None


def _marked() -> Iterator[Key]:
    """Yield what gettext and its like are called with, in the templates and in the pages' Python."""
    for method, files in (("jinja2", TEMPLATES.rglob("*.html")), ("python", TEMPLATES.parent.glob("*.py"))):
        extractor: Any = "jinja2.ext:babel_extract" if method == "jinja2" else method
        options: Any = TRIMMED if method == "jinja2" else None
        for file in files:
            with file.open("rb") as source:
                for _, msgid, _, context in extract(extractor, source, DEFAULT_KEYWORDS, options=options):
                    yield context, msgid


def read(file: Path) -> Catalog:
    with file.open("rb") as text:
        return read_po(text, locale=file.stem, abort_invalid=True)


def key_of(message: Message) -> Key:
    return message.context, message.id if isinstance(message.id, str) else tuple(message.id)


def entries_of(file: Path) -> dict[Key, Message]:
    return {key_of(message): message for message in read(file) if message.id}


def wanted_in(file: Path, said: set[Key], present: Iterable[Key]) -> set[Key]:
    """Return what a file must have: everything that is said. English may have some of it, in other words."""
    return said.intersection(present) if file.stem == ENGLISH else said


def main() -> None:
    """Print or write the entries that each file lacks."""
    said = messages()
    for file in sorted(TRANSLATIONS.glob("*.po")):
        present = entries_of(file)
        wanted = wanted_in(file, said, present)
        if "--write" in sys.argv[1:]:
            _write(file, wanted, present)
        elif lacking := wanted - present.keys():
            print(f"# {file.name} lacks:\n\n{as_po(lacking, {})}")


def _write(file: Path, wanted: set[Key], present: dict[Key, Message]) -> None:
    header, _, _ = file.read_text("utf-8").partition("\n\n")
    file.write_text(f"{header}\n\n{as_po(wanted, present)}", "utf-8")


def as_po(keys: set[Key], translated: dict[Key, Message]) -> str:
    """Return these entries as they stand in a file: by msgid, each text on one line."""
    catalog = Catalog()
    for key in keys:
        context, msgid = key
        known = translated.get(key)
        added = catalog.add(msgid, known.string if known else "", context=context)
        if known:
            added.user_comments = known.user_comments
            added.flags = known.flags
    text = BytesIO()
    write_po(text, catalog, width=0, omit_header=True, sort_output=True)
    return text.getvalue().decode()


if __name__ == "__main__":
    main()
