"""Makes topics on a broker, each with a name of its own."""

from __future__ import annotations

import asyncio
import secrets

from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.errors import for_code

_TRIES, _PAUSE = 1500, 0.02  # seconds between tries


def unique_name(prefix: str) -> str:
    """A name nobody else has: `prefix` and eight random characters."""
    return f"{prefix}-{secrets.token_hex(4)}"


async def create_topic(bootstrap: str, prefix: str, partitions: int = 1, **config: object) -> str:
    """Make a topic, ready to be written to; its name. `max_message_bytes=...` sets `max.message.bytes`."""
    name = unique_name(prefix)
    settings = {key.replace("_", "."): str(value) for key, value in config.items()}
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
    await admin.start()
    try:
        answer = await admin.create_topics([NewTopic(name, partitions, 1, topic_configs=settings)])
        for topic, code, *_ in answer.topic_errors:
            if code != 0:
                raise for_code(code)(f"topic {topic}")
        await _led(admin, name, partitions)
    finally:
        await admin.close()
    return name


async def _led(admin: AIOKafkaAdminClient, name: str, partitions: int) -> None:
    """Ask until every partition has a leader: Kafka offers nothing to wait on."""
    for _ in range(_TRIES):
        [topic] = await admin.describe_topics([name])
        found = topic["partitions"]
        if len(found) == partitions and all(each["leader"] >= 0 for each in found):
            return
        await asyncio.sleep(_PAUSE)
    raise TimeoutError(f"topic {name} has no leader after {_TRIES * _PAUSE:.0f} s")
