"""One standard for all: which channels, teams or countries do worse or better than the rest, and not by chance."""

from __future__ import annotations

from collections.abc import Mapping

from msgspec import Struct

from alerts.insights.difference import Difference, difference
from alerts.insights.draw import same_share
from alerts.insights.holm import adjusted
from alerts.insights.share import Count, Share, share_of, total

ERROR_RATE = 0.05
"""If nothing differed, one page in twenty would show anything as differing."""


NONE = Count(0, 0)


class Segment(Struct, frozen=True):
    """`difference` is this value minus the rest; `p_value` is corrected for the number of values on the page."""

    value: str
    share: Share
    rest: Share
    difference: Difference
    p_value: float
    differs: bool


def against_the_rest(counts: Mapping[str, Count], *, unseen: Count = NONE) -> tuple[Segment, ...]:
    """Each value with answers beside all the others, in the order given. Fisher's exact test, Holm's correction.

    `unseen`: answers of values that are not on the page, but are part of the rest.
    """
    shown = {value: count for value, count in counts.items() if count.of}
    all_ = total([*shown.values(), unseen])
    rests = {value: Count(all_.count - own.count, all_.of - own.of) for value, own in shown.items()}
    p_values = adjusted([same_share(own, rests[value]) for value, own in shown.items()])
    return tuple(
        Segment(
            value=value,
            share=share_of(own.count, own.of),
            rest=share_of(rests[value].count, rests[value].of),
            difference=difference(own, rests[value]),
            p_value=p_value,
            differs=p_value <= ERROR_RATE,
        )
        for (value, own), p_value in zip(shown.items(), p_values, strict=True)
    )
