"""What single advisors did, as leads are shown it."""

from __future__ import annotations

from app.api.schemas.base import ResponseModel
from app.api.schemas.insight import InsightList, ShareResource


class PromisesResource(ResponseModel):
    kept: int
    late: int
    broken: int


class FairResource(ResponseModel):
    """`flagged`: chance does not explain so few hard ones. No proof of anything; nobody is judged below 30."""

    flagged: bool
    why: str


class TeamItem(ResponseModel):
    """`promises` that this advisor made. `hard_share`: hard callbacks among those taken and not skipped."""

    advisor: str
    claimed: int
    skipped: int
    attempts: int
    contacted: int
    resolved: int
    recovered: int
    promises: PromisesResource
    first_attempt_p50_seconds: float | None
    hard_share: ShareResource
    fair: FairResource


class TeamList(InsightList):
    items: list[TeamItem]
