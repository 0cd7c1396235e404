"""How hard the fault, race and fuzz stories try: a tenth in `make test`, all of it in `make soak`."""

from __future__ import annotations

import os

FULL = 10
EFFORT = int(os.environ.get("BOTTOMBOX_TEST_EFFORT", "1"))


def times(full: int, *, least: int = 1) -> int:
    """`full` in `make soak`, a tenth of it in `make test`."""
    return max(least, full * EFFORT // FULL)
