"""Whether the names in a policy are names of something: each part may be right by itself and still speak of nothing.

A misspelt name would be accepted in silence, and the rule that it stands in would never apply.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

from alerts.document import DocumentPath, Slip

if TYPE_CHECKING:
    from alerts.policy import Policy

CANARY_QUEUE = "canary"
"""What `alerts.canary` sends goes there."""

RATED = ("rated_1", "rated_2")
"""The reasons that every bad answer has one of, whatever the policy says."""


def slips(policy: Policy) -> Iterator[Slip]:
    """Every name that nothing knows, and every name that is given to two."""
    yield from _lifts(policy)
    yield from _overrides(policy)
    yield from _calendars(policy)
    yield from _twice(policy)
    yield from _reserved(policy)


def _lifts(policy: Policy) -> Iterator[Slip]:
    known = [*RATED, *(reason.name for reason in policy.scoring.reasons)]
    for name in policy.order.lift_minutes:
        if name not in known:
            yield _unknown(("order", "lift_minutes", name), "is no reason that scoring gives", name, known)


def _overrides(policy: Policy) -> Iterator[Slip]:
    for number, rules in enumerate(policy.targets.overrides):
        if rules.queue is not None and rules.queue not in policy.queue_names:
            path = ("targets", "overrides", number, "queue")
            yield _unknown(path, "this is no queue of the policy", rules.queue, policy.queue_names)


def _calendars(policy: Policy) -> Iterator[Slip]:
    for number, rules in enumerate(policy.queues):
        if rules.calendar is not None and rules.calendar not in policy.calendars:
            path = ("queues", number, "calendar")
            problem = f"queue {rules.name!r} names a calendar that is not there"
            close = difflib.get_close_matches(rules.calendar, policy.calendars, n=1)
            yield Slip(path, problem, f"did you mean {close[0]!r}?" if close else "add it to calendars")


def _twice(policy: Policy) -> Iterator[Slip]:
    reasons = [reason.name for reason in policy.scoring.reasons]
    yield from _repeated(reasons, ("scoring", "reasons"), "name", taken=RATED)
    yield from _repeated([rules.name for rules in policy.queues], ("queues",), "name")
    yield from _repeated([cut.survey for cut in policy.surveys], ("surveys",), "survey")
    yield from _repeated(policy.checklist, ("checklist",))
    yield from _repeated(policy.causes.skill, ("causes", "skill"))
    yield from _repeated(policy.causes.operations, ("causes", "operations"))
    yield from _repeated(policy.leases.skip_reasons, ("leases", "skip_reasons"))


def _reserved(policy: Policy) -> Iterator[Slip]:
    """The canary's queue is in no ledger for longer than one transaction, and in no list."""
    queues: list[tuple[DocumentPath, str]] = [(("routing", "default"), policy.routing.default)]
    queues += [
        (("routing", "routes", number, "queue"), each.queue) for number, each in enumerate(policy.routing.routes)
    ]
    queues += [(("queues", number, "name"), each.name) for number, each in enumerate(policy.queues)]
    for path, name in queues:
        if name == CANARY_QUEUE:
            yield Slip(path, f"the queue {name!r} is our own", "choose another name")


def _repeated(
    names: Sequence[str], path: DocumentPath, member: str | None = None, taken: Iterable[str] = ()
) -> Iterator[Slip]:
    seen = set(taken)
    for number, name in enumerate(names):
        if name in seen:
            place = (*path, number) if member is None else (*path, number, member)
            yield Slip(place, f"{name!r} is taken already", "keep one of them, or choose another name")
        seen.add(name)


def _unknown(path: DocumentPath, problem: str, name: str, known: Iterable[str]) -> Slip:
    names = list(dict.fromkeys(known))
    close = difflib.get_close_matches(name, names, n=1)
    return Slip(path, problem, f"did you mean {close[0]!r}?" if close else f"there are {', '.join(names)}")
