"""An answer that needs a call: how pressing it is, where it goes, and on which callback it lies."""

from __future__ import annotations

from datetime import datetime

from msgspec import Struct

from alerts.arrival import Answer
from alerts.scoring import Verdict
from alerts.survey import SurveyResponse


class Alert(Struct, frozen=True, kw_only=True, gc=False):
    """`queue` and `priority` (1 highest to 5) are the route's: a callback that it joins stays in its own queue."""

    answer: Answer
    verdict: Verdict
    queue: str
    priority: int
    callback_id: str
    raised_at: datetime  # on the ledger's clock
    problem_id: str | None = None  # the known problem that it is about
    asked_not_to_be_called: bool = False  # the customer wrote so (docs/policy.md)

    @property
    def response(self) -> SurveyResponse:
        return self.answer.response
