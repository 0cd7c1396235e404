"""Two policies beside each other: what is added, removed, moved, and how many hours it comes to."""

from __future__ import annotations

from datetime import timedelta

from alerts.learning.backtest import Comparison
from alerts.policy import read_policy, shipped_policy
from tests.unit.alerts.learning.test_lint import answered

OTHER = """
surveys: []
routing: {routes: [{when: {segments: [gold]}, queue: precious, priority: 1}]}
expire_after_days: 1
"""


def test_every_difference_is_counted_once() -> None:
    compared = Comparison(shipped_policy(), read_policy(OTHER, file="other.yaml"))
    for number in (0, 1, 15, 45):  # 0, 15 and 45 are one customer, 15 and 45 hours later; the second within a day
        compared.take(answered(number, segment="gold" if number == 1 else "basic"))
    result = compared.result(timedelta(minutes=40))
    assert (result.answers, result.now.callbacks, result.then.callbacks) == (4, 2, 3)
    assert (result.now.joined, result.then.joined) == (2, 1)
    assert (result.added, result.removed, result.moved) == (1, 0, 1)
    assert result.now.by_queue == {"general": 2}
    assert result.then.by_queue == {"general": 2, "precious": 1}
    assert (result.now.agent_hours, result.then.agent_hours) == (1, 2)


def test_a_policy_beside_itself_changes_nothing_and_without_data_there_are_no_hours() -> None:
    compared = Comparison(shipped_policy(), shipped_policy())
    for number in range(40):
        compared.take(answered(number))
    result = compared.result(None)
    assert (result.added, result.removed, result.moved, result.reranked) == (0, 0, 0, 0)
    assert result.now == result.then
    assert result.now.agent_hours is None
