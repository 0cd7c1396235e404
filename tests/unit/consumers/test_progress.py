"""How far behind a consumer is, and when it has silently stopped moving."""

from __future__ import annotations

from aiokafka import TopicPartition

from consumers.progress import STUCK_SECONDS, Lag, Progress
from consumers.record import Record

PART = TopicPartition("surveys", 0)


def record(offset: int, timestamp_ms: int = 1_000) -> Record:
    return Record(topic="surveys", partition=0, offset=offset, timestamp_ms=timestamp_ms, key=None, value=b"")


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def test_the_lag_is_what_lies_between_the_last_record_taken_and_the_end() -> None:
    progress = Progress(Clock())
    progress.taken([record(3), record(4)])
    assert list(progress.lags([PART], lambda _: 15, 11_000)) == [Lag(PART, 10, 10.0)]
    assert list(progress.lags([PART], lambda _: 5, 11_000)) == [Lag(PART, 0, 0.0)]


def test_nothing_is_said_of_partitions_of_which_nothing_is_known() -> None:
    assert list(Progress(Clock()).lags([PART], lambda _: None, 0)) == []


def test_records_that_wait_while_none_comes_are_a_stuck_client() -> None:
    clock = Clock()
    progress = Progress(clock)
    behind = [Lag(PART, 1, 1.0)]
    clock.now = STUCK_SECONDS - 1
    assert not progress.is_stuck(behind)
    clock.now = STUCK_SECONDS + 1
    assert progress.is_stuck(behind)


def test_a_quiet_topic_is_not_a_stuck_client() -> None:
    clock = Clock()
    progress = Progress(clock)
    for moment in range(0, 1000, 60):
        clock.now = float(moment)
        assert not progress.is_stuck([Lag(PART, 0, 0.0)])
