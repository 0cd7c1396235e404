"""Customers: found, put right, opted out, and heard of from elsewhere."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import httpx

from tests.integration.api.front import NOON, PHONE, Front, good, leaks, problem


async def _ref(client: httpx.AsyncClient, customer: str = "c-1") -> str:
    ref: str = good(await client.post("/v1/customers/lookup", json={"customer": {"id": customer}}))["ref"]
    return ref


async def test_a_customer_is_found_by_every_handle_and_the_answer_is_a_ref_alone(front: Front) -> None:
    await front.answers([front.answer("c-1", interaction="i-9")])
    lead = await front.lead()
    refs = set()
    for handle in (
        {"customer": {"id": "c-1"}},
        {"customer": {"phone": "+44 20 7946 3367"}},
        {"customer": {"email": "  Zebedee.Q@example.org"}},
        {"customer": {"id": "unknown", "phone": PHONE}},
        {"interaction": {"id": "i-9"}},
    ):
        body = good(await lead.post("/v1/customers/lookup", json=handle))
        assert body.keys() == {"ref"}
        refs.add(body["ref"])
    assert len(refs) == 1
    for stranger in (
        {"customer": {"id": "c-1"}, "source": "olist"},
        {"customer": {"email": "n@example.org"}},
        {"interaction": {"id": "i-9"}, "source": "olist"},
    ):
        problem(await lead.post("/v1/customers/lookup", json=stranger), 404, "not-found")
    both: dict[str, Any] = {"customer": {"id": "c-1"}, "interaction": {"id": "i"}}
    nobody: list[dict[str, Any]] = [{}, {"customer": {}}, both]
    for wrong in nobody:
        problem(await lead.post("/v1/customers/lookup", json=wrong), 422, "validation")


async def test_a_number_that_two_customers_share_names_neither(front: Front) -> None:
    await front.answers([front.answer("c-1"), front.answer("c-2")])
    lead = await front.lead()
    problem(await lead.post("/v1/customers/lookup", json={"customer": {"phone": PHONE}}), 404, "not-found")


async def test_a_lead_reads_a_customer_masked(front: Front) -> None:
    await front.bad_answer("c-1")
    lead = await front.lead()
    response = await lead.get(f"/v1/customers/{await _ref(lead)}")
    body = good(response)
    assert (body["phone"], body["time_zone"], body["number_status"]) == ("+44******67", "Europe/London", "ok")
    assert response.headers["etag"] == f'"{body["version"]}"'
    assert leaks(response) == []


async def test_what_a_person_puts_right_moves_the_window_and_answers_leave_it_alone(front: Front) -> None:
    moved = await front.bad_answer("c-1", zone=None, phone=None, country=None)
    lead = await front.lead()
    ref = await _ref(lead)
    url = f"/v1/callbacks/{moved.callback.id}"
    assert {"no_number", "zone_guessed"} <= set(good(await lead.get(url))["flags"])
    etag = (await lead.get(f"/v1/customers/{ref}")).headers["etag"]
    change = {"phone": "+81 3-1234-5678", "time_zone": "Asia/Tokyo", "language": "ja-JP"}
    response = await lead.patch(f"/v1/customers/{ref}", json=change, headers={"If-Match": etag})
    assert good(response)["language"] == "ja-jp"
    assert response.headers["etag"] != etag
    callback = good(await lead.get(url))
    assert not {"no_number", "zone_guessed"} & set(callback["flags"])
    assert callback["callable_from"] == "2026-11-25T00:00:00Z"
    await front.bad_answer("c-1", zone="Europe/Paris", answered_at=NOON)
    (row,) = await front.sql("SELECT phone, time_zone, language FROM customers")
    assert (row.phone, row.time_zone, row.language) == ("+81312345678", "Asia/Tokyo", "ja-jp")


async def test_a_change_needs_the_version_that_was_read(front: Front) -> None:
    await front.bad_answer("c-1")
    lead = await front.lead()
    url = f"/v1/customers/{await _ref(lead)}"
    etag = (await lead.get(url)).headers["etag"]
    change: dict[str, Any] = {"language": "de"}
    problem(await lead.patch(url, json=change), 428, "precondition-required")
    problem(await lead.patch(url, json=change, headers={"If-Match": "W/" + etag}), 412, "stale-version")
    problem(await lead.patch(url, json=change, headers={"If-Match": '"0"'}), 412, "stale-version")
    problem(await lead.patch(url, json=change, headers={"If-Match": "nonsense"}), 400, "malformed")
    good(await lead.patch(url, json=change, headers={"If-Match": etag}))
    problem(await lead.patch(url, json=change, headers={"If-Match": etag}), 412, "stale-version")


IMPOSSIBLE: list[tuple[dict[str, Any], str]] = [
    ({"phone": "020"}, "/phone"),
    ({"phone": "+449098790000"}, "/phone"),  # premium rate
    ({"time_zone": "Mars/Olympus"}, "/time_zone"),
    ({"language": "gibberish"}, "/language"),
    ({}, ""),
    ({PHONE: "as a name"}, ""),
]


async def test_a_fact_that_cannot_be_right_is_named_and_not_repeated(front: Front) -> None:
    await front.bad_answer("c-1")
    lead = await front.lead()
    url = f"/v1/customers/{await _ref(lead)}"
    etag = (await lead.get(url)).headers["etag"]
    for change, pointer in IMPOSSIBLE:
        body = problem(await lead.patch(url, json=change, headers={"If-Match": etag}), 422, "validation")
        assert [error["pointer"] for error in body["errors"]] == [pointer]


async def test_the_holder_may_mend_the_customer_and_no_other_advisor(front: Front) -> None:
    await front.bad_answer("c-1")
    ann, bob, lead = await front.advisor("ann"), await front.advisor("bob"), await front.lead()
    url = f"/v1/customers/{await _ref(lead)}"
    claimed = good(await ann.post("/v1/callbacks/claim", json={}))
    match = {"If-Match": f'"{claimed["customer"]["version"]}"'}
    problem(await bob.patch(url, json={"language": "de"}, headers=match), 403, "insufficient-scope")
    good(await ann.patch(url, json={"language": "de"}, headers=match))
    await front.clock.advance(timedelta(hours=2))
    problem(await ann.patch(url, json={"language": "en"}, headers=match), 403, "insufficient-scope")


async def test_an_opt_out_closes_what_waits_and_its_withdrawal_counts_for_later_answers(front: Front) -> None:
    moved = await front.bad_answer("c-1")
    lead, ann = await front.lead(), await front.advisor()
    ref = await _ref(lead)
    for _ in range(2):
        gone = await lead.put(f"/v1/customers/{ref}/opt-out")
        assert (gone.status_code, gone.content) == (204, b"")
    closed = good(await lead.get(f"/v1/callbacks/{moved.callback.id}"))
    assert (closed["state"], closed["closed_reason"]) == ("closed", "opted_out")
    assert (await ann.post("/v1/callbacks/claim", json={})).status_code == 204
    assert await front.answers([front.answer("c-1")]) == []
    assert (await lead.delete(f"/v1/customers/{ref}/opt-out")).status_code == 204
    assert good(await lead.get(f"/v1/callbacks/{moved.callback.id}"))["state"] == "closed"
    later = await front.bad_answer("c-1")
    assert later.callback.id != moved.callback.id
    actions = [row.action for row in await front.sql("SELECT action FROM audit WHERE action LIKE 'opt%' ORDER BY id")]
    assert actions == ["opt_out", "opt_out", "opt_out_withdrawn"]


async def test_an_opt_out_while_somebody_is_calling_is_shown_and_no_promise_can_follow_it(front: Front) -> None:
    moved = await front.bad_answer("c-1")
    lead, ann = await front.lead(), await front.advisor()
    claimed = good(await ann.post("/v1/callbacks/claim", json={}))
    await lead.put(f"/v1/customers/{await _ref(lead)}/opt-out")
    url = f"/v1/callbacks/{moved.callback.id}"
    assert "opted_out" in good(await ann.get(url))["flags"]
    token = claimed["lease"]["token"]
    promise = {"lease_token": token, "at": "2026-11-25T12:00:00Z"}
    problem(await ann.post(f"{url}/schedule", json=promise), 409, "do-not-call")
    assert good(await ann.post(f"{url}/release", json={"lease_token": token}))["closed_reason"] == "opted_out"


CONTACT = {"customer": {"id": "c-1"}, "kind": "called_in", "at": "2026-11-24T11:59:00Z"}


async def test_a_customer_who_calls_in_need_not_be_called(front: Front) -> None:
    moved = await front.bad_answer("c-1")
    platform, reader = await front.key("events:ingest"), await front.key("callbacks:read")
    body = good(await platform.post("/v1/contacts", json=CONTACT))
    assert body == {"effect": "superseded", "callback": moved.callback.id}
    closed = good(await reader.get(f"/v1/callbacks/{moved.callback.id}"))
    assert closed["closed_reason"] == "customer_called_in"
    assert good(await platform.post("/v1/contacts", json=CONTACT))["effect"] == "none"


async def test_a_contact_while_somebody_is_calling_is_shown_to_them(front: Front) -> None:
    moved = await front.bad_answer("c-1", interaction="i-9")
    platform, ann = await front.key("events:ingest"), await front.advisor()
    good(await ann.post("/v1/callbacks/claim", json={}))
    by_interaction = {"interaction": {"id": "i-9"}, "kind": "chatted", "at": "2026-11-24T11:59:00Z"}
    assert good(await platform.post("/v1/contacts", json=by_interaction))["effect"] == "flagged"
    assert "customer_called_in" in good(await ann.get(f"/v1/callbacks/{moved.callback.id}"))["flags"]


async def test_a_contact_from_before_the_answer_changes_nothing_and_none_lies_in_the_future(front: Front) -> None:
    await front.bad_answer("c-1", answered_at=NOON - timedelta(minutes=10))
    platform = await front.key("events:ingest")
    before = {**CONTACT, "at": "2026-11-24T11:30:00Z"}
    assert good(await platform.post("/v1/contacts", json=before))["effect"] == "none"
    unknown = {**CONTACT, "customer": {"id": "c-2"}}
    assert good(await platform.post("/v1/contacts", json=unknown))["effect"] == "none"
    later = {**CONTACT, "at": "2026-11-24T13:00:00Z"}
    assert problem(await platform.post("/v1/contacts", json=later), 422, "validation")["errors"][0]["pointer"] == "/at"
    phone = {**CONTACT, "customer": {"phone": "020"}}
    body = problem(await platform.post("/v1/contacts", json=phone), 422, "validation")
    assert body["errors"][0]["pointer"] == "/customer/phone"


async def test_a_zone_is_put_right_however_it_is_written(front: Front) -> None:
    await front.bad_answer("c-1")
    lead = await front.lead()
    ref = await _ref(lead)
    etag = (await lead.get(f"/v1/customers/{ref}")).headers["etag"]
    change = {"time_zone": "america/new york"}
    mended = good(await lead.patch(f"/v1/customers/{ref}", json=change, headers={"If-Match": etag}))
    assert mended["time_zone"] == "America/New_York"
