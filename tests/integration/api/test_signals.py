"""Signals: looked for at every closed hour, raised once, told to everybody who should hear, acknowledged by a lead."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any

import pytest

from alerts.ledger.learning.signals import look_once
from alerts.policy import read_policy
from app.published import DOCUMENTS
from consumers.learning import learning_duties
from tests.integration.api.front import NOON, Front, good, problem
from tests.parts.json_schema import is_valid

LOOK = NOON + timedelta(minutes=6)
HOUR = timedelta(hours=1)
WEEKS = 12

# Ten answers in each of the same six hours of twelve weeks, two of them bad; in the last hour so many, of which so many are bad.
FILL = """
    INSERT INTO responses (event_source, event_id, source, response_id, customer_id, rating, worst, best, points, box, outcome,
        answered_at, revised_at, contact_queue, value_hash, content_hash, topic, partition, "offset", recorded_at,
        origin_partition, origin_offset)
    SELECT '/made', known, source, known, customer.id, 3, 1, 5, 3,
        CASE WHEN n <= CASE WHEN hour = 1 THEN bad ELSE 2 END THEN 'bottom' ELSE 'middle' END, 'not_bottom_box',
        moment, moment, 'desk', '', '', 't', 0, 0, moment, 0, 0
    FROM (SELECT CAST(:source AS text), CAST(:bad AS int), CAST(:silent_hours AS int), CAST(:now AS timestamptz))
            AS given(source, bad, silent_hours, now),
        (SELECT id FROM customers LIMIT 1) AS customer,
        generate_series(0, 12) AS week, generate_series(1, 6) AS before, generate_series(1, 10) AS n,
        LATERAL (SELECT week * 168 + before) AS number(hour),
        LATERAL (SELECT now - hour * interval '1 hour' + n * interval '1 minute') AS at(moment),
        LATERAL (SELECT source || hour || '-' || n) AS named(known)
    WHERE hour > silent_hours
"""


async def filled(front: Front, *, bad: int = 2, silent_hours: int = 0, source: str = "shop") -> None:
    if not await front.sql("SELECT 1 FROM customers"):
        await front.bad_answer(answered_at=NOON - timedelta(days=300))
    await front.run(FILL, source=source, bad=bad, silent_hours=silent_hours, now=NOON)
    await front.clock.set(LOOK)


async def looked(front: Front) -> int:
    """As the worker does; how many were raised."""
    duties = learning_duties(
        front.engine,
        front.policy,
        announce=front.metrics.callbacks.announce,
        announce_signals=front.metrics.learning.raised,
        show_plans=front.metrics.learning.plans,
        show_problems=front.metrics.learning.known,
    )
    before = counted(front)
    step = next(duty.step for duty in duties if duty.name == "the signals")
    while await step():
        pass
    return int(counted(front) - before)


def counted(front: Front) -> float:
    value = front.metrics.registry.collectors.get_sample_value
    return sum(value("bottombox_signals_total", {"kind": kind}) or 0 for kind in ("spike", "silence"))


async def test_a_spike_is_raised_once_in_each_scope_with_its_arithmetic_and_an_event(front: Front) -> None:
    await filled(front, bad=9)
    raised = [await asyncio.gather(*(look_once(front.engine, front.policy) for _ in range(3))) for _ in range(2)]
    assert sorted(len(each.raised) for each in raised[0]) == [0, 0, 2]
    assert [len(each.raised) for each in raised[1]] == [0, 0, 0]
    reader = await front.key("callbacks:read")
    items = good(await reader.get("/v1/signals"))["items"]
    assert {(each["scope"]["by"], each["scope"]["value"]) for each in items} == {("source", "shop"), ("queue", "desk")}
    for each in items:
        assert (each["kind"], each["state"], each["ended_at"]) == ("spike", "raised", None)
        assert (each["observed"], each["expected"]) == ({"bottom": 9, "of": 10}, pytest.approx(2))
        assert (each["since"], each["false_alarms_a_month"]) == ("2026-11-24T11:00:00Z", 1)
        assert each["p_value"] <= each["arithmetic"]["threshold"]
        assert each["arithmetic"]["hours"] == WEEKS
    events = await front.sql("SELECT id, type, subject, at, data FROM outbox WHERE type = 'bottombox.signal.raised'")
    assert {row.subject for row in events} == {each["id"] for each in items}
    for row in events:
        members = {
            "specversion": "1.0",
            "type": row.type,
            "source": "/bottombox",
            "id": str(row.id),
            "subject": row.subject,
        }
        assert is_valid({**members, "time": row.at.isoformat(), "data": row.data}, DOCUMENTS["signal-event.json"])


async def test_an_ordinary_hour_raises_nothing(front: Front) -> None:
    await filled(front, bad=4)
    assert await looked(front) == 0
    assert await front.sql("SELECT 1 FROM signals") == []
    assert len(await front.sql("SELECT 1 FROM signal_looks")) == 1


async def test_a_source_that_fell_silent_is_raised_once_and_over_when_it_is_heard(front: Front) -> None:
    await filled(front, silent_hours=3)
    await filled(front, source="other")
    assert await looked(front) == 1
    (silence,) = good(await (await front.lead()).get("/v1/signals", params={"kind": "silence"}))["items"]
    assert (silence["scope"], silence["since"]) == ({"by": "source", "value": "shop"}, "2026-11-24T09:00:00Z")
    assert (silence["observed"], silence["expected"]) == ({"bottom": 0, "of": 0}, pytest.approx(30))
    await front.clock.set(LOOK + HOUR)
    assert await looked(front) == 0, "it goes on, and is not raised again"
    heard = [front.answer(f"h-{number}", rating=5, source="shop", answered_at=NOON + HOUR) for number in range(3)]
    await front.answers(heard)
    await front.clock.set(LOOK + 2 * HOUR)
    await looked(front)
    ended = await front.sql("SELECT scope_value FROM signals WHERE ended_at IS NOT NULL")
    assert [row.scope_value for row in ended] == ["shop"]


async def test_a_silence_is_over_though_nobody_looked_when_the_source_was_heard(front: Front) -> None:
    await filled(front, silent_hours=3)
    await filled(front, source="other")
    assert await looked(front) == 1
    await front.answers([front.answer("h-1", rating=5, source="shop", answered_at=NOON + HOUR)])
    await front.clock.set(LOOK + timedelta(days=3))
    await looked(front)
    (row,) = await front.sql("SELECT ended_at FROM signals WHERE kind = 'silence' AND scope_value = 'shop'")
    assert row.ended_at is not None


async def test_what_was_missed_is_looked_at_up_to_a_day(front: Front) -> None:
    await filled(front)
    await looked(front)
    await front.clock.set(LOOK + 5 * HOUR)
    await looked(front)
    assert len(await front.sql("SELECT 1 FROM signal_looks")) == 6
    await front.clock.set(LOOK + timedelta(days=4))
    await looked(front)
    assert len(await front.sql("SELECT 1 FROM signal_looks")) == 7


async def test_an_hour_is_not_looked_at_before_its_answers_are_here(front: Front) -> None:
    await filled(front, bad=9)
    await front.clock.set(NOON + timedelta(minutes=2))
    assert await looked(front) == 0
    await front.clock.set(LOOK)
    assert await looked(front) == 2


async def test_the_hours_are_those_of_the_zone_of_the_policy(front: Front) -> None:
    front.policy = read_policy("signals: {zone: Asia/Kathmandu, watch: [queue]}", file="policy.yaml")
    await filled(front, bad=9)
    await front.clock.set(NOON - timedelta(minutes=39))  # 17:06 there: its hour of 16:00 is 10:15 to 11:15
    assert await looked(front) == 1
    (row,) = await front.sql("SELECT since, bottom, of FROM signals")
    assert (row.since.isoformat(), row.bottom, row.of) == ("2026-11-24T10:15:00+00:00", 9, 10)


async def test_a_policy_that_agrees_to_no_alarm_looks_at_nothing(front: Front) -> None:
    front.policy = read_policy("signals: {alarms_a_month: 0}", file="policy.yaml")
    await filled(front, bad=9)
    assert await looked(front) == 0
    assert await front.sql("SELECT 1 FROM signal_looks") == []


async def test_a_lead_looks_after_a_signal_and_the_first_one_stays(front: Front) -> None:
    await filled(front, bad=9)
    await looked(front)
    lea, leo, ann = await front.lead("lea"), await front.lead("leo"), await front.advisor()
    first, other = good(await lea.get("/v1/signals"))["items"]
    url = f"/v1/signals/{first['id']}/acknowledge"
    problem(await ann.post(url), 403, "insufficient-scope")
    for lead in (lea, leo):
        assert good(await lead.post(url))["acknowledged_by"] == "lea"
    assert await shown(front, state="raised") == [other["id"]]
    assert await shown(front, state="acknowledged") == [first["id"]]
    problem(await lea.post("/v1/signals/0198c0de-0000-7000-8000-000000000001/acknowledge"), 404, "not-found")
    audited = await front.sql("SELECT principal, subject FROM audit WHERE action = 'signal_acknowledged'")
    assert [tuple(row) for row in audited] == [("lea", f"signal {first['id']}")]


async def shown(front: Front, **query: Any) -> list[str]:
    reader = await front.key("callbacks:read")
    found: list[str] = []
    params: dict[str, Any] | None
    url, params = "/v1/signals", {"limit": 1, **query}
    while url:
        page = await reader.get(url, params=params)
        found += [each["id"] for each in good(page)["items"]]
        url, params = page.links.get("next", {}).get("url", ""), None
    return found
