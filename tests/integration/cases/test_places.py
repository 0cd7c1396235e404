"""Where a customer is, and on which days and hours that lets us call."""

from __future__ import annotations

import pytest

from alerts.document import BadDocument
from tests.integration.api.front import good
from tests.integration.cases.post import Post, event

WEEKDAYS = "days: [mon, tue, wed, thu, fri, sat]"


@pytest.mark.parametrize("zone", ["UTC", "Etc/GMT+5", "EST"])
async def test_a_default_zone_of_a_crm_does_not_ring_at_night(post: Post, zone: str) -> None:
    """case-zone-01"""
    await post.at("2026-11-24T09:05:00+00:00")  # 01:05 in San Francisco
    customer = {"id": "c", "time_zone": zone, "country": "US", "phone": "+1 415 555 0132"}
    await post.say(event(customer=customer, answered_at="2026-11-24T08:00:00Z"))
    assert await post.claim() is None
    assert (await post.the_callback())["callable_from"] == "2026-11-24T17:00:00Z"


@pytest.mark.parametrize("zone", ["ASIA/tokyo\u200b", "Tokyo Standard Time"])
async def test_a_zone_is_believed_however_its_name_is_written(post: Post, zone: str) -> None:
    """nodatime/nodatime #1329 and #1618, zenaton/zenaton-php #29"""
    await post.say(event(customer={"id": "c", "time_zone": zone, "phone": "+44 20 7946 3367"}))
    callback = await post.the_callback()
    assert (callback["local_time"][0]["time_zone"], callback["flags"]) == ("Asia/Tokyo", [])
    assert callback["callable_from"] == "2026-11-25T00:00:00Z"


async def test_a_zone_that_is_known_no_more_stops_neither_a_claim_nor_a_reader(post: Post) -> None:
    """monetr/monetr #2741, discourse/discourse #10514"""
    await post.say(event(customer={"id": "c", "time_zone": "Europe/London", "phone": "+44 20 7946 3367"}))
    await post.sql("UPDATE callbacks SET zones = ARRAY['US/Pacific-New']")
    await post.sql("UPDATE customers SET time_zone = 'US/Pacific-New'")
    assert (await post.the_callback())["local_time"][0]["time_zone"] == "UTC", "the queue's"
    claimed = await post.claim()
    assert claimed is not None
    assert "zone_guessed" in claimed["flags"]
    body = {"lease_token": claimed["lease"]["token"], "result": "voicemail"}
    tried = good(await (await post.front.advisor()).post(f"/v1/callbacks/{claimed['id']}/attempts", json=body))
    assert tried["callable_from"] == "2026-11-25T09:00:00Z"


@pytest.mark.parametrize(
    ("phone", "moment"),
    [
        pytest.param("+44 20 7946 0967", "2026-04-06T12:00:00+01:00", id="Easter Monday in London"),
        pytest.param("+49 89 2180 0000", "2026-01-06T12:00:00+01:00", id="Epiphany in Munich"),
        pytest.param("+61 2 9374 4000", "2026-06-08T12:00:00+10:00", id="the King's birthday in Sydney"),
    ],
)
async def test_nobody_is_called_on_a_holiday_of_their_own_region(post: Post, phone: str, moment: str) -> None:
    """case-hol-01"""
    await post.at(moment)
    post.rule("calling: {holidays: true}")
    await post.say(event(customer={"id": "c", "phone": phone}, answered_at="2026-01-01T00:00:00Z"))
    assert await post.claim() is None
    post.rule("calling: {holidays: national}")
    await post.say(event(customer={"id": "d", "phone": phone}, answered_at="2026-01-01T00:00:00Z"))
    assert await post.claim() is not None, "which is no holiday of the whole country"


@pytest.mark.parametrize("country", ["UK", "United Kingdom"])
async def test_the_rules_of_a_country_apply_however_it_is_written(post: Post, country: str) -> None:
    """case-country-01"""
    await post.at("2026-11-29T12:00:00+00:00")  # a Sunday
    post.rule(f"calling: {{countries: {{GB: {{{WEEKDAYS}}}}}}}")
    await post.say(event(customer={"id": "c", "phone": "020 7946 0967", "country": country}))
    assert await post.claim() is None
    assert await post.value("SELECT phone FROM customers") == "+442079460967"
    assert (await post.the_callback())["callable_from"] == "2026-11-30T09:00:00Z"


def test_a_rule_for_a_country_that_nobody_writes_so_is_refused(post: Post) -> None:
    """case-country-01"""
    with pytest.raises(BadDocument, match="GB"):
        post.rule(f"calling: {{countries: {{UK: {{{WEEKDAYS}}}}}}}")
