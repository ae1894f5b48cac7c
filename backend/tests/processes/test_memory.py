"""The memory of a server after log-ins: each takes 19 MiB while the password is hashed."""

from __future__ import annotations

import subprocess
import sys

import pytest

from tests.processes.servers import BACKEND, clean_environment

MEGABYTES = """
import ctypes
from concurrent.futures import ThreadPoolExecutor
import psutil
from app import app
from src.utils.security import hash_password

if getattr(ctypes.CDLL(None), "mallopt", None) is None:
    raise SystemExit("no mallopt")
memory = psutil.Process().memory_info
before = memory().rss
with ThreadPoolExecutor(8) as pool:
    list(pool.map(lambda _: hash_password("a password", app.extensions["settings"]), range(24)))
print((memory().rss - before) / 2**20)
"""


def test_a_server_keeps_no_memory_of_log_ins() -> None:
    """By default, glibc keeps one block for each of the eight threads."""
    env = clean_environment(BACKEND, APP_ENV="development", ARGON2_MEMORY_KIB="19456")
    done = subprocess.run(
        [sys.executable, "-c", MEGABYTES], cwd=BACKEND, env=env, capture_output=True, text=True, check=False
    )
    if done.stderr.startswith("no mallopt"):
        pytest.skip("this C library has no mallopt")
    assert done.returncode == 0, done.stderr
    assert float(done.stdout) < 30
