"""The weekly page in sentences, the same for HTML and for plain text; each with what it was counted from."""

from __future__ import annotations

from collections.abc import Iterator

from msgspec import Struct

from alerts.insights.effect import ActionEffect, EffectVerdict
from alerts.insights.share import Share
from alerts.learning.plan import ActionPlan
from alerts.learning.signal import RaisedSignal
from alerts.learning.watching import SignalKind
from alerts.learning.week import WeekFigures

VERDICTS = {
    EffectVerdict.BETTER: "better",
    EffectVerdict.WORSE: "worse",
    EffectVerdict.NO_CHANGE_SHOWN: "no change shown",
    EffectVerdict.TOO_EARLY: "too early to say",
}


class Chapter(Struct, frozen=True):
    """`chart`: which one stands below the sentences, where there is one."""

    title: str
    sentences: list[str]
    chart: str | None = None


def chapters(figures: WeekFigures) -> list[Chapter]:
    learned = [*_causes(figures), *map(_signal, figures.signals)]
    doing = [*(f"Known problem: {each.title} ({each.state})" for each in figures.problems), *_plans(figures)]
    helped = [_helped(plan, effect) for plan, effect in figures.effects]
    return [
        Chapter("What happened", list(_happened(figures)), "days"),
        Chapter(
            "What we learned", learned or ["No callback was given a cause, and nothing was out of the usual."], "causes"
        ),
        Chapter("What we do", doing or ["Nothing is under way."]),
        Chapter("Did it help?", helped or ["Nothing took effect in the last eight weeks."]),
    ]


def _happened(figures: WeekFigures) -> Iterator[str]:
    change, ended = figures.change, figures.ended
    yield f"Bottom box: {_share(change.after)}. The four weeks before: {_share(change.before)}. {_change(change)}"
    yield f"Callbacks: {ended.opened} opened, {ended.resolved} resolved, {ended.closed} closed without a conversation."
    yield f"Recovered: {_share(figures.recovered)} of the resolved."


def _share(share: Share) -> str:
    if share.share is None or share.low is None or share.high is None:
        return "nothing was counted"
    return f"{share.share:.1%} ({share.count} of {share.of}; {share.low:.1%} to {share.high:.1%})"


def _change(change: ActionEffect) -> str:
    """With the range that days of unlike mood ask for (docs/insights.md)."""
    found = change.allowed_for
    if found.value is None or found.low is None or found.high is None:
        return "There is nothing to compare."
    points = f"{100 * found.value:+.1f} points ({100 * found.low:+.1f} to {100 * found.high:+.1f})"
    return f"That is {points}: {VERDICTS[change.verdict]}."


def _causes(figures: WeekFigures) -> Iterator[str]:
    if figures.causes:
        first = figures.causes[0]
        most = f"{first.name[1]} ({first.name[0]})"
        yield f"The most frequent cause is {most}: {_share(first.share)} of the callbacks with a cause."


def _signal(signal: RaisedSignal) -> str:
    where, when = f"{signal.scope_by} {signal.scope_value}", f"{signal.since:%A %H:%M} UTC"
    if signal.kind is SignalKind.SILENCE:
        return f"Silence of {where} from {when}, where {signal.expected:.0f} answers are usual ({signal.state})."
    seen = f"{signal.bottom} of {signal.of} were bad, {signal.expected:.1f} are usual"
    return f"Spike in {where} at {when}: {seen} ({signal.state})."


def _plans(figures: WeekFigures) -> Iterator[str]:
    for plan in figures.plans:
        late = ", overdue" if plan.is_overdue(figures.week.until) else ""
        yield f"{plan.title}: {plan.owner}, due {plan.due_on}, {plan.state.replace('_', ' ')}, {plan.percent} %{late}"


def _helped(plan: ActionPlan, effect: ActionEffect) -> str:
    before, after = _share(effect.before), _share(effect.after)
    return f"{plan.title} (since {plan.effective_on}): {VERDICTS[effect.verdict]}. Before {before}, after {after}."
