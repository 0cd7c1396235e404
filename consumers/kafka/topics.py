"""Makes the topics that the settings name, and says what is wrong with those that exist."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType
from aiokafka.errors import KafkaError, TopicAlreadyExistsError, for_code
from msgspec import Struct

from alerts.errors import Misconfigured, Unavailable
from consumers.intake.dead_letters import LARGEST
from consumers.kafka.access import KafkaAccess

DAY_MS = 86_400_000


class TopicPlan(Struct, frozen=True, kw_only=True):
    """A topic as it should be. `least_bytes`: what `max.message.bytes` must at least be."""

    name: str
    partitions: int
    replication: int = 1
    retention_ms: int = 7 * DAY_MS
    least_bytes: int | None = None


class TopicProblem(Struct, frozen=True):
    topic: str
    problem: str
    remedy: str


def plan_topics(
    *, surveys: Sequence[str], dead_letters: str, events: str, partitions: int, replication: int
) -> list[TopicPlan]:
    plans = [TopicPlan(name=name, partitions=partitions, replication=replication) for name in surveys]
    dead = TopicPlan(
        name=dead_letters, partitions=1, replication=replication, retention_ms=30 * DAY_MS, least_bytes=LARGEST
    )
    return [*plans, dead, TopicPlan(name=events, partitions=partitions, replication=replication)]


async def create_topics(access: KafkaAccess, plans: Sequence[TopicPlan]) -> list[str]:
    """The names of those that were made; existing ones are left alone. Raises Unavailable, Misconfigured."""
    made = []
    async with _admin(access) as admin:
        for plan in plans:
            config = {"retention.ms": str(plan.retention_ms)}
            if plan.least_bytes is not None:
                config["max.message.bytes"] = str(plan.least_bytes)
            new = NewTopic(plan.name, plan.partitions, plan.replication, topic_configs=config)
            answer = await admin.create_topics([new])
            code, message = answer.topic_errors[0][1], answer.topic_errors[0][2]
            if code == 0:
                made.append(plan.name)
            elif code != TopicAlreadyExistsError.errno:
                raise Misconfigured(f"topic {plan.name} could not be made: {message or for_code(code).__name__}")
    return made


async def check_topics(access: KafkaAccess, plans: Sequence[TopicPlan]) -> list[TopicProblem]:
    """What a person should mend; an empty list when all is well. Raises Unavailable."""
    problems: list[TopicProblem] = []
    async with _admin(access) as admin:
        existing = set(await admin.list_topics())
        for plan in plans:
            if plan.name not in existing:
                problems.append(TopicProblem(plan.name, "it does not exist", "run `bottombox topics create`"))
                continue
            partitions = len((await admin.describe_topics([plan.name]))[0]["partitions"])
            problems += _judge(plan, partitions, await _config(admin, plan.name))
    return problems


def _judge(plan: TopicPlan, partitions: int, config: dict[str, str]) -> list[TopicProblem]:
    problems = []
    if plan.partitions > partitions:
        problems.append(
            TopicProblem(plan.name, f"it has {partitions} partitions, not {plan.partitions}", "add partitions")
        )
    retention = int(config.get("retention.ms", "-1"))
    if 0 <= retention < DAY_MS:
        problems.append(TopicProblem(plan.name, "it keeps records for less than a day", "raise retention.ms"))
    largest = int(config.get("max.message.bytes", "0"))
    if plan.least_bytes is not None and largest < plan.least_bytes:
        remedy = f"set max.message.bytes to {plan.least_bytes}"
        problems.append(TopicProblem(plan.name, f"it takes records of {largest} bytes only", remedy))
    return problems


async def _config(admin: AIOKafkaAdminClient, topic: str) -> dict[str, str]:
    answers = await admin.describe_configs([ConfigResource(ConfigResourceType.TOPIC, topic)])
    return {entry[0]: entry[1] for answer in answers for resource in answer.resources for entry in resource[4]}


@asynccontextmanager
async def _admin(access: KafkaAccess) -> AsyncIterator[AIOKafkaAdminClient]:
    admin = AIOKafkaAdminClient(**access.client(), request_timeout_ms=15_000)
    try:
        await admin.start()
        yield admin
    except (KafkaError, OSError) as error:
        raise Unavailable(f"Kafka cannot be reached ({type(error).__name__})") from error
    finally:
        await admin.close()
