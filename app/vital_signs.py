"""Looks whether the database is there and as it should be, and tells why not: always to who asks, once to the log."""

from __future__ import annotations

import asyncio
import logging

from msgspec import Struct
from sqlalchemy.ext.asyncio import AsyncEngine

from alerts.errors import Unavailable
from alerts.ledger.database import require_writable
from alerts.ledger.migrate import is_current

logger = logging.getLogger(__name__)

LOOK_SECONDS = 2.0


class DatabaseState(Struct, frozen=True):
    """`reason`: why the database cannot be worked with now, in words; None when it can. `is_up`: it answers at least."""

    is_up: bool
    reason: str | None


async def look_at(engine: AsyncEngine) -> DatabaseState:
    """Within two seconds, whatever the database does. Raises nothing that a database can cause by being away."""
    is_up = False
    try:
        async with asyncio.timeout(LOOK_SECONDS):
            await require_writable(engine)
            is_up = True
            if await is_current(engine):
                return DatabaseState(is_up, None)
            return DatabaseState(is_up, "the schema is not the newest; run `bottombox migrate`")
    except Unavailable as error:
        return DatabaseState(is_up, str(error))
    except TimeoutError:
        return DatabaseState(is_up, "the database is away: it does not answer in time")


class News:
    """Logs a reason to wait when it is a new one, and its end. So a night without a database is a handful of lines."""

    def __init__(self) -> None:
        self._told: str | None = None

    def tell(self, reason: str | None) -> None:
        """`reason` None: nothing is waited for."""
        if reason == self._told:
            return
        if reason is None:
            logger.info("the database is there again, and as it should be")
        else:
            logger.warning("waiting: %s", reason)
        self._told = reason
