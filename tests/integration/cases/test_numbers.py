"""A phone number is one person's, however it is written; what is no person's number joins nobody."""

from __future__ import annotations

from typing import Any

import pytest

from tests.integration.api.front import good
from tests.integration.cases.post import Post, event

WITH_MARKS = ("\u202a+44 20 7946 0967\u202c", "\ufeff+44\u00ad20\u200b7946\u20600967", "+44 20 7946\u22120967")


@pytest.mark.parametrize(
    ("written", "number"),
    [
        pytest.param(("+370 8 612 34567", "+37061234567"), "+37061234567", id="case-phone-01 Lithuania"),
        pytest.param(("+7 8 916 123-45-67", "+7 916 123 45 67"), "+79161234567", id="case-phone-01 Russia"),
        pytest.param(("+1 1 212 555 0123", "+1 212 555 0123"), "+12125550123", id="case-phone-01 North America"),
        pytest.param(("+54 11 15 2345-6789", "+54 9 11 2345 6789"), "+5491123456789", id="case-phone-01 Argentina"),
        pytest.param(WITH_MARKS, "+442079460967", id="case-phone-03"),
        pytest.param(("+55 11 8765-4321", "+55 11 98765-4321"), "+5511987654321", id="waha #1261 Brazil"),
        pytest.param(("+521 55 1234 5678", "+52 55 1234 5678"), "+525512345678", id="chatwoot #14048 Mexico"),
    ],
)
async def test_one_person_is_one_customer_however_the_number_is_written(
    post: Post, written: tuple[str, ...], number: str
) -> None:
    await post.say(*(event(customer={"phone": each}) for each in written))
    assert await post.callbacks() == 1
    assert await post.value("SELECT phone FROM customers") == number
    assert await post.value("SELECT count(*) FROM alerts") == len(written)


async def test_a_number_as_it_is_dialled_at_home_is_the_same_customer(post: Post) -> None:
    """case-phone-01"""
    await post.say(event(customer={"phone": "+370 8 612 34567"}))
    await post.say(event(customer={"phone": "8 612 34567", "country": "LT"}))
    assert await post.callbacks() == 1


async def test_the_extension_goes_with_the_number_from_the_answer_to_every_door(post: Post) -> None:
    """case-phone-04, case-phone-05"""
    await post.at("2026-11-24T16:00:00+00:00")
    await post.say(event("x45", customer={"phone": "tel:+1-212-555-0123;ext=45"}))
    await post.say(event("x46", customer={"phone": "+1 (212) 555-0123 x46"}))
    assert await post.callbacks() == 2, "two people behind one switchboard"
    ann, lead, key = await post.front.advisor(), await post.front.lead(), {"Idempotency-Key": "k"}
    first = await ann.post("/v1/callbacks/claim", json={}, headers=key)
    claimed, shown = good(first), ("+12125550123;ext=45", "45")
    assert (claimed["customer"]["phone"], claimed["customer"]["extension"]) == shown
    again = await ann.post("/v1/callbacks/claim", json={}, headers=key)
    assert (again.headers["idempotency-replayed"], again.json()) == ("true", claimed)
    url = f"/v1/callbacks/{claimed['id']}"
    read = good(await ann.get(url))["customer"]
    assert (read["phone"], read["extension"]) == shown
    masked = good(await lead.get(url))["customer"]
    assert (masked["phone"], masked["extension"]) == ("+1******23 ext. **", None)
    ref = await _ref(lead, "+1 212 555 0123 ext. 45")
    assert ref == claimed["customer"]["ref"] != await _ref(lead, "+12125550123;ext=46")
    version = {"If-Match": f'"{read["version"]}"'}
    changed = await ann.patch(f"/v1/customers/{ref}", json={"phone": "+1 212 555 0123 ext 47"}, headers=version)
    assert good(changed)["phone"] == "+1******23 ext. **"
    assert good(await ann.get(url))["customer"]["extension"] == "47"
    call = {"lease_token": claimed["lease"]["token"], "result": "busy", "number": "+1 212 555 0123,48#"}
    good(await ann.post(f"{url}/attempts", json=call))
    assert await post.value("SELECT phone FROM customers WHERE ref = $1", ref) == "+12125550123;ext=48"
    at = {"kind": "called_in", "at": "2026-11-24T16:00:00Z", "customer": {"phone": "+1 212 555 0123 #46"}}
    told = await (await post.front.key("events:ingest")).post("/v1/contacts", json=at)
    assert good(told)["effect"] == "superseded"


async def _ref(lead: Any, phone: str) -> str:
    ref: str = good(await lead.post("/v1/customers/lookup", json={"customer": {"phone": phone}}))["ref"]
    return ref


@pytest.mark.parametrize("withheld", ["+266696687", "+7378742833", "+10000000000"])
async def test_callers_who_withhold_their_number_are_not_one_customer(post: Post, withheld: str) -> None:
    """case-phone-06"""
    await post.say(event(customer={"phone": withheld}))
    await post.say(*(event(customer={"phone": withheld}, interaction={"id": f"call {each}"}) for each in "ab"))
    assert post.set_aside == ["no_handle"]
    assert await post.callbacks() == 2
    callback = await post.claim()
    assert callback is not None
    assert "bad_number" in callback["flags"]
