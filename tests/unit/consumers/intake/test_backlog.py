"""What is polled ahead of its batch stays in order, within bounds, and is forgotten when it will be polled again."""

from __future__ import annotations

from aiokafka import TopicPartition

from consumers.intake.backlog import AHEAD, AHEAD_BYTES, Backlog
from consumers.intake.record import Record

ONE, OTHER, THIRD = (TopicPartition("surveys", number) for number in range(3))


def records(
    partition: TopicPartition, count: int, *, first: int = 0, size: int = 0
) -> dict[TopicPartition, list[Record]]:
    return {
        partition: [Record("surveys", partition.partition, first + at, 0, None, b"x" * size) for at in range(count)]
    }


def offsets(batch: dict[TopicPartition, list[Record]]) -> dict[TopicPartition, list[int]]:
    return {partition: [each.offset for each in given] for partition, given in batch.items()}


def test_a_batch_has_all_that_waits_in_order_but_of_partitions_in_hand() -> None:
    backlog = Backlog(2000)
    for polled in (records(ONE, 2), records(OTHER, 1), records(ONE, 2, first=2)):
        backlog.add(polled)
    assert backlog.free({ONE}) == {OTHER: 1}
    assert offsets(backlog.draw({ONE})) == {OTHER: [0]}
    assert offsets(backlog.draw(())) == {ONE: [0, 1, 2, 3]}
    assert backlog.draw(()) == {}


def test_a_batch_ends_with_the_partition_that_fills_it() -> None:
    backlog = Backlog(3)
    for partition in (ONE, OTHER, THIRD):
        backlog.add(records(partition, 2))
    assert list(backlog.draw(())) == [ONE, OTHER]
    assert list(backlog.draw(())) == [THIRD]


def test_a_partition_of_which_enough_waits_has_no_room_for_more() -> None:
    backlog = Backlog(10 * AHEAD)
    backlog.add(records(ONE, AHEAD - 1))
    assert backlog.has_room(ONE)
    backlog.add(records(ONE, 1, first=AHEAD))
    assert not backlog.has_room(ONE)
    assert backlog.has_room(OTHER)


def test_large_records_fill_it_sooner() -> None:
    backlog = Backlog(10 * AHEAD)
    backlog.add(records(ONE, 1, size=AHEAD_BYTES - 1))
    assert backlog.has_room(ONE)
    backlog.add(records(ONE, 1, first=1, size=1))
    assert not backlog.has_room(ONE)


def test_nothing_has_room_while_a_whole_batch_waits() -> None:
    backlog = Backlog(2)
    backlog.add(records(ONE, 1) | records(OTHER, 1))
    assert not backlog.has_room(THIRD)


def test_what_is_forgotten_is_in_no_batch() -> None:
    backlog = Backlog(2000)
    backlog.add(records(ONE, 1) | records(OTHER, 1))
    assert backlog.forget([ONE, THIRD]) == [ONE]
    assert ONE not in backlog
    assert backlog.forget() == [OTHER]
    assert backlog.draw(()) == {}


def test_behind_a_large_batch_nothing_has_room_until_a_small_one() -> None:
    backlog = Backlog(10 * AHEAD)
    backlog.add(records(ONE, AHEAD))
    backlog.draw(())
    assert (backlog.has_room(ONE), backlog.has_room(OTHER)) == (False, True)
    backlog.add(records(ONE, 1, first=AHEAD))
    backlog.draw(())
    assert backlog.has_room(ONE)
