"""Why customers were unhappy: the few causes that make most of the callbacks, and how those ended."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from msgspec import Struct

from alerts.insights.pareto import pareto
from alerts.insights.share import Share, share_of
from alerts.resolution import CauseKind

OTHER = "other"


class Cluster(Struct, frozen=True, kw_only=True):
    """The resolved callbacks of one cause (kind and driver), or of one reason of contact (one name, empty for none).

    `ids`: the latest of them. `median_seconds`: half were settled as soon, by the wall clock.
    """

    name: tuple[str, ...]
    callbacks: int
    recovered: int
    median_seconds: float | None
    ids: Sequence[str] = ()


class CauseBar(Struct, frozen=True, kw_only=True):
    cluster: Cluster
    share: Share
    cumulative: float
    recovered: Share


class CauseReport(Struct, frozen=True, kw_only=True):
    """`uncoded`: callbacks that were closed without a conversation, and so without a cause."""

    bars: tuple[CauseBar, ...]
    kinds: Mapping[CauseKind, Share]
    uncoded: int
    other: Share


def causes(clusters: Sequence[Cluster], kinds: Mapping[str, int], uncoded: int, other: int) -> CauseReport:
    """`kinds` and `other` of the same callbacks, whatever the clusters tell apart."""
    by_name = {each.name: each for each in clusters}
    coded = sum(each.callbacks for each in clusters)
    return CauseReport(
        bars=tuple(
            CauseBar(
                cluster=by_name[bar.name],
                share=bar.share,
                cumulative=bar.cumulative,
                recovered=share_of(by_name[bar.name].recovered, by_name[bar.name].callbacks),
            )
            for bar in pareto({each.name: each.callbacks for each in clusters})
        ),
        kinds={kind: share_of(kinds.get(kind, 0), coded) for kind in CauseKind},
        uncoded=uncoded,
        other=share_of(other, coded),
    )
