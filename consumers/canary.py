"""Sends the canary, every twenty seconds one for all workers together, and shows when one last came through."""

from __future__ import annotations

import asyncio
import json
import uuid
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta

from sqlalchemy.ext.asyncio import AsyncEngine

from alerts.canary import MARK_HEADER, SURVEY, sign
from alerts.errors import Unavailable
from alerts.ledger.intake.canaries import last_seen, take_turn
from alerts.survey import EVENT_TYPE
from consumers.kafka.producer import OutRecord

EVERY = timedelta(seconds=20)
SEND_WITHIN = 5.0
"""Seconds; a worker that is told to stop does not wait longer for a Kafka that is silent."""


class CanarySender:
    """`send` gives a record to Kafka. `show` hears when a canary last came through, None while none has."""

    def __init__(
        self,
        *,
        engine: AsyncEngine,
        topic: str,
        send: Callable[[OutRecord], Awaitable[None]],
        show: Callable[[datetime | None], None],
    ) -> None:
        self._engine = engine
        self._topic = topic
        self._send = send
        self._show = show

    async def run_once(self) -> bool:
        """One that is not sent, for Kafka is away, is not made up for: the next one follows. Raises Unavailable."""
        self._show(await last_seen(self._engine))
        key = await take_turn(self._engine, EVERY)
        if key is not None:
            await self._release(canary_record(self._topic, key, datetime.now(UTC)))
        return False

    async def _release(self, record: OutRecord) -> None:
        try:
            async with asyncio.timeout(SEND_WITHIN):
                await self._send(record)
        except TimeoutError:
            raise Unavailable("Kafka did not acknowledge in time") from None


def canary_record(topic: str, key: bytes, now: datetime) -> OutRecord:
    """An answer of a customer whom nobody has seen before. Without a key of its own, so any partition may get it."""
    name, moment = str(uuid.uuid4()), now.isoformat()
    event = {
        "specversion": "1.0",
        "type": EVENT_TYPE,
        "source": "bottombox",
        "id": name,
        "time": moment,
        "data": {"survey": {"id": SURVEY}, "rating": 5, "answered_at": moment, "customer": {"id": name}},
    }
    value = json.dumps(event).encode()
    return OutRecord(topic=topic, value=value, headers=((MARK_HEADER, sign(key, value)),))
