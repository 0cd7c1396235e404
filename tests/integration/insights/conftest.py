"""Ledgers that are only read, each filled once for a file of stories, and the front door before one of them."""

from __future__ import annotations

import itertools
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AsyncExitStack
from functools import partial
from pathlib import Path

import asyncpg
import httpx
import pytest

from alerts.ledger.database import open_engine
from alerts.policy import Policy
from tests.integration.api.front import NOON, Front
from tests.integration.insights.ledgers import filled_ledger, real_answers, take_in
from tests.integration.insights.worked import Centre
from tests.parts.clock import Clock
from tests.parts.postgres import PostgresServer

NUMBERS = itertools.count(1)
"""One ledger has many fronts here, whose keys need names of their own."""

Opening = Callable[..., Awaitable[Front]]


@pytest.fixture(scope="session")
def shopzilla(postgres: PostgresServer, template: str, survey_data: Path) -> Iterator[str]:
    answers = real_answers("shopzilla", survey_data / "shopzilla_csat_sample.csv")
    with filled_ledger(postgres, template, partial(take_in, responses=answers)) as url:
        yield url


@pytest.fixture(scope="session")
def olist(postgres: PostgresServer, template: str, survey_data: Path) -> Iterator[str]:
    answers = real_answers("olist", survey_data / "olist_order_reviews_sample.csv")
    with filled_ledger(postgres, template, partial(take_in, responses=answers)) as url:
        yield url


@pytest.fixture(scope="session")
def worked(postgres: PostgresServer, template: str) -> Iterator[tuple[str, Centre]]:
    """Sixty days of a call centre: the address of its ledger, and what really happened there."""
    centre = Centre()
    with filled_ledger(postgres, template, centre.fill) as url:
        yield url, centre


@pytest.fixture
async def desk(worked: tuple[str, Centre], open_front: Opening) -> Front:
    return await open_front(worked[0], worked[1].policy)


@pytest.fixture
def centre(worked: tuple[str, Centre]) -> Centre:
    return worked[1]


@pytest.fixture
async def front(database_url: str, clock: Clock, open_front: Opening) -> Front:
    """Before an empty ledger, at noon on a Tuesday."""
    await clock.set(NOON)
    return await open_front(database_url)


@pytest.fixture
async def open_front() -> AsyncIterator[Opening]:
    """`await open_front(url, policy)` is a front door before that ledger; by default with the shipped policy."""
    async with AsyncExitStack() as opened:

        async def open_one(url: str, policy: Policy | None = None) -> Front:
            connection = await asyncpg.connect(url)
            opened.push_async_callback(connection.close)
            front = Front(open_engine(url), Clock(connection), numbers=NUMBERS, policy=policy)
            opened.push_async_callback(front.close)
            return front

        yield open_one


@pytest.fixture
async def shop(shopzilla: str, open_front: Opening) -> httpx.AsyncClient:
    return await (await open_front(shopzilla)).key("callbacks:read")


@pytest.fixture
async def market(olist: str, open_front: Opening) -> httpx.AsyncClient:
    return await (await open_front(olist)).key("callbacks:read")
