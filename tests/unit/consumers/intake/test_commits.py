"""Offsets are committed beside the batches: the latest of each partition, one request at a time, and only of ours."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime

from aiokafka import TopicPartition
from aiokafka.errors import KafkaError

from alerts.arrival import Address
from consumers.intake.commits import OffsetCommits

ONE, OTHER = (TopicPartition("surveys", number) for number in range(2))
NOON = datetime(2026, 11, 26, 12, tzinfo=UTC)


class Client:
    """Answers a commit once it `may`, with an error if it has one."""

    def __init__(self, *ours: TopicPartition) -> None:
        self.ours = frozenset(ours)
        self.asked: list[dict[TopicPartition, int]] = []
        self.may = asyncio.Event()
        self.error: Exception | None = None

    def assignment(self) -> frozenset[TopicPartition]:
        return self.ours

    async def commit(self, offsets: dict[TopicPartition, int]) -> None:
        self.asked.append(offsets)
        await self.may.wait()
        if self.error is not None:
            raise self.error


def taken(partition: TopicPartition, offset: int) -> dict[TopicPartition, Address]:
    return {partition: Address("surveys", partition.partition, offset, NOON)}


def committing(client: Client) -> tuple[OffsetCommits, list[bool]]:
    failures: list[bool] = []
    return OffsetCommits(client, lambda: failures.append(True)), failures


async def test_what_is_taken_while_a_request_is_on_its_way_goes_together_in_the_next() -> None:
    client = Client(ONE, OTHER)
    commits, failures = committing(client)
    commits.note(taken(ONE, 0))
    await asyncio.sleep(0)  # the request goes out
    for news in (taken(ONE, 1), taken(ONE, 5), taken(OTHER, 7)):
        commits.note(news)
    assert not await commits.are_done(within=0.0)
    client.may.set()
    assert await commits.are_done(within=5.0)
    assert client.asked == [{ONE: 1}, {ONE: 6, OTHER: 8}]
    commits.note(taken(ONE, 6))
    assert await commits.are_done(within=5.0)
    assert client.asked[2:] == [{ONE: 7}]
    assert failures == []


async def test_nothing_is_committed_of_partitions_that_are_not_ours_any_more() -> None:
    client = Client(OTHER)
    commits, _ = committing(client)
    client.may.set()
    commits.note(taken(ONE, 0))
    assert await commits.are_done(within=5.0)
    assert client.asked == []


async def test_what_was_noted_before_partitions_were_dealt_anew_is_forgotten() -> None:
    client = Client(ONE)
    commits, _ = committing(client)
    client.may.set()
    commits.note(taken(ONE, 0))
    commits.forget()
    assert await commits.are_done(within=5.0)
    assert client.asked == []


async def test_a_request_that_fails_is_told_and_the_next_goes_out_all_the_same() -> None:
    client = Client(ONE)
    client.may.set()
    client.error = KafkaError()
    commits, failures = committing(client)
    commits.note(taken(ONE, 0))
    assert await commits.are_done(within=5.0)
    assert failures == [True]
    client.error = None
    commits.note(taken(ONE, 1))
    assert await commits.are_done(within=5.0)
    assert client.asked == [{ONE: 1}, {ONE: 2}]
    assert failures == [True]
