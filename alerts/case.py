"""What the decision about an answer needs to know, and what it comes to (`alerts.intake`)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime

from msgspec import Struct, field, structs

from alerts.alert import Alert
from alerts.arrival import Answer, RecordOutcome
from alerts.callback import Callback, Transition
from alerts.customer import Customer
from alerts.scoring import Rating, Verdict
from alerts.survey import SurveyResponse

ScopedId = tuple[str, str]
"""(event source, event id) of an event; (event source, response id) of an answer over all its revisions."""


class Fingerprint(Struct, frozen=True, gc=False):
    """SHA-256 of an event's bytes, and of the members of it that we keep."""

    value_hash: bytes
    content_hash: bytes


class Revision(Struct, frozen=True, order=True, gc=False):
    """Where an answer stands among its own revisions; the greatest is in force. Of equal times the later in Kafka."""

    revised_at: datetime
    partition: int
    offset: int
    box: str = ""


class Fresh(Struct, frozen=True, gc=False):
    """An answer that we did not have, and where it falls."""

    answer: Answer
    rating: Rating


class Case(Struct, frozen=True, kw_only=True, gc=False):
    """One customer as a batch finds them, and then as each of its answers leaves them.

    `callback`: the open one. `behind`: the bad answers on it that no better revision has replaced. `resolved`: the last
    one that ended in a conversation within the policy's days. `bottom_boxes`: when the latest bad answers were given,
    of two different answers at least, for one is not its own repeat.
    """

    customer: Customer
    callback: Callback | None = None
    behind: frozenset[ScopedId] = frozenset()
    resolved: Callback | None = None
    bottom_boxes: Mapping[ScopedId, datetime] = field(default_factory=dict)

    def last_bottom_box_but(self, identity: ScopedId) -> datetime | None:
        return max((at for key, at in self.bottom_boxes.items() if key != identity), default=None)

    def evolve(self, **changes: object) -> Case:
        return structs.replace(self, **changes)


class Decision(Struct, frozen=True, kw_only=True, gc=False):
    """What one answer has come to. `suppressed`: the rule that says no call. `moved`: what it did to a callback.

    `revises`: we had a revision of this answer already.
    """

    answer: Answer
    verdict: Verdict
    outcome: RecordOutcome
    case: Case
    suppressed: str | None = None
    revises: bool = False
    alert: Alert | None = None
    moved: Transition | None = None

    @property
    def is_kept(self) -> bool:
        """Whether the answer is stored; of somebody who was erased nothing is."""
        return self.suppressed != "erased"


class Effects(Struct, frozen=True, kw_only=True):
    """What a batch comes to: a decision for each fresh answer, in their order.

    `opened` and `changed`: one entry per callback, however many answers touched it; the first did not exist before.
    """

    decisions: Sequence[Decision] = ()
    opened: Sequence[Transition] = ()
    changed: Sequence[Transition] = ()

    @property
    def alerts(self) -> list[Alert]:
        return [decision.alert for decision in self.decisions if decision.alert is not None]

    def outcomes(self, recognised: Iterable[RecordOutcome | None]) -> Iterator[tuple[RecordOutcome, bool]]:
        """For each answer of the batch its outcome, and whether it wrote something; `recognised` says which were fresh."""
        decisions = iter(self.decisions)
        for known in recognised:
            if known is not None:
                yield known, False
            else:
                decision = next(decisions)
                yield decision.outcome, decision.is_kept


def answer_identity(response: SurveyResponse) -> ScopedId:
    return response.event_source, response.response_id


def event_identity(response: SurveyResponse) -> ScopedId:
    return response.event_source, response.event_id


def revision_of(answer: Answer, box: str = "") -> Revision:
    return Revision(answer.response.revised_at, answer.origin_partition, answer.origin_offset, box)
