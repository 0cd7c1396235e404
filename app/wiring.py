"""The one place where things are made and put together. Everything else takes what it needs as an argument."""

from __future__ import annotations

import asyncio
import logging
import secrets
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

from sqlalchemy.ext.asyncio import AsyncEngine

from alerts.errors import Misconfigured, Unavailable
from alerts.ledger.database import COMMAND_SECONDS, open_engine
from alerts.ledger.reading.dead_letters import DeadLetter
from alerts.policy import Policy, read_policy, shipped_policy
from app import __version__
from app.api.dependencies import ApiDependencies
from app.logs import count_dropped_lines
from app.metrics import Metrics
from app.settings import Settings
from app.vital_signs import News
from consumers.canary import CanarySender
from consumers.fetching.fetcher import Fetcher
from consumers.intake.dead_letters import LARGEST, DeadLetters
from consumers.intake.record import CLOUDEVENTS
from consumers.intake.redrive import redrive
from consumers.intake.rehearsal import Rehearsal, rehearse
from consumers.intake.surveys import SurveyConsumer
from consumers.kafka.producer import OutRecord, Producer, RecordRefused
from consumers.kafka.topics import TopicPlan, plan_topics
from consumers.sources.catalogue import Catalogue, load_catalogue
from consumers.sources.doors import Door, open_doors
from consumers.sources.hydrate import plain_hosts

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Components:
    """What every role of a process shares."""

    settings: Settings
    policy: Policy
    catalogue: Catalogue
    doors: dict[str, Door]
    engine: AsyncEngine
    producer: Producer
    metrics: Metrics
    secret_key: bytes
    stop: asyncio.Event
    news: News
    prepared: asyncio.Event  # what the first answers would have to wait for is loaded


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
async def build(settings: Settings, stop: asyncio.Event, *, pool_size: int) -> AsyncIterator[Components]:
    """Makes them; closing goes the other way round, so that nothing is closed before those who use it."""
    policy, catalogue = load_policy(settings.policy_file), load_catalogue(settings.sources_dir)
    doors = open_doors(catalogue, settings.plain_secrets)
    check_hydrate_hosts(settings, catalogue)
    metrics = Metrics()
    count_dropped_lines(metrics.process.lines_dropped.inc)
    names, pushing = [source.name for source in catalogue], [source.name for source in catalogue if source.webhook]
    metrics.prepare(policy, survey_topics(settings, catalogue), [CLOUDEVENTS, *names], pushing)
    async with AsyncExitStack() as stack:
        engine = await stack.enter_async_context(open_database(settings, pool_size=pool_size))
        producer = await stack.enter_async_context(open_producer(settings, largest=LARGEST))
        yield Components(
            settings,
            policy,
            catalogue,
            doors,
            engine,
            producer,
            metrics,
            _secret_key(settings),
            stop,
            News(),
            asyncio.Event(),
        )


def check_hydrate_hosts(settings: Settings, catalogue: Catalogue) -> None:
    """Raises Misconfigured, with a sentence for each source that would be asked in clear."""
    found = plain_hosts(((source.name, source.hydrate) for source in catalogue), settings.house_hosts)
    if found:
        raise Misconfigured("\n".join(found))


def _secret_key(settings: Settings) -> bytes:
    if settings.secret_key is not None:
        return settings.secret_key.get_secret_value().encode()
    logger.warning("BOTTOMBOX_SECRET_KEY is not set: a random one is used, and cursors end with this process")
    return secrets.token_bytes(32)


def make_consumer(components: Components) -> SurveyConsumer:
    settings = components.settings
    return SurveyConsumer(
        access=settings.kafka,
        topics=survey_topics(settings, components.catalogue),
        group=settings.consumer_group,
        engine=components.engine,
        policy=components.policy,
        catalogue=components.catalogue,
        dead_letters=DeadLetters(components.producer, settings.dead_letter_topic),
        observer=components.metrics.intake,
    )


def make_fetchers(components: Components) -> list[Fetcher]:
    """One for each source whose notices only tell where the answer lies, so that a slow platform delays only itself."""
    settings, secrets_now = components.settings, components.settings.plain_secrets
    return [
        Fetcher(
            source,
            secrets_now.get(source.hydrate.auth.secret) if source.hydrate.auth is not None else None,
            hosts=settings.house_hosts,
            engine=components.engine,
            producer=components.producer,
            dead_letters=DeadLetters(components.producer, settings.dead_letter_topic),
            failed=components.metrics.intake.set_aside,
        )
        for source in components.catalogue
        if source.hydrate is not None
    ]


def make_canary(components: Components) -> CanarySender:
    """It goes the way of all answers, by the first of the survey topics."""

    async def send(record: OutRecord) -> None:
        await send_or_wait(components, [record])

    return CanarySender(
        engine=components.engine, topic=components.settings.topics[0], send=send, show=components.metrics.canary.show
    )


async def send_or_wait(components: Components, records: Sequence[OutRecord]) -> None:
    """Raises Unavailable, also when the topic refuses them: a person may mend it."""
    try:
        await components.producer.send(records)
    except RecordRefused as error:
        raise Unavailable(str(error)) from error


def make_api_dependencies(components: Components, not_ready: Callable[[], Awaitable[list[str]]]) -> ApiDependencies:
    """`not_ready` names what this process still waits for."""
    settings = components.settings

    async def send_again(letters: Sequence[DeadLetter], by: str) -> int:
        return await redrive(settings.kafka, components.producer, components.engine, letters, by)

    async def rehearse_again(letters: Sequence[DeadLetter]) -> Rehearsal:
        return await rehearse(settings.kafka, components.catalogue, letters, datetime.now(UTC))

    return ApiDependencies(
        engine=components.engine,
        policy=components.policy,
        catalogue=components.catalogue,
        announce=components.metrics.callbacks.announce,
        survey_topic=settings.topics[0],
        send=partial(send_or_wait, components),
        redrive=send_again,
        rehearse=rehearse_again,
        doors=components.doors,
        observe_webhook=components.metrics.webhooks.observe,
        observe_http=components.metrics.http.observe,
        metrics_page=components.metrics.registry.page,
        not_ready=not_ready,
        stopping=components.stop,
        secret_key=components.secret_key,
        rate_limit=settings.rate_limit,
        metrics_protected=settings.metrics_protected,
        public_url=settings.public_url,
        version=__version__,
    )
