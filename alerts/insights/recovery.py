"""Whether the calls helped: how they ended, and what the customers answered next, beside those who were never reached."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from msgspec import Struct

from alerts.insights.difference import Difference, difference
from alerts.insights.share import Count, Share, share_of, total

NEXT_WITHIN = timedelta(days=90)
"""So long after the end of a callback the customer's next answer says something of it."""

DELAYS = ((1, "under 1 h"), (4, "1 to 4 h"), (24, "4 to 24 h"), (72, "1 to 3 days"))
"""Hours from the bad answer to the conversation, each up to the first that is larger."""
LONGER = "over 3 days"


class Ended(Struct, frozen=True, kw_only=True):
    """Callbacks of one value that ended, the reached and the unreached ones apart.

    `answered` of them the customer has given another answer within 90 days, `better` of these outside the bottom box.
    """

    value: str | None
    reached: bool
    resolved: int
    recovered: int
    partly: int
    not_recovered: int
    information: int
    answered: int
    better: int


class Recovery(Struct, frozen=True, kw_only=True):
    """`reached` and `unreached`: next answers that were better. The unreached are those of the whole question."""

    value: str | None
    resolved: int
    recovered: Share
    partly: Share
    not_recovered: Share
    information: Share
    reached: Share
    unreached: Share
    difference: Difference


def recovery(ended: Sequence[Ended]) -> list[Recovery]:
    """One for each value of those that were reached, in the order given. Who was never reached is never recovered."""
    never = total(Count(each.better, each.answered) for each in ended if not each.reached)
    return [_recovery(each, never) for each in ended if each.reached]


def _recovery(own: Ended, never: Count) -> Recovery:
    answers = Count(own.better, own.answered)
    return Recovery(
        value=own.value,
        resolved=own.resolved,
        recovered=share_of(own.recovered, own.resolved),
        partly=share_of(own.partly, own.resolved),
        not_recovered=share_of(own.not_recovered, own.resolved),
        information=share_of(own.information, own.resolved),
        reached=share_of(answers.count, answers.of),
        unreached=share_of(never.count, never.of),
        difference=difference(answers, never),
    )
