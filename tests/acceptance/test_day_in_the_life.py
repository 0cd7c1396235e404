"""A day in the life of an advisory team: 40 customers in four time zones, over HTTP and Kafka only.

What must come of it stands in `expected.py`, worked out by hand. Each scene sets the clock and says who does what.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from tests.acceptance.day import Day, Samples, answer, counted, minutes, moment
from tests.acceptance.expected import (
    CALLBACKS,
    COUNTERS,
    DURATIONS,
    GAUGES,
    NEW_NUMBERS,
    OUTCOMES,
    PEOPLE,
    POLICY,
    Row,
    Waited,
    customer,
)
from tests.acceptance.people import resolution
from tests.parts.clock import Clock
from tests.parts.kafka import KafkaBroker
from tests.parts.service import environment
from tests.parts.topics import unique_name
from tests.parts.town import Town, eventually

BUCKETS = (60, 300, 900, 1800, 3600, 7200, 14400, 28800, 57600, 86400, 172800, 259200, 345600, 604800, 1209600)
AHEAD_MS = 2**62  # the story's clock is its own: Kafka may take records from any time, and keep them


@pytest.fixture
async def day(
    kafka: KafkaBroker,
    database_url: str,
    new_topic: Callable[..., Awaitable[str]],
    clock: Clock,
    tmp_path: Path,
) -> AsyncIterator[Day]:
    policy = tmp_path / "policy.yaml"
    policy.write_text(POLICY)
    topic = await new_topic("surveys", partitions=3, message_timestamp_after_max_ms=AHEAD_MS, retention_ms=-1)
    dead = await new_topic("dead", max_message_bytes=16 * 1024 * 1024)
    env = environment(
        database=database_url,
        kafka=kafka.bootstrap,
        topics=topic,
        dead_letters=dead,
        group=unique_name("group"),
        POLICY_FILE=str(policy),
    )
    async with (
        Town.open(env, bootstrap=kafka.bootstrap, topic=topic, dead=dead, database=database_url) as town,
        Day.begin(town, clock) as begun,
    ):
        yield begun


async def test_a_day_in_the_life_of_a_team_ends_as_worked_out_by_hand(day: Day) -> None:
    for scene in (*SATURDAY, *SUNDAY):
        await scene(day)
    assert await final_callbacks(day) == CALLBACKS
    await check_stories(day)
    await check_metrics(day)
    assert await day.outcomes() == OUTCOMES


async def burst(day: Day) -> None:
    """Forty answers in four minutes. Kolkata and Sydney are awake, London and New York are not."""
    for wave in (1, 2, 3, 4):
        now = await day.at(f"Sat 08:5{wave - 1}")
        await day.hears(first_answer(name, now) for name, person in PEOPLE.items() if person.wave == wave)
    now = await day.at("Sat 08:55")
    await day.stands(general=(13, 7, 0, 0), billing=(6, 3, 0, 0), premium=(6, 2, 0, 0))
    await is_callable(day, "bea", "Sat 09:00", "Sat 20:00", "08:50 in London, opens 09:00")
    await is_callable(day, "kit", "Sat 13:00", "Sun 00:00", "04:53 in New York, opens 09:00")

    await day.cho.claims("max")  # both are priority 1; max came with the first wave
    await day.cho.claims("farid")
    await day.ann.claims("kev")
    await day.ann.skips("kev", "knows customer")
    await day.ann.claims("chandra")  # next in line, for kev is not offered to her again
    await day.ben.claims("kev")
    await day.ben.claims("anil")
    assert await day.cho.finds_nothing() == "2027-03-27T09:00:00Z"  # when London opens for ada

    now = await day.at("Sat 08:56")
    await day.cho.tries("max", "no_answer", now)
    await is_callable(day, "max", "Sat 22:00", "Sun 06:56")  # tomorrow, but not within two hours of 19:56
    await day.ann.tries("chandra", "busy", now)
    await is_callable(day, "chandra", "Sat 09:11", "Sat 14:30")
    await day.cho.tries("farid", "connected", now)
    await day.ben.tries("anil", "connected", now)
    await day.at("Sat 08:57")
    done = {"apologised": True, "acknowledged_tenure": False, "fixed_or_owner_named": True}
    told = await day.cho.resolves("farid", "operations/billing", "recovered", checklist=done)
    assert told["checklist"] == done
    await day.ben.resolves("anil", "skill/courtesy", "partly_recovered")


async def london_opens(day: Day) -> None:
    """09:00 GMT. Sydney has closed, but a call that began before may still be recorded."""
    now = await day.at("Sat 09:03")
    await day.stands(general=(11, 5, 1, 0), billing=(6, 3, 0, 0), premium=(5, 1, 0, 0))
    assert await day.ben.may_not_try("kev", moment("Sat 09:01")) == "outside-calling-window"
    await day.ben.tries("kev", "voicemail", moment("Sat 08:59"))
    await is_callable(day, "kev", "Sat 22:00", "Sun 06:59")

    first = await day.ann.claims("eli", explain=True)  # asked for a call: an hour sooner than any priority 1
    assert first["explain"]["terms"] == [
        {"name": "priority_1", "seconds": 0},
        {"name": "reason_asked_for_a_call", "seconds": -3600},
    ]
    assert time(first["explain"]["rank_at"]) == time(first["opened_at"]) - minutes(60)
    await day.cho.claims("ada")
    await day.ben.claims("cy")
    now = await day.at("Sat 09:06")
    await day.ann.tries("eli", "connected", now)
    await day.ann.promises("eli", moment("Sat 11:00"))
    await day.cho.tries("ada", "connected", now)
    await day.cho.promises("ada", moment("Sat 10:00"))
    await day.ben.tries("cy", "voicemail", now)
    await is_callable(day, "cy", "Sun 10:06", "Sun 19:00")  # 11:06 BST: not within two hours of 09:06
    await day.ann.claims("bea")  # and then Ann is called away


async def london_works(day: Day) -> None:
    now = await day.at("Sat 09:23")
    await day.counted("leases_expired_total", {"billing": 1})
    await day.stands(general=(11, 3, 0, 1), billing=(6, 4, 0, 0), premium=(4, 0, 0, 1))
    lost = day.ann.leases["bea"]
    await day.ann.claims("bea")
    await day.ann.claims("chandra")
    await day.ben.claims("dev")
    await day.ben.claims("bina")  # Hindi: Ann was not offered her
    now = await day.at("Sat 09:24")
    assert await day.ann.may_not_try("bea", now, lost) == "lease-lost"
    await day.ann.tries("bea", "connected", now)
    await day.ann.resolves("bea", "operations/outage", "partly_recovered")
    await day.ann.tries("chandra", "connected", now)
    await day.ann.resolves("chandra", "operations/billing", "recovered")
    dead = await day.ben.tries("dev", "invalid_number", now)
    assert dead["flags"] == ["bad_number"]
    await is_callable(day, "dev", "Sat 11:24", "Sat 14:30")
    await day.ben.tries("bina", "connected", now)
    await day.ben.resolves("bina", "skill/knowledge", "recovered")


async def something_joins(day: Day) -> None:
    """A second, worse answer brings fay to the front of the queue."""
    now = await day.at("Sat 09:35")
    await day.escalated(general=(1, 0, 0), billing=(1, 0, 0))  # mae and pam: half of their hour
    await day.hears([answer("fay-2", 1, now - minutes(1), customer("fay"))])
    fay = await day.ann.claims("fay")
    assert (fay["priority"], fay["severity"], fay["points"]) == (2, 80, 1)
    assert {alert["rating"] for alert in fay["alerts"]} == {1, 2}
    assert moment("Sat 10:35") <= time(fay["due"]["first_attempt"]) < moment("Sat 10:36")
    await day.ann.claims("dot")
    await day.ann.claims("esha")
    now = await day.at("Sat 09:36")
    await day.ann.tries("fay", "no_answer", now)
    await is_callable(day, "fay", "Sat 11:36", "Sat 20:00")  # two hours, and two hours from this time of day
    await day.ann.tries("dot", "refused", now)
    await is_callable(day, "dot", "Sun 08:00", "Sun 19:00")  # 09:00 the next day, which is an hour sooner
    wrong = await day.ann.tries("esha", "wrong_person", now)
    assert wrong["flags"] == ["bad_number"]


async def promises_fall_due(day: Day) -> None:
    now = await day.at("Sat 10:05")
    await day.escalated(general=(1, 1, 0), billing=(1, 1, 0))
    await day.stands(premium=(5, 1, 0, 0))  # ada, at ten
    await day.at("Sat 10:20")
    await day.cho.claims("ada")
    now = await day.at("Sat 10:22")
    late = await day.cho.tries("ada", "connected", now)
    assert late["promise"]["state"] == "late"
    await day.cho.resolves("ada", "skill/knowledge", "recovered")

    await day.at("Sat 10:40")
    await day.lea.mends("dev", phone=NEW_NUMBERS["dev"])
    assert (await day.lea.callback("dev"))["flags"] == []

    await day.at("Sat 11:05")
    await day.escalated(general=(6, 1, 1), billing=(2, 1, 1))  # lily, ned, oda, otto, peg and nia: two hours of four
    await day.stands(general=(11, 1, 0, 0))  # eli, at eleven
    assert await day.ben.finds_nothing() == "2027-03-27T11:24:00Z"  # for a quarter of an hour eli is Ann's alone
    await day.ann.claims("eli")
    now = await day.at("Sat 11:06")
    kept = await day.ann.tries("eli", "connected", now)
    assert kept["promise"]["state"] == "kept"
    await day.ann.resolves("eli", "operations/billing", "recovered")


async def second_tries(day: Day) -> None:
    await day.at("Sat 11:40")
    await day.stands(general=(10, 2, 0, 0), billing=(4, 1, 0, 0))
    await day.ann.claims("fay")
    await day.ben.claims("dev")
    await day.ann.claims("esha")
    now = await day.at("Sat 11:41")
    assert await day.platform.called_in("esha", now) == "flagged"
    found = await day.ann.tries("esha", "connected", now, number=NEW_NUMBERS["esha"])
    assert found["flags"] == ["customer_called_in"]
    await day.ann.resolves("esha", "operations/billing", "information_only")
    await day.ann.tries("fay", "busy", now)
    await is_callable(day, "fay", "Sat 11:56", "Sat 20:00")
    await day.ben.tries("dev", "connected", now)
    await day.ben.resolves("dev", "operations/delivery", "recovered")


async def news(day: Day) -> None:
    """One called in first, one changed her mind for the better, one for the worse, one wants no calls."""
    now = await day.at("Sat 12:00")
    assert await day.platform.called_in("otto", now - minutes(2)) == "superseded"
    await day.hears(
        [
            answer("peg-2", 5, now - minutes(3), customer("peg"), response_id="peg-1"),
            answer("jon-2", 1, now - minutes(3), customer("jon"), response_id="jon-1"),
        ]
    )
    await day.lea.does("jon", "assign", advisor="ann")
    await day.at("Sat 12:01")
    await day.stands(general=(8, 2, 0, 0))
    await day.ben.claims("fay")  # jon is Ann's
    await day.ann.claims("jon")
    now = await day.at("Sat 12:03")
    closed = await day.ben.tries("fay", "no_answer", now)
    assert (closed["state"], closed["closed_reason"]) == ("closed", "unreachable")
    await day.ann.tries("jon", "connected", now)
    await day.ann.resolves("jon", "skill/listening", "recovered")
    await day.lea.opts_out("quinn")
    moved = await day.lea.does("pam", "move", queue="general")
    assert moved["queue"] == "general"


async def new_york(day: Day) -> None:
    await day.at("Sat 13:06")
    await day.escalated(general=(6, 4, 1), billing=(2, 1, 1))  # lily, ned, oda: too late
    await day.stands(general=(7, 4, 0, 0), premium=(3, 2, 0, 0))
    await day.lea.post("/queues/premium/pause", reason="the telephone system is down")
    assert await day.cho.finds_nothing() is None
    await day.lea.post("/queues/premium/resume")
    await day.cho.claims("kit")
    await day.cho.claims("lou")
    await day.ann.claims("pam")  # a minute before mae, and she kept her place when she was moved
    await day.ann.releases("pam", "the door bell")
    await day.ben.claims("pam")
    await day.ann.claims("mae")
    await day.ann.claims("ned")

    now = await day.at("Sat 13:08")
    gone = await day.cho.tries("kit", "refused", now, opt_out=True)
    assert (gone["state"], gone["closed_reason"]) == ("closed", "opted_out")
    await day.cho.tries("lou", "connected", now)
    await day.ben.tries("pam", "connected", now)
    await day.ben.resolves("pam", "operations/billing", "partly_recovered")
    await day.ann.tries("mae", "connected", now)
    await day.ann.promises("mae", moment("Sat 23:00"), keep_owner=False)
    await day.ann.tries("ned", "no_answer", now)
    await is_callable(day, "ned", "Sat 15:08", "Sun 00:00")

    now = await day.at("Sat 13:10")
    await day.hears(
        [
            answer("lou-2", 2, now - minutes(1), customer("lou")),
            answer("quinn-2", 1, now - minutes(1), customer("quinn")),  # who has opted out
            first_answer("ada", moment("Sat 08:52")),  # once more, the same
        ]
    )
    await resolve_what_changed(day, "lou")


async def resolve_what_changed(day: Day, name: str) -> None:
    """Another answer joined while it was held: read first, then resolve."""
    lease = day.cho.leases[name]
    unread = {"lease_token": lease.token, **resolution("operations/outage", "recovered")}
    assert await day.cho.refusal(f"{lease.path}/resolve", **unread) == "callback-changed"
    read = await day.cho.get(lease.path)
    assert read["flags"] == ["new_alert"]
    await day.cho.resolves(name, "operations/outage", "recovered", version=read["version"])


async def a_lease_is_withdrawn(day: Day) -> None:
    """At 150 % of the target, from somebody who holds it and does not call."""
    await day.at("Sat 14:50")
    await day.ben.claims("oda")
    await day.at("Sat 14:52")
    extended = await day.ben.extends("oda", 900)
    assert moment("Sat 15:07") <= time(extended["lease"]["expires_at"]) < moment("Sat 15:08")
    now = await day.at("Sat 15:02")
    await day.escalated(general=(6, 4, 3), billing=(2, 1, 1))  # lily and oda
    assert await day.ben.may_not_try("oda", now) == "lease-lost"
    await day.ben.claims("oda")
    now = await day.at("Sat 15:03")
    await day.ben.tries("oda", "busy", now)
    await is_callable(day, "oda", "Sat 15:18", "Sun 00:00")
    await day.at("Sat 15:22")
    await day.stands(general=(5, 2, 0, 1))
    await day.ann.claims("ned")
    await day.ann.skips("ned", "the line is bad today")
    await day.ann.claims("oda")
    now = await day.at("Sat 15:24")
    await day.ann.tries("oda", "connected", now)
    await day.ann.resolves("oda", "operations/outage", "partly_recovered")


async def the_night(day: Day) -> None:
    """London sleeps from 20:00 to 09:00, which is twelve hours tonight."""
    await day.at("Sat 20:55")
    await day.escalated(general=(8, 4, 3), billing=(2, 1, 1), premium=(1, 0, 0))  # cy, kev, max: half a day
    await day.stands(general=(4, 1, 0, 1), billing=(2, 0, 0, 0), premium=(1, 0, 0, 0))
    window = (await day.lea.callback("dot"))["window"]
    assert window == {
        "open_now": False,
        "opens_at": "2027-03-28T08:00:00Z",
        "closes_at": "2027-03-28T19:00:00Z",
        "reason": "20:55 in London, opens Sunday 09:00",
    }


async def sydney_opens(day: Day) -> None:
    """Sunday has begun there."""
    await day.at("Sat 22:10")
    await day.stands(general=(4, 3, 0, 1), billing=(2, 1, 0, 0), premium=(1, 1, 0, 0))
    await day.cho.claims("max")
    await day.ben.claims("kev")
    await day.ben.claims("lily")
    nia = await day.ann.claims("nia", queues=["billing"])
    assert nia["flags"] == ["escalated", "no_number"]
    now = await day.at("Sat 22:12")
    await day.cho.tries("max", "connected", now)
    await day.cho.resolves("max", "skill/courtesy", "not_recovered")
    await day.ben.tries("kev", "connected", now)
    await day.ben.resolves("kev", "operations/delivery", "not_recovered")
    await day.ben.tries("lily", "voicemail", now)
    await is_callable(day, "lily", "Mon 00:12", "Mon 09:00")  # Monday 11:12: not within two hours of 09:12
    await day.ann.tries("nia", "connected", now, number=NEW_NUMBERS["nia"])
    await day.ann.resolves("nia", "operations/billing", "recovered")


async def a_promise_breaks(day: Day) -> None:
    """Mae's was for 19:00 in New York, for anybody; nobody is there until the window closes at 20:00."""
    await day.at("Sat 23:05")
    await day.stands(general=(4, 2, 0, 0))
    first, *_ = await day.lea.list(queue="general", state="waiting")
    assert (first["alerts"][0]["event_id"], first["promise"]["state"]) == ("mae-1", "open")
    await day.at("Sun 00:05")
    await day.counted("promises_total", {"general/kept": 1, "general/broken": 1, "premium/late": 1})
    await day.stands(general=(4, 0, 0, 0))


async def kolkata_opens(day: Day) -> None:
    """A lead gives kev another call; bina answers badly again."""
    now = await day.at("Sun 04:00")
    await day.lea.does("kev", "reopen", reason="the parcel is still missing")
    await day.hears([answer("bina-2", 1, now - minutes(4), customer("bina"))])
    for name in ("kev", "bina"):  # an hour of London's calling time, which begins at 09:00 BST
        assert (await day.lea.callback(name))["due"]["first_attempt"] == "2027-03-28T09:00:00Z"
    await day.at("Sun 04:02")
    await day.stands(general=(6, 2, 0, 0))
    await day.ben.claims("kev")  # with the place he had on Saturday
    await day.ben.claims("bina")
    now = await day.at("Sun 04:03")
    await day.ben.tries("kev", "connected", now)
    await day.ben.resolves("kev", "skill/courtesy", "recovered")
    await day.ben.tries("bina", "connected", now)
    await day.ben.promises("bina", moment("Mon 05:00"))


async def the_clocks_changed(day: Day) -> None:
    """London opens at 08:00 UTC, not at 09:00 as on Saturday."""
    await day.at("Sun 07:58")
    assert await day.ann.finds_nothing() == "2027-03-28T08:00:00Z"
    await day.at("Sun 08:02")
    await day.stands(billing=(1, 1, 0, 0))
    await day.ann.claims("dot")
    now = await day.at("Sun 08:03")
    await day.ann.tries("dot", "connected", now)
    await day.ann.resolves("dot", "skill/listening", "information_only")

    await day.at("Sun 08:58")
    await day.escalated(general=(8, 5, 3), billing=(2, 1, 1), premium=(1, 0, 0))  # cy: a day after the burst
    assert await day.ann.finds_nothing() == "2027-03-28T10:06:00Z"
    await day.at("Sun 10:10")
    await day.stands(general=(4, 1, 0, 1))
    await day.ann.claims("cy")
    now = await day.at("Sun 10:11")
    await day.ann.tries("cy", "connected", now)
    await day.ann.resolves("cy", "operations/pricing", "recovered")


async def the_last_calls(day: Day) -> None:
    now = await day.at("Sun 13:05")
    await day.hears([answer("sue-2", 2, now - minutes(3), customer("sue"))])
    await day.stands(general=(4, 2, 0, 1))
    await day.at("Sun 13:06")
    await day.ann.claims("mae")  # what was promised comes first, kept or not
    await day.ben.claims("sue")
    now = await day.at("Sun 13:08")
    await day.ann.tries("mae", "connected", now)
    await day.ann.resolves("mae", "operations/process", "not_recovered")


SATURDAY = (
    burst,
    london_opens,
    london_works,
    something_joins,
    promises_fall_due,
    second_tries,
    news,
    new_york,
    a_lease_is_withdrawn,
    the_night,
    sydney_opens,
)
SUNDAY = (a_promise_breaks, kolkata_opens, the_clocks_changed, the_last_calls)


def first_answer(name: str, now: datetime) -> dict[str, Any]:
    person = PEOPLE[name]
    said = {"comment": person.comment, "interaction": {"queue": "billing" if person.billing else None}}
    return answer(f"{name}-1", person.rating, now - minutes(3), customer(name), **said)


async def is_callable(day: Day, name: str, opens: str, closes: str, reason: str | None = None) -> None:
    """From and until exactly then."""
    callback = await day.lea.callback(name)
    found = (time(callback["callable_from"]), time(callback["callable_until"]))
    assert found == (moment(opens), moment(closes)), (name, found)
    assert reason in (None, callback["callable_reason"])


def time(text: str) -> datetime:
    return datetime.fromisoformat(text)


async def final_callbacks(day: Day) -> dict[str, Row]:
    """By the event that opened each."""
    listed = await day.lea.list()
    found = [await day.lea.get(f"/callbacks/{each['id']}") for each in listed]
    return {min(alert["event_id"] for alert in each["alerts"]): row(each) for each in found}


def row(callback: dict[str, Any]) -> Row:
    promise, cause = callback["promise"], callback["cause"]
    return Row(
        ended=callback["closed_reason"] or callback["outcome"] or callback["state"],
        queue=callback["queue"],
        priority=callback["priority"],
        attempts=" ".join(attempt["result"] for attempt in callback["attempts"]),
        targets=" ".join(target["result"] or "-" for target in callback["targets"]),
        flags=" ".join(callback["flags"]),
        promise=promise["state"] if promise else "",
        cause=f"{cause['kind']}/{cause['driver']}" if cause else "",
    )


async def check_stories(day: Day) -> None:
    """Each step is in the history, and a callback knows the one before it."""
    oda = await day.lea.callback("oda")
    assert [(each["kind"], each["actor"]) for each in oda["history"]] == [
        ("opened", "system"),
        ("escalated", "system"),  # 11:00, to the owner
        ("target_missed", "system"),  # 13:00
        ("escalated", "system"),
        ("claimed", "ben"),
        ("escalated", "system"),  # 15:00, to the manager
        ("released", "system"),
        ("claimed", "ben"),
        ("attempted", "ben"),
        ("released", "ben"),
        ("claimed", "ann"),
        ("attempted", "ann"),
        ("target_met", "system"),
        ("target_met", "system"),
        ("resolved", "ann"),
    ]
    bina = await day.lea.callback("bina")
    [before] = bina["earlier_callbacks"]
    assert bina["links"]["previous"] == f"/v1/callbacks/{before['id']}"
    assert bina["promise"]["at"] == "2027-03-29T05:00:00Z"


async def check_metrics(day: Day) -> None:
    async def gauges() -> dict[str, dict[str, float]]:
        samples = await day.samples()
        return {name: counted(samples, name) for name in GAUGES}

    await eventually(gauges, lambda found: found == GAUGES)
    samples = await day.samples()
    assert {name: counted(samples, name) for name in COUNTERS} == COUNTERS
    for name in Waited._fields:
        for queue, waits in DURATIONS.items():
            known = [each for wait in waits if (each := getattr(wait, name)) is not None]
            check_histogram(samples, f"time_to_{name}_seconds", f"callable/{queue}", [each[1] for each in known])
            check_histogram(samples, f"time_to_{name}_seconds", f"wall/{queue}", [each[0] for each in known])
    oldest = samples["oldest_waiting_callback_timestamp_seconds", "general"]
    assert 0 <= oldest - moment("Sat 08:50").timestamp() < 60  # lily


def check_histogram(samples: Samples, name: str, labels: str, waited: list[int]) -> None:
    """Each in its bucket, and their sum within a minute for each of the minutes on paper."""
    buckets = Counter(bucket_of(each) for each in waited)
    clock, queue = labels.split("/")
    seen, before = {}, 0.0
    for bound in BUCKETS:
        reached = samples[f"{name}_bucket", f"{clock}/{float(bound)}/{queue}"]
        seen[bound] = int(reached - before)
        before = reached
    assert {bound: count for bound, count in seen.items() if count} == dict(buckets), (name, labels)
    assert samples[f"{name}_count", labels] == len(waited)
    assert abs(samples[f"{name}_sum", labels] - 60 * sum(waited)) < 60 * len(waited), (name, labels)


def bucket_of(waited: int) -> int:
    """The bucket of so many minutes; none may lie where the process's own speed would decide."""
    first, last = (bisect_left(BUCKETS, 60 * waited + seconds) for seconds in (-29, 59))
    assert first == last, f"{waited} minutes are too close to the border of a bucket"
    return BUCKETS[first]
