"""Everything the front door needs from the house, made in one place and handed in."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy.ext.asyncio import AsyncEngine

from alerts.callback import Transition
from alerts.ledger.reading.dead_letters import DeadLetter
from alerts.policy import Policy
from app.metrics.webhooks import WebhookResult
from consumers.intake.rehearsal import Rehearsal
from consumers.kafka.producer import OutRecord
from consumers.sources.catalogue import Catalogue
from consumers.sources.doors import Door

__all__ = ["ApiDependencies", "OutRecord"]


@dataclass(frozen=True, kw_only=True)
class ApiDependencies:
    """`announce` hears what moved, after it was committed. `send` returns once Kafka has acknowledged, else raises
    Unavailable. `redrive` takes dead letters and who asks, and says how many were sent again; `rehearse` sends none
    and says what would become of them.
    `doors` are open to platforms; `observe_webhook` hears what came of each that knocked there.
    `observe_http` hears route template, status and seconds. `metrics_page` makes of an Accept header a body and its
    content type, and may block. `not_ready` names what is missing; nothing means ready.
    """

    engine: AsyncEngine
    policy: Policy
    catalogue: Catalogue
    announce: Callable[[Sequence[Transition]], None]
    survey_topic: str  # takes what comes in over HTTP
    send: Callable[[Sequence[OutRecord]], Awaitable[None]]
    redrive: Callable[[Sequence[DeadLetter], str], Awaitable[int]]
    rehearse: Callable[[Sequence[DeadLetter]], Awaitable[Rehearsal]]
    doors: Mapping[str, Door]  # by the name of their source
    observe_webhook: Callable[[str, WebhookResult], None]
    observe_http: Callable[[str, int, float], None]
    metrics_page: Callable[[str | None], tuple[bytes, str]]
    not_ready: Callable[[], Awaitable[list[str]]]
    stopping: asyncio.Event  # set: whoever waits for a callback is answered at once
    secret_key: bytes
    rate_limit: int  # requests a second per principal; 0 = none
    metrics_protected: bool
    public_url: str | None
    version: str
