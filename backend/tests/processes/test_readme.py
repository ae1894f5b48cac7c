"""The README's `curl` commands, run against the product with its demo data."""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import subprocess
import urllib.request
from pathlib import Path
from typing import Any

from tests.processes.servers import BACKEND, Server, demo_server

README = BACKEND.parent / "README.md"
EXAMPLE = re.compile(r"```sh\n(curl .*?)```\n```json\n(.*?)```", re.DOTALL)

DOCTORS_EXAMPLE = re.compile(r"`TOKEN` is that of `(\S+)`.*?```sh\n(curl .*?)```", re.DOTALL)


def test_the_readmes_commands_get_the_answers_that_it_shows(backend: Path, tmp_path: Path) -> None:
    with demo_server(tmp_path, backend) as server:
        get_the_answers(server)
        enter_the_week(server)


def get_the_answers(server: Server) -> None:
    examples = EXAMPLE.findall(README.read_text(encoding="utf-8"))
    assert len(examples) == 5
    token = ""
    for command, shown in examples:
        answer = call(command.replace("http://localhost:5000", server.url), token)
        assert same_shape(answer, json.loads(shown.replace(",…", ""))), (command, answer)
        token = answer.get("access_token", token)


def enter_the_week(server: Server) -> None:
    found = DOCTORS_EXAMPLE.search(README.read_text(encoding="utf-8"))
    assert found is not None
    answer = call(found[2].replace("http://localhost:5000", server.url), server.log_in(found[1]))
    assert "affected" in answer, answer


def call(command: str, token: str) -> Any:
    """Run the command with curl if it is installed; otherwise make the same request with urllib."""
    if shutil.which("curl"):
        environment = {"PATH": os.environ["PATH"], "TOKEN": token}  # noqa: TID251 - a child needs one
        done = subprocess.run(["sh", "-c", command], env=environment, capture_output=True, text=True, check=True)
        return json.loads(done.stdout)
    words = shlex.split(command.replace("\\\n", " ").replace("$TOKEN", token))
    url = next(word for word in words if word.startswith("http://"))
    headers = dict(words[i + 1].split(": ", 1) for i, word in enumerate(words) if word == "-H")
    data = next((words[i + 1].encode() for i, word in enumerate(words) if word == "-d"), None)
    method = next((words[i + 1] for i, word in enumerate(words) if word == "-X"), None)
    with urllib.request.urlopen(urllib.request.Request(url, data, headers, method=method)) as answer:
        return json.load(answer)


def same_shape(one: Any, other: Any) -> bool:
    """Return whether two answers have the same names and types of fields, and lists the same first item.

    A field that may be null in one of them can have any type in the other.
    """
    if one is None or other is None:
        return True
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(same_shape(one[name], other[name]) for name in one)
    if isinstance(one, list) and isinstance(other, list):
        return bool(one) == bool(other) and all(same_shape(*items) for items in zip(one[:1], other[:1], strict=True))
    return type(one) is type(other)
