"""pyright refuses a route whose access does not match the type of actor that its controller takes."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

BACKEND = Path(__file__).parents[2]
# pyright infers the type of a list from its first 64 entries; with more rows it must still check each one.
GOOD_ROWS = 70
WRONG_ROWS = [
    'Route("POST", "/wrong", appointments.book, DOCTOR, "wrong.one"),  # a patient\'s call',
    'Route("GET", "/wrong", accounts.me, ANYONE, "wrong.two"),  # a call of somebody known',
]


def test_pyright_refuses_both_wrong_rows_and_no_right_one(tmp_path: Path) -> None:
    rows = ['Route("GET", "/good", accounts.me, DOCTOR, "good"),'] * GOOD_ROWS + WRONG_ROWS
    lines = [
        "from src.controllers import account_controller as accounts",
        "from src.controllers import appointment_controller as appointments",
        "from src.web.routes import ANYONE, DOCTOR, Route",
        "ROUTES: list[Route] = [",
        *(f"    {row}" for row in rows),
        "]",
    ]
    (tmp_path / "rows.py").write_text("\n".join(lines) + "\n")
    done = subprocess.run(
        [sys.executable, "-m", "pyright", "--outputjson", "--project", "pyproject.toml", tmp_path / "rows.py"],
        cwd=BACKEND, capture_output=True, text=True, check=False,
    )  # fmt: skip
    report = json.loads(done.stdout)["generalDiagnostics"]
    found = {lines[problem["range"]["start"]["line"]].strip() for problem in report if problem["severity"] == "error"}
    assert found == set(WRONG_ROWS), report


def test_the_table_of_routes_has_the_type_that_makes_pyright_check_it() -> None:
    assert "\nROUTES: list[Route] = [\n" in (BACKEND / "app.py").read_text(encoding="utf-8")
