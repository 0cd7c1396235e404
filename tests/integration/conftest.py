"""What several stories of this folder begin with."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from alerts.ledger.database import open_engine
from tests.parts.desk import Desk


@pytest.fixture
async def desk(database_url: str) -> AsyncIterator[Desk]:
    engine = open_engine(database_url)
    yield Desk(engine, database_url)
    await engine.dispose()
