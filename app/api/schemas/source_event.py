"""What became of a platform's webhook."""

from __future__ import annotations

from app.api.schemas.base import ResponseModel


class AcceptedEvents(ResponseModel):
    """How many events were passed on; 0 for a delivery that was taken before."""

    accepted: int
