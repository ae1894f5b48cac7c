"""What README and docs/ point to exists: files, headings and the tests of their `./test` commands."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[3]
BACKEND = REPOSITORY / "backend"
PAGES = [*REPOSITORY.glob("*.md"), *(REPOSITORY / "docs").glob("*.md")]
LINK = re.compile(r"\]\(([^)\s]+)\)")
COMMAND = re.compile(r"`\./test ((?:tests/|-k )[^`]+)`")
CODE = re.compile(r"```.*?```", re.DOTALL)

every_page = pytest.mark.parametrize("page", PAGES, ids=[page.name for page in PAGES])


def anchors(page: Path) -> set[str]:
    """Return the anchors that GitHub makes of the headings of a page."""
    headings = re.findall(r"^#+ (.+)$", CODE.sub("", page.read_text("utf-8")), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@every_page
def test_every_link_leads_somewhere(page: Path) -> None:
    for link in LINK.findall(CODE.sub("", page.read_text("utf-8"))):
        if not link.startswith("http"):
            path, _, anchor = link.partition("#")
            target = (page.parent / path).resolve() if path else page
            assert target.exists(), link
            assert not anchor or anchor in anchors(target), link


@every_page
def test_every_command_names_tests_that_exist(page: Path) -> None:
    for command in COMMAND.findall(page.read_text("utf-8")):
        words = shlex.split(command)
        paths = [BACKEND / word for word in words if word.startswith("tests/")]
        assert all(path.exists() for path in paths), command
        if "-k" in words:
            word = words[words.index("-k") + 1]
            files = [file for path in paths or [BACKEND / "tests"] for file in [path, *path.rglob("*.py")]]
            texts = [file.read_text("utf-8") for file in files if file.is_file()]
            assert any(re.search(rf"def test_\w*{word}", text) for text in texts), command


def test_the_readme_is_short() -> None:
    assert len((REPOSITORY / "README.md").read_text("utf-8").splitlines()) <= 150


def test_nginx_writes_no_queries_into_its_logs() -> None:
    """A line of the level "error" has the first line of its request, and no setting changes that."""
    text = (REPOSITORY / "deploy" / "nginx.conf").read_text("utf-8")
    assert re.search(r"\$(request|request_uri|args|query_string|http_referer)\b", text) is None
    assert re.search(r"^ *error_log \S+ crit;$", text, re.MULTILINE)
