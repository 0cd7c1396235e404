"""Every move ends with the window, the readiness and the next look put right."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from alerts.callback import Flag, Transition
from alerts.calling_hours.window import Place
from alerts.transitions.next_wake import ended_lease, measure, with_next_wake
from tests.unit.alerts.transitions.builders import POLICY, TEN, at, claimed, opened, promised, solved, tried

NOWHERE = Place(("Europe/London", "Pacific/Auckland"), None)  # nine to eight here is night there


def test_a_waiting_callback_is_looked_at_when_its_next_target_or_step_falls_due() -> None:
    assert opened().wake_at == at(10, 30)  # half of the hour to the first attempt


def test_a_leased_callback_is_looked_at_when_its_lease_runs_out() -> None:
    assert claimed(opened()).wake_at == at(10, 15)


def test_a_promise_is_looked_at_when_it_is_due() -> None:
    raised = opened().evolve(escalated_steps=3, targets=dict.fromkeys(["first_attempt"], "missed"))
    assert promised(claimed(raised), at(15)).callback.wake_at == at(15)


def test_one_that_has_ended_is_not_looked_at_again() -> None:
    assert solved(claimed(opened())).callback.wake_at is None


def test_one_that_cannot_be_called_at_all_is_looked_at_daily() -> None:
    steps = {"escalated_steps": 3, "targets": dict.fromkeys(["first_attempt", "contact", "resolution"], "missed")}
    callback = with_next_wake(Transition(callback=opened(where=NOWHERE).evolve(**steps)), TEN, POLICY).callback
    assert callback.callable_from is None
    assert Flag.ZONE_NEEDED in callback.flags
    assert callback.wake_at == TEN + timedelta(days=1)


def test_zone_needed_goes_away_when_the_zones_share_hours_again() -> None:
    doubtful = opened(where=NOWHERE)
    assert Flag.ZONE_NEEDED in doubtful.flags
    known = with_next_wake(
        Transition(callback=doubtful.evolve(zones=("Europe/London", "Europe/Dublin"))), TEN, POLICY
    ).callback
    assert Flag.ZONE_NEEDED not in known.flags


def test_the_members_of_an_ended_lease_are_all_empty() -> None:
    free = ended_lease(claimed(opened()).evolve(flags=(Flag.ESCALATED, Flag.NEW_ALERT)))
    assert free.pop("flags") == (Flag.ESCALATED,)
    assert set(free.values()) == {None}


def test_of_a_very_old_answer_only_the_last_100_days_are_counted_as_callable() -> None:
    long_ago = opened(answered_at=datetime(1, 1, 3, tzinfo=UTC))  # what some senders write for "never"
    measured = measure(long_ago, "time_to_claim", TEN, POLICY)["time_to_claim"]
    assert measured["wall"] == (TEN - datetime(1, 1, 3, tzinfo=UTC)).total_seconds()
    assert measured["callable"] == 100 * 11 * 3600


def test_a_duration_is_never_negative() -> None:
    ahead = opened(answered_at=at(11))
    assert measure(ahead, "time_to_claim", TEN, POLICY) == {"time_to_claim": {"wall": 0.0, "callable": 0.0}}


def test_a_zone_that_the_zone_data_has_dropped_is_no_place() -> None:
    """discourse/discourse #10514: `US/Pacific-New` was stored by many before it was taken out in 2020."""
    stored = opened().evolve(zones=("US/Pacific-New",))
    held = claimed(stored, at(12))
    assert held.zones == (POLICY.queue("general").zone,)
    assert Flag.ZONE_GUESSED in held.flags
    tomorrow = tried(held, "voicemail", at(12, 5)).callback
    assert tomorrow.callable_from == at(9, day=3)


def test_of_several_zones_those_that_are_still_known_count() -> None:
    stored = opened().evolve(zones=("US/Pacific-New", "Europe/London"))
    looked_at = with_next_wake(Transition(callback=stored), TEN, POLICY).callback
    assert (looked_at.zones, Flag.ZONE_GUESSED in looked_at.flags) == (("Europe/London",), False)
