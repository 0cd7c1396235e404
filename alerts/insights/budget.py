"""How many false alarms a month people have agreed to, and what that leaves for each single look."""

from __future__ import annotations

from msgspec import Struct

HOURS_A_MONTH = 730.5
"""365.25 days in twelve."""

_MOST = 0.05
"""Who looks rarely does not call for that reason everything an alarm."""


class Budget(Struct, frozen=True):
    """`per_look` = `alarms_a_month` / `looks_a_month`: a look raises when chance alone does as much that rarely.

    However the looks depend on each other, their chances add up to no more than the agreed number (Boole's inequality).
    """

    alarms_a_month: float
    looks_a_month: float
    per_look: float


def budget(
    alarms_a_month: float, *, scopes: int = 1, looks_an_hour: float = 1.0, hours_a_month: float = HOURS_A_MONTH
) -> Budget:
    """For `scopes` (queues, sources, ...) that are looked at so often in each of so many hours."""
    looks = max(1, scopes) * looks_an_hour * hours_a_month
    return Budget(alarms_a_month, looks, min(_MOST, alarms_a_month / looks))
