"""Who leaves the hard ones to the others is found; who is merely unlucky, or new, is not."""

from __future__ import annotations

from collections.abc import Mapping
from random import Random

import pytest

from alerts.insights.fair import FairShare, fair_shares
from alerts.insights.share import Count, share_of
from tests.parts.effort import times
from tests.unit.alerts.insights.simulated import say

TEAMS = times(200)
Taken = dict[str, dict[str, Count]]


def by_name(taken: Mapping[str, Mapping[str, Count]]) -> dict[str, FairShare]:
    return {each.advisor: each for each in fair_shares(taken)}


def test_below_thirty_claims_nobody_is_judged() -> None:
    found = by_name({"new": {"billing": Count(0, 29)}, "old": {"billing": Count(80, 100)}})
    assert (found["new"].flagged, found["new"].p_value) == (False, None)
    assert found["new"].why == "29 taken; below 30 nobody is judged"
    assert found["new"].hard == share_of(0, 29)


def test_with_thirty_the_one_who_takes_no_hard_one_is_flagged_with_the_figures() -> None:
    found = fair_shares({"fair": {"billing": Count(60, 100)}, "picky": {"billing": Count(0, 30)}})
    assert [each.advisor for each in found] == ["picky", "fair"]
    assert found[0].flagged
    assert found[0].expected == pytest.approx(30 * 60 / 130)
    assert found[0].why.startswith("0 hard of 30 taken; a random draw from the same pools brings 13.8; with 2 advisors")
    assert found[1].why.endswith("within what chance explains")


def test_who_works_where_hardly_anything_is_hard_is_compared_with_those_who_work_there() -> None:
    taken = {
        "night": {"easy": Count(2, 100), "hard": Count(0, 0)},
        "night too": {"easy": Count(3, 100)},
        "day": {"hard": Count(60, 100)},
        "day too": {"hard": Count(62, 100)},
    }
    assert not any(each.flagged for each in fair_shares(taken))


def test_who_works_alone_cannot_have_left_anything_to_others() -> None:
    found = by_name({"alone": {"billing": Count(1, 500)}, "others": {"sales": Count(300, 500)}})
    assert (found["alone"].p_value, found["alone"].flagged) == (1, False)


def test_the_more_are_judged_the_less_one_of_them_is_reproached_for_bad_luck() -> None:
    few = {"unlucky": {"q": Count(18, 100)}, "rest": {"q": Count(297, 900)}}
    many = {"unlucky": {"q": Count(18, 100)}} | {f"fair-{number}": {"q": Count(33, 100)} for number in range(9)}
    assert by_name(few)["unlucky"].flagged
    assert not by_name(many)["unlucky"].flagged


def test_to_take_many_hard_ones_is_no_reproach() -> None:
    assert not by_name({"kind": {"q": Count(70, 100)}, "a": {"q": Count(30, 100)}, "b": {"q": Count(31, 100)}})[
        "kind"
    ].flagged


def test_of_nobody_there_is_nothing_to_say() -> None:
    assert fair_shares({}) == ()
    assert by_name({"idle": {}})["idle"].p_value is None


def team(seed: int, claims: int, leaves: float) -> Taken:
    """Ten advisors, twenty days, two queues of different hardness; `picky` leaves so many of the hard ones to others."""
    random = Random(seed)
    taken: Taken = {who: {} for who in (*(f"fair-{number}" for number in range(9)), "picky")}
    for day in range(20):
        hardness = (0.2, 0.4)[day % 2]
        to_take = dict.fromkeys(taken, claims // 20)
        got = {who: [0, 0] for who in taken}
        while to_take:
            hard = random.random() < hardness
            who = random.choice(list(to_take))
            if who == "picky" and hard and random.random() < leaves:
                who = random.choice([each for each in to_take if each != "picky"] or ["picky"])
            got[who][0] += hard
            got[who][1] += 1
            to_take[who] -= 1
            if not to_take[who]:
                del to_take[who]
        for who, (count, of) in got.items():
            taken[who][f"queue {day % 2} on day {day}"] = Count(count, of)
    return taken


@pytest.mark.parametrize(("leaves", "found"), [(0.8, 0.97), (0.5, 0.6)])
def test_the_cherry_picker_is_flagged_first_and_nine_fair_ones_are_not(leaves: float, found: float) -> None:
    """200 claims each within four weeks; the one leaves four of five, or half, of the hard ones to others."""
    pages = [fair_shares(team(seed, claims=200, leaves=leaves)) for seed in range(TEAMS)]
    first = sum(page[0].advisor == "picky" and page[0].flagged for page in pages) / TEAMS
    wrongly = sum(each.flagged for page in pages for each in page if each.advisor != "picky") / (9 * TEAMS)
    say("flagged first, fair ones flagged", (first, wrongly))
    assert first >= found
    assert wrongly <= 0.001 + 3 * (0.001 / (9 * TEAMS)) ** 0.5


def test_in_a_fair_team_one_page_in_a_hundred_flags_anybody() -> None:
    pages = [fair_shares(team(seed, claims=100, leaves=0)) for seed in range(TEAMS)]
    crying = sum(any(each.flagged for each in page) for page in pages) / TEAMS
    say("pages that flag", crying)
    assert crying <= 0.01 + 3 * (0.01 * 0.99 / TEAMS) ** 0.5


def test_a_page_of_fifty_advisors_and_thousands_of_claims_is_made_at_once() -> None:
    taken = {f"advisor-{number}": {f"pool-{pool}": Count(3, 10) for pool in range(56)} for number in range(50)}
    assert not any(each.flagged for each in fair_shares(taken))
