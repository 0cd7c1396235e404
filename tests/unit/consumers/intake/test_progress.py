"""How far behind a consumer is, and when it has silently stopped moving."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from aiokafka import TopicPartition

from alerts.arrival import Address
from consumers.intake.progress import STUCK_SECONDS, IntakeProgress, Lag
from consumers.intake.record import Record

PART = TopicPartition("surveys", 0)
NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
BEHIND = [Lag(PART, 1, 1.0)]


class Clock:
    seconds = 0.0

    def monotonic(self) -> float:
        return self.seconds

    def now(self) -> datetime:
        return NOON + timedelta(seconds=self.seconds)


def progress() -> tuple[IntakeProgress, Clock]:
    clock = Clock()
    return IntakeProgress(clock.monotonic, clock.now), clock


def polled(*offsets: int, seconds: float = 0.0) -> dict[TopicPartition, list[Record]]:
    at = int((NOON.timestamp() + seconds) * 1000)
    return {PART: [Record("surveys", 0, offset, at, None, b"") for offset in offsets]}


def up_to(offset: int) -> dict[TopicPartition, Address]:
    return {PART: Address("surveys", 0, offset, NOON)}


def test_the_lag_is_known_before_anything_was_read_and_grows_with_time() -> None:
    known, clock = progress()
    assert known.lags({PART: 5}, {PART: 15}) == [Lag(PART, 10, 0.0)]
    clock.seconds = 60.0
    assert known.lags({PART: 5}, {PART: 15}) == [Lag(PART, 10, 60.0)]


def test_a_batch_in_hand_is_behind_until_it_is_taken_in() -> None:
    known, clock = progress()
    known.polled(polled(3, seconds=-5.0))
    known.polled(polled(4, 5))
    clock.seconds = 10.0
    assert known.lags({PART: 6}, {PART: 6}) == [Lag(PART, 3, 15.0)]
    known.taken(up_to(4))
    assert known.lags({PART: 6}, {PART: 6}) == [Lag(PART, 1, 10.0)]
    known.taken(up_to(5))
    known.let_go([PART])
    assert known.lags({PART: 6}, {PART: 6}) == [Lag(PART, 0, 0.0)]


def test_markers_of_transactions_that_were_passed_over_are_no_lag() -> None:
    known, _ = progress()
    known.polled(polled(0))
    known.taken(up_to(0))
    known.let_go([PART])
    assert known.lags({PART: 2}, {PART: 2}) == [Lag(PART, 0, 0.0)]


def test_nothing_is_said_of_partitions_whose_end_is_not_known() -> None:
    assert progress()[0].lags({PART: 3}, {}) == []


def test_records_that_wait_while_none_comes_are_a_stuck_client_also_when_none_ever_came() -> None:
    known, clock = progress()
    clock.seconds = STUCK_SECONDS - 1
    assert not known.is_stuck(BEHIND)
    clock.seconds = STUCK_SECONDS + 1
    assert known.is_stuck(BEHIND)


def test_a_quiet_topic_is_not_a_stuck_client() -> None:
    known, clock = progress()
    for moment in range(0, 1000, 60):
        clock.seconds = float(moment)
        assert not known.is_stuck([Lag(PART, 0, 0.0)])


def test_a_batch_that_waits_for_the_database_is_not_a_stuck_client() -> None:
    known, clock = progress()
    known.polled(polled(3))
    for moment in range(0, 1000, 60):
        clock.seconds = float(moment)
        assert not known.is_stuck(BEHIND)
