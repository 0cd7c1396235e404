"""Topics are made as the settings say, existing ones are left alone, and what is wrong with them is named."""

from __future__ import annotations

from consumers.intake.dead_letters import LARGEST
from consumers.kafka.access import KafkaAccess
from consumers.kafka.topics import TopicPlan, TopicProblem, check_topics, create_topics, plan_topics
from tests.parts.kafka import KafkaBroker
from tests.parts.topics import create_topic, unique_name


def plans() -> list[TopicPlan]:
    return plan_topics(
        surveys=[unique_name("surveys")],
        dead_letters=unique_name("dead"),
        events=unique_name("events"),
        partitions=3,
        replication=1,
    )


async def test_topics_are_made_once_and_are_then_as_they_should_be(kafka: KafkaBroker) -> None:
    access, wanted = KafkaAccess(bootstrap_servers=kafka.bootstrap), plans()
    assert [each.problem for each in await check_topics(access, wanted)] == ["it does not exist"] * 3
    assert await create_topics(access, wanted) == [plan.name for plan in wanted]
    assert await create_topics(access, wanted) == []
    assert await check_topics(access, wanted) == []


async def test_what_is_wrong_with_a_topic_is_named_with_its_remedy(kafka: KafkaBroker) -> None:
    access = KafkaAccess(bootstrap_servers=kafka.bootstrap)
    small = await create_topic(kafka.bootstrap, "dead", retention_ms=60_000)
    wanted = TopicPlan(name=small, partitions=2, least_bytes=LARGEST)
    assert await check_topics(access, [wanted]) == [
        TopicProblem(small, "it has 1 partitions, not 2", "add partitions"),
        TopicProblem(small, "it keeps records for less than a day", "raise retention.ms"),
        TopicProblem(small, "it takes records of 1048588 bytes only", f"set max.message.bytes to {LARGEST}"),
    ]
