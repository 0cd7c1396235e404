"""What must be true of the ledger at any moment, whatever was done to it: the checks that `work` asks all day, and one more.

The numbers are those of docs/invariants.md: I2 one alert, one open callback; I9-I18 queue and lease; I26 opt-out.
"""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy.ext.asyncio import AsyncConnection

from alerts.ledger.checks.catalogue import AFTER_THE_TIMER
from alerts.ledger.checks.catalogue import ALWAYS as IN_ANY_LEDGER
from alerts.ledger.checks.check import Check, find_broken

# Not asked of a ledger in service: there the policy may have allowed more when the calls were made.
ALWAYS = (
    *IN_ANY_LEDGER,
    Check(
        "failed_too_often",
        "I17",
        "an open callback has failed less often than the policy allows",
        "SELECT id::text FROM callbacks WHERE failed_count > :attempts"
        " OR (failed_count = :attempts AND state IN ('waiting', 'leased', 'scheduled'))",
    ),
)

__all__ = ["AFTER_THE_TIMER", "ALWAYS", "broken"]


async def broken(connection: AsyncConnection, *, attempts: int = 3, checks: tuple[Check, ...] = ALWAYS) -> list[str]:
    """What is not as it must be: "I9 a callback is not claimed again ...: <id>". `attempts`: the policy's maximum."""
    given = {"attempts": attempts} if checks is ALWAYS else {"grace": timedelta()}
    return [str(each) for each in await find_broken(connection, checks, given=given)]
