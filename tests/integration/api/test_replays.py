"""An answer given again shows no more of a customer than may be shown at that moment."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any

import httpx
import pytest

from tests.integration.api.front import COMMENT, EMAIL, NAME, NOON, PHONE, Front, good, leaks

KEY = {"Idempotency-Key": '"8e03978e-40d5-43e8-bc93-6894a57f9324"'}
NIGHT = NOON.replace(hour=23)
MASKED = "+44******67"

Ask = Callable[[], Awaitable[httpx.Response]]


async def _claim(front: Front, _: str) -> Ask:
    ann = await front.advisor()
    return lambda: ann.post("/v1/callbacks/claim", json={"lease_seconds": 3600}, headers=KEY)


async def _claim_several(front: Front, _: str) -> Ask:
    dialer = await front.key("callbacks:work", "callbacks:dial")
    body = {"count": 2, "advisor": "ann", "lease_seconds": 3600}
    return lambda: dialer.post("/v1/callbacks/claim", json=body, headers=KEY)


async def _claim_this(front: Front, url: str) -> Ask:
    ann = await front.advisor()
    return lambda: ann.post(f"{url}/claim", json={"lease_seconds": 3600}, headers=KEY)


async def _reveal(front: Front, url: str) -> Ask:
    lead = await front.lead()
    return lambda: lead.post(f"{url}/reveal", json={"reason": "a complaint"}, headers=KEY)


WAYS = pytest.mark.parametrize("way", [_claim, _claim_several, _claim_this, _reveal])


def _callback(response: httpx.Response) -> dict[str, Any]:
    body = good(response)
    return dict(body["items"][0]) if "items" in body else body


async def _asked(front: Front, way: Callable[[Front, str], Awaitable[Ask]]) -> tuple[Ask, httpx.Response]:
    moved = await front.bad_answer("c-1")
    ask = await way(front, f"/v1/callbacks/{moved.callback.id}")
    first = await ask()
    assert _callback(first)["customer"]["phone"] == PHONE
    return ask, first


@WAYS
async def test_while_the_customer_may_be_phoned_the_answer_is_the_same_to_the_byte(
    front: Front, way: Callable[[Front, str], Awaitable[Ask]]
) -> None:
    ask, first = await _asked(front, way)
    again = await ask()
    assert again.content == first.content
    assert again.headers.get("etag") == first.headers.get("etag")


@WAYS
async def test_at_night_the_number_is_masked_in_an_answer_given_again_too(
    front: Front, way: Callable[[Front, str], Awaitable[Ask]]
) -> None:
    ask, first = await _asked(front, way)
    await front.clock.set(NIGHT)
    await front.run("UPDATE callbacks SET lease_expires_at = :at WHERE state = 'leased'", at=NIGHT + timedelta(hours=1))
    again = await ask()
    assert again.headers["idempotency-replayed"] == "true"
    customer = _callback(again)["customer"]
    assert (customer["phone"], customer["name"], customer["masked"]) == (MASKED, NAME, False)
    assert PHONE not in again.text
    if "etag" in first.headers:
        assert again.headers["etag"] != first.headers["etag"]
    await front.clock.set(NOON + timedelta(minutes=1))
    assert (await ask()).content == first.content


@WAYS
async def test_after_an_opt_out_nothing_of_the_customer_is_shown_again(
    front: Front, way: Callable[[Front, str], Awaitable[Ask]]
) -> None:
    ask, _ = await _asked(front, way)
    lead = await front.lead()
    ref = good(await lead.post("/v1/customers/lookup", json={"customer": {"id": "c-1"}}))["ref"]
    assert (await lead.put(f"/v1/customers/{ref}/opt-out")).status_code == 204
    before = await front.sql("SELECT count(*) FROM audit")
    again = await ask()
    customer = _callback(again)["customer"]
    assert (customer["phone"], customer["name"], customer["masked"]) == (MASKED, "Z. Q.", True)
    assert not leaks(again)
    assert await front.sql("SELECT count(*) FROM audit") == before, "nothing was seen"


@WAYS
async def test_of_an_erased_customer_nothing_is_shown_again(
    front: Front, way: Callable[[Front, str], Awaitable[Ask]]
) -> None:
    ask, _ = await _asked(front, way)
    await front.run("UPDATE customers SET erased_at = ledger_now()")
    assert not leaks(await ask())


@pytest.mark.parametrize("way", [_claim, _claim_several, _claim_this])
async def test_whoever_holds_it_no_more_gets_no_number_again(
    front: Front, way: Callable[[Front, str], Awaitable[Ask]]
) -> None:
    ask, first = await _asked(front, way)
    url = f"/v1/callbacks/{_callback(first)['id']}/release"
    good(await (await front.lead()).post(url, json={"reason": "shift is over"}))
    assert _callback(await ask())["customer"]["phone"] == MASKED


async def test_a_lease_that_ran_out_unnoticed_shows_no_number_again(front: Front) -> None:
    ask, _ = await _asked(front, _claim)
    await front.clock.advance(timedelta(hours=1))
    assert _callback(await ask())["customer"]["phone"] == MASKED


async def test_a_number_that_turned_out_to_be_anothers_is_not_shown_again(front: Front) -> None:
    ask, first = await _asked(front, _claim)
    customer = _callback(first)["customer"]
    match = {"If-Match": f'"{customer["version"]}"'}
    good(
        await (await front.lead()).patch(
            f"/v1/customers/{customer['ref']}", json={"phone": "+442079460000"}, headers=match
        )
    )
    assert _callback(await ask())["customer"]["phone"] == MASKED


async def test_one_of_several_who_opts_out_is_masked_and_the_others_are_not(front: Front) -> None:
    await front.answers([front.answer("c-1"), front.answer("c-2")])
    ask = await _claim_several(front, "")
    good(await ask())
    lead = await front.lead()
    ref = good(await lead.post("/v1/customers/lookup", json={"customer": {"id": "c-1"}}))["ref"]
    await lead.put(f"/v1/customers/{ref}/opt-out")
    shown = {each["customer"]["ref"]: each["customer"]["phone"] for each in good(await ask())["items"]}
    assert shown.pop(ref) == MASKED
    assert list(shown.values()) == [PHONE]


async def test_a_number_masked_when_it_was_first_told_stays_masked_by_day(front: Front) -> None:
    moved = await front.bad_answer("c-1")
    await front.clock.set(NIGHT)
    ask = await _reveal(front, f"/v1/callbacks/{moved.callback.id}")
    assert _callback(await ask())["customer"]["phone"] == MASKED
    await front.clock.set(NOON + timedelta(hours=22))
    again = await ask()
    assert _callback(again)["customer"]["phone"] == MASKED
    assert EMAIL in again.text
    assert COMMENT in again.text


async def test_the_holder_of_a_customer_who_opts_out_sees_no_number_any_more(front: Front) -> None:
    moved = await front.bad_answer("c-1")
    url = f"/v1/callbacks/{moved.callback.id}"
    ann, lead = await front.advisor(), await front.lead()
    ref = good(await ann.post(f"{url}/claim", json={}))["customer"]["ref"]
    assert good(await ann.get(url))["customer"]["phone"] == PHONE
    await lead.put(f"/v1/customers/{ref}/opt-out")
    for response in (await ann.get(url), await lead.post(f"{url}/reveal", json={"reason": "a complaint"})):
        assert good(response)["customer"]["phone"] == MASKED
        assert good(response)["customer"]["name"] == NAME
