"""How to reach Kafka, and how we send: idempotently, and acknowledged by all replicas."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError
from aiokafka.helpers import create_ssl_context
from msgspec import Struct

from alerts.errors import Unavailable

SEND_SECONDS = 30.0


class KafkaAccess(Struct, frozen=True, kw_only=True):
    """Where the brokers are and how we prove who we are. Field names follow the settings `KAFKA_*`."""

    bootstrap_servers: str
    security_protocol: str = "PLAINTEXT"
    sasl_mechanism: str | None = None
    sasl_username: str | None = None
    sasl_password: str | None = None
    ssl_cafile: str | None = None
    ssl_certfile: str | None = None
    ssl_keyfile: str | None = None
    fetch_max_wait_ms: int = 500

    def client(self) -> dict[str, Any]:
        """Keyword arguments that every aiokafka client takes."""
        kwargs: dict[str, Any] = {
            "bootstrap_servers": self.bootstrap_servers,
            "client_id": "bottombox",
            "security_protocol": self.security_protocol,
        }
        if "SSL" in self.security_protocol:
            kwargs["ssl_context"] = create_ssl_context(
                cafile=self.ssl_cafile, certfile=self.ssl_certfile, keyfile=self.ssl_keyfile
            )
        if "SASL" in self.security_protocol:
            kwargs["sasl_mechanism"] = self.sasl_mechanism or "PLAIN"
            kwargs["sasl_plain_username"] = self.sasl_username
            kwargs["sasl_plain_password"] = self.sasl_password
        return kwargs


class OutRecord(Struct, frozen=True, kw_only=True):
    """A record to send. `timestamp` defaults to now."""

    topic: str
    value: bytes
    key: bytes | None = None
    headers: tuple[tuple[str, bytes], ...] = ()
    timestamp: datetime | None = None


class Producer:
    """Sends records and waits until Kafka has acknowledged each. Connects at the first use, so that whoever owns it
    can start while Kafka is away; `close` it at the end."""

    def __init__(self, access: KafkaAccess, *, largest: int = 1_048_576) -> None:
        self._access = access
        self._largest = largest
        self._client: AIOKafkaProducer = None
        self._opening = asyncio.Lock()

    async def send(self, records: Sequence[OutRecord]) -> None:
        """Raises Unavailable when not all were acknowledged; those that were count as duplicates when sent again."""
        client = await self.client()
        try:
            async with asyncio.timeout(SEND_SECONDS):
                waiting = [await client.send(each.topic, **_arguments(each)) for each in records]
                await asyncio.gather(*waiting)
        except (KafkaError, TimeoutError, OSError) as error:
            raise Unavailable(f"Kafka did not acknowledge ({type(error).__name__})") from error

    async def client(self) -> AIOKafkaProducer:
        """The open aiokafka producer: idempotent, acks=all. Raises Unavailable."""
        async with self._opening:
            if self._client is None:
                self._client = await self._open()
            return self._client

    async def _open(self) -> AIOKafkaProducer:
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
        except (KafkaError, OSError) as error:
            await client.stop()
            raise Unavailable(f"Kafka cannot be reached ({type(error).__name__})") from error
        return client

    async def close(self) -> None:
        if self._client is not None:
            client, self._client = self._client, None
            await client.stop()


def _arguments(record: OutRecord) -> dict[str, Any]:
    return {
        "value": record.value,
        "key": record.key,
        "headers": list(record.headers),
        "timestamp_ms": milliseconds(record.timestamp or datetime.now(UTC)),
    }


def milliseconds(moment: datetime) -> int:
    return int(moment.timestamp() * 1000)
