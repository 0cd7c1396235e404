"""What the service is to reach beside the floors and its peers: one row a goal, with what was measured for it."""

from __future__ import annotations

from collections.abc import Mapping

from msgspec import Struct


class Figure(Struct, frozen=True):
    """A ratio as the median of rounds, and of the worst round; both are one where there was but one."""

    median: float
    worst: float


class Goal(Struct, frozen=True):
    """`figure` names what a benchmark found. `is_most`: it may not be more; else it may not be less."""

    figure: str
    what: str
    goal: float
    stretch: float | None = None
    is_most: bool = True

    def is_met(self, found: Figure) -> bool:
        return found.median <= self.goal if self.is_most else found.median >= self.goal

    def is_stretched(self, found: Figure) -> bool:
        if self.stretch is None:
            return False
        return found.median <= self.stretch if self.is_most else found.median >= self.stretch

    def words(self, value: float | None) -> str:
        return "" if value is None else f"{'≤' if self.is_most else '≥'} {value:g}"


def _at_least(figure: str, what: str, goal: float, stretch: float | None = None) -> Goal:
    return Goal(figure, what, goal, stretch, is_most=False)


GOALS = (
    _at_least("intake.intake", "intake, one process / F_db(3)", 0.35, 0.5),
    _at_least("intake.replay", "replay of duplicates / F_db(3)", 0.65, 0.9),
    _at_least("peers.faststream", "intake / FastStream in batches with SQLAlchemy", 3),
    _at_least("peers.tutorial", "intake / a consumer that takes one message at a time, with an ORM", 20),
    _at_least("peers.bytewax", "intake / Bytewax", 1.3),
    Goal("latency.50 p50", "produce to committed alert, p50 at 50/s / the raw floors together", 2.0, 1.5),
    Goal("latency.50 p99", "the same, p99", 3.0),
    Goal("latency.1000 p50", "the same at 1,000/s, p50", 2.0, 1.5),
    Goal("latency.1000 p99", "the same at 1,000/s, p99", 3.0),
    _at_least("rest.cycle", "claim and resolve over REST, 8 clients, one process / pgbench", 0.4, 0.8),
    _at_least("rest.one", "GET one / a constant under the same server", 0.25, 0.35),
    _at_least("rest.list", "list of 50 / a constant under the same server", 0.12, 0.2),
    Goal("claim.depth", "claim, p50: 1,000,000 open / 1,000 open", 1.25),
    Goal("claim.held", "claim, p50: under a held snapshot / without", 1.5),
    Goal("claim.flood", "claim, p50: while 100,000 become ready / afterwards", 1.5),
    Goal("growth.full", "cost of an answer, a ledger of 30,000,000 / an empty one", 1.5, 1.2),
    Goal("growth.cold", "the same for the first 50,000 answers, whose index pages are on the disk alone", 1.5, 1.2),
    Goal("growth.held", "the same under a held snapshot", 1.5, 1.2),
    Goal("growth.removing", "the same while the worker removes what is old", 1.5, 1.2),
    Goal("growth.claim full", "claim, p50: the same two ledgers", 1.25),
    Goal("growth.claim held", "the same under a held snapshot, p50 of a claim", 1.5),
    Goal("growth.claim turning", "the same while 100,000 become ready, p50 of a claim", 1.5),
    Goal("mixed.p99", "API, p99: while intake runs flat out / idle", 3.0, 2.0),
    Goal("memory.peak", "MiB of one consumer at full rate", 170, 120),
    Goal("memory.drift", "MiB of the same: the last tenth of the records / the second", 1.05),
    Goal("audit.look", "one look of the audit: 1,000,000 callbacks / 10,000", 2.0),
    Goal("scrape.counting", "share of the intake's CPU that goes into counting", 0.05),
    Goal("insights.slowest", "ms, p95 of the slowest view of the insights", 300),
    Goal("insights.claim", "claim, p50: beside ten clients that ask for insights / alone", 1.2),
    Goal("insights.live", "ms, p95 of the live hour", 50),
)


def judged(figures: Mapping[str, Figure]) -> dict[str, bool]:
    """Each goal that something was measured for, in words, and whether it was met."""
    return {
        f"{goal.what} {goal.words(goal.goal)}: {found.median:.3g} (worst round {found.worst:.3g})": goal.is_met(found)
        for goal in GOALS
        if (found := figures.get(goal.figure)) is not None
    }
