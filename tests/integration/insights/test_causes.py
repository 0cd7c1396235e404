"""Why customers were unhappy, over REST, held against what the simulated advisors wrote down."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from datetime import datetime
from typing import Any

import pytest

from app.api.schemas.insight import CauseList
from tests.integration.api.front import NOON, Front, good, problem
from tests.integration.insights.byhand import is_close, median, utc, wilson
from tests.integration.insights.worked import BEGIN, DAY, NOW, Call, Centre

PATH = "/v1/insights/causes"


async def ask(front: Front, **query: Any) -> dict[str, Any]:
    reader = await front.key("callbacks:read")
    params = {name.rstrip("_"): utc(each) if isinstance(each, datetime) else each for name, each in query.items()}
    response = await reader.get(PATH, params=params)
    CauseList.model_validate_json(response.text, by_alias=True)
    return good(response)


def by_hand(calls: list[Call], name: Callable[[Call], Any]) -> list[dict[str, Any]]:
    """The largest first, equals in the order of their names."""
    bars: dict[Any, list[Call]] = defaultdict(list)
    for call in calls:
        bars[name(call)].append(call)
    found, so_far = [], 0
    for key, each in sorted(bars.items(), key=lambda bar: (-len(bar[1]), bar[0] or "")):
        so_far += len(each)
        found.append(
            {
                "name": key,
                "callbacks": len(each),
                "share": wilson(len(each), len(calls)),
                "cumulative": so_far / len(calls),
                "recovered": wilson(sum(call.outcome == "recovered" for call in each), len(each)),
                "median_resolution_seconds": median((at(call) - call.spoken.at).total_seconds() for call in each),
                "ids": [call.id for call in sorted(each, key=lambda call: (-at(call).timestamp(), call.id))][:200],
            }
        )
    return found


def at(call: Call) -> datetime:
    assert call.ended_at is not None
    return call.ended_at


def cause(call: Call) -> tuple[str, str]:
    assert call.cause is not None
    return call.cause.kind, call.cause.driver


RANGES = [(BEGIN, NOW), (NOW - 28 * DAY, NOW), (BEGIN + 10 * DAY, BEGIN + 11.37 * DAY), (BEGIN, BEGIN)]
KEEP: list[dict[str, list[str]]] = [
    {},
    {"queue": ["billing"]},
    {"channel": ["chat", "email"], "team": ["north"]},
    {"segment": ["gold"], "driver": ["billing", "other"]},
    {"country": ["GB"], "language": ["en"], "source": ["cloudevents"], "survey": ["post-contact"]},
    {"country": ["FR"]},
]


def passes(call: Call, keep: dict[str, list[str]]) -> bool:
    said = call.spoken
    told = {
        "queue": call.queue,
        "channel": said.channel,
        "team": said.team,
        "segment": said.segment,
        "driver": call.cause.driver if call.cause else None,
        "country": "GB",
        "language": "en",
        "source": "cloudevents",
        "survey": "post-contact",
    }
    return all(told[name] in values for name, values in keep.items())


async def test_the_causes_are_those_that_were_found(desk: Front, centre: Centre) -> None:
    for keep in KEEP:
        await check_causes(desk, centre, keep)


async def check_causes(desk: Front, centre: Centre, keep: dict[str, list[str]]) -> None:
    for since, until in RANGES:
        ended = [
            call for call in centre.calls if call.ended_at and since <= call.ended_at < until and passes(call, keep)
        ]
        coded = [call for call in ended if call.cause]
        found = await ask(desk, from_=since, to=until, **keep)
        expected = by_hand(coded, cause)
        for bar in expected:
            bar["kind"], bar["driver"] = bar.pop("name")
        assert is_close(found["items"], expected)
        assert {item["reason"] for item in found["items"]} <= {None}
        assert found["uncoded"] == len(ended) - len(coded)
        kinds = {kind: sum(cause(call)[0] == kind for call in coded) for kind in ("skill", "operations")}
        assert is_close(found["kinds"], {kind: wilson(count, len(coded)) for kind, count in kinds.items()})
        other = sum(cause(call)[1] == "other" for call in coded)
        assert is_close(found["other_share"], wilson(other, len(coded)))


@pytest.mark.parametrize("keep", KEEP[:3])
async def test_the_reasons_are_what_customers_had_been_in_touch_about(
    desk: Front, centre: Centre, keep: dict[str, list[str]]
) -> None:
    coded = [call for call in centre.calls if call.cause and passes(call, keep)]
    found = await ask(desk, from_=BEGIN, to=NOW, by="reason", **keep)
    expected = by_hand(coded, lambda call: call.spoken.reason)
    for bar in expected:
        bar["reason"] = bar.pop("name")
    assert {bar["reason"] for bar in expected} == {"invoice", "parcel", None}
    assert is_close(found["items"], expected)
    assert {(item["kind"], item["driver"]) for item in found["items"]} == {(None, None)}


async def test_the_known_rates_lie_within_their_ranges(desk: Front) -> None:
    """Half of all were about billing by the dice, and six of ten recovered."""
    found = await ask(desk, from_=BEGIN, to=NOW)
    (billing, *_) = found["items"]
    assert billing["driver"] == "billing"
    assert billing["share"]["low"] < 50 / 92 < billing["share"]["high"]
    assert billing["recovered"]["low"] < 0.6 < billing["recovered"]["high"]


async def test_the_callbacks_of_a_bar_are_found_by_their_ids(desk: Front) -> None:
    (largest, *_) = (await ask(desk, from_=BEGIN, to=NOW))["items"]
    reader = await desk.key("callbacks:read")
    for id_ in largest["ids"][:3]:
        shown = good(await reader.get(f"/v1/callbacks/{id_}"))
        assert shown["cause"] == {"kind": largest["kind"], "driver": largest["driver"]}


async def test_a_callback_that_was_reopened_counts_when_it_ends_again(front: Front) -> None:
    moved = await front.bad_answer()
    ann, lea = await front.advisor("ann"), await front.lead()
    reader = await front.key("callbacks:read")

    async def help_out(driver: str) -> None:
        claimed = good(await ann.post(f"/v1/callbacks/{moved.callback.id}/claim", json={}))
        body = {
            "lease_token": claimed["lease"]["token"],
            "cause": {"kind": "operations", "driver": driver},
            "outcome": "recovered",
        }
        good(await ann.post(f"/v1/callbacks/{moved.callback.id}/resolve", json=body))

    await help_out("billing")
    assert [each["driver"] for each in good(await reader.get(PATH))["items"]] == ["billing"]
    good(await lea.post(f"/v1/callbacks/{moved.callback.id}/reopen", json={}))
    assert good(await reader.get(PATH))["items"] == []
    await help_out("delivery")
    assert [each["driver"] for each in good(await reader.get(PATH))["items"]] == ["delivery"]


async def test_the_canary_is_nobodys_cause(desk: Front, front: Front) -> None:
    await front.bad_answer()
    await front.run(
        "UPDATE callbacks SET queue = 'canary', state = 'closed', closed_reason = 'expired', ready = false,"
        " ended_at = ledger_now(), wake_at = NULL"
    )
    assert (await ask(front, from_=NOON - DAY, to=NOON + DAY))["uncoded"] == 0


@pytest.mark.parametrize("by", ["channel", "advisor", "nonsense", ""])
async def test_other_ways_to_tell_them_apart_are_refused(front: Front, by: str) -> None:
    body = problem(await (await front.key("callbacks:read")).get(PATH, params={"by": by}), 422, "validation")
    assert [each["pointer"] for each in body["errors"]] == ["/by"]
