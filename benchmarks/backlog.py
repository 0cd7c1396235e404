"""Open callbacks with all that belongs to them: taken in as answers, in this process, by the service's own intake."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta

import asyncpg

from alerts.arrival import Address, Answer
from alerts.ledger.database import open_engine
from alerts.ledger.intake.batch import ingest_batch
from alerts.policy import shipped_policy
from alerts.survey import Interaction, Respondent, SurveyResponse
from benchmarks.answers import SEED, WORDS
from benchmarks.crowd import zone_in_the_morning

BATCH = 2000


def bad_answer(number: int, at: datetime, zone: str, dice: random.Random) -> Answer:
    """A 1 or 2 of a customer of its own, in a zone where the telephone may ring."""
    name = f"backlog-{number}"
    response = SurveyResponse(
        event_source="/benchmarks",
        event_id=name,
        response_id=name,
        source="cloudevents",
        rating=dice.choice((1, 2)),
        comment=" ".join(dice.choices(WORDS, k=6)),
        answered_at=at,
        revised_at=at,
        customer=Respondent(id=name, name="Vera Example", time_zone=zone, language="en"),
        interaction=Interaction(id=f"i-{name}", channel="voice", queue="billing", agent_id="a-1", agent_team="north"),
    )
    return Answer(Address("backlog", 0, number, at), response, name.encode(), name.encode())


async def open_backlog(url: str, count: int) -> None:
    """`count` callbacks that may be claimed now, and for hours."""
    now, dice = datetime.now(UTC), random.Random(SEED)
    zone = zone_in_the_morning(now)
    engine = open_engine(url, pool_size=1)
    try:
        for start in range(0, count, BATCH):
            numbers = range(start, min(count, start + BATCH))
            at = [now - timedelta(seconds=1 + (count - number) / 100) for number in numbers]
            batch = [bad_answer(number, moment, zone, dice) for number, moment in zip(numbers, at, strict=True)]
            await ingest_batch(engine, batch, shipped_policy())
    finally:
        await engine.dispose()
    connection = await asyncpg.connect(url)
    try:
        await connection.execute("VACUUM ANALYZE")
        ready = await connection.fetchval("SELECT count(*) FROM callbacks WHERE state = 'waiting' AND ready")
        assert ready == count, f"{ready} callbacks may be claimed"
    finally:
        await connection.close()
