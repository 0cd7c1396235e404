"""Takes a batch apart record by record, however broken, so that what is whole in it is read and the rest is kept.

The format is that of Kafka's protocol guide, "Record Batch" and "Record", version 2. A header's name that is not UTF-8
keeps its bytes as lone surrogates (PEP 383).
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator

from aiokafka import codec
from msgspec import Struct

MAGIC_AT = 16
_HEADER = struct.Struct(">qiibIhiqqqhii")
_CODEC, _APPEND_TIME = 0x07, 0x08  # bits of the attributes
_DECODE: dict[int, Callable[[bytes], bytes]] = {
    0: bytes,
    1: codec.gzip_decode,
    2: codec.snappy_decode,
    3: codec.lz4_decode,
    4: codec.zstd_decode,
}


class Torn(str):
    """Stands as `checksum` of a record that could not be taken apart: its value is the bytes that were found."""

    __slots__ = ()


TORN = Torn("torn")


class TolerantRecord(Struct, frozen=True, kw_only=True):
    """What aiokafka's own records have; `timestamp` in milliseconds."""

    offset: int
    timestamp: int
    timestamp_type: int = 0
    key: bytes | None = None
    value: bytes | None = None
    headers: tuple[tuple[str, bytes | None], ...] = ()
    checksum: str | None = None


def has_odd_name(headers: tuple[tuple[str, bytes | None], ...]) -> bool:
    """Whether some header's name is not UTF-8."""
    return any(not name.isascii() and name != legible(name) for name, _ in headers)


def legible(name: str) -> str:
    r"""A name that any client can write and read: a byte that is not UTF-8 is written `\xff`."""
    return name.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")


def records_of(batch: bytes) -> Iterator[TolerantRecord]:
    """All records, in their order. What cannot be taken apart is one torn record; of several, at the last offset."""
    base, _, _, _, _, attributes, last_delta, first_time, last_time, *_, count = _HEADER.unpack_from(batch)
    last, latest = base + last_delta, last_time if attributes & _APPEND_TIME else None
    try:
        packed = _DECODE[attributes & _CODEC](batch[_HEADER.size :])
    except Exception:  # noqa: BLE001 - each codec fails in its own way, and all of the batch is kept
        yield TolerantRecord(offset=last, timestamp=last_time, value=batch, checksum=TORN)
        return
    reader, offset = _Reader(packed), base - 1
    for _ in range(count):
        start = reader.at
        try:
            body = reader.bytes_of(reader.number())
        except ValueError:
            reader.at = start
            break
        record = _record(body, base, offset + 1, first_time, latest)
        offset = record.offset
        yield record
    if reader.at < len(packed) and offset < last:
        yield TolerantRecord(offset=last, timestamp=last_time, value=packed[reader.at :], checksum=TORN)


def _record(body: bytes, base: int, expected: int, first_time: int, latest: int | None) -> TolerantRecord:
    """`expected`: its offset, should it not say. `latest`: the time that the broker gave the batch, if it did."""
    try:
        return _whole_record(_Reader(body), base, first_time, latest)
    except ValueError:
        time = first_time if latest is None else latest
        return TolerantRecord(offset=expected, timestamp=time, value=body, checksum=TORN)


def _whole_record(reader: _Reader, base: int, first_time: int, latest: int | None) -> TolerantRecord:
    reader.bytes_of(1)  # attributes, without a meaning so far
    time = first_time + reader.number()
    offset = base + reader.number()
    key, value = reader.sized(), reader.sized()
    count = reader.number()
    if count < 0:
        raise ValueError("fewer than no headers")
    headers = tuple(reader.header() for _ in range(count))
    if reader.at != len(reader.data):
        raise ValueError("the record is longer than what it holds")
    return TolerantRecord(
        offset=offset,
        timestamp=time if latest is None else latest,
        timestamp_type=int(latest is not None),
        key=key,
        value=value,
        headers=headers,
    )


class _Reader:
    """Reads on from `at`. Raises ValueError where the bytes end too early."""

    def __init__(self, data: bytes) -> None:
        self.data, self.at = data, 0

    def number(self) -> int:
        """A variable-length zig-zag number; aiokafka's own reading of it looks behind the end of the bytes."""
        value = 0
        for shift in range(0, 64, 7):
            [byte] = self.bytes_of(1)
            value |= (byte & 0x7F) << shift
            if byte < 0x80:
                return (value >> 1) ^ -(value & 1)
        raise ValueError("a number without an end")

    def bytes_of(self, length: int) -> bytes:
        if not 0 <= length <= len(self.data) - self.at:
            raise ValueError("more bytes than there are")
        start, self.at = self.at, self.at + length
        return self.data[start : self.at]

    def sized(self) -> bytes | None:
        length = self.number()
        return None if length == -1 else self.bytes_of(length)

    def header(self) -> tuple[str, bytes | None]:
        name = self.bytes_of(self.number())
        return name.decode("utf-8", "surrogateescape"), self.sized()
