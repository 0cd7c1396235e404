"""A batch is read beside the event loop, so that heartbeats and other batches go on meanwhile."""

from __future__ import annotations

import asyncio
import threading
from datetime import UTC, datetime

import pytest

from alerts.arrival import Arrival
from alerts.ledger.database import open_engine
from alerts.ledger.intake.batch import FEW
from alerts.policy import shipped_policy
from consumers.intake import batch
from consumers.intake.batch import Intake
from consumers.intake.dead_letters import DeadLetters
from consumers.intake.record import Record, read_record
from consumers.kafka.access import KafkaAccess
from consumers.kafka.producer import Producer
from consumers.sources.catalogue import Catalogue

NOBODY_LISTENS = "postgresql://nobody@127.0.0.1:1/none"


MANY = [Record("t", 0, offset, -1, None, None) for offset in range(FEW)]
LONG = [Record("t", 0, offset, -1, None, b" " * 500_000) for offset in range(3)]


@pytest.mark.parametrize("records", [MANY, LONG], ids=["many", "long ones"])
async def test_what_takes_long_to_read_is_not_read_on_the_event_loop(
    monkeypatch: pytest.MonkeyPatch, records: list[Record]
) -> None:
    threads: list[int] = []

    def read(record: Record, catalogue: Catalogue, now: datetime) -> Arrival:
        threads.append(threading.get_ident())
        return read_record(record, catalogue, now)

    monkeypatch.setattr(batch, "read_record", read)
    engine, stop = open_engine(NOBODY_LISTENS), asyncio.Event()
    stop.set()  # the ledger is away, so nothing is waited for
    producer = Producer(KafkaAccess(bootstrap_servers="127.0.0.1:1"))
    intake = Intake(
        engine=engine,
        policy=shipped_policy(),
        catalogue=Catalogue(),
        dead_letters=DeadLetters(producer, "dead"),
        on_refused=lambda address, error: None,
    )
    assert [taken async for taken in intake.take(records, datetime.now(UTC), stop)] == []
    await engine.dispose()
    assert len(threads) == len(records)
    assert threading.get_ident() not in threads
