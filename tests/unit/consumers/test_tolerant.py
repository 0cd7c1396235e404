"""Batches that aiokafka's own reading gives up on: what is whole in them is read, and the rest is kept."""

from __future__ import annotations

from itertools import pairwise

import pytest
from aiokafka import ConsumerRecord, TopicPartition

from consumers.kafka.tolerant import TolerantPartition, TolerantRecords, damage, is_torn
from consumers.kafka.torn import has_odd_name, legible
from tests.parts.raw_batches import GZIP, batch, number, record

PLAIN = 0
PARTITION = TopicPartition("surveys", 0)
NEGATIVE = b"\x00\x00\x02\x01\x02z\x01"  # a record whose number of headers is below 0


def partition(fetched: bytes, position: int = 0) -> TolerantPartition:
    return TolerantPartition(PARTITION, TolerantRecords(fetched), None, position, None, None, True, 1)


def values(polled: list[ConsumerRecord[bytes, bytes]]) -> list[tuple[int, bytes | None]]:
    return [(each.offset, each.value) for each in polled]


def damaged(base: int) -> bytes:
    """One bit of its last byte has flipped."""
    whole = batch([record(0, b"lost?")], base=base)
    return whole[:-1] + bytes([whole[-1] ^ 1])


@pytest.mark.parametrize("codec", [PLAIN, GZIP])
def test_a_header_name_that_is_not_utf8_costs_no_other_record(codec: int) -> None:
    odd = record(1, b"odd", key=b"k", headers=[(b"caf\xe9", b"\xff"), (b"trace", None)])
    polled = list(partition(batch([record(0, b"before"), odd, record(2, None)], codec=codec)))
    assert values(polled) == [(0, b"before"), (1, b"odd"), (2, None)]
    assert polled[1].headers == (("caf\udce9", b"\xff"), ("trace", None))
    assert [has_odd_name(each.headers) for each in polled] == [False, True, False]
    assert (polled[1].key, polled[1].timestamp) == (b"k", polled[0].timestamp)


def test_a_name_is_written_so_that_any_client_can_read_it() -> None:
    assert legible("caf\udce9") == r"caf\xe9"
    assert legible("café-trace") == "café-trace"


@pytest.mark.parametrize("codec", [PLAIN, GZIP])
def test_a_record_that_breaks_the_format_is_cut_out_by_its_length(codec: int) -> None:
    broken = number(len(NEGATIVE)) + NEGATIVE
    polled = list(partition(batch([record(0, b"a"), broken, record(2, b"c")], codec=codec)))
    assert values(polled) == [(0, b"a"), (1, NEGATIVE), (2, b"c")]
    assert [is_torn(each) for each in polled] == [False, True, False]


def test_what_is_left_behind_a_broken_length_is_one_torn_record_at_the_last_offset() -> None:
    polled = list(partition(batch([record(0, b"a"), b"\x7f\x01\x02", record(2, b"c")])))
    assert values(polled) == [(0, b"a"), (2, b"\x7f\x01\x02" + record(2, b"c"))]
    assert is_torn(polled[1])


def test_a_batch_that_cannot_be_unpacked_is_kept_whole_and_the_next_is_read() -> None:
    packed = batch([record(0, b"a"), record(1, b"b")], codec=GZIP, packed=b"no gzip at all")
    polled = list(partition(packed + batch([record(0, b"c")], base=2)))
    assert values(polled) == [(1, packed), (2, b"c")]
    assert [is_torn(each) for each in polled] == [True, False]


def test_reading_goes_on_from_the_middle_of_a_batch() -> None:
    odd = record(2, b"c", headers=[(b"\xff", None)])
    polled = partition(batch([record(0, b"a"), record(1, b"b"), odd, record(3, b"d")]), position=1)
    assert values(list(polled)) == [(1, b"b"), (2, b"c"), (3, b"d")]
    assert polled.next_fetch_offset == 4


def test_what_stands_before_a_damaged_batch_is_given_first() -> None:
    fetched = batch([record(0, b"a")]) + damaged(1) + batch([record(0, b"c")], base=2)
    first = partition(fetched)
    assert values(list(first)) == [(0, b"a")]
    assert first.next_fetch_offset == 1
    [mark] = partition(fetched[len(batch([record(0, b"a")])) :], position=1)
    assert (mark.offset, damage(mark)) == (1, "CorruptRecordException")


@pytest.mark.parametrize("length", [-1000, 0, 13])
def test_a_batch_with_an_impossible_length_is_damage(length: int) -> None:
    whole = batch([record(0, b"a")])
    [mark] = partition(whole[:8] + length.to_bytes(4, "big", signed=True) + whole[12:])
    assert damage(mark)


def test_a_batch_that_is_cut_off_comes_again() -> None:
    whole = batch([record(0, b"a")])
    assert not TolerantRecords(whole[:-1]).has_next()
    assert values(list(partition(whole + whole[:5]))) == [(0, b"a")]


def test_whatever_byte_is_wrong_reading_ends_and_offsets_only_rise() -> None:
    whole = [record(0, b"a" * 50), record(1, b"b", headers=[(b"h", b"v"), (b"\xff", None)]), record(2, b"c")]
    plain = b"".join(whole)
    for at in range(len(plain)):
        for wrong in (0x00, 0x01, 0x7F, 0x80, 0xFF):
            changed = batch(whole, packed=plain[:at] + bytes([wrong]) + plain[at + 1 :])
            read = partition(changed)
            offsets = [each.offset for each in read]
            assert all(before < after for before, after in pairwise(offsets))
            assert read.next_fetch_offset == 3
