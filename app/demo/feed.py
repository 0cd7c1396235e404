"""Sends answers to the survey topic at a steady rate: made-up ones without end, or those of a file."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path

from alerts.errors import Misconfigured
from app.demo.stream import answers
from app.settings import Settings
from consumers.kafka.producer import OutRecord, Producer
from consumers.loop import wait_or_stop
from consumers.sources.catalogue import Catalogue
from consumers.sources.rows import Sendable, last_answer, read_rows
from consumers.sources.source import Source

SHORTEST_REST = 0.02  # seconds; at high rates several answers go at once


def made_up(settings: Settings) -> Iterator[OutRecord]:
    """Without end, and different ones each time."""
    seed = secrets.randbits(31)
    for each in answers(lambda: datetime.now(UTC), secret=_secret(settings), seed=seed):
        yield OutRecord(topic=settings.topics[0], key=each.key, value=each.value, headers=each.headers)


def from_file(settings: Settings, catalogue: Catalogue, source: Source, file: Path) -> Iterator[OutRecord]:
    """The rows that can be read, in their order, their times shifted so that the last answer was given now.

    Reads the file once to find that last answer. Raises Misconfigured when the file, or every row of it, cannot be
    read.
    """
    last = last_answer(source, file)
    if last is None:
        raise Misconfigured(f"no row of {file.name} can be read by source {source.name}; choose another source")
    shift = datetime.now(UTC) - last
    shared = catalogue.shared_sources
    return (
        OutRecord(topic=settings.topics[0], key=row.key, value=row.value, headers=row.headers)
        for row in read_rows(source, file, secret=_secret(settings), shared_sources=shared, shift=shift)
        if isinstance(row, Sendable)
    )


async def send_all(records: Iterator[OutRecord], producer: Producer, rate: float, stop: asyncio.Event) -> None:
    """`rate` answers a second until they end or `stop` is set. Raises Unavailable."""
    clock = asyncio.get_running_loop().time
    started, sent = clock(), 0
    while not stop.is_set():
        due = int((clock() - started) * rate) + 1 - sent
        if due > 0:
            chunk = list(islice(records, due))
            if not chunk:
                return
            await producer.send(chunk)
            sent += len(chunk)
        await wait_or_stop(stop, max(SHORTEST_REST, started + sent / rate - clock()))


def _secret(settings: Settings) -> bytes:
    assert settings.secret_key is not None  # the stage has made one
    return settings.secret_key.get_secret_value().encode()
