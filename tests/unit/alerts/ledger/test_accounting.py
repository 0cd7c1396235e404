"""The accounts of a partition: every offset ends once, and the sum can be asked at any time."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from alerts.arrival import RecordOutcome
from alerts.ledger.intake.accounts import PartitionAccount, RecordEnd, account

NEW = PartitionAccount(topic="surveys", partition=0, first_offset=0, next_offset=0)
BOTTOM, DUPLICATE = RecordOutcome.BOTTOM_BOX, RecordOutcome.DUPLICATE


def test_each_offset_is_counted_once() -> None:
    row, anew = account(NEW, [RecordEnd(0, BOTTOM, True), RecordEnd(1, RecordOutcome.TOMBSTONE, False)])
    assert (row.next_offset, row.outcomes, row.difference, anew) == (2, {"bottom_box": 1, "tombstone": 1}, 0, False)


def test_offsets_that_hold_no_record_are_skipped_and_said_so() -> None:
    row, _ = account(NEW, [RecordEnd(0, BOTTOM, True), RecordEnd(5, BOTTOM, True)])
    assert (row.next_offset, row.skipped, row.difference) == (6, 4, 0)


def test_offsets_delivered_again_change_nothing_but_their_own_count() -> None:
    row, _ = account(NEW, [RecordEnd(0, BOTTOM, True), RecordEnd(1, BOTTOM, True)])
    again, anew = account(
        row, [RecordEnd(0, DUPLICATE, False), RecordEnd(1, DUPLICATE, False), RecordEnd(2, BOTTOM, True)]
    )
    assert (again.next_offset, again.seen_again, again.outcomes, anew) == (3, 2, {"bottom_box": 3}, False)
    assert again.difference == 0


def test_an_effect_below_the_account_means_the_topic_was_made_anew() -> None:
    row, _ = account(NEW, [RecordEnd(number, BOTTOM, True) for number in range(10)])
    anew, is_new = account(row, [RecordEnd(0, BOTTOM, True), RecordEnd(1, BOTTOM, True)])
    assert is_new
    assert (anew.epoch, anew.first_offset, anew.next_offset, anew.outcomes) == (1, 0, 2, {"bottom_box": 2})
    assert anew.difference == 0


@given(st.lists(st.lists(st.integers(0, 60), unique=True, max_size=20).map(sorted), max_size=8))
def test_the_difference_is_nought_whatever_is_delivered_in_whichever_batches(batches: list[list[int]]) -> None:
    row, known = NEW, set()
    for batch in batches:
        seen = [
            RecordEnd(offset, DUPLICATE if offset in known or offset < row.next_offset else BOTTOM, False)
            for offset in batch
        ]
        known |= set(batch)
        row, _ = account(row, seen)
        assert row.difference == 0
