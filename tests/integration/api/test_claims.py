"""Taking a callback, keeping it, giving it back."""

from __future__ import annotations

import asyncio
from collections.abc import MutableMapping
from datetime import datetime, timedelta
from typing import Any

import httpx
import pytest
from sqlalchemy import text

from alerts.ledger.database import transaction
from app.api.callbacks.claiming import POLL_SECONDS
from app.api.schemas.callback import CallbackList, CallbackResource
from tests.integration.api.front import NOON, Front, good, leaks, problem

CLAIM = "/v1/callbacks/claim"


async def test_a_claim_gives_the_next_callback_in_full_with_its_lease(front: Front) -> None:
    moved = await front.bad_answer()
    ann = await front.advisor("ann")
    response = await ann.post(CLAIM, json={"lease_seconds": 600})
    callback = CallbackResource.model_validate_json(response.text)
    assert callback.id == moved.callback.id
    assert callback.state == "leased"
    assert callback.lease is not None
    assert callback.lease.holder == "ann"
    assert callback.lease.expires_at - NOON >= timedelta(seconds=600)
    assert response.headers["etag"].startswith('"')
    assert [each.callback.id for each in front.announced] == [callback.id]


async def test_an_empty_claim_says_when_to_ask_again(front: Front) -> None:
    ann = await front.advisor("ann")
    nothing = await ann.post(CLAIM, json={})
    assert (nothing.status_code, nothing.content) == (204, b"")
    assert nothing.headers["retry-after"] == "5"
    assert "bottombox-next-callable-at" not in nothing.headers
    await front.bad_answer(zone="Asia/Tokyo")  # 21:00 there
    later = await ann.post(CLAIM, json={})
    assert later.status_code == 204
    assert later.headers["bottombox-next-callable-at"] == "2026-11-25T00:00:00Z"
    assert later.headers["retry-after"] == "30"


async def test_the_window_that_opens_in_a_moment_shortens_the_wait(front: Front) -> None:
    await front.bad_answer(zone="Asia/Tokyo")
    await front.clock.set(datetime.fromisoformat("2026-11-24T23:59:50Z"))
    response = await (await front.advisor()).post(CLAIM, json={})
    assert response.status_code == 204
    assert 1 <= int(response.headers["retry-after"]) <= 10


async def test_fifty_clients_claim_ten_callbacks_and_each_is_given_once(front: Front) -> None:
    await front.answers([front.answer() for _ in range(10)])
    clients = [await front.advisor(f"advisor-{number}") for number in range(50)]
    answers = await asyncio.gather(*(client.post(CLAIM, json={}) for client in clients))
    given = [good(answer)["id"] for answer in answers if answer.status_code == 200]
    assert sorted(answer.status_code for answer in answers) == [200] * 10 + [204] * 40
    assert len(set(given)) == 10


async def test_a_waiting_claim_gets_what_arrives_meanwhile(front: Front) -> None:
    ann = await front.advisor("ann")
    waiting = asyncio.create_task(ann.post(CLAIM, json={"wait_seconds": 20}))
    await _until_asked(front)
    moved = await front.bad_answer()
    assert good(await waiting)["id"] == moved.callback.id


async def test_a_waiting_claim_is_answered_when_its_time_is_over(front: Front) -> None:
    ann = await front.advisor("ann")
    response = await ann.post(CLAIM, json={"wait_seconds": 1})
    assert response.status_code == 204


async def test_a_waiting_claim_holds_no_connection_and_ends_at_once_when_the_process_stops(front: Front) -> None:
    clients = [await front.advisor(f"advisor-{number}") for number in range(12)]  # more than there are connections
    waiting = [asyncio.create_task(client.post(CLAIM, json={"wait_seconds": 30})) for client in clients]
    await _until_asked(front)
    good(await clients[0].get("/v1/queues"))
    began = asyncio.get_running_loop().time()
    front.stopping.set()
    assert {(await each).status_code for each in waiting} == {204}
    assert asyncio.get_running_loop().time() - began < 5


async def test_nothing_is_taken_for_a_client_that_has_left(front: Front) -> None:
    ann = await front.advisor("ann")
    headers = [(b"authorization", ann.headers["authorization"].encode()), (b"content-type", b"application/json")]
    scope = {"type": "http", "method": "POST", "path": CLAIM, "query_string": b"", "headers": headers}
    incoming: list[dict[str, Any]] = [{"type": "http.request", "body": b'{"wait_seconds": 30}'}]
    sent: list[MutableMapping[str, Any]] = []

    async def receive() -> dict[str, Any]:
        return incoming.pop(0) if incoming else {"type": "http.disconnect"}

    async def send(message: MutableMapping[str, Any]) -> None:
        sent.append(message)

    async with asyncio.timeout(10):
        await front.app(scope, receive, send)
    assert sent[0]["status"] == 204


async def _until_asked(front: Front) -> None:
    """Until a claim has looked and found nothing; its first look is over before this one is answered."""
    other = await front.advisor("other")
    assert (await other.post(CLAIM, json={})).status_code == 204


async def test_explained_terms_add_up_exactly(front: Front) -> None:
    await front.bad_answer("c-1", rating=2)
    await front.clock.advance(timedelta(minutes=7))
    await front.bad_answer("c-1", rating=1)
    callback = CallbackResource.model_validate_json(
        (await (await front.advisor()).post(f"{CLAIM}?explain=1", json={})).text
    )
    assert callback.explain is not None
    total = sum(term.seconds for term in callback.explain.terms)
    assert callback.opened_at + timedelta(seconds=total) == callback.explain.rank_at
    assert f"priority_{callback.priority}" in {term.name for term in callback.explain.terms}
    await front.run("UPDATE callbacks SET rank_at = rank_at - interval '90 s', state = 'waiting', lease_token = NULL")
    await front.run("UPDATE callbacks SET ready = true")  # as if it had been opened under another policy
    terms = good(await (await front.advisor()).post(f"{CLAIM}?explain=1", json={}))["explain"]["terms"]
    assert terms[-1] == {"name": "joined_or_reopened", "seconds": -90.0}
    plain = await front.bad_answer()
    assert "explain" not in good(
        await (await front.advisor("bob")).post(f"/v1/callbacks/{plain.callback.id}/claim", json={})
    )


async def test_a_dialer_takes_many_and_names_the_advisor(front: Front) -> None:
    await front.answers([front.answer() for _ in range(3)])
    dialer = await front.key("callbacks:work", "callbacks:dial")
    response = await dialer.post(CLAIM, json={"count": 10, "advisor": "ann"})
    listed = CallbackList.model_validate_json(response.text)
    assert len(listed.items) == 3
    assert all(item.lease and item.lease.holder == "ann" for item in listed.items)
    assert all(not item.customer.masked for item in listed.items)
    audited = await front.sql("SELECT count(DISTINCT callback_id) AS n FROM audit WHERE action = 'claim'")
    assert audited[0].n == 3


async def test_only_a_dialer_takes_several_or_claims_for_another(front: Front) -> None:
    ann, keyless = await front.advisor("ann"), await front.key("callbacks:work")
    problem(await ann.post(CLAIM, json={"count": 2}), 403, "insufficient-scope")
    problem(await ann.post(CLAIM, json={"advisor": "bob"}), 403, "insufficient-scope")
    body = problem(await keyless.post(CLAIM, json={}), 422, "validation")
    assert body["errors"][0]["pointer"] == "/advisor"
    assert (await keyless.post(CLAIM, json={"advisor": "cleo"})).status_code == 204
    await front.bad_answer()
    assert len(good(await ann.post(CLAIM, json={"count": 1}))["items"]) == 1


async def test_the_keys_queues_and_languages_are_the_roster(front: Front) -> None:
    await front.bad_answer(language="de-AT")
    client = await front.key("callbacks:work", advisor="ann", languages=["en"])
    assert (await client.post(CLAIM, json={})).status_code == 204
    assert (await client.post(CLAIM, json={"queues": ["other"], "languages": ["de"]})).status_code == 204
    good(await client.post(CLAIM, json={"languages": ["de"], "queues": ["general"]}))


async def test_nobody_holds_more_than_the_policy_allows(front: Front) -> None:
    await front.answers([front.answer() for _ in range(6)])
    ann = await front.advisor("ann")
    for _ in range(5):
        good(await ann.post(CLAIM, json={}))
    problem(await ann.post(CLAIM, json={}), 409, "too-many-held")


async def test_one_callback_can_be_claimed_by_its_id_when_it_may_be_called(front: Front) -> None:
    here, asleep = await front.bad_answer(), await front.bad_answer(zone="Asia/Tokyo")
    ann, bob = await front.advisor("ann"), await front.advisor("bob")
    good(await ann.post(f"/v1/callbacks/{here.callback.id}/claim", json={}))
    problem(await bob.post(f"/v1/callbacks/{here.callback.id}/claim", json={}), 409, "not-claimable")
    body = problem(await ann.post(f"/v1/callbacks/{asleep.callback.id}/claim", json={}), 409, "outside-calling-window")
    assert body["opens_at"] == "2026-11-25T00:00:00Z"


async def test_a_lease_lasts_five_seconds_to_an_hour(front: Front) -> None:
    ann = await front.advisor("ann")
    for seconds in (4, 3601, "60", 60.0, True):
        response = await ann.post(CLAIM, json={"lease_seconds": seconds})
        assert problem(response, 422, "validation")["errors"][0]["pointer"] == "/lease_seconds"
    assert (await ann.post(CLAIM, json={"lease_seconds": None})).status_code == 204


async def _claimed(front: Front, seconds: int = 60) -> tuple[httpx.AsyncClient, str, str]:
    moved = await front.bad_answer()
    ann = await front.advisor("ann")
    claimed = good(await ann.post(CLAIM, json={"lease_seconds": seconds}))
    return ann, f"/v1/callbacks/{moved.callback.id}", claimed["lease"]["token"]


async def test_a_heartbeat_keeps_the_lease(front: Front) -> None:
    ann, url, token = await _claimed(front)
    await front.clock.advance(timedelta(seconds=50))
    answer = good(await ann.post(f"{url}/extend", json={"lease_token": token, "lease_seconds": 120}))
    assert answer["lease"]["token"] == token
    await front.clock.advance(timedelta(seconds=100))
    good(await ann.post(f"{url}/extend", json={"lease_token": token}))


async def test_a_dialer_sees_the_lease_that_it_extends(front: Front) -> None:
    moved = await front.bad_answer()
    dialer = await front.key("callbacks:work", "callbacks:dial")
    claimed = good(await dialer.post(CLAIM, json={"advisor": "ann"}))
    url, token = f"/v1/callbacks/{moved.callback.id}", claimed["lease"]["token"]
    extended = await dialer.post(f"{url}/extend", json={"lease_token": token, "lease_seconds": 60})
    assert good(extended)["lease"]["holder"] == "ann"
    assert leaks(extended) == []


@pytest.mark.parametrize(
    ("verb", "more"),
    [
        ("extend", {}),
        ("release", {"reason": "lunch"}),
        ("skip", {"reason": "I know them"}),
        ("attempts", {"result": "busy"}),
        ("schedule", {"at": "2026-11-25T12:00:00Z"}),
        ("resolve", {"cause": {"kind": "skill", "driver": "other"}, "outcome": "recovered"}),
    ],
)
async def test_late_work_is_refused_and_changes_nothing(front: Front, verb: str, more: dict[str, object]) -> None:
    ann, url, token = await _claimed(front)
    problem(await ann.post(f"{url}/{verb}", json={"lease_token": "1.wrong", **more}), 409, "lease-lost")
    await front.clock.advance(timedelta(seconds=61))
    before = await front.sql("SELECT * FROM callbacks")
    problem(await ann.post(f"{url}/{verb}", json={"lease_token": token, **more}), 409, "lease-lost")
    assert await front.sql("SELECT * FROM callbacks") == before


async def test_a_released_callback_goes_to_the_next_advisor_and_a_skipped_one_not_back_to_the_same(
    front: Front,
) -> None:
    ann, url, token = await _claimed(front)
    answer = good(await ann.post(f"{url}/release", json={"lease_token": token, "reason": "fire drill"}))
    assert (answer["state"], answer["lease"], answer["advisor"]) == ("waiting", None, None)
    again = good(await ann.post(CLAIM, json={}))
    problem(await ann.post(f"{url}/skip", json={"lease_token": again["lease"]["token"]}), 422, "validation")
    good(await ann.post(f"{url}/skip", json={"lease_token": again["lease"]["token"], "reason": "my cousin"}))
    assert (await ann.post(CLAIM, json={})).status_code == 204
    good(await (await front.advisor("bob")).post(CLAIM, json={}))


async def test_a_lead_takes_a_callback_back_without_the_token_and_an_advisor_cannot(front: Front) -> None:
    ann, url, token = await _claimed(front)
    bob, lead = await front.advisor("bob"), await front.lead()
    problem(await bob.post(f"{url}/release", json={}), 403, "insufficient-scope")
    good(await lead.post(f"{url}/release", json={"reason": "she went home"}))
    problem(await ann.post(f"{url}/extend", json={"lease_token": token}), 409, "lease-lost")
    problem(await lead.post(f"{url}/release", json={}), 409, "not-claimable")


async def test_an_advisor_who_waits_on_an_empty_queue_costs_few_statements(front: Front) -> None:
    ann = await front.advisor()
    with front.statements() as asked:
        assert (await ann.post(CLAIM, json={})).status_code == 204
    assert len([each for each in asked if "heads_seen" in each]) == 1, "an empty queue is read once"
    with front.statements() as asked:
        assert (await ann.post(CLAIM, json={"wait_seconds": 3})).status_code == 204
    polls = 1 + 3 / (0.7 * POLL_SECONDS)
    assert len(asked) <= 12 + polls


async def test_a_claim_and_a_resolve_ask_the_database_seldom(front: Front) -> None:
    """The advisor's turn, the row, and what is stored and shown: three and two statements in a transaction each.

    Now and then it is also asked who the key is, and how many rows are dead.
    """

    async def costs(method: str, url: str, **members: Any) -> tuple[Any, int]:
        with front.statements() as asked:
            answer = good(await ann.request(method, url, json=members or None))
        return answer, len([each for each in asked if "digest" not in each and "dead" not in each])

    await front.answers([front.answer()])
    ann = await front.advisor()
    taken, claiming = await costs("POST", CLAIM, lease_seconds=900)
    url, token, cause = taken["links"]["self"], taken["lease"]["token"], {"kind": "operations", "driver": "billing"}
    _, resolving = await costs("POST", f"{url}/resolve", lease_token=token, cause=cause, outcome="recovered")
    assert (claiming, resolving) == (3, 2)
    assert [(await costs("GET", each))[1] for each in (url, "/v1/callbacks")] == [1, 1]


async def test_fifty_are_claimed_with_as_many_statements_as_two(front: Front) -> None:
    dialer = await front.key("callbacks:work", "callbacks:dial")
    costs = []
    for many in (2, 50):
        await front.answers([front.answer() for _ in range(many)])
        with front.statements() as asked:
            items = good(await dialer.post(CLAIM, json={"count": many, "advisor": "ann"}))["items"]
        assert len(items) == many
        costs.append(len(asked))
    assert costs[1] <= costs[0]
    assert (await front.sql("SELECT count(*) AS n FROM audit WHERE action = 'claim'"))[0].n == 52


async def test_a_claim_looks_deeper_only_while_others_hold_all_it_sees(front: Front) -> None:
    moved = await front.answers([front.answer() for _ in range(12)])
    ids = [each.callback.id for each in sorted(moved, key=lambda each: each.callback.id)]
    ann = await front.advisor()
    async with transaction(front.engine) as connection:
        ranked = await connection.execute(text("SELECT id FROM callbacks ORDER BY rank_at, id LIMIT 11 FOR UPDATE"))
        locked = [str(row.id) for row in ranked]
        with front.statements() as asked:
            last = good(await ann.post(CLAIM, json={}))["id"]
        assert [last] == [each for each in ids if each not in locked]
        assert len([each for each in asked if "heads_seen" in each]) == 2
        with front.statements() as asked:
            assert (await ann.post(CLAIM, json={})).status_code == 204
        assert len([each for each in asked if "heads_seen" in each]) == 2, "the second look sees all eleven"
