"""Saturday: the burst, London at work, news, New York at work, a night, and Sunday morning in Sydney."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from tests.acceptance.day_in_the_life.expected import NEW_NUMBERS, PEOPLE, customer
from tests.acceptance.day_in_the_life.people import resolution, time
from tests.acceptance.day_in_the_life.stage import Day, answer, minutes, moment


async def burst(day: Day) -> None:
    """Forty answers in four minutes. Kolkata and Sydney are awake, London and New York are not."""
    for wave in (1, 2, 3, 4):
        now = await day.at(f"Sat 08:5{wave - 1}")
        await day.hears(first_answer(name, now) for name, person in PEOPLE.items() if person.wave == wave)
    await day.at("Sat 08:55")
    await day.stands(general=(13, 7, 0, 0), billing=(6, 3, 0, 0), premium=(6, 2, 0, 0))
    await day.is_callable("bea", "Sat 09:00", "Sat 20:00", "08:50 in London, opens 09:00")
    await day.is_callable("kit", "Sat 13:00", "Sun 00:00", "04:53 in New York, opens 09:00")

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
    await day.is_callable("max", "Sat 22:00", "Sun 06:56")  # tomorrow, but not within two hours of 19:56
    await day.ann.tries("chandra", "busy", now)
    await day.is_callable("chandra", "Sat 09:11", "Sat 14:30")
    await day.cho.tries("farid", "connected", now)
    await day.ben.tries("anil", "connected", now)
    await day.at("Sat 08:57")
    done = {"apologised": True, "acknowledged_tenure": False, "fixed_or_owner_named": True}
    told = await day.cho.resolves("farid", "operations/billing", "recovered", checklist=done)
    assert told["checklist"] == done
    await day.ben.resolves("anil", "skill/courtesy", "partly_recovered")


async def london_opens(day: Day) -> None:
    """09:00 GMT. Sydney has closed, but a call that began before may still be recorded."""
    await day.at("Sat 09:03")
    await day.stands(general=(11, 5, 1, 0), billing=(6, 3, 0, 0), premium=(5, 1, 0, 0))
    assert await day.ben.may_not_try("kev", moment("Sat 09:01")) == "outside-calling-window"
    await day.ben.tries("kev", "voicemail", moment("Sat 08:59"))
    await day.is_callable("kev", "Sat 22:00", "Sun 06:59")

    first = await day.ann.claims("eli")  # asked for a call: an hour sooner than any priority 1
    assert first["explain"]["terms"] == [
        {"name": "priority_1", "seconds": 0},
        {"name": "reason_asked_for_a_call", "seconds": -3600},
    ]
    await day.cho.claims("ada")
    await day.ben.claims("cy")
    now = await day.at("Sat 09:06")
    await day.ann.tries("eli", "connected", now)
    await day.ann.promises("eli", moment("Sat 11:00"))
    await day.cho.tries("ada", "connected", now)
    await day.cho.promises("ada", moment("Sat 10:00"))
    await day.ben.tries("cy", "voicemail", now)
    await day.is_callable("cy", "Sun 10:06", "Sun 19:00")  # 11:06 BST: not within two hours of 09:06
    await day.ann.claims("bea")  # and then Ann is called away


async def london_works(day: Day) -> None:
    await day.at("Sat 09:23")
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
    await day.is_callable("dev", "Sat 11:24", "Sat 14:30")
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
    await day.is_callable("fay", "Sat 11:36", "Sat 20:00")  # two hours, and two hours from this time of day
    await day.ann.tries("dot", "refused", now)
    await day.is_callable("dot", "Sun 08:00", "Sun 19:00")  # 09:00 the next day, which is an hour sooner
    wrong = await day.ann.tries("esha", "wrong_person", now)
    assert wrong["flags"] == ["bad_number"]


async def promises_fall_due(day: Day) -> None:
    await day.at("Sat 10:05")
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

    await day.at("Sat 11:04")
    await day.escalated(general=(6, 1, 1), billing=(2, 1, 1))  # lily, ned, oda, otto, peg and nia: two hours of four
    await day.stands(general=(11, 1, 0, 0))  # eli, at eleven
    assert await day.ben.finds_nothing() == "2027-03-27T11:24:00Z"  # for five minutes eli is Ann's alone
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
    await day.is_callable("fay", "Sat 11:56", "Sat 20:00")
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
    await day.is_callable("ned", "Sat 15:08", "Sun 00:00")

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
    await day.is_callable("oda", "Sat 15:18", "Sun 00:00")
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
    await day.is_callable("lily", "Mon 00:12", "Mon 09:00")  # Monday 11:12: not within two hours of 09:12
    await day.ann.tries("nia", "connected", now, number=NEW_NUMBERS["nia"])
    await day.ann.resolves("nia", "operations/billing", "recovered")


def first_answer(name: str, now: datetime) -> dict[str, Any]:
    person = PEOPLE[name]
    said = {"comment": person.comment, "interaction": {"queue": "billing" if person.billing else None}}
    return answer(f"{name}-1", person.rating, now - minutes(3), customer(name), **said)


SCENES = (
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
