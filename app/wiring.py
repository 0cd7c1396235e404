"""The one place where things are made and put together. Everything else takes what it needs as an argument."""

from __future__ import annotations

import asyncio
import gc
import logging
import secrets
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from msgspec.structs import replace
from sqlalchemy.ext.asyncio import AsyncEngine
from sqlalchemy.pool import QueuePool

from alerts.errors import Misconfigured, Unavailable
from alerts.ledger.access.idempotency import forget_old
from alerts.ledger.callbacks.queues import ensure_queues
from alerts.ledger.database import COMMAND_SECONDS, open_engine, transaction
from alerts.ledger.reading.dead_letters import find_dead_letters
from alerts.ledger.reading.queues import count_queues
from alerts.policy import Policy, read_policy, shipped_policy
from app import __version__
from app.api.app import create_app, create_monitoring
from app.api.dependencies import FIRST_SURVEY_TOPIC, ApiDependencies
from app.metrics import Metrics
from app.serving import address_of, bind, serve
from app.settings import Settings
from app.vital_signs import News, look_at
from consumers.intake.dead_letters import LARGEST, DeadLetters
from consumers.intake.record import CLOUDEVENTS
from consumers.intake.redrive import redrive
from consumers.intake.surveys import SurveyConsumer
from consumers.kafka.producer import OutRecord, Producer, RecordRefused
from consumers.kafka.topics import TopicPlan, plan_topics
from consumers.loop import run_periodically, wait_or_stop
from consumers.sources.catalogue import Catalogue, load_catalogue
from consumers.timers import Timers

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


@dataclass(frozen=True)
class Components:
    """What every role shares."""

    settings: Settings
    policy: Policy
    catalogue: Catalogue
    engine: AsyncEngine
    producer: Producer
    metrics: Metrics
    secret_key: bytes
    stop: asyncio.Event
    news: News


def load_policy(path: Path | None) -> Policy:
    """The policy file, or the shipped one. Raises BadDocument, Misconfigured."""
    if path is None:
        return shipped_policy()
    try:
        return read_policy(path.read_text(encoding="utf-8"), file=path.name)
    except (OSError, UnicodeDecodeError):
        raise Misconfigured("BOTTOMBOX_POLICY_FILE cannot be read; name a file that is there") from None


def topic_plans(settings: Settings, catalogue: Catalogue) -> list[TopicPlan]:
    return plan_topics(
        surveys=survey_topics(settings, catalogue),
        dead_letters=settings.dead_letter_topic,
        events=settings.events_topic,
        partitions=settings.topic_partitions,
        replication=settings.topic_replication,
    )


def survey_topics(settings: Settings, catalogue: Catalogue) -> list[str]:
    """What is consumed: the topics of the settings, and those that source files name."""
    return list(dict.fromkeys([*settings.topics, *sorted(catalogue.topics)]))


@asynccontextmanager
async def open_database(
    settings: Settings,
    application: str = "bottombox",
    *,
    pool_size: int = 4,
    command_seconds: float | None = COMMAND_SECONDS,
) -> AsyncIterator[AsyncEngine]:
    """Raises Misconfigured when the address cannot be used; opens nothing yet."""
    url = settings.database_url_now
    try:
        engine = open_engine(url, application=application, pool_size=pool_size, command_seconds=command_seconds)
    except Misconfigured as error:
        raise Misconfigured(f"BOTTOMBOX_DATABASE_URL: {error}") from None
    try:
        yield engine
    finally:
        await engine.dispose()


@asynccontextmanager
async def open_producer(settings: Settings, *, largest: int = 1_048_576) -> AsyncIterator[Producer]:
    producer = Producer(settings.kafka, largest=largest)
    try:
        yield producer
    finally:
        await producer.close()


@asynccontextmanager
async def build(settings: Settings, roles: frozenset[Role], stop: asyncio.Event) -> AsyncIterator[Components]:
    """Makes the house; closing goes the other way round, so that nothing is closed before those who use it."""
    policy, catalogue = load_policy(settings.policy_file), load_catalogue(settings.sources_dir)
    metrics = Metrics()
    metrics.prepare(policy, survey_topics(settings, catalogue), [CLOUDEVENTS, *(source.name for source in catalogue)])
    async with AsyncExitStack() as stack:
        pool_size = 4 + 6 * (Role.API in roles)
        engine = await stack.enter_async_context(open_database(settings, pool_size=pool_size))
        producer = await stack.enter_async_context(open_producer(settings, largest=LARGEST))
        yield Components(settings, policy, catalogue, engine, producer, metrics, _secret_key(settings), stop, News())


def _secret_key(settings: Settings) -> bytes:
    if settings.secret_key is not None:
        return settings.secret_key.get_secret_value().encode()
    logger.warning("BOTTOMBOX_SECRET_KEY is not set: a random one is used, and cursors end with this process")
    return secrets.token_bytes(32)


async def run(
    settings: Settings, roles: frozenset[Role], stop: asyncio.Event, listening: Callable[[Addresses], None]
) -> None:
    """Runs the roles until `stop` is set; `listening` hears the addresses once the ports are bound.

    The end: `/readyz` says stopping; the batch in hand is finished and its offsets committed, timers end, requests in
    flight are answered; then the monitoring port closes, and at last the connections.
    """
    async with build(settings, roles, stop) as components:
        monitoring = bind(settings.http_host, settings.metrics_port)
        front = bind(settings.http_host, settings.http_port) if Role.API in roles else None
        consumer = _consumer(components) if Role.CONSUME in roles else None
        dependencies = _dependencies(components, consumer)
        _tune_gc()
        ended = asyncio.Event()
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(
                serve(create_monitoring(dependencies), monitoring, ended, proxies=components.settings.proxies)
            )
            tasks.create_task(_run_roles(components, dependencies, front, consumer, roles, ended))
            http = None if front is None else address_of(front)
            listening(Addresses(http, address_of(monitoring)))


async def _run_roles(
    components: Components,
    dependencies: ApiDependencies,
    front: socket.socket | None,
    consumer: SurveyConsumer | None,
    roles: frozenset[Role],
    ended: asyncio.Event,
) -> None:
    """Ends when all roles have; until then the monitoring port says that the process is stopping."""
    try:
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(_watch_vital_signs(components))
            if front is not None:
                tasks.create_task(
                    serve(create_app(dependencies), front, components.stop, proxies=components.settings.proxies)
                )
            if consumer is not None:
                tasks.create_task(_when_current(components, consumer.run))
            if Role.WORK in roles:
                tasks.create_task(_when_current(components, lambda stop: _work(components)))
    finally:
        ended.set()


def _tune_gc() -> None:
    """Batches make many short-lived objects; what lives for good need not be looked at again."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(100_000, 20, 100)


def _consumer(components: Components) -> SurveyConsumer:
    settings = components.settings
    return SurveyConsumer(
        access=settings.kafka,
        topics=survey_topics(settings, components.catalogue),
        group=settings.consumer_group,
        engine=components.engine,
        policy=components.policy,
        catalogue=components.catalogue,
        dead_letters=DeadLetters(components.producer, settings.dead_letter_topic),
        observer=components.metrics,
    )


def _dependencies(components: Components, consumer: SurveyConsumer | None) -> ApiDependencies:
    settings = components.settings

    async def send(records: Sequence[OutRecord]) -> None:
        first = settings.topics[0]
        named = [each if each.topic != FIRST_SURVEY_TOPIC else replace(each, topic=first) for each in records]
        try:
            await components.producer.send(named)
        except RecordRefused as error:
            raise Unavailable(str(error)) from error

    async def send_again(ids: Sequence[int], by: str) -> int:
        letters = await find_dead_letters(components.engine, ids=ids, pending=False, limit=len(ids))
        return await redrive(settings.kafka, components.producer, components.engine, letters, by)

    return ApiDependencies(
        engine=components.engine,
        policy=components.policy,
        catalogue=components.catalogue,
        announce=components.metrics.announce,
        send=send,
        redrive=send_again,
        observe_http=components.metrics.observe_http,
        metrics_page=components.metrics.page,
        not_ready=lambda: _not_ready(components, consumer),
        stopping=components.stop,
        secret_key=components.secret_key,
        rate_limit=settings.rate_limit,
        metrics_protected=settings.metrics_protected,
        public_url=settings.public_url,
        version=__version__,
    )


async def _not_ready(components: Components, consumer: SurveyConsumer | None) -> list[str]:
    """Why this process should get no work now, in words; an empty list when it should."""
    if components.stop.is_set():
        return ["stopping"]
    seen = await look_at(components.engine)
    if seen.reason is not None:
        return [seen.reason]
    if consumer is not None and not consumer.has_joined:
        return ["the consumer group has not taken this process in yet"]
    return []


async def _when_current(components: Components, work: Callable[[asyncio.Event], Awaitable[None]]) -> None:
    """Waits for a database with the right schema, then works."""
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


async def _work(components: Components) -> None:
    timers = Timers(components.engine, components.policy, components.metrics.announce)

    async def count() -> bool:
        components.metrics.queues(await count_queues(components.engine))
        return False

    async def forget() -> bool:
        return await forget_old(components.engine) > 0

    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(
            run_periodically(timers.run_once, components.stop, idle=timers.IDLE_SECONDS, name="the timers")
        )
        tasks.create_task(run_periodically(count, components.stop, idle=10.0, name="the queue counts"))
        tasks.create_task(run_periodically(forget, components.stop, idle=600.0, name="forgetting old request keys"))


async def _watch_vital_signs(components: Components) -> None:
    """The event loop's lag, and whether the database answers, every five seconds. Whatever is found, it goes on."""
    loop = asyncio.get_running_loop()

    async def look() -> bool:
        expected = loop.time() + 0.1
        await asyncio.sleep(0.1)
        components.metrics.loop_lag.set(max(0.0, loop.time() - expected))
        seen = await look_at(components.engine)
        components.news.tell(seen.reason)
        components.metrics.database_up.set(1 if seen.is_up else 0)
        pool = components.engine.pool
        assert isinstance(pool, QueuePool)
        components.metrics.database_connections.labels("in_use").set(pool.checkedout())
        components.metrics.database_connections.labels("idle").set(pool.checkedin())
        return False

    await run_periodically(look, components.stop, idle=5.0, name="the vital signs")
