"""The product with the defect that FAULTS_MUTANT names, or without a defect if it names none.

`gunicorn tests.faults.mutated:app` serves it, and `python -m tests.faults.mutated` runs its mail worker.
"""

from __future__ import annotations

import os

from app import app

_name = os.environ.get("FAULTS_MUTANT", "")  # noqa: TID251 - how the campaign tells its children
if _name:
    # Import here, so that the product without a defect starts as fast as usual.
    from tests.faults.mutants import MUTANTS

    MUTANTS[_name].apply()

__all__ = ["app"]

if __name__ == "__main__":
    from worker import main

    main()
