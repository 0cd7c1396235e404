"""How we send: idempotently, and acknowledged by all replicas."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Sequence
from datetime import UTC, datetime
from typing import Any

from aiokafka import AIOKafkaProducer
from aiokafka.errors import (
    InvalidTopicError,
    KafkaError,
    MessageSizeTooLargeError,
    PolicyViolationError,
    TopicAuthorizationFailedError,
    UnknownTopicOrPartitionError,
)
from msgspec import Struct

from alerts.errors import BottomboxError, Unavailable
from consumers.kafka.access import KafkaAccess

logger = logging.getLogger(__name__)

SEND_SECONDS = 30.0
CLOSE_SECONDS = 10.0
REFUSALS = (
    InvalidTopicError,
    MessageSizeTooLargeError,
    PolicyViolationError,
    TopicAuthorizationFailedError,
    UnknownTopicOrPartitionError,
)
"""What sending again does not mend."""


class OutRecord(Struct, frozen=True, kw_only=True):
    """A record to send. `timestamp` defaults to now."""

    topic: str
    value: bytes | None
    key: bytes | None = None
    headers: tuple[tuple[str, bytes | None], ...] = ()
    timestamp: datetime | None = None


class Sent(Struct, frozen=True):
    """Where Kafka keeps a record."""

    topic: str
    partition: int
    offset: int


class RecordRefused(BottomboxError):
    """Kafka will not take this record, now or later; a person must mend the topic or its rights."""


Delivery = Sent | RecordRefused | Unavailable


class Producer:
    """Sends records and waits until Kafka has acknowledged each. Connects at the first use, so that whoever owns it
    can start while Kafka is away, and anew after trouble; `close` it at the end."""

    def __init__(self, access: KafkaAccess, *, largest: int = 1_048_576) -> None:
        self._access = access
        self._largest = largest
        self._client: AIOKafkaProducer = None
        self._opening = asyncio.Lock()

    async def send(self, records: Sequence[OutRecord]) -> list[Sent]:
        """Where they stand. Raises Refused, or Unavailable when not all were acknowledged: those that were count as
        duplicates when they are sent again."""
        kept = []
        for outcome in await self.deliver(records):
            if not isinstance(outcome, Sent):
                raise outcome
            kept.append(outcome)
        return kept

    async def deliver(self, records: Sequence[OutRecord]) -> list[Delivery]:
        """What became of each, in their order: all go out together, and one that is refused holds up no other.

        Raises Unavailable when Kafka cannot be reached at all.
        """
        client = await self._open()
        deadline = asyncio.get_running_loop().time() + SEND_SECONDS
        begun = [await _attempted(client.send(each.topic, **_arguments(each)), deadline) for each in records]
        ended = [
            each if isinstance(each, RecordRefused | Unavailable) else await _attempted(each, deadline)
            for each in begun
        ]
        if any(isinstance(each, Unavailable) for each in ended):
            await self._forget(client)  # an idempotent producer may be in a state that it cannot leave
        return [each if isinstance(each, RecordRefused | Unavailable) else _sent(each) for each in ended]

    async def _open(self) -> AIOKafkaProducer:
        async with self._opening:
            if self._client is None:
                self._client = await self._connected()
            return self._client

    async def _connected(self) -> AIOKafkaProducer:
        client = AIOKafkaProducer(
            **self._access.client(),
            acks="all",
            enable_idempotence=True,
            compression_type="gzip",
            max_request_size=self._largest,
            request_timeout_ms=20_000,
        )
        try:
            await client.start()
        except asyncio.CancelledError:
            await client.stop()
            raise
        except (KafkaError, OSError) as error:
            await client.stop()
            raise Unavailable(f"Kafka cannot be reached ({type(error).__name__})") from error
        return client

    async def _forget(self, client: AIOKafkaProducer) -> None:
        """The next to send connects anew; whoever is still sending on the old client hears of it there."""
        if self._client is client:
            self._client = None
            try:
                async with asyncio.timeout(CLOSE_SECONDS):
                    await client.stop()
            except (KafkaError, TimeoutError, OSError) as error:
                logger.warning("an old Kafka producer did not close: %s", type(error).__name__)

    async def close(self) -> None:
        if self._client is not None:
            await self._forget(self._client)


async def _attempted(step: Awaitable[Any], deadline: float) -> Any:
    """What `step` gives, or as what it failed."""
    try:
        async with asyncio.timeout_at(deadline):
            return await step
    except REFUSALS as error:
        return RecordRefused(f"the topic refused a record ({type(error).__name__})")
    except (KafkaError, TimeoutError, OSError) as error:
        return Unavailable(f"Kafka did not acknowledge ({type(error).__name__})")


def _sent(kept: Any) -> Sent:
    return Sent(kept.topic, kept.partition, kept.offset)


def _arguments(record: OutRecord) -> dict[str, Any]:
    return {
        "value": record.value,
        "key": record.key,
        "headers": list(record.headers),
        "timestamp_ms": milliseconds(record.timestamp or datetime.now(UTC)),
    }


def milliseconds(moment: datetime) -> int:
    return int(moment.timestamp() * 1000)
