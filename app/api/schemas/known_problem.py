"""Known problems, as they are written and shown."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

from pydantic import Field, model_validator

from alerts.learning.problem import ProblemState
from app.api.schemas.action import Match, Title
from app.api.schemas.base import Note, RequestModel, ResponseModel
from app.api.schemas.paging import ListResource, PageQuery, example

SignalId = Annotated[str, Field(max_length=100, description="the signal by which it was noticed")]


class KnownProblemQuery(PageQuery):
    state: list[ProblemState] | None = None


class TellQuery(PageQuery):
    told: bool | None = Field(None, description="`false`: who is still to be told, and may be phoned")


class KnownProblemRequest(RequestModel):
    model_config = example(
        {
            "title": "Invoices of November went out twice",
            "match": {"contact_reasons": ["invoice"]},
            "note": "The second one is void; nobody has to pay twice. Say that we call when it is put right.",
        }
    )

    title: Title
    match: Match
    note: Note | None = None
    signal: SignalId | None = None


class KnownProblemPatch(RequestModel):
    """What is given is set; null empties note and signal; what is left out stays."""

    model_config = example({"note": "Put right since noon; no need to pay twice."})

    title: Title | None = None
    match: Match | None = None
    note: Note | None = None
    signal: SignalId | None = None

    @model_validator(mode="after")
    def _says_something(self) -> KnownProblemPatch:
        if not self.model_fields_set:
            raise ValueError("give at least one member that is to change")
        if any(getattr(self, name) is None for name in self.model_fields_set & {"title", "match"}):
            raise ValueError("only note and signal can be emptied by null")
        return self


class SolveRequest(RequestModel):
    model_config = example({"message": "The second invoice was taken back on Tuesday."})

    message: Note


class KnownProblemResource(ResponseModel):
    """`match`: the condition of the answers that it explains. `version` is what If-Match expects, in quotes."""

    id: str
    title: str
    match: dict[str, Any]
    note: str | None
    signal: str | None
    state: ProblemState
    message: str | None
    created_at: datetime
    created_by: str
    changed_at: datetime
    solved_at: datetime | None
    version: int


class KnownProblemList(ListResource):
    items: list[KnownProblemResource]
