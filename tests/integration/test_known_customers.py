"""A customer who is known already is met as they are stored, whichever way a batch asks for them."""

from __future__ import annotations

from datetime import UTC, datetime

import asyncpg
import pytest

from alerts.customer import NEVER
from alerts.ledger.bulk import COPY_FROM
from alerts.ledger.customers.record import customers_by_id
from alerts.ledger.database import direct_transaction, open_engine, transaction
from alerts.ledger.intake.batch import ingest_batch
from alerts.ledger.intake.customers import meet_customers
from alerts.policy import shipped_policy
from tests.parts.answers import answer
from tests.parts.clock import Clock

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)

EVERYTHING = """
    UPDATE customers SET name = E'Vera "V" \\u00c5', phone = '+442079460067', number_failed = true, email = 'vera@example.org',
        time_zone = 'Asia/Tokyo', country = 'JP', language = 'pt-br', segment = 'gold', since = '1999-12-31',
        value = 0.1::float8 + 0.2::float8, facts_as_of = '9999-12-31T23:59:59.999999Z', corrected = '{phone,language}',
        opted_out_at = '2026-03-01T08:00:00.123456Z'
    WHERE key LIKE '%:full'"""
ERASED = "UPDATE customers SET facts_as_of = $1, erased_at = '2026-03-01T08:00:00Z' WHERE key LIKE '%:erased'"


@pytest.mark.parametrize("others", [0, COPY_FROM], ids=["few", "many"])
async def test_a_known_customer_is_met_with_everything_that_is_known(
    database_url: str, clock: Clock, others: int
) -> None:
    await clock.set(NOON)
    engine = open_engine(database_url)
    await ingest_batch(
        engine, [answer(key, 5, NOON, offset=at) for at, key in enumerate(("full", "erased"))], shipped_policy()
    )
    ledger = await asyncpg.connect(database_url)
    await ledger.execute(EVERYTHING)
    await ledger.execute(ERASED, NEVER)
    await ledger.close()
    names = ["full", "erased", *(f"other-{number}" for number in range(others))]
    said = [answer(name, 5, NOON, offset=at).response for at, name in enumerate(names)]
    async with direct_transaction(engine) as connection:
        met = await meet_customers(connection.driver, said, shared_sources=frozenset())
    full, erased = met.customers[:2]
    async with transaction(engine) as connection:
        assert await customers_by_id(connection, [full.id, erased.id]) == {full.id: full, erased.id: erased}
    assert (full.value, full.corrected, erased.facts_as_of) == (0.1 + 0.2, ("phone", "language"), NEVER)
    assert len(met.made) == others
    await engine.dispose()
