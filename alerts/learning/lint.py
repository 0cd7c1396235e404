"""Which rules of a policy do nothing: they matched nothing, match everything, or stand behind one that takes all of it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from msgspec import Struct

from alerts.arrival import RecordOutcome
from alerts.case import Decision, answer_identity
from alerts.conditions import is_narrower
from alerts.document import DocumentPath
from alerts.learning.simulation import Simulation, StoredAnswer
from alerts.policy import Policy, TargetOverride
from alerts.routing import route
from alerts.scale import Box
from alerts.survey import SurveyResponse

LEAST = 20
"""Of fewer bad answers nothing is said that rests on them."""


class IdleRule(Struct, frozen=True, kw_only=True):
    """A rule, by its place in the policy file, what is the matter with it, and what to do.

    `matched` of the bad answers, `of` which there were so many; of a survey's own border, of all answers.
    """

    path: str
    place: DocumentPath
    problem: str
    remedy: str
    matched: int
    of: int


class _Use:
    """How often a rule was asked and fitted, and how often it decided. `name`: what people call it."""

    def __init__(self, place: DocumentPath, name: str | None = None) -> None:
        self.place = place
        self.path = ".".join(map(str, place)) + ("" if name is None else f" ({name})")
        self.asked = self.matched = self.decided = 0

    def ask(self, fits: bool) -> bool:
        self.asked += 1
        self.matched += fits
        return fits


class Linter:
    """Hears of every answer, in the order in which they came; then says which rules are idle. `answers`: the bad ones."""

    def __init__(self, policy: Policy) -> None:
        self.answers = 0
        self._policy = policy
        self._simulation = Simulation(policy)
        self._rules = [
            (_Use(("scoring", "reasons", number), each.name), each.when)
            for number, each in enumerate(policy.scoring.reasons)
        ]
        self._routes = [
            (_Use(("routing", "routes", number), each.queue), each.when)
            for number, each in enumerate(policy.routing.routes)
        ]
        self._surveys = {
            each.survey: _Use(("surveys", number), each.survey) for number, each in enumerate(policy.surveys)
        }
        self._lifts = {name: _Use(("order", "lift_minutes", name)) for name in policy.order.lift_minutes}
        self._countries = {name: _Use(("calling", "countries", name)) for name in policy.calling.countries}
        self._overrides = [
            (_Use(("targets", "overrides", number), _named(each)), each)
            for number, each in enumerate(policy.targets.overrides)
        ]
        self._oldest = _Use(("oldest_answer_hours",))

    def take(self, stored: StoredAnswer) -> None:
        decision, response = self._simulation.take(stored), stored.answer.response
        if decision.outcome is RecordOutcome.STALE:
            return
        for survey, use in self._surveys.items():
            use.ask(response.survey_id == survey)
        if decision.verdict.box is Box.BOTTOM:
            self._judge(decision, response, decision.case.last_bottom_box_but(answer_identity(response)))

    def _judge(self, decision: Decision, response: SurveyResponse, last_bottom_box: datetime | None) -> None:
        self.answers += 1
        for use, when in self._rules:
            use.ask(when.holds(response, last_bottom_box))
        taken = False
        for use, when in self._routes:
            fits = use.ask(when.holds(response, last_bottom_box))
            use.decided += fits and not taken
            taken = taken or fits
        for reason, use in self._lifts.items():
            use.ask(reason in decision.verdict.reasons)
        for country, use in self._countries.items():
            use.ask(country == (decision.case.customer.country or response.customer.country))
        queue, priority = route(response, decision.verdict, self._policy, last_bottom_box)
        for use, own in self._overrides:
            use.ask(own.queue in (None, queue) and own.priority in (None, priority))
        self._oldest.ask(decision.suppressed == "too_old")

    def idle(self) -> Iterator[IdleRule]:
        """Those of one part of the file beside each other, in its order."""
        for use in self._surveys.values():
            yield from self._told(use)
        if self._oldest.asked >= LEAST and self._oldest.matched == self._oldest.asked:
            yield _idle(self._oldest, "keeps everybody from being called", "raise it, or take it out")
        for use, _ in self._rules:
            yield from self._told(use)
        yield from self._idle_routes()
        for use in (*self._lifts.values(), *self._countries.values()):
            yield from self._told(use)
        yield from self._idle_overrides()

    def _idle_routes(self) -> Iterator[IdleRule]:
        for number, (use, when) in enumerate(self._routes):
            before = next((other for other, wide in self._routes[:number] if is_narrower(when, wide)), None)
            if before is not None:
                problem = f"can never be reached: {before.path} takes all that it fits"
                yield _idle(use, problem, "put it before that one, or take it out")
            elif use.asked >= LEAST and use.matched and not use.decided:
                yield _idle(use, "was never reached: routes before it took all that it fits", "put it before them")
            else:
                yield from self._told(use)

    def _idle_overrides(self) -> Iterator[IdleRule]:
        for number, (use, own) in enumerate(self._overrides):
            before = next((other for other, wide in self._overrides[:number] if _is_overtaken(own, wide)), None)
            if before is not None:
                problem = f"can never be reached: {before.path} decides all that it names"
                yield _idle(use, problem, "put it before that one, or take it out")
            else:
                yield from self._told(use)

    def _told(self, use: _Use) -> Iterator[IdleRule]:
        if use.asked < LEAST:
            return
        if not use.matched:
            yield _idle(use, "matched nothing", "correct its condition, or take it out")
        elif use.matched == use.asked and not _may_fit_all(use.place):
            yield _idle(use, "matches everything, so it tells nothing apart", "narrow its condition, or take it out")


def _may_fit_all(place: DocumentPath) -> bool:
    """What holds for one country or one survey may hold for all there are; a reason or route that does tells nothing."""
    return place[0] in {"surveys", "calling"}


def _is_overtaken(own: TargetOverride, before: TargetOverride) -> bool:
    """Whether all that `own` fits, and every time that it names, is decided by the one before."""
    times = ("first_attempt_minutes", "contact_hours", "resolution_hours")
    named = [name for name in times if getattr(own, name) is not None]
    fits = before.queue in (None, own.queue) and before.priority in (None, own.priority)
    return fits and all(getattr(before, name) is not None for name in named)


def _named(own: TargetOverride) -> str:
    return " ".join(str(each) for each in (own.queue, own.priority) if each is not None) or "all"


def _idle(use: _Use, problem: str, remedy: str) -> IdleRule:
    return IdleRule(path=use.path, place=use.place, problem=problem, remedy=remedy, matched=use.matched, of=use.asked)
