"""Finds ports on this machine that nobody listens on."""

from __future__ import annotations

import random
import socket
from contextlib import ExitStack

# Below the range from which Linux takes the near end of outgoing connections (32768 and up): a client that
# knocks while its server is down could otherwise be given the server's own port, which then cannot start.
_LOWEST, _HIGHEST = 20_000, 32_000


def free_ports(count: int) -> list[int]:
    """`count` different ports of 127.0.0.1 that are free at this moment; not reserved."""
    ports: list[int] = []
    with ExitStack() as held:
        while len(ports) < count:
            port = random.randint(_LOWEST, _HIGHEST)  # noqa: S311 (picking a port, not a secret)
            probe = held.enter_context(socket.socket())
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue  # taken by somebody: try another
            ports.append(port)
    return ports
