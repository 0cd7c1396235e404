"""Makes as many open callbacks as wanted, by SQL, all alike but for customer, queue and place in the order.

One bad answer is taken in the usual way; the callback that it opens is the pattern of all others.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import asyncpg

from alerts.arrival import Address, Answer
from alerts.ledger.database import open_engine
from alerts.ledger.intake.batch import ingest_batch
from alerts.ledger.tables.callbacks import callbacks
from alerts.policy import shipped_policy
from alerts.survey import Respondent, SurveyResponse

QUEUES = 5
APART = timedelta(milliseconds=10)  # between one callback's opening and the next one's
HOUR = 11  # on the customers' clocks: the calling window has been open for two hours, and stays so for nine
ZONES = (
    *("Pacific/Honolulu", "America/Los_Angeles", "America/Chicago", "America/Sao_Paulo", "Atlantic/Azores"),
    *("Africa/Lagos", "Africa/Nairobi", "Asia/Karachi", "Asia/Bangkok", "Asia/Tokyo", "Pacific/Auckland"),
)

# The callbacks differ in what the claim's index and the constraints look at; each customer has one.
GROW = """
WITH pattern AS (SELECT * FROM callbacks LIMIT 1),
crowd AS (
    INSERT INTO customers (key, time_zone, facts_as_of)
    SELECT 'crowd ' || number, time_zone, facts_as_of
    FROM customers, generate_series(1, $1::int) AS number
    RETURNING id
),
numbered AS (SELECT id, row_number() OVER (ORDER BY id) AS number FROM crowd)
INSERT INTO callbacks ({columns})
SELECT {values} FROM pattern, numbered ORDER BY number
"""
DIFFERENT = {
    "id": "uuidv7()",
    "customer_id": "numbered.id",
    "queue": f"'queue-' || number % {QUEUES}",
    "opened_at": "opened_at - ($1 - number) * $2::interval",
    "waiting_since": "waiting_since - ($1 - number) * $2::interval",
    "rank_at": "rank_at - ($1 - number) * $2::interval",
}


async def grow(url: str, count: int, *, zone: str, now: datetime) -> None:
    """`count` waiting callbacks in five queues, the pattern among none of them. `now` is the ledger's clock."""
    await open_pattern(url, zone, now)
    names = [str(column.name) for column in callbacks.columns]
    values = ", ".join(DIFFERENT.get(name, f"pattern.{name}") for name in names)
    connection = await asyncpg.connect(url)
    try:
        await connection.execute(
            "INSERT INTO queues (name) SELECT 'queue-' || n FROM generate_series(0, $1 - 1) AS n", QUEUES
        )
        await connection.execute(GROW.format(columns=", ".join(names), values=values), count, APART)
        await connection.execute(
            "DELETE FROM history; DELETE FROM alerts; DELETE FROM callbacks WHERE queue = 'general'"
        )
        await connection.execute("VACUUM ANALYZE")
        found = await connection.fetchval("SELECT count(*) FROM callbacks WHERE state = 'waiting'")
        assert found == count, f"{found} callbacks are waiting"
    finally:
        await connection.close()


async def open_pattern(url: str, zone: str, now: datetime) -> None:
    response = SurveyResponse(
        event_source="/benchmarks",
        event_id="pattern",
        response_id="pattern",
        source="cloudevents",
        rating=1,
        answered_at=now,
        revised_at=now,
        customer=Respondent(id="pattern", time_zone=zone, language="en"),
    )
    engine = open_engine(url, pool_size=1)
    try:
        arrival = Answer(Address("pattern", 0, 0, now), response, b"pattern", b"pattern")
        await ingest_batch(engine, [arrival], shipped_policy())
    finally:
        await engine.dispose()


def zone_in_the_morning(now: datetime) -> str:
    """A time zone in which it is about eleven o'clock now, so that customers there may be called for hours."""
    return min(ZONES, key=lambda zone: abs(now.astimezone(ZoneInfo(zone)).hour - HOUR))
