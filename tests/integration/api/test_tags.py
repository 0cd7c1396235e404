"""ETags change with everything that is shown, so that 304 never hides news."""

from __future__ import annotations

from datetime import timedelta

import httpx

from tests.integration.api.front import NOON, Front, good


async def _tag(client: httpx.AsyncClient, url: str) -> str:
    """The ETag, once it is shown to be strong, stable and good for a 304."""
    response = await client.get(url)
    good(response)
    tag = response.headers["etag"]
    assert tag.startswith('"')
    for known in (tag, f"W/{tag}", f'"other", {tag}', "*"):
        unchanged = await client.get(url, headers={"If-None-Match": known})
        assert (unchanged.status_code, unchanged.content, unchanged.headers["etag"]) == (304, b"", tag)
    assert (await client.get(url, headers={"If-None-Match": '"other"'})).status_code == 200
    return str(tag)


async def test_a_note_and_a_heartbeat_change_the_tag_of_a_callback(front: Front) -> None:
    moved = await front.bad_answer()
    url = f"/v1/callbacks/{moved.callback.id}"
    ann = await front.advisor()
    token = good(await ann.post(f"{url}/claim", json={"lease_seconds": 60}))["lease"]["token"]
    tags = [await _tag(ann, url)]
    good(await ann.post(f"{url}/notes", json={"note": "she is out until two"}))
    tags.append(await _tag(ann, url))
    good(await ann.post(f"{url}/extend", json={"lease_token": token, "lease_seconds": 600}))
    tags.append(await _tag(ann, url))
    assert len(set(tags)) == 3


async def test_what_is_masked_and_what_is_not_have_tags_of_their_own(front: Front) -> None:
    moved = await front.bad_answer()
    url = f"/v1/callbacks/{moved.callback.id}"
    ann, bob = await front.advisor("ann"), await front.advisor("bob")
    good(await ann.post(f"{url}/claim", json={"lease_seconds": 3600}))
    await front.clock.set(NOON.replace(hour=19, minute=30))
    await front.run("UPDATE callbacks SET lease_expires_at = :at", at=NOON.replace(hour=21))
    by_day = await _tag(ann, url)
    assert by_day != await _tag(bob, url)
    await front.clock.set(NOON.replace(hour=20, minute=30))
    assert by_day != await _tag(ann, url)


async def test_a_customers_tag_changes_with_what_answers_say_and_fits_if_match(front: Front) -> None:
    moved = await front.bad_answer("c-1", segment="basic")
    lead = await front.lead()
    listed = good(await lead.get(f"/v1/callbacks/{moved.callback.id}"))
    url = f"/v1/customers/{listed['customer']['ref']}"
    before = await _tag(lead, url)
    assert before == f'"{listed["customer"]["version"]}"'
    await front.bad_answer("c-1", segment="gold", answered_at=NOON - timedelta(minutes=1))
    after = await _tag(lead, url)
    assert after != before
    mended = await lead.patch(url, json={"language": "fr"}, headers={"If-Match": after})
    assert good(mended)["language"] == "fr"
    assert mended.headers["etag"] == await _tag(lead, url) != after


async def test_the_policy_and_an_answer_have_tags_too(front: Front) -> None:
    await front.bad_answer()
    reader = await front.key("callbacks:read")
    await _tag(reader, "/v1/policy")
    (item,) = good(await reader.get("/v1/responses"))["items"]
    await _tag(reader, f"/v1/responses/{item['id']}")
