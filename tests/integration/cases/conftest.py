"""The post of each story: records go in at one end, and advisors claim at the other."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from alerts.ledger.database import open_engine
from tests.integration.api.front import NOON, Front
from tests.integration.cases.post import Post
from tests.parts.clock import Clock


@pytest.fixture
async def post(database_url: str, clock: Clock) -> AsyncIterator[Post]:
    await clock.set(NOON)
    front = Front(open_engine(database_url), clock)
    yield Post(front, database_url)
    await front.close(database_url)
