"""Every mutant replaces a function that exists: if that is renamed, the mutant would have no effect."""

from __future__ import annotations

import subprocess
import sys

from tests.processes.servers import BACKEND

# Runs in a process of its own; fails if a mutant sets a name that its module or `app.extensions` does not have.
APPLY = """
import sys
from types import ModuleType
from tests.faults import mutants

missing = []
class Checked(ModuleType):
    def __setattr__(self, name, value):
        if name not in self.__dict__:
            missing.append(f"{self.__name__}.{name}")
        super().__setattr__(name, value)

for module in {value for value in vars(mutants).values() if isinstance(value, ModuleType)}:
    if module.__name__.startswith("src."):
        module.__class__ = Checked
class CheckedExtensions(dict):
    def __setitem__(self, name, value):
        if name not in self:
            missing.append(f"app.extensions[{name!r}]")
        super().__setitem__(name, value)
mutants.app.extensions = CheckedExtensions(mutants.app.extensions)
for mutant in mutants.MUTANTS.values():
    mutant.apply()
sys.exit(", ".join(missing) or 0)
"""


def test_what_a_mutant_replaces_exists() -> None:
    done = subprocess.run([sys.executable, "-c", APPLY], cwd=BACKEND, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
