"""`python -m benchmarks.constant FILE ...`: a server that answers `/0`, `/1`, ... with the bytes of these files.

It is bare ASGI under the service's own server and flags: what HTTP costs by itself. Its first line is its address.
"""

from __future__ import annotations

import asyncio
import gc
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import uvloop

from app.embedded.child import stop_child
from app.serving import address_of, bind, serve


@contextmanager
def constants(files: Sequence[Path]) -> Iterator[str]:
    """The address of such a server, in a process of its own."""
    process = subprocess.Popen([sys.executable, "-m", "benchmarks.constant", *map(str, files)], stdout=subprocess.PIPE)
    try:
        assert process.stdout is not None
        yield process.stdout.readline().decode().strip()
    finally:
        stop_child(process, signal.SIGTERM)


async def _serve(bodies: Sequence[bytes]) -> None:
    answers = {
        f"/{number}": (
            {
                "type": "http.response.start",
                "status": 200,
                "headers": [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())],
            },
            {"type": "http.response.body", "body": body},
        )
        for number, body in enumerate(bodies)
    }

    async def application(scope: Any, receive: Any, send: Any) -> None:
        start, body = answers[scope["path"]]
        await send(start)
        await send(body)

    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    listening = bind("127.0.0.1", 0)
    print(address_of(listening), flush=True)
    await serve(application, listening, stop)


if __name__ == "__main__":
    gc.set_threshold(100_000, 20, 100)  # as the service does
    uvloop.run(_serve([Path(name).read_bytes() for name in sys.argv[1:]]))
