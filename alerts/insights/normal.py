"""The standard normal distribution, precise far out in its tails, where alarms are decided."""

from __future__ import annotations

import math
from statistics import NormalDist

STANDARD = NormalDist()
Z95 = STANDARD.inv_cdf(0.975)
"""1.96: as many standard errors on either side hold 95 %."""


def upper_tail(z: float) -> float:
    """The chance to be `z` standard errors too high, or more."""
    return 0.5 * math.erfc(z / math.sqrt(2))


def z_of(tail: float) -> float:
    """How many standard errors too high happens with the chance `tail`, in (0, 1)."""
    return -STANDARD.inv_cdf(tail)
