"""An open callback always shows its customer's number, place and language of now."""

from __future__ import annotations

import pytest

from alerts.callback import Callback, Flag, State
from alerts.calling_hours.window import Place
from alerts.transitions import follow, join, move, reopen
from tests.unit.alerts.transitions.builders import (
    ANN,
    LEAD,
    LONDON,
    POLICY,
    SOMEONE,
    TEN,
    alert,
    at,
    claimed,
    event,
    kinds,
    opened,
    promised,
    solved,
    someone,
)

TOKYO = Place(("Asia/Tokyo",), "JP")
PERTH = Place(("Australia/Perth",), "AU")
GUESSED = Place(("America/New_York",), None, guessed=True)


def test_a_corrected_record_changes_the_window_and_takes_the_flags_away() -> None:
    doubtful = opened(where=GUESSED, status="bad")
    assert doubtful.flags == (Flag.BAD_NUMBER, Flag.ZONE_GUESSED)
    moved = follow(doubtful, someone(where=PERTH, language="fr"), actor=LEAD, now=at(10, 1), policy=POLICY)
    assert event(moved, "customer_changed").actor == LEAD
    assert moved.callback.flags == ()
    assert moved.callback.language == "fr"
    assert moved.callback.callable_until == at(12)


def test_a_callback_that_says_all_there_is_to_say_does_not_change() -> None:
    callback = opened()
    moved = follow(callback, SOMEONE, now=at(10, 1), policy=POLICY)
    assert moved.callback is callback
    assert kinds(moved) == []


@pytest.mark.parametrize(
    "callback",
    [opened(), claimed(opened()), promised(claimed(opened()), at(15)).callback],
    ids=["waiting", "leased", "scheduled"],
)
def test_whoever_moved_to_tokyo_is_not_called_at_21_00_there(callback: Callback) -> None:
    followed = follow(callback, someone(where=TOKYO), now=at(12), policy=POLICY).callback
    assert followed.zones == TOKYO.zones
    assert followed.state is callback.state
    assert not followed.ready
    assert followed.version == callback.version + 1


def test_a_reopened_callback_knows_where_the_customer_is_now() -> None:
    again = reopen(solved(claimed(opened())).callback, someone(where=TOKYO), actor=LEAD, now=at(12), policy=POLICY)
    assert again.callback.zones == TOKYO.zones
    assert not again.callback.ready


def test_whatever_joins_or_moves_a_callback_brings_the_customers_number_and_language() -> None:
    known = someone(where=LONDON, status="bad", language="fr")
    joined = join(opened(), alert(), known, now=at(10, 1), policy=POLICY).callback
    moved = move(opened(), queue="billing", customer=known, actor=LEAD, now=at(10, 1), policy=POLICY).callback
    for callback in (joined, moved):
        assert (callback.language, callback.flags) == ("fr", (Flag.BAD_NUMBER,))


def test_the_flag_that_the_zones_share_too_few_hours_goes_with_the_zones() -> None:
    needy = opened(where=Place(("Europe/London", "Pacific/Auckland"), None))
    assert Flag.ZONE_NEEDED in needy.flags
    assert follow(needy, SOMEONE, now=TEN, policy=POLICY).callback.flags == ()


def test_a_holder_keeps_the_lease_when_the_customer_changes() -> None:
    leased = claimed(opened(), advisor=ANN)
    followed = follow(leased, someone(where=TOKYO), now=at(10, 1), policy=POLICY).callback
    assert followed.state is State.LEASED
    assert followed.lease_token == leased.lease_token
