"""An intake with a real ledger, and a shelf for its dead letters: all of the consumer but Kafka."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import asyncpg
from sqlalchemy.ext.asyncio import AsyncEngine

from alerts.arrival import Address
from alerts.ledger.intake.accounts import read_accounts
from alerts.policy import shipped_policy
from consumers.intake.batch import Intake
from consumers.intake.record import Record
from consumers.kafka.producer import RecordRefused
from consumers.sources.catalogue import Catalogue
from tests.parts.shelf import Shelf

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)


class Desk:
    """An intake with its ledger and its shelf of dead letters."""

    def __init__(self, engine: AsyncEngine, url: str) -> None:
        self.engine = engine
        self.url = url
        self.shelf = Shelf()
        self.refused: list[Address] = []
        self.stop = asyncio.Event()
        self.intake = Intake(
            engine=engine,
            policy=shipped_policy(),
            catalogue=Catalogue(),
            dead_letters=self.shelf.dead_letters,
            on_refused=self._on_refused,
        )

    def _on_refused(self, address: Address, error: RecordRefused) -> None:
        self.refused.append(address)

    async def take(self, records: Sequence[Record]) -> list[list[tuple[int, int]]]:
        """The places of what was taken in, piece by piece."""
        return [
            [(each.address.partition, each.address.offset) for each in taken.arrivals]
            async for taken in self.intake.take(records, NOW, self.stop)
        ]

    async def sql(self, statement: str) -> None:
        async with asyncpg.create_pool(self.url, min_size=0, max_size=1) as pool:
            await pool.execute(statement)

    async def value(self, query: str, *arguments: Any) -> Any:
        async with asyncpg.create_pool(self.url, min_size=0, max_size=1) as pool:
            return await pool.fetchval(query, *arguments)

    async def rows(self, query: str, *arguments: Any) -> list[dict[str, Any]]:
        async with asyncpg.create_pool(self.url, min_size=0, max_size=1) as pool:
            return [dict(row) for row in await pool.fetch(query, *arguments)]

    async def outcomes(self) -> dict[str, int]:
        """Of all partitions, those that there were."""
        rows = await read_accounts(self.engine)
        assert [row["difference"] for row in rows] == [0] * len(rows)
        found: dict[str, int] = {}
        for row in rows:
            for outcome, count in row["outcomes"].items():
                found[outcome] = found.get(outcome, 0) + count
        return {outcome: count for outcome, count in found.items() if count}
