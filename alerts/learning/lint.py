"""Which rules of a policy do nothing: they matched nothing, match everything, or stand behind one that takes all of it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from msgspec import Struct

from alerts.arrival import RecordOutcome
from alerts.case import answer_identity
from alerts.conditions import When, is_narrower
from alerts.learning.simulation import Simulation, StoredAnswer
from alerts.policy import Policy
from alerts.scale import Box
from alerts.survey import SurveyResponse

LEAST = 20
"""Of fewer bad answers nothing is said that rests on them."""


class IdleRule(Struct, frozen=True, kw_only=True):
    """A rule, by its place in the policy file, what is the matter with it, and what to do."""

    path: str
    problem: str
    remedy: str
    matched: int
    of: int


class _Use:
    """How often a rule fitted a bad answer, and how often it decided."""

    def __init__(self, path: str, when: When) -> None:
        self.path, self.when = path, when
        self.matched = self.decided = 0


class Linter:
    """Hears of every answer, in the order in which they came; then says which rules are idle. `answers`: the bad ones."""

    def __init__(self, policy: Policy) -> None:
        self.answers = 0
        self._simulation = Simulation(policy)
        self._rules = [
            _Use(f"scoring.reasons.{number} ({each.name})", each.when)
            for number, each in enumerate(policy.scoring.reasons)
        ]
        self._routes = [
            _Use(f"routing.routes.{number} ({each.queue})", each.when)
            for number, each in enumerate(policy.routing.routes)
        ]

    def take(self, stored: StoredAnswer) -> None:
        decision, response = self._simulation.take(stored), stored.answer.response
        if decision.verdict.box is Box.BOTTOM and decision.outcome is not RecordOutcome.STALE:
            self._judge(response, decision.case.last_bottom_box_but(answer_identity(response)))

    def _judge(self, response: SurveyResponse, last_bottom_box: datetime | None) -> None:
        self.answers += 1
        for rule in self._rules:
            rule.matched += rule.when.holds(response, last_bottom_box)
        taken = False
        for route in self._routes:
            fits = route.when.holds(response, last_bottom_box)
            route.matched += fits
            route.decided += fits and not taken
            taken = taken or fits

    def idle(self) -> Iterator[IdleRule]:
        """In the order of the file."""
        for rule in self._rules:
            yield from self._told(rule)
        for number, route in enumerate(self._routes):
            before = next((each for each in self._routes[:number] if is_narrower(route.when, each.when)), None)
            if before is not None:
                problem = f"can never be reached: {before.path} takes all that it fits"
                yield self._idle(route, problem, "put it before that one, or take it out")
            elif self.answers >= LEAST and route.matched and not route.decided:
                yield self._idle(
                    route, "was never reached: routes before it took all that it fits", "put it before them"
                )
            else:
                yield from self._told(route)

    def _told(self, rule: _Use) -> Iterator[IdleRule]:
        if self.answers < LEAST:
            return
        if not rule.matched:
            yield self._idle(rule, "matched nothing", "correct its condition, or take it out")
        elif rule.matched == self.answers:
            yield self._idle(
                rule, "matches everything, so it tells nothing apart", "narrow its condition, or take it out"
            )

    def _idle(self, rule: _Use, problem: str, remedy: str) -> IdleRule:
        return IdleRule(path=rule.path, problem=problem, remedy=remedy, matched=rule.matched, of=self.answers)
