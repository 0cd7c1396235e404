"""Clocks that were never set, count in another unit, or run ahead: they cost their own record, and decide nothing."""

from __future__ import annotations

import pytest

from tests.integration.api.front import NOON
from tests.integration.cases.post import Post, event

NOON_S = int(NOON.timestamp())


async def test_an_answer_of_a_clock_that_was_never_set_is_set_aside_and_stops_nobody(post: Post) -> None:
    """case-time-01, case-time-02"""
    unset = [event(answered_at=f"{year}-01-01T00:00:00Z") for year in ("0001", "1601", "1900", "1970")]
    await post.say(*unset, event("good"))
    assert post.set_aside == ["invalid_time"] * 4
    claimed = await post.claim()
    assert claimed is not None
    assert claimed["alerts"][0]["event_id"] == "good"


@pytest.mark.parametrize("unit", [10**6, 10**9], ids=["microseconds", "nanoseconds"])
async def test_a_record_whose_time_is_in_another_unit_is_taken_in_with_its_neighbour(post: Post, unit: int) -> None:
    """case-kafka-01"""
    odd = post.record(event("odd"), timestamp_ms=NOON_S * unit)
    await post.deliver(odd, post.record(event("neighbour")), post.record(b"no event", timestamp_ms=NOON_S * unit))
    assert [await post.outcome(each) for each in ("odd", "neighbour")] == ["bottom_box", "bottom_box"]
    assert post.set_aside == ["malformed"]
    assert await post.value("SELECT answered_at FROM responses WHERE event_id = 'odd'") == NOON.replace(hour=11)


async def test_an_event_from_the_future_does_not_outrank_its_correction(post: Post) -> None:
    """case-rev-01"""
    await post.say(event("first", time="2062-01-01T00:00:00Z", rating=5, response_id="r-82"))
    await post.say(event("second", time="2026-11-24T12:00:00Z", rating=1, response_id="r-82"))
    assert await post.outcome("second") == "bottom_box"
    assert await post.claim() is not None


@pytest.mark.parametrize(("first", "second"), [("zzz", "aaa"), ("9", "10")])
async def test_of_two_revisions_of_one_moment_the_later_in_the_partition_counts(
    post: Post, first: str, second: str
) -> None:
    """case-rev-02"""
    await post.say(event(first, rating=5, response_id="r-1"), event(second, rating=1, response_id="r-1"))
    assert await post.outcome(second) == "bottom_box"
    assert await post.callbacks() == 1


async def test_a_bad_answer_is_not_lost_for_the_way_its_time_is_written(post: Post) -> None:
    """golang/go #77163, dateutil/dateutil #786: leap seconds and the spellings of ISO 8601 that a reader does not know."""
    texts = (
        "2016-12-31T23:59:60Z",
        "2026-11-24 11:00:00+00",
        "2026-11-24T11:00+00:00[UTC]",
        "2026-11-24T11:00:00.9999999Z",
    )
    await post.say(*(event(text, answered_at=text) for text in texts))
    assert [await post.outcome(text) for text in texts] == ["bottom_box"] * 4
