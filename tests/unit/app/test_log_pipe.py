"""Log lines go to a thread that writes them: none is lost while somebody reads, and nobody waits when nobody does."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator

import pytest

from app import log_pipe
from app.log_pipe import LogPipe

MANY = 20_000  # bytes of a line; a few of them fill a pipe


@pytest.fixture
def pipe() -> Iterator[tuple[int, int]]:
    reading, writing = os.pipe()
    yield reading, writing
    os.close(writing)
    os.close(reading)


def record(message: str) -> logging.LogRecord:
    return logging.LogRecord("house", logging.INFO, __file__, 1, message, None, None)


def read(descriptor: int, until: bytes) -> bytes:
    """What is there, up to and with `until`."""
    found = b""
    while until not in found:
        found += os.read(descriptor, 65_536)
    return found


def test_all_that_was_said_is_written_by_the_end(pipe: tuple[int, int]) -> None:
    handler = LogPipe(pipe[1])
    for number in range(500):
        handler.handle(record(f"line {number}"))
    handler.flush()
    assert os.read(pipe[0], 65_536).decode().splitlines() == [f"line {number}" for number in range(500)]
    assert handler.dropped == 0
    handler.close()


def test_a_reader_that_does_not_read_costs_lines_and_no_time(
    pipe: tuple[int, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(log_pipe, "FLUSH_SECONDS", 0.01)
    handler, heard = LogPipe(pipe[1], most=5), []
    handler.on_dropped = lambda: heard.append(1)
    for number in range(100):  # would never end if it waited for the reader
        handler.handle(record(f"line {number} " + "x" * MANY))
    handler.flush()
    handler.handle(record("the last of many"))
    assert handler.dropped == len(heard) >= 80
    found = read(pipe[0], b"line 0")
    while b"dropped, for nobody read them in time" not in found:
        found += os.read(pipe[0], 65_536)
        handler.handle(record("on we go"))
    while b"the end" not in found:  # or what is left would be written where the next story listens
        handler.handle(record("the end"))
        found += os.read(pipe[0], 65_536)
    monkeypatch.undo()
    handler.flush()
    handler.close()


def test_a_reader_that_is_gone_is_no_error_of_whoever_speaks() -> None:
    reading, writing = os.pipe()
    os.close(reading)
    handler = LogPipe(writing)
    handler.handle(record("is anybody there?"))
    handler.flush()
    assert handler.dropped == 1
    handler.close()
    os.close(writing)


def test_a_descriptor_that_does_not_wait_loses_nothing(pipe: tuple[int, int]) -> None:
    os.set_blocking(pipe[1], False)
    handler = LogPipe(pipe[1])
    for _ in range(10):
        handler.handle(record("x" * MANY))
    handler.handle(record("the end"))
    assert read(pipe[0], b"the end\n").count(b"x") == 10 * MANY
    handler.close()


def test_a_line_that_cannot_be_made_is_counted_and_says_nothing(
    pipe: tuple[int, int], capfd: pytest.CaptureFixture[str]
) -> None:
    handler = LogPipe(pipe[1])
    handler.handle(logging.LogRecord("house", logging.INFO, __file__, 1, "%d", ("Vera",), None))
    assert handler.dropped == 1
    assert capfd.readouterr().err == ""
    handler.close()
