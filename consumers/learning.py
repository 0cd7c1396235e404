"""What the worker does about what was learned: it looks for signals, explains callbacks, counts plans and sums answers."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from sqlalchemy.ext.asyncio import AsyncEngine

from alerts.callback import Transition
from alerts.learning.signal import RaisedSignal
from alerts.ledger.database import transaction
from alerts.ledger.insights.sums import AnswerSums
from alerts.ledger.learning.plans import PlanCounts, count_plans
from alerts.ledger.learning.problems import count_problems
from alerts.ledger.learning.signals import look_once
from alerts.ledger.learning.sweeping import sweep_once
from alerts.policy import Policy
from consumers.duties import Duty
from consumers.journal import tell_moved


def learning_duties(
    engine: AsyncEngine,
    policy: Policy,
    *,
    announce: Callable[[Sequence[Transition]], None],
    announce_signals: Callable[[Sequence[RaisedSignal]], None],
    show_plans: Callable[[PlanCounts], None],
    show_problems: Callable[[Mapping[str, int]], None],
) -> list[Duty]:
    """Further ones of the role `work`. The listeners hear what was raised, explained and counted."""

    sums = AnswerSums(engine)

    async def look() -> bool:
        looked = await look_once(engine, policy)
        announce_signals(looked.raised)
        return looked.more

    async def explain() -> bool:
        swept = await sweep_once(engine, policy)
        announce(swept.moved)
        tell_moved(swept.moved)
        return swept.more

    async def count() -> bool:
        async with transaction(engine) as connection:
            plans = await count_plans(connection)
        show_plans(plans)
        show_problems(await count_problems(engine))
        return False

    return [
        Duty("the signals", 60.0, look),
        Duty("the known problems", 2.0, explain),
        Duty("the action plan and problem counts", 60.0, count),
        Duty("the sums of answers", 10.0, sums.add),
    ]
