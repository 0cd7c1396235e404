"""Action plans, as they are written and shown."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Any

from pydantic import BeforeValidator, Field, model_validator

from alerts.conditions import When
from alerts.insights.effect import EffectVerdict
from alerts.learning.match import read_match
from alerts.learning.plan import PlanState
from app.api.schemas.base import AdvisorName, CalendarDay, Note, RequestModel, ResponseModel
from app.api.schemas.callback import CauseRequest, CauseResource
from app.api.schemas.insight import DifferenceResource, ShareResource
from app.api.schemas.paging import ListResource, PageQuery, example

Title = Annotated[str, Field(min_length=1, max_length=200, pattern=r"\S")]
Match = Annotated[
    When,
    BeforeValidator(read_match),
    Field(description="a condition as in docs/policy.md, without `bottom_box_within_days`"),
]
PlanStateWord = Annotated[PlanState, Field(strict=False)]  # JSON has no enums: the word itself is meant
Percent = Annotated[int, Field(ge=0, le=100)]
Evidence = Annotated[
    list[Annotated[str, Field(max_length=100)]],
    Field(max_length=200, description="ids of callbacks that show why; at most 200"),
]


EMPTIED = {"cause", "match", "effective_on", "note"}


class ActionQuery(PageQuery):
    state: list[PlanState] | None = None
    owner: AdvisorName | None = None
    overdue: bool | None = Field(None, description="whether its due day has passed while it is open")


class ActionRequest(RequestModel):
    model_config = example(
        {
            "title": "Say on the invoice what changed",
            "cause": {"kind": "operations", "driver": "billing"},
            "match": {"contact_reasons": ["invoice"]},
            "owner": "lea",
            "due_on": "2026-12-18",
            "effective_on": "2027-01-04",
            "callbacks": [],
        }
    )

    title: Title
    cause: CauseRequest | None = None
    match: Match | None = None
    owner: AdvisorName
    due_on: CalendarDay
    state: PlanStateWord = PlanState.PLANNED
    percent: Percent | None = Field(None, description="done so far; 0 unless it is complete")
    effective_on: CalendarDay | None = Field(None, description="the first day on which customers may feel it")
    note: Note | None = None
    callbacks: Evidence = []


class ActionPatch(RequestModel):
    """What is given is set; null empties cause, match, effective_on and note; what is left out stays."""

    model_config = example({"state": "in_progress", "percent": 40})

    title: Title | None = None
    cause: CauseRequest | None = None
    match: Match | None = None
    owner: AdvisorName | None = None
    due_on: CalendarDay | None = None
    state: PlanStateWord | None = None
    percent: Percent | None = None
    effective_on: CalendarDay | None = None
    note: Note | None = None
    callbacks: Evidence | None = None

    @model_validator(mode="after")
    def _says_something(self) -> ActionPatch:
        if not self.model_fields_set:
            raise ValueError("give at least one member that is to change")
        if any(getattr(self, name) is None for name in self.model_fields_set - EMPTIED):
            raise ValueError("only cause, match, effective_on and note can be emptied by null")
        return self


class ActionResource(ResponseModel):
    """`overdue`: it is open, and its due day (in UTC) has passed. `version` is what If-Match expects, in quotes."""

    id: str
    title: str
    cause: CauseResource | None
    match: dict[str, Any] | None
    owner: str
    due_on: date
    state: PlanState
    percent: int
    overdue: bool
    effective_on: date | None
    note: str | None
    callbacks: list[str]
    created_at: datetime
    created_by: str
    changed_at: datetime
    ended_at: datetime | None
    version: int


class EffectResource(ResponseModel):
    """The bottom box of the four weeks before `effective_on` beside that of up to four weeks after it.

    `difference` is after minus before: below zero is better. `allowed_for` is the same, with the wider range that days
    of unlike mood ask for; it decides the verdict."""

    before: ShareResource
    after: ShareResource
    days_before: int
    days_after: int
    difference: DifferenceResource
    sigma_z: float
    allowed_for: DifferenceResource
    verdict: EffectVerdict


class ActionDetail(ActionResource):
    effect: EffectResource | None = Field(description="null while `effective_on` is")


class ActionList(ListResource):
    items: list[ActionResource]
