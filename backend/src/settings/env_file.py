"""The file `.env`."""

from __future__ import annotations

from pathlib import Path


def why_unreadable(file: Path) -> str | None:
    """Return why the file cannot be read as settings, or None when it can, or when there is none."""
    if not file.is_file():
        return None
    try:
        text = file.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError:
        return NOT_UTF_8
    except OSError as error:
        return f"it cannot be opened ({error.strerror})"
    # UTF-16 without a mark at its beginning is valid UTF-8, with a NUL beside each ASCII character.
    return NOT_UTF_8 if "\0" in text else None


NOT_UTF_8 = "it is not UTF-8 text; save it as UTF-8 (in Windows Notepad: Save as, Encoding: UTF-8)"
