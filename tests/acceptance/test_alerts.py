"""What goes wrong wakes one person once, with the alert that names it: real processes, Prometheus and Alertmanager, the
shipped rules with a second for each minute, and the shipped routing."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import asyncpg
import pytest

from alerts.ledger import migrate
from deploy.prometheus.server import PrometheusServer, missing_prometheus
from tests.parts.alertmanager import AlertmanagerServer, Woken, missing_alertmanager
from tests.parts.kafka import KafkaBroker
from tests.parts.postgres import PostgresServer
from tests.parts.prometheus_answers import PrometheusAnswers
from tests.parts.requirements import require
from tests.parts.service import Service, environment
from tests.parts.short_rules import write_short_rules
from tests.parts.topics import unique_name
from tests.parts.town import Town, answer, eventually

FIRING = 'ALERTS{alertstate="firing"}'
POISON = 500


@dataclass
class Watch:
    """The town, its database, who watches it, who is woken, and the consumer, which is another one after a while."""

    town: Town
    database: PostgresServer
    prometheus: PrometheusAnswers
    alertmanager: AlertmanagerServer
    woken: Woken
    consumer: Service
    sent: int = 0

    async def send(self, count: int) -> None:
        """Bad answers; fewer than five late ones are no reason to wake anybody."""
        self.sent += count
        await self.town.send([answer(f"a{self.sent - number}", 1) for number in range(count)])

    async def firing(self) -> set[str]:
        return {each.labels["alertname"] for each in await self.prometheus.now(FIRING)}

    async def only(self, receiver: str, alert: str, *, suffering: frozenset[str] = frozenset()) -> None:
        """Waits until `receiver` is told of `alert`, and until what suffers from it fires too and is kept back."""

        async def told() -> set[tuple[str, str]]:
            return self.woken.firing()

        await eventually(told, lambda found: (receiver, alert) in found)
        await eventually(self.firing, lambda found: found >= suffering | {alert})
        await eventually(lambda: self.alertmanager.alerts(inhibited=True), lambda found: found >= suffering)
        assert await told() == {(receiver, alert)}

    async def over(self) -> None:
        """Waits until nothing fires any more, and nobody will be told of it."""
        await eventually(self.firing, lambda found: not found)
        await eventually(lambda: self.alertmanager.alerts(inhibited=False), lambda found: not found)
        self.woken.heard.clear()


@pytest.fixture
def database() -> Iterator[PostgresServer]:
    with PostgresServer.start(Path(tempfile.mkdtemp(prefix="bottombox-alerts-")), durable=True) as server:
        yield server


@pytest.fixture
async def watch(
    database: PostgresServer, kafka: KafkaBroker, new_topic: Callable[..., Awaitable[str]], tmp_path: Path
) -> AsyncIterator[Watch]:
    require("prometheus", missing_prometheus() or missing_alertmanager())
    url = await asyncio.to_thread(database.create_database, "alerts")
    await asyncio.to_thread(migrate.upgrade, url)
    topic = await new_topic("surveys")
    dead = await new_topic("dead", max_message_bytes=16 * 1024 * 1024)
    # A port that stays, so that a consumer that is started anew is the same target.
    env = environment(database=url, kafka=kafka.bootstrap, topics=topic, dead_letters=dead, group=unique_name("group"))
    with ExitStack() as parts:
        worker = parts.enter_context(Service.start("work", env))
        consumer = Service.start("consume", env)
        env["BOTTOMBOX_METRICS_PORT"] = consumer.metrics.rsplit(":", 1)[1]
        woken = parts.enter_context(Woken())
        alertmanager = parts.enter_context(AlertmanagerServer.start(woken.url))
        server = parts.enter_context(
            PrometheusServer.start(
                [worker.metrics, consumer.metrics], rules=write_short_rules(tmp_path), alertmanager=alertmanager.url
            )
        )
        async with (
            Town.open(env, bootstrap=kafka.bootstrap, topic=topic, dead=dead, database=url) as town,
            PrometheusAnswers(server.url) as prometheus,
        ):
            watch = Watch(town, database, prometheus, alertmanager, woken, consumer)
            yield watch
            watch.consumer.kill()


async def test_each_fault_wakes_one_person_with_its_own_name(watch: Watch) -> None:
    await eventually(lambda: watch.prometheus.value("count(bottombox_build_info)"), lambda found: found == 2)
    await eventually(lambda: watch.prometheus.now("bottombox_consumer_lag_seconds"), bool)
    await watch.send(20)
    await eventually(watch.town.accounted, lambda done: done == 20)
    await watch.over()
    await a_consumer_that_lives_and_does_nothing(watch)
    await a_consumer_that_is_stopped(watch)
    await a_database_that_is_away(watch)
    await a_flood_of_poison(watch)


async def a_consumer_that_lives_and_does_nothing(watch: Watch) -> None:
    """Somebody holds a lock that every batch needs; the database answers all the same."""
    async with watch.town.ledger.acquire() as connection, connection.transaction():
        await connection.execute("LOCK TABLE partitions IN ACCESS EXCLUSIVE MODE")
        await watch.send(1)
        await watch.only("on-call", "BottomboxConsumerStuck", suffering=frozenset({"BottomboxConsumerLag"}))
    await watch.over()


async def a_consumer_that_is_stopped(watch: Watch) -> None:
    await asyncio.to_thread(watch.consumer.stop)
    await watch.send(1)
    await watch.only("on-call", "BottomboxNobodyConsumes")
    watch.consumer = await asyncio.to_thread(Service.start, "consume", watch.town.env)
    await watch.over()


async def a_database_that_is_away(watch: Watch) -> None:
    await asyncio.to_thread(watch.database.kill)
    await watch.send(1)
    suffering = frozenset({"BottomboxConsumerStuck", "BottomboxConsumerLag"})
    await watch.only("on-call", "BottomboxDatabaseAway", suffering=suffering)
    await asyncio.to_thread(watch.database.restart)
    await watch.over()


async def a_flood_of_poison(watch: Watch) -> None:
    """It costs only itself: good answers behind it are callbacks at once, and nobody is woken at night."""
    await watch.town.send_raw([b'{"rating": NaN'] * POISON)
    await watch.send(20)
    await watch.only("tickets", "BottomboxDeadLetters")
    async with asyncpg.create_pool(watch.town.database, min_size=0, max_size=1) as ledger:
        assert await ledger.fetchval("SELECT count(*) FROM dead_letters") == POISON
        assert await ledger.fetchval("SELECT count(*) FROM alerts") == watch.sent
