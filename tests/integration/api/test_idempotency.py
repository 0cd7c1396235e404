"""The same request twice has one effect and one answer."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest

from alerts.errors import IdempotencyInProgress
from alerts.ledger.access.idempotency import KeyedRequest, StoredReply, forget_old, store_reply, stored_reply
from alerts.ledger.access.keys import list_keys
from alerts.ledger.database import transaction
from tests.integration.api.front import Front, good, problem

CLAIM = "/v1/callbacks/claim"
KEY = {"Idempotency-Key": '"8e03978e-40d5-43e8-bc93-6894a57f9324"'}


async def test_a_repeated_request_gets_the_first_answer_and_has_no_second_effect(front: Front) -> None:
    await front.answers([front.answer() for _ in range(2)])
    ann = await front.advisor()
    first = await ann.post(CLAIM, json={"lease_seconds": 60, "queues": ["general"]}, headers=KEY)
    same = b'{ "queues": ["general"],\n "lease_seconds": 60 }'
    bare = {"Idempotency-Key": KEY["Idempotency-Key"].strip('"'), "Content-Type": "application/json"}
    again = await ann.post(CLAIM, content=same, headers=bare)
    assert "idempotency-replayed" not in first.headers
    assert again.headers["idempotency-replayed"] == "true"
    assert (again.status_code, again.content) == (200, first.content)
    assert again.headers["etag"] == first.headers["etag"]
    assert again.headers["content-type"] == "application/json"
    assert len(front.announced) == 1
    actions = [row.action for row in await front.sql("SELECT action FROM audit ORDER BY id")]
    assert actions == ["claim", "replay"]
    (row,) = await front.sql("SELECT customer_ids FROM idempotency")
    assert len(row.customer_ids) == 1, "so that erasing the customer finds it"


async def test_the_same_key_for_something_else_is_refused_and_another_principals_key_is_another(front: Front) -> None:
    moved = (await front.answers([front.answer(), front.answer()]))[1]
    ann, bob = await front.advisor("ann"), await front.advisor("bob")
    good(await ann.post(CLAIM, json={}, headers=KEY))
    problem(await ann.post(CLAIM, json={"lease_seconds": 60}, headers=KEY), 422, "idempotency-key-reused")
    problem(await ann.post(f"{CLAIM}?explain=1", json={}, headers=KEY), 422, "idempotency-key-reused")
    url = f"/v1/callbacks/{moved.callback.id}/notes"
    problem(await ann.post(url, json={"note": "a"}, headers=KEY), 422, "idempotency-key-reused")
    good(await bob.post(CLAIM, json={}, headers=KEY))


async def test_an_answer_that_came_in_between_is_never_written_over(front: Front) -> None:
    """A twin's turn may come in the very moment in which the first ended, too late to see its answer."""
    request = KeyedRequest("somebody", "key", b"f" * 32)
    async with transaction(front.engine) as connection:
        await store_reply(connection, request, StoredReply(200, {}, "first"))
    with pytest.raises(IdempotencyInProgress, match="just ended"):
        async with transaction(front.engine) as connection:
            await store_reply(connection, request, StoredReply(200, {}, "second"))
    async with transaction(front.engine) as connection:
        before = await stored_reply(connection, request)
    assert before is not None
    assert before.body == "first"


async def test_an_answer_whose_day_is_over_is_written_over(front: Front) -> None:
    request = KeyedRequest("somebody", "key", b"f" * 32)
    async with transaction(front.engine) as connection:
        await store_reply(connection, request, StoredReply(200, {}, "first"))
    await front.clock.advance(timedelta(hours=24))
    async with transaction(front.engine) as connection:
        assert await stored_reply(connection, request) is None
        await store_reply(connection, request, StoredReply(200, {}, "second"))


async def test_while_the_first_is_still_running_its_twin_is_told_to_wait(front: Front) -> None:
    moved = await front.bad_answer()
    ann = await front.advisor()
    (key,) = await list_keys(front.engine)
    async with transaction(front.engine) as connection:
        request = KeyedRequest(key.id, KEY["Idempotency-Key"].strip('"'), b"")
        assert await stored_reply(connection, request) is None
        response = await ann.post(f"/v1/callbacks/{moved.callback.id}/notes", json={"note": "a"}, headers=KEY)
        problem(response, 409, "idempotency-in-progress")
        assert response.headers["retry-after"] == "1"
    good(await ann.post(f"/v1/callbacks/{moved.callback.id}/notes", json={"note": "a"}, headers=KEY))


async def test_ten_twins_at_once_have_one_effect(front: Front) -> None:
    await front.answers([front.answer() for _ in range(10)])
    ann = await front.advisor()
    answers = await asyncio.gather(*(ann.post(CLAIM, json={}, headers=KEY) for _ in range(10)))
    assert {answer.status_code for answer in answers} <= {200, 409}
    assert len({answer.json()["id"] for answer in answers if answer.status_code == 200}) == 1
    assert (await front.sql("SELECT count(*) AS n FROM callbacks WHERE state = 'leased'"))[0].n == 1


async def test_twins_that_wait_for_a_callback_both_get_the_one_that_comes(front: Front) -> None:
    ann = await front.advisor()
    twins = [asyncio.create_task(ann.post(CLAIM, json={"wait_seconds": 20}, headers=KEY)) for _ in range(2)]
    assert (await (await front.advisor("bob")).post(CLAIM, json={})).status_code == 204
    await front.answers([front.answer() for _ in range(2)])
    first, second = [good(await twin) for twin in twins]
    assert first == second


async def test_an_empty_claim_and_a_refusal_are_not_kept(front: Front) -> None:
    ann = await front.advisor()
    assert (await ann.post(CLAIM, json={}, headers=KEY)).status_code == 204
    problem(await ann.post(CLAIM, json={"lease_seconds": 1}, headers=KEY), 422, "validation")
    await front.bad_answer()
    good(await ann.post(CLAIM, json={}, headers=KEY))


async def test_after_a_day_the_key_is_free_again(front: Front) -> None:
    await front.bad_answer()
    ann = await front.advisor()
    first = good(await ann.post(CLAIM, json={}, headers=KEY))
    await front.clock.advance(timedelta(hours=23, minutes=59))
    assert await forget_old(front.engine) == 0
    assert good(await ann.post(CLAIM, json={}, headers=KEY))["lease"] == first["lease"]
    await front.clock.advance(timedelta(minutes=1))
    await front.wake()
    second = await ann.post(CLAIM, json={}, headers=KEY)
    assert good(second)["lease"] != first["lease"]
    await front.clock.advance(timedelta(hours=24))
    assert await forget_old(front.engine) == 1


async def test_a_backlog_of_old_keys_goes_in_pieces(front: Front) -> None:
    await front.run(
        "INSERT INTO idempotency (principal, key, fingerprint, status, headers, body, stored_at)"
        " SELECT 'p', n::text, '', 200, '{}', '', ledger_now() - interval '25 hours' FROM generate_series(1, 25) AS n"
    )
    forgotten: list[int] = []
    while not forgotten or forgotten[-1]:
        forgotten.append(await forget_old(front.engine, at_most=10))
    assert forgotten == [10, 10, 5, 0]


async def test_a_key_that_cannot_be_read_is_malformed(front: Front) -> None:
    ann = await front.advisor()
    for wrong in ("", '"', '"a', "a b", "x" * 256, '""', "caf\u00e9"):
        response = await ann.post(CLAIM, json={}, headers={b"Idempotency-Key": wrong.encode()})
        problem(response, 400, "malformed")


async def test_an_answer_without_a_body_is_replayed_without_one(front: Front) -> None:
    await front.bad_answer("c-1")
    lead = await front.lead()
    ref = good(await lead.post("/v1/customers/lookup", json={"customer": {"id": "c-1"}}))["ref"]
    for replayed in (None, "true"):
        response = await lead.put(f"/v1/customers/{ref}/opt-out", headers=KEY)
        assert (response.status_code, response.content) == (204, b"")
        assert response.headers.get("idempotency-replayed") == replayed
