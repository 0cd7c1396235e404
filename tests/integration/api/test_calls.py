"""Tries, promises, conversations and notes."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any

import httpx
import pytest

from tests.integration.api.front import NOON, Front, good, leaks, problem


async def _in_hand(front: Front, **facts: Any) -> tuple[httpx.AsyncClient, str, str]:
    """An advisor, the address of the callback in hand, and its token."""
    moved = await front.bad_answer("c-1", **facts)
    ann = await front.advisor("ann")
    claimed = good(await ann.post(f"/v1/callbacks/{moved.callback.id}/claim", json={}))
    return ann, f"/v1/callbacks/{moved.callback.id}", claimed["lease"]["token"]


def _resolution(token: str, **more: Any) -> dict[str, Any]:
    cause = {"kind": "operations", "driver": "billing"}
    return {"lease_token": token, "cause": cause, "outcome": "recovered", "note": "all is well", **more}


@pytest.mark.parametrize(
    ("result", "state"),
    [
        ("connected", "leased"),
        *((result, "waiting") for result in ("no_answer", "busy", "voicemail", "invalid_number", "wrong_person")),
        ("refused", "waiting"),
    ],
)
async def test_every_result_but_connected_ends_the_lease(front: Front, result: str, state: str) -> None:
    ann, url, token = await _in_hand(front)
    response = await ann.post(f"{url}/attempts", json={"lease_token": token, "result": result, "note": "a secret"})
    answer = good(response)
    assert (answer["state"], answer["attempts_count"]) == (state, 1)
    assert (answer["lease"] is not None) == (state == "leased")
    assert leaks(response) == []
    reader = await front.key("callbacks:read")
    (attempt,) = good(await reader.get(url))["attempts"]
    assert (attempt["result"], attempt["advisor"], attempt["note"]) == (result, "ann", None)
    events = [event.kind for moved in front.announced for event in moved.events]
    assert "attempted" in events


@pytest.mark.parametrize("result", ["hung_up", "CONNECTED", "", 1, None, True])
async def test_an_attempt_ends_in_one_of_the_known_ways(front: Front, result: object) -> None:
    ann, url, token = await _in_hand(front)
    refused = problem(
        await ann.post(f"{url}/attempts", json={"lease_token": token, "result": result}), 422, "validation"
    )
    assert [error["pointer"] for error in refused["errors"]] == ["/result"]
    assert "hung_up" not in str(refused)


async def test_an_attempt_is_judged_when_the_call_began(front: Front) -> None:
    await front.clock.set(NOON.replace(hour=19, minute=50))
    ann, url, token = await _in_hand(front)
    await front.clock.set(NOON.replace(hour=20, minute=2))
    body = {"lease_token": token, "result": "connected"}
    problem(await ann.post(f"{url}/attempts", json=body), 409, "outside-calling-window")
    problem(await ann.post(f"{url}/attempts", json={**body, "override_reason": "x"}), 403, "insufficient-scope")
    good(await ann.post(f"{url}/attempts", json={**body, "started_at": "2026-11-24T19:55:00Z"}))
    lead = await front.lead()
    answer = good(await lead.post(f"{url}/attempts", json={**body, "override_reason": "she rang anyway"}))
    assert answer["attempts_count"] == 2
    reader = await front.key("callbacks:read")
    assert [each["outside_window"] for each in good(await reader.get(url))["attempts"]] == [False, True]


async def test_an_attempt_lies_within_the_lease_and_not_in_the_future(front: Front) -> None:
    ann, url, token = await _in_hand(front)
    body = {"lease_token": token, "result": "busy"}
    for at in ("2026-11-24T13:00:00Z", "2026-11-24T11:00:00Z"):
        answer = problem(await ann.post(f"{url}/attempts", json={**body, "started_at": at}), 422, "validation")
        assert answer["errors"][0]["pointer"] == "/started_at"


async def test_a_number_that_the_advisor_found_becomes_the_customers(front: Front) -> None:
    ann, url, token = await _in_hand(front, phone=None)
    body = {"lease_token": token, "result": "no_answer", "number": "+44 20 7946 0099"}
    answer = good(await ann.post(f"{url}/attempts", json=body))
    assert "no_number" not in answer["flags"]
    assert answer["customer"]["phone"] == "+44******99"
    (row,) = await front.sql("SELECT phone, corrected, number_failed FROM customers")
    assert (row.phone, row.corrected, row.number_failed) == ("+442079460099", ["phone"], False)


async def test_a_number_that_may_not_be_dialled_is_refused_and_not_repeated(front: Front) -> None:
    ann, url, token = await _in_hand(front)
    for number in ("911", "not a number", "+4490912345678", "+19005550123"):
        body = {"lease_token": token, "result": "no_answer", "number": number}
        response = await ann.post(f"{url}/attempts", json=body)
        assert problem(response, 422, "validation")["errors"][0]["pointer"] == "/number"
        assert number not in response.json()["detail"]
    assert good(await ann.get(url))["attempts_count"] == 0


@pytest.mark.parametrize("result", ["invalid_number", "wrong_person"])
async def test_a_number_that_was_not_theirs_is_bad_until_somebody_mends_it(front: Front, result: str) -> None:
    ann, url, token = await _in_hand(front)
    answer = good(await ann.post(f"{url}/attempts", json={"lease_token": token, "result": result}))
    assert "bad_number" in answer["flags"]
    assert answer["customer"]["number_status"] == "bad"


async def test_a_refusal_that_opts_out_closes_the_callback_and_every_later_answer_is_suppressed(front: Front) -> None:
    ann, url, token = await _in_hand(front)
    problem(
        await ann.post(f"{url}/attempts", json={"lease_token": token, "result": "busy", "opt_out": True}),
        422,
        "validation",
    )
    body = {"lease_token": token, "result": "refused", "opt_out": True}
    answer = good(await ann.post(f"{url}/attempts", json=body))
    assert (answer["state"], answer["closed_reason"]) == ("closed", "opted_out")
    assert answer["customer"]["opted_out_at"] is not None
    assert await front.answers([front.answer("c-1")]) == []


async def test_a_promise_is_kept_for_its_owner(front: Front) -> None:
    ann, url, token = await _in_hand(front)
    body = {"lease_token": token, "at": "2026-11-25T10:30:00+01:00"}
    answer = good(await ann.post(f"{url}/schedule", json=body))
    assert (answer["state"], answer["owner"]) == ("scheduled", "ann")
    assert answer["promise"] == {"at": "2026-11-25T09:30:00Z", "state": "open"}


async def test_a_promise_lies_in_the_window_and_not_in_the_past(front: Front) -> None:
    ann, url, token = await _in_hand(front)
    night = {"lease_token": token, "at": "2026-11-25T03:00:00Z"}
    problem(await ann.post(f"{url}/schedule", json=night), 409, "outside-calling-window")
    past = {"lease_token": token, "at": "2026-11-24T10:00:00Z"}
    assert problem(await ann.post(f"{url}/schedule", json=past), 422, "validation")["errors"][0]["pointer"] == "/at"


async def test_a_lead_promises_a_call_for_a_waiting_callback_and_an_advisor_cannot(front: Front) -> None:
    moved = await front.bad_answer()
    url = f"/v1/callbacks/{moved.callback.id}/schedule"
    ann, lead = await front.advisor(), await front.lead()
    problem(await ann.post(url, json={"at": "2026-11-25T12:00:00Z"}), 403, "insufficient-scope")
    answer = good(await lead.post(url, json={"at": "2026-11-25T12:00:00Z", "keep_owner": False}))
    assert (answer["state"], answer["owner"]) == ("scheduled", None)
    problem(await lead.post(url, json={"at": "2026-11-25T12:00:00Z"}), 409, "not-claimable")


@pytest.mark.parametrize(("said", "owner"), [({}, None), ({"keep_owner": True}, "lea"), ({"keep_owner": False}, None)])
async def test_a_lead_owns_a_promise_only_by_saying_so(front: Front, said: dict[str, Any], owner: str | None) -> None:
    moved = await front.bad_answer()
    body = {"at": "2026-11-25T12:00:00Z", **said}
    answer = good(await (await front.lead()).post(f"/v1/callbacks/{moved.callback.id}/schedule", json=body))
    assert answer["owner"] == owner


async def test_a_platforms_key_never_owns_a_promise(front: Front) -> None:
    moved = await front.bad_answer()
    platform = await front.key("callbacks:lead", name="platform")
    body = {"at": "2026-11-24T15:00:00Z", "keep_owner": True}
    answer = good(await platform.post(f"/v1/callbacks/{moved.callback.id}/schedule", json=body))
    assert answer["owner"] is None
    await front.clock.set(NOON.replace(hour=15))
    await front.wake()
    good(await (await front.advisor("bob")).post("/v1/callbacks/claim", json={}))


async def test_a_softphones_clock_may_be_five_minutes_ahead(front: Front) -> None:
    ann, url, token = await _in_hand(front)
    now = await front.clock.now()
    body = {"lease_token": token, "result": "connected", "started_at": (now + timedelta(minutes=6)).isoformat()}
    refused = problem(await ann.post(f"{url}/attempts", json=body), 422, "validation")
    assert refused["errors"][0]["pointer"] == "/started_at"
    good(await ann.post(f"{url}/attempts", json={**body, "started_at": (now + timedelta(minutes=4)).isoformat()}))
    (row,) = await front.sql("SELECT started_at <= recorded_at AS past FROM attempts")
    assert row.past


async def test_a_resolved_callback_says_why_and_how_it_ended_and_cannot_be_resolved_again(front: Front) -> None:
    ann, url, token = await _in_hand(front)
    body = _resolution(token, checklist={"apologised": True})
    answer = good(await ann.post(f"{url}/resolve", json=body))
    assert (answer["state"], answer["outcome"]) == ("resolved", "recovered")
    assert answer["cause"] == {"kind": "operations", "driver": "billing"}
    assert answer["checklist"] == {"apologised": True}
    problem(await ann.post(f"{url}/resolve", json=body), 409, "already-resolved")


async def test_of_fifty_who_resolve_at_once_one_wins(front: Front) -> None:
    ann, url, token = await _in_hand(front)
    answers = await asyncio.gather(*(ann.post(f"{url}/resolve", json=_resolution(token)) for _ in range(50)))
    assert sorted(answer.status_code for answer in answers) == [200] + [409] * 49


IMPOSSIBLE: list[tuple[dict[str, Any], str]] = [
    ({"cause": {"kind": "skill", "driver": "billing"}}, "/cause/driver"),
    ({"cause": {"kind": "weather", "driver": "rain"}}, "/cause/kind"),
    ({"checklist": {"sang": True}}, "/checklist"),
    ({"checklist": {"apologised": "yes"}}, "/checklist"),
    ({"outcome": "won"}, "/outcome"),
    ({"note": "  "}, "/note"),
    ({"version": True}, "/version"),
]


async def test_a_resolution_that_cannot_be_right_names_the_member(front: Front) -> None:
    ann, url, token = await _in_hand(front)
    for change, pointer in IMPOSSIBLE:
        body = problem(await ann.post(f"{url}/resolve", json=_resolution(token, **change)), 422, "validation")
        assert [error["pointer"] for error in body["errors"]] == [pointer]


async def test_an_alert_that_joined_must_be_read_before_the_callback_is_resolved(front: Front) -> None:
    ann, url, token = await _in_hand(front)
    await front.bad_answer("c-1")
    problem(await ann.post(f"{url}/resolve", json=_resolution(token)), 409, "callback-changed")
    seen = good(await ann.get(url))
    assert "new_alert" in seen["flags"]
    assert len(seen["alerts"]) == 2
    good(await ann.post(f"{url}/resolve", json=_resolution(token, version=seen["version"])))


async def test_a_note_can_be_written_on_any_callback_and_only_the_holder_reads_it(front: Front) -> None:
    ann, url, token = await _in_hand(front)
    bob = await front.advisor("bob")
    before = good(await bob.get(url))["version"]
    response = await bob.post(f"{url}/notes", json={"note": "prefers mornings"})
    assert good(response)["version"] == before + 1  # whoever holds an older copy learns that there is more
    assert [each["text"] for each in good(await ann.get(url))["history"] if each["kind"] == "noted"] == [
        "prefers mornings"
    ]
    assert "prefers mornings" not in (await bob.get(url)).text
    good(await ann.post(f"{url}/resolve", json=_resolution(token)))
    good(await bob.post(f"{url}/notes", json={"note": "rang again"}))


async def test_overdue_is_said_of_open_callbacks_only(front: Front) -> None:
    ann, url, token = await _in_hand(front)
    good(await ann.post(f"{url}/extend", json={"lease_token": token, "lease_seconds": 3600}))
    await front.clock.advance(timedelta(minutes=59))
    assert good(await ann.get(url))["overdue"] == []
    moved = await front.bad_answer()
    await front.clock.advance(timedelta(minutes=61))
    assert good(await ann.get(f"/v1/callbacks/{moved.callback.id}"))["overdue"] == ["first_attempt"]
