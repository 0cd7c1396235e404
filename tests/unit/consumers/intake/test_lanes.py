"""Several batches are in hand at once, and none shares a partition with another."""

from __future__ import annotations

import asyncio

import pytest
from aiokafka import TopicPartition

from consumers.intake.lanes import Lanes

ONE, OTHER, THIRD = (TopicPartition("surveys", number) for number in range(3))


async def failing() -> None:
    raise ValueError("a batch of one")


async def test_what_is_in_hand_is_known_by_its_partitions_until_it_ends() -> None:
    lanes, may_end = Lanes(2), asyncio.Event()
    lanes.start([ONE, OTHER], may_end.wait())
    assert (lanes.partitions, lanes.is_empty, lanes.is_full) == (frozenset((ONE, OTHER)), False, False)
    lanes.start([THIRD], asyncio.Event().wait())
    assert lanes.is_full
    may_end.set()
    await lanes.one_ended()
    assert (lanes.partitions, lanes.is_full) == (frozenset((THIRD,)), False)
    assert not await lanes.are_empty(within=0.01)


async def test_what_a_batch_fails_with_is_raised_once() -> None:
    lanes = Lanes()
    lanes.start([ONE], failing())
    with pytest.raises(ValueError, match="a batch of one"):
        await lanes.one_ended()
    lanes.clear_ended()
    await lanes.one_ended()
    assert lanes.is_empty


async def test_the_end_waits_for_all_also_when_one_has_failed() -> None:
    lanes, may_end, ended = Lanes(), asyncio.Event(), []

    async def slow() -> None:
        await may_end.wait()
        ended.append(True)

    lanes.start([ONE], failing())
    lanes.start([OTHER], slow())
    asyncio.get_running_loop().call_soon(may_end.set)
    with pytest.raises(ValueError, match="a batch of one"):
        await lanes.all_ended()
    assert ended
    assert lanes.is_empty
    assert lanes.partitions == frozenset()


async def test_when_a_batch_has_ended_well_its_partitions_are_free_and_one_that_failed_keeps_them() -> None:
    lanes, ended = Lanes(), asyncio.Event()

    def let_go() -> None:
        lanes.let_go()
        if lanes.partitions == {ONE}:
            ended.set()

    lanes.start([ONE], failing(), let_go)
    lanes.start([OTHER], asyncio.sleep(0), let_go)
    async with asyncio.timeout(5.0):
        await ended.wait()
    with pytest.raises(ValueError, match="a batch of one"):
        lanes.clear_ended()
    assert lanes.is_empty
