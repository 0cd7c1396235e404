"""A topic that cannot be read costs itself: the others go on, it is told, and it is read as soon as it can be."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from typing import Any

import pytest
from aiokafka.admin import NewTopic
from aiokafka.errors import for_code

from consumers.intake import surveys
from tests.integration.test_kafka_as_it_is import administering, value
from tests.integration.test_lag import consuming
from tests.parts.checks import check_alerts, check_conservation
from tests.parts.rights import Right, allow_everything, allow_only
from tests.parts.topics import unique_name
from tests.parts.town import LONG_ENOUGH, Town, eventually

NewTopicOf = Callable[..., Awaitable[str]]


@pytest.fixture(autouse=True)
def soon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(surveys, "LOOK_FOR_TOPICS_SECONDS", 0.3)
    monkeypatch.setattr(surveys, "RETRY_STOPPED_SECONDS", 0.3)


async def send(town: Town, topic: str, ids: Iterable[str], **more: Any) -> None:
    for each in ids:
        await town.producer.send_and_wait(topic, value(each), **more)


async def responses(town: Town) -> int:
    return int(await town.value("SELECT count(*) FROM responses"))


async def test_a_topic_that_we_may_not_read_stops_and_goes_on_when_we_may(
    town: Town, new_topic: NewTopicOf, caplog: pytest.LogCaptureFixture
) -> None:
    other = await new_topic("others", partitions=2)
    await send(town, other, ["other-0", "other-1"], partition=1)
    await allow_only(town.bootstrap, other, Right.WRITE)
    async with consuming(town, town.database, topics=[town.topic, other]) as ear:
        await asyncio.wait_for(ear.has_stopped.wait(), LONG_ENOUGH)
        await send(town, town.topic, [f"ours-{number}" for number in range(20)])
        await eventually(lambda: responses(town), lambda found: found == 20)
        assert {topic for topic, _ in ear.stopped_now} <= {other}
        assert "no right to read its topic" in caplog.text
        await allow_everything(town.bootstrap, other)
        await eventually(lambda: responses(town), lambda found: found == 22)
        await eventually(ear.waiting, lambda found: not found)
        await send(town, town.topic, ["ours-20"])
        await eventually(lambda: responses(town), lambda found: found == 23)
    assert "starts anew" not in caplog.text
    await check_alerts(town, {"other-0", "other-1", *(f"ours-{number}" for number in range(21))})
    await check_conservation(town)


async def test_rights_that_go_while_we_read_cost_that_topic_only(
    town: Town, new_topic: NewTopicOf, caplog: pytest.LogCaptureFixture
) -> None:
    """Without the right to see it, Kafka says that it is not there."""
    other = await new_topic("others")
    async with consuming(town, town.database, topics=[town.topic, other]) as ear:
        await send(town, other, ["other-0"])
        await send(town, town.topic, ["ours-0"])
        await eventually(lambda: responses(town), lambda found: found == 2)
        await allow_only(town.bootstrap, other, Right.CREATE)
        await eventually(ear.missed, lambda found: found == {other})
        await send(town, town.topic, ["ours-1"])
        await eventually(lambda: responses(town), lambda found: found == 3)
        await allow_everything(town.bootstrap, other)
        await send(town, other, ["other-1"])
        await eventually(lambda: responses(town), lambda found: found == 4)
        await eventually(ear.missed, lambda found: not found)
    assert "starts anew" not in caplog.text
    await check_conservation(town)


async def test_a_topic_that_is_deleted_or_not_made_yet_costs_itself_only(
    town: Town, new_topic: NewTopicOf, caplog: pytest.LogCaptureFixture
) -> None:
    deleted, late = await new_topic("others"), unique_name("late")
    async with consuming(town, town.database, topics=[town.topic, deleted, late]) as ear, administering(town) as admin:
        await send(town, deleted, ["deleted-0"])
        await eventually(lambda: responses(town), lambda found: found == 1)
        assert await ear.missed() == {late}
        await admin.delete_topics([deleted])
        await eventually(ear.missed, lambda found: found == {deleted, late})
        await send(town, town.topic, ["ours-0"])
        await eventually(lambda: responses(town), lambda found: found == 2)
        made = await admin.create_topics([NewTopic(late, 1, 1)])
        assert [for_code(each[1]).__name__ for each in made.topic_errors] == ["NoError"]
        await eventually(ear.missed, lambda found: found == {deleted})
        await send(town, late, ["late-0"])
        await eventually(lambda: responses(town), lambda found: found == 3)
    assert "starts anew" not in caplog.text
    await check_conservation(town)
