"""The client of the benchmarks reads whole answers, however they come in pieces."""

from __future__ import annotations

import asyncio
from typing import cast

import pytest

from benchmarks.knock import Knocker, request
from benchmarks.moves import as_literal

ANSWER = b'HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 11\r\n\r\n{"a":\r\n\r\n1}'
EMPTY = b"HTTP/1.1 204 No Content\r\nretry-after: 5\r\n\r\n"


class Wire:
    """Takes what is written, and keeps it."""

    def __init__(self) -> None:
        self.written: list[bytes] = []

    def write(self, data: bytes) -> None:
        self.written.append(data)


async def answered(pieces: list[bytes], expected: int = 200) -> bytes:
    knocker, wire = Knocker(), Wire()
    knocker.connection_made(cast("asyncio.WriteTransport", wire))
    asking = asyncio.ensure_future(knocker.ask(b"GET / HTTP/1.1\r\n\r\n", expected))
    await asyncio.sleep(0)  # it writes at its first step
    assert len(wire.written) == 1
    for piece in pieces:
        knocker.data_received(piece)
    return await asking


@pytest.mark.parametrize("size", [1, 7, 60, 1000])
async def test_an_answer_in_pieces_of_any_size_is_read_whole(size: int) -> None:
    assert await answered([ANSWER[at : at + size] for at in range(0, len(ANSWER), size)]) == b'{"a":\r\n\r\n1}'


async def test_an_answer_without_a_body_has_none() -> None:
    assert await answered([EMPTY], 204) == b""


async def test_another_status_than_expected_fails_and_says_which() -> None:
    with pytest.raises(AssertionError, match=r"GET / HTTP/1\.1.* was answered by 204"):
        await answered([EMPTY])


def test_a_request_says_how_long_its_body_is() -> None:
    assert request("POST", "/v1/x", b"{}", Idempotency_Key="k") == (
        b"POST /v1/x HTTP/1.1\r\nHost: 127.0.0.1\r\nIdempotency-Key: k\r\n"
        b"Content-Type: application/json\r\nContent-Length: 2\r\n\r\n{}"
    )


def test_a_text_in_a_script_holds_nothing_that_pgbench_takes_for_a_variable() -> None:
    assert as_literal(None) == "NULL"
    assert as_literal('{"a":false}') == "E'{\"a\"\\x3afalse}'"
    assert as_literal("it's\n\\x00") == "E'it\\'s\\n\\\\x00'"
