"""Sunday: a promise breaks in New York, Kolkata and then London open, an hour earlier than the day before, the last calls."""

from __future__ import annotations

from tests.acceptance.day_in_the_life.expected import customer
from tests.acceptance.day_in_the_life.stage import Day, answer, minutes, moment


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


SCENES = (a_promise_breaks, kolkata_opens, the_clocks_changed, the_last_calls)
