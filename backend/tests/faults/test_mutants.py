"""Every deliberate defect replaces something that is there: a rename must not turn it into no defect."""

from __future__ import annotations

import subprocess
import sys

from tests.processes.servers import BACKEND

# Applied in a process of its own: whoever sets a name of a module or of the application must find it there.
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


def test_what_a_mutant_replaces_is_there() -> None:
    done = subprocess.run([sys.executable, "-c", APPLY], cwd=BACKEND, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
