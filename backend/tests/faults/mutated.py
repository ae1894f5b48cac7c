"""The product with one deliberate defect, named by FAULTS_MUTANT; without a name, the product as it is.

`gunicorn tests.faults.mutated:app` serves it, `python -m tests.faults.mutated` is its mail worker.
"""

from __future__ import annotations

import os

from app import app

_name = os.environ.get("FAULTS_MUTANT", "")  # noqa: TID251 - how the campaign tells its children
if _name:
    # The product as it is must start as fast as it does elsewhere.
    from tests.faults.mutants import MUTANTS

    MUTANTS[_name].apply()

__all__ = ["app"]

if __name__ == "__main__":
    from worker import main

    main()
