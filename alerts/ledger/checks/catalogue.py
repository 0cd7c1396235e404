"""All checks there are."""

from __future__ import annotations

from alerts.ledger.checks.counting import CONSERVATION, COUNTING
from alerts.ledger.checks.lateness import DUE_AND_LEFT, LEASE_OUTLIVED, READY_OUTSIDE_WINDOW
from alerts.ledger.checks.leases import LEASES
from alerts.ledger.checks.lives import LIVES

ALWAYS = (*LEASES, *LIVES, *COUNTING, CONSERVATION)
"""True after every transaction."""

AFTER_THE_TIMER = (DUE_AND_LEFT, LEASE_OUTLIVED, READY_OUTSIDE_WINDOW)
"""True once the timers have come round."""

OF_ALL = (CONSERVATION, DUE_AND_LEFT, LEASE_OUTLIVED)
"""Cheap in a ledger of any size."""

OF_SOME = (*LEASES, *LIVES, *COUNTING, READY_OUTSIDE_WINDOW)
"""Each judges one customer's rows by themselves, so it can be asked of a few customers at a time."""

CHECKS = (*OF_ALL, *OF_SOME)
