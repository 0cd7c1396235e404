"""Runs what a process is there for, one role or several, and lets it end in order."""

from __future__ import annotations

import asyncio
import gc
import logging
import socket
import sys
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum

from sqlalchemy.pool import QueuePool

from alerts.errors import Unavailable
from alerts.ledger.callbacks.queues import ensure_queues
from alerts.ledger.database import transaction
from alerts.preparation import prepare
from app import __version__
from app.api.app import create_app, create_monitoring
from app.api.dependencies import ApiDependencies
from app.serving import address_of, bind, serve
from app.settings import Settings
from app.vital_signs import look_at
from app.wiring import Components, build, make_api_dependencies, make_canary, make_consumer, make_fetchers
from consumers.duties import Duty, holidays_duty, keep, worker_duties
from consumers.intake.lanes import LANES
from consumers.intake.surveys import SurveyConsumer
from consumers.learning import learning_duties
from consumers.loop import wait_or_stop

logger = logging.getLogger(__name__)


class Role(StrEnum):
    API = "api"  # REST
    CONSUME = "consume"  # Kafka intake
    WORK = "work"  # timers


@dataclass(frozen=True)
class Addresses:
    """Where a process listens. `http` is None when it has no API."""

    http: str | None
    metrics: str


async def run(
    settings: Settings, roles: frozenset[Role], stop: asyncio.Event, listening: Callable[[Addresses], None]
) -> None:
    """Runs the roles until `stop` is set; `listening` hears the addresses once the ports are bound.

    The end: `/readyz` says stopping; the batch in hand is finished and its offsets committed, timers end, requests are
    answered for as long as some may still come; then the monitoring port closes, and at last the connections.
    """
    pool_size = 3 + LANES * (Role.CONSUME in roles) + 6 * (Role.API in roles)
    async with build(settings, stop, pool_size=pool_size) as components:
        monitoring = bind(settings.http_host, settings.metrics_port)
        front = bind(settings.http_host, settings.http_port) if Role.API in roles else None
        consumer = make_consumer(components) if Role.CONSUME in roles else None
        dependencies = make_api_dependencies(components, lambda: _not_ready(components, consumer))
        _tune_gc()
        if Role.API in roles:
            _tune_threads()
        ended = asyncio.Event()
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(serve(create_monitoring(dependencies), monitoring, ended, proxies=settings.proxies))
            tasks.create_task(_run_roles(components, dependencies, front, consumer, roles, ended))
            http = None if front is None else address_of(front)
            listening(Addresses(http, address_of(monitoring)))
            logger.info("%s began, version %s", ", ".join(sorted(roles)), __version__)
            await stop.wait()
            logger.info("stopping")
    logger.info("ended, with nothing left to do")


async def _run_roles(
    components: Components,
    dependencies: ApiDependencies,
    front: socket.socket | None,
    consumer: SurveyConsumer | None,
    roles: frozenset[Role],
    ended: asyncio.Event,
) -> None:
    """Ends when all roles have; until then the monitoring port says that the process is stopping."""
    stop = components.stop
    try:
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(_prepare(components))
            tasks.create_task(keep([_vital_signs(components), *holidays_duty(components.policy)], stop))
            if front is not None:
                tasks.create_task(_serve_front(components, dependencies, front))
            if consumer is not None:
                tasks.create_task(_when_current(components, consumer.run))
            if Role.WORK in roles:
                duties = _worker_duties(components)
                tasks.create_task(_when_current(components, lambda until: keep(duties, until)))
    finally:
        ended.set()


async def _serve_front(components: Components, dependencies: ApiDependencies, front: socket.socket) -> None:
    """Answers for a while after `/readyz` has said `stopping`, until whoever sends requests here has seen it."""
    settings, drained = components.settings, asyncio.Event()
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(serve(create_app(dependencies), front, drained, proxies=settings.proxies))
        await components.stop.wait()
        await asyncio.sleep(settings.drain_seconds)
        drained.set()


def _worker_duties(components: Components) -> list[Duty]:
    metrics = components.metrics
    working = worker_duties(
        components.engine,
        components.policy,
        fetchers=make_fetchers(components),
        canary=make_canary(components),
        announce=metrics.callbacks.announce,
        show_queues=metrics.callbacks.queues,
        show_audit=metrics.audit.show,
        show_objectives=metrics.objectives.show,
    )
    learning = learning_duties(
        components.engine,
        components.policy,
        announce=metrics.callbacks.announce,
        announce_signals=metrics.learning.raised,
        show_plans=metrics.learning.plans,
        show_problems=metrics.learning.known,
    )
    return [*working, *learning]


async def _prepare(components: Components) -> None:
    now = datetime.now(UTC).year
    await asyncio.to_thread(prepare, components.policy, (now, now + 1))
    components.prepared.set()


def _tune_gc() -> None:
    """Batches make many short-lived objects; what lives for good need not be looked at again."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(100_000, 20, 100)


def _tune_threads() -> None:
    """What is reckoned in a thread gives way ten times as often as by default, so that a claim need not wait for it.

    Only where there are claims: it cost a consumer alone a seventh of its rate.
    """
    sys.setswitchinterval(0.0005)


async def _not_ready(components: Components, consumer: SurveyConsumer | None) -> list[str]:
    """Why this process should get no work now, in words; an empty list when it should."""
    if components.stop.is_set():
        return ["stopping"]
    if not components.prepared.is_set():
        return ["calendars and numbering plans are being loaded"]
    seen = await look_at(components.engine)
    if seen.reason is not None:
        return [seen.reason]
    if consumer is not None and not consumer.has_joined:
        return ["the consumer group has not taken this process in yet"]
    return []


async def _when_current(components: Components, work: Callable[[asyncio.Event], Awaitable[None]]) -> None:
    """Waits for what is being loaded, and for a database with the right schema, then works."""
    await components.prepared.wait()
    while not (components.stop.is_set() or await _has_queues(components)):
        await wait_or_stop(components.stop, 1.0)
    if not components.stop.is_set():
        await work(components.stop)


async def _has_queues(components: Components) -> bool:
    """Whether the database is ready for this program; the queues of the policy are made when it is."""
    seen = await look_at(components.engine)
    components.news.tell(seen.reason)
    if seen.reason is not None:
        return False
    try:
        async with transaction(components.engine) as connection:
            await ensure_queues(connection, components.policy.queue_names)
    except Unavailable as error:
        components.news.tell(str(error))
        return False
    return True


def _vital_signs(components: Components) -> Duty:
    """The event loop's lag, and whether the database answers; in every process."""
    loop, metrics, pool = asyncio.get_running_loop(), components.metrics.process, components.engine.pool
    assert isinstance(pool, QueuePool)

    async def look() -> bool:
        expected = loop.time() + 0.1
        await asyncio.sleep(0.1)
        metrics.loop_lag.set(max(0.0, loop.time() - expected))
        seen = await look_at(components.engine)
        components.news.tell(seen.reason)
        metrics.database(is_up=seen.is_up, in_use=pool.checkedout(), idle=pool.checkedin())
        return False

    return Duty("the vital signs", 5.0, look)
