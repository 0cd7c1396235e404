"""The front door of each story, at noon on a Tuesday."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from alerts.ledger.database import open_engine
from tests.integration.api.front import NOON, Front
from tests.parts.clock import Clock


@pytest.fixture
async def front(database_url: str, clock: Clock) -> AsyncIterator[Front]:
    await clock.set(NOON)
    front = Front(open_engine(database_url), clock)
    yield front
    await front.close(database_url)
