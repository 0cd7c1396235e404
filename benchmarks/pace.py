"""Does things at a steady rate, whatever each of them takes."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator


async def ticks(rate: float, count: int) -> AsyncIterator[int]:
    """`count` moments, `rate` a second; a late one does not delay the next."""
    loop = asyncio.get_running_loop()
    start = loop.time()
    for number in range(count):
        await asyncio.sleep(start + number / rate - loop.time())
        yield number
