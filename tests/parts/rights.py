"""Takes rights on a topic away and gives them back, as whoever keeps a shared Kafka does (KIP-11)."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from enum import IntEnum

from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import for_code
from aiokafka.protocol.admin import CreateAclsRequest, DeleteAclsRequest

_TOPIC, _LITERAL, _ALLOW, _ANY = 2, 3, 3, 1  # as the protocol numbers them
_EVERYBODY, _EVERYWHERE = "User:ANONYMOUS", "*"  # whoever comes without signing in


class Right(IntEnum):
    """What may be done with a topic. Whoever may write may also see it, and who may only create it may not."""

    WRITE = 4
    CREATE = 5  # and not even see it


async def allow_only(bootstrap: str, topic: str, right: Right) -> None:
    """From now on, as soon as the broker has heard of it."""
    request = CreateAclsRequest(_TOPIC, topic, _LITERAL, _EVERYBODY, _EVERYWHERE, right, _ALLOW)
    async with _asking(bootstrap) as admin:
        answer = await admin._send_request(request)
    for code, why in answer.creation_responses:
        if code:
            raise for_code(code)(why)


async def allow_everything(bootstrap: str, topic: str) -> None:
    request = DeleteAclsRequest(_TOPIC, topic, _LITERAL, _EVERYBODY, _EVERYWHERE, _ANY, _ANY)
    async with _asking(bootstrap) as admin:
        answer = await admin._send_request(request)
    for code, why, *_ in answer.filter_responses:
        if code:
            raise for_code(code)(why)


@asynccontextmanager
async def _asking(bootstrap: str) -> AsyncIterator[AIOKafkaAdminClient]:
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
    await admin.start()
    try:
        yield admin
    finally:
        await admin.close()
