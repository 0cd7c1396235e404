"""One policy beside another, over the same answers: what each would have opened, joined, routed and ranked."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta

from msgspec import Struct

from alerts.callback import Callback
from alerts.learning.simulation import Simulation, StoredAnswer
from alerts.policy import Policy


class PolicyTally(Struct, frozen=True, kw_only=True):
    """What one policy comes to. `agent_hours`: callbacks times the median time that one was held; None without data."""

    callbacks: int
    joined: int
    by_queue: dict[str, int]
    by_priority: dict[str, int]
    agent_hours: int | None


class Backtest(Struct, frozen=True, kw_only=True):
    """`added` and `removed`: answers that open a callback under one of the policies only. Of those that both open:

    `moved` go to another queue or have another priority; `reranked` have another place in the order of work.
    """

    answers: int
    now: PolicyTally
    then: PolicyTally
    added: int
    removed: int
    moved: int
    reranked: int


class Comparison:
    """Takes the answers in the order in which they came; reads no more than it is given, and writes nothing."""

    def __init__(self, now: Policy, then: Policy) -> None:
        self.now, self.then = Simulation(now), Simulation(then)
        self.answers = 0

    def take(self, stored: StoredAnswer) -> None:
        self.answers += 1
        for side in (self.now, self.then):
            side.take(stored)

    def result(self, held: timedelta | None) -> Backtest:
        """`held`: the median time that a callback was held until it was resolved."""
        now, then = self.now.callbacks, self.then.callbacks
        both = now.keys() & then.keys()
        return Backtest(
            answers=self.answers,
            now=_tally(self.now, held),
            then=_tally(self.then, held),
            added=len(then.keys() - both),
            removed=len(now.keys() - both),
            moved=sum(_place(now[key]) != _place(then[key]) for key in both),
            reranked=sum(rank_of(now[key]) != rank_of(then[key]) for key in both),
        )


def _tally(side: Simulation, held: timedelta | None) -> PolicyTally:
    found = side.callbacks.values()
    return PolicyTally(
        callbacks=len(found),
        joined=side.joins.total(),
        by_queue=dict(sorted(Counter(each.queue for each in found).items())),
        by_priority=dict(sorted(Counter(str(each.priority) for each in found).items())),
        agent_hours=None if held is None else round(len(found) * held / timedelta(hours=1)),
    )


def _place(callback: Callback) -> tuple[str, int]:
    return callback.queue, callback.priority


def rank_of(callback: Callback) -> timedelta:
    """How far its place in the order lies behind the moment at which it was opened."""
    return callback.rank_at - callback.opened_at
