"""Writes batches byte by byte and sends them to a broker as they are: what no client library would let out."""

from __future__ import annotations

import asyncio
import gzip
import struct
import time
from collections.abc import Sequence

from aiokafka.record.util import calc_crc32c

_PRODUCE, _VERSION = 0, 3
GZIP = 1


def number(value: int) -> bytes:
    """A variable-length zig-zag number (Kafka's protocol guide, "Record")."""
    left, parts = (value << 1) ^ (value >> 63), bytearray()
    while left > 0x7F:
        parts.append(left & 0x7F | 0x80)
        left >>= 7
    return bytes([*parts, left])


def sized(value: bytes | None) -> bytes:
    return number(-1) if value is None else number(len(value)) + value


def record(
    delta: int, value: bytes | None, *, key: bytes | None = None, headers: Sequence[tuple[bytes, bytes | None]] = ()
) -> bytes:
    """The record `delta` behind the first of its batch. Names of headers may be any bytes."""
    body = b"\0" + number(0) + number(delta) + sized(key) + sized(value) + number(len(headers))
    for name, given in headers:
        body += sized(name) + sized(given)
    return number(len(body)) + body


def batch(records: Sequence[bytes], *, codec: int = 0, base: int = 0, packed: bytes | None = None) -> bytes:
    """A batch in format 2 with the right checksum. `packed` stands in for the records, as they are."""
    plain = b"".join(records)
    body = packed if packed is not None else gzip.compress(plain) if codec == GZIP else plain
    now, last = int(time.time() * 1000), len(records) - 1
    tail = struct.pack(">hiqqqhii", codec, last, now, now, -1, -1, -1, len(records)) + body
    head = struct.pack(">ibI", -1, 2, calc_crc32c(tail))
    return struct.pack(">qi", base, len(head) + len(tail)) + head + tail


async def produce(bootstrap: str, topic: str, batch: bytes, *, partition: int = 0) -> int:
    """The error code with which the broker answers; 0 is success."""
    host, port = bootstrap.split(":")
    name = topic.encode()
    body = struct.pack(">hhih", _PRODUCE, _VERSION, 1, -1) + struct.pack(">hhii", -1, -1, 10_000, 1)
    body += struct.pack(">h", len(name)) + name + struct.pack(">iii", 1, partition, len(batch)) + batch
    reader, writer = await asyncio.open_connection(host, int(port))
    try:
        writer.write(struct.pack(">i", len(body)) + body)
        [length] = struct.unpack(">i", await reader.readexactly(4))
        answer = await reader.readexactly(length)
    finally:
        writer.close()
        await writer.wait_closed()
    at = 4 + 4 + 2 + len(name) + 4 + 4  # correlation, topics, name, partitions, partition
    [code] = struct.unpack_from(">h", answer, at)
    return int(code)
