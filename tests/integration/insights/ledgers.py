"""Ledgers full of answers, filled once for many stories: real ones, and made ones that were worked on."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Awaitable, Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

from sqlalchemy.ext.asyncio import AsyncEngine

from alerts.arrival import Address, Answer
from alerts.callback import Transition
from alerts.ledger.database import open_engine
from alerts.ledger.intake.batch import ingest_batch
from alerts.policy import Policy, shipped_policy
from alerts.survey import SurveyResponse
from consumers.sources.catalogue import load_catalogue
from consumers.sources.rows import Sendable, read_rows
from tests.parts.postgres import PostgresServer
from tests.parts.topics import unique_name

TOPIC = "surveys"
BATCH = 1000


@contextmanager
def filled_ledger(
    postgres: PostgresServer, template: str, fill: Callable[[AsyncEngine], Awaitable[object]]
) -> Iterator[str]:
    """The address of a ledger that `fill` has filled."""
    name = unique_name("insights")
    url = postgres.create_database(name, template)

    async def run() -> None:
        engine = open_engine(url)
        try:
            await fill(engine)
        finally:
            await engine.dispose()

    with ThreadPoolExecutor(1) as elsewhere:  # this thread's event loop belongs to the stories
        elsewhere.submit(asyncio.run, run()).result()
    postgres.run_sql("ANALYZE", name)
    yield url
    postgres.drop_database(name)


async def take_in(
    engine: AsyncEngine, responses: Iterable[SurveyResponse], policy: Policy | None = None, *, first: int = 0
) -> list[Transition]:
    """As the consumer would, in their order, from the offset `first` on; what it did to callbacks."""
    answers = [_answer(first + number, response) for number, response in enumerate(responses)]
    moved: list[Transition] = []
    for begin in range(0, len(answers), BATCH):
        report = await ingest_batch(engine, answers[begin : begin + BATCH], policy or shipped_policy())
        moved += report.moved
    return moved


def _answer(offset: int, response: SurveyResponse) -> Answer:
    digest = hashlib.sha256(repr(response).encode()).digest()
    return Answer(Address(TOPIC, 0, offset, response.answered_at + timedelta(seconds=1)), response, digest, digest)


def real_answers(source: str, path: Path) -> list[SurveyResponse]:
    found = load_catalogue().get(source)
    assert found is not None
    return [row.response for row in read_rows(found, path, secret=b"") if isinstance(row, Sendable)]
