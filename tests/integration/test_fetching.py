"""A thin notice waits in the ledger, and a worker fetches what it tells of: once, within limits, or it is set aside."""

from __future__ import annotations

import asyncio
import gzip
import json
from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from alerts.arrival import Answer, Deferred, RecordOutcome
from alerts.errors import Unavailable
from alerts.ledger.database import open_engine, transaction
from alerts.ledger.intake.batch import ingest_batch
from alerts.ledger.intake.notices import lease_notices
from alerts.policy import shipped_policy
from consumers.fetching import client
from consumers.fetching.fetcher import MOST_FAILURES, Fetcher
from consumers.intake.dead_letters import DeadLetters
from consumers.intake.record import Record, read_record
from consumers.kafka.producer import Delivery, OutRecord, Producer, Sent
from consumers.sources.catalogue import Catalogue
from consumers.sources.source import Source, read_source
from tests.parts.clock import Clock
from tests.parts.platform import Platform

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
ANSWER = {"score": 1, "at": "2026-11-24T11:00:00Z", "phone": "+442079460067"}
NOTICE = {"kind": "completed", "id": "é/1"}


def source(port: int, name: str = "thin") -> Source:
    return read_source(
        f"""\
name: {name}
when: kind == 'completed'
hydrate: {{url: "http://127.0.0.1:{port}/answers/{{id}}?full=1", auth: {{header: X-Token, secret: THIN}}, as: answer}}
map:
  event_id: id
  rating: answer.score
  answered_at: answer.at
  customer: {{phone: answer.phone}}
""",
        file=f"{name}.yaml",
    )


class Topic(Producer):
    """What is sent stays here, in its order."""

    def __init__(self) -> None:
        self.records: list[OutRecord] = []
        self.is_away = False

    async def send(self, records: Sequence[OutRecord]) -> list[Sent]:
        return [each for each in await self.deliver(records) if isinstance(each, Sent)]

    async def deliver(self, records: Sequence[OutRecord]) -> list[Delivery]:
        if self.is_away:
            raise Unavailable("Kafka cannot be reached")
        self.records += records
        return [Sent(each.topic, 0, len(self.records)) for each in records]


class House:
    """The ledger, the topics, and a platform that notices tell of."""

    def __init__(self, engine: AsyncEngine, platform: Platform, clock: Clock) -> None:
        self.engine, self.platform, self.clock = engine, platform, clock
        self.topic = Topic()
        self.failed: list[str] = []
        self.catalogue = Catalogue([source(platform.port)])
        self.offset = 0

    def fetcher(self, hosts: frozenset[str] = frozenset({"127.0.0.1"}), secret: str | None = "s3cret") -> Fetcher:
        (thin,) = self.catalogue
        return Fetcher(
            thin,
            secret,
            hosts=hosts,
            engine=self.engine,
            producer=self.topic,
            dead_letters=DeadLetters(self.topic, "dead"),
            failed=self.failed.append,
        )

    def record(self, event: Any, *more: tuple[str, bytes | None], source: str = "thin") -> Record:
        value = event if isinstance(event, bytes) else json.dumps(event).encode()
        headers = (("content-type", b"application/json"), ("bottombox-source", source.encode()), *more)
        return Record("surveys", 0, self.offset, int(NOW.timestamp() * 1000), b"k", value, headers)

    async def take(self, record: Record) -> RecordOutcome | None:
        """What the consumer makes of it; None for an offset that the ledger knows already."""
        read = read_record(record, self.catalogue, NOW)
        report = await ingest_batch(self.engine, [read], shipped_policy())
        self.offset += 1
        assert report.new_epochs == []
        return next((outcome for _, outcome in report.outcomes), None)

    async def rows(self, query: str) -> list[tuple[Any, ...]]:
        async with transaction(self.engine) as connection:
            return [tuple(row) for row in await connection.execute(text(query))]


@pytest.fixture
async def house(database_url: str, clock: Clock) -> AsyncIterator[House]:
    await clock.set(NOW)
    engine = open_engine(database_url)
    async with Platform().open() as platform:
        yield House(engine, platform, clock)
    await engine.dispose()


async def test_a_notice_waits_is_fetched_and_becomes_the_answer_under_its_id(house: House) -> None:
    house.platform.says(200, json.dumps(ANSWER).encode())
    assert await house.take(house.record(NOTICE)) is RecordOutcome.DEFERRED
    assert house.platform.asked == [], "never in the consumer's loop"
    assert await house.fetcher().run_once() is False
    ((path, headers),) = house.platform.asked
    assert path == "/answers/%C3%A9%2F1?full=1"
    assert headers["x-token"] == "s3cret"
    (sent,) = house.topic.records
    assert (sent.topic, sent.key, json.loads(sent.value or b"")) == ("surveys", b"k", {**NOTICE, "answer": ANSWER})
    names = dict(sent.headers)
    assert (names["bottombox-hydrated"], names["bottombox-source"]) == (b"1", b"thin")
    assert names["bottombox-origin-offset"] == b"0"
    again = Record("surveys", 0, 1, int(NOW.timestamp() * 1000), sent.key, sent.value, sent.headers)
    read = read_record(again, house.catalogue, NOW)
    assert isinstance(read, Answer), read
    assert (read.response.event_source, read.response.event_id) == ("/sources/thin", "é/1")
    assert (read.origin_partition, read.origin_offset) == (0, 0)
    assert await house.take(again) is RecordOutcome.BOTTOM_BOX
    assert await house.rows("SELECT state, value, headers, key FROM notices") == [("fetched", None, None, None)]


async def test_the_answer_goes_on_in_the_trace_of_its_notice(house: House) -> None:
    house.platform.says(200, json.dumps(ANSWER).encode())
    trace = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
    await house.take(house.record(NOTICE, ("traceparent", trace.encode())))
    await house.take(house.record({**NOTICE, "id": "other"}, ("traceparent", b"00-1")))
    await house.fetcher().run_once()
    traces = {dict(sent.headers).get("traceparent") for sent in house.topic.records}
    assert traces == {trace.encode(), None}


async def test_the_same_notice_again_is_a_duplicate_and_is_not_fetched_again(house: House) -> None:
    house.platform.says(200, json.dumps(ANSWER).encode())
    await house.take(house.record(NOTICE))
    assert await house.take(house.record(NOTICE)) is RecordOutcome.DUPLICATE
    await house.fetcher().run_once()
    assert await house.take(house.record({**NOTICE, "more": 1})) is RecordOutcome.DUPLICATE
    await house.fetcher().run_once()
    assert len(house.platform.asked) == 1


async def test_another_event_of_the_platform_is_no_notice(house: House) -> None:
    for event in ({"kind": "started", "id": "1"}, {"kind": "completed"}):
        assert await house.take(house.record(event)) is RecordOutcome.DEAD_LETTERED


async def test_a_platform_that_asks_us_to_wait_is_left_alone_so_long(house: House) -> None:
    house.platform.says(429, retry_after="90")
    house.platform.says(200, json.dumps(ANSWER).encode())
    await house.take(house.record(NOTICE))
    await house.fetcher().run_once()
    await house.clock.advance(timedelta(seconds=60))
    await house.fetcher().run_once()
    assert len(house.platform.asked) == 1
    await house.clock.advance(timedelta(seconds=31))
    await house.fetcher().run_once()
    assert len(house.topic.records) == 1


async def test_a_platform_that_stays_down_costs_the_notice_a_dead_letter_that_can_be_sent_again(house: House) -> None:
    house.platform.says(503)
    first = house.record(NOTICE, ("odd", b"\xff\x00"), ("none", None))
    await house.take(first)
    for _ in range(MOST_FAILURES):
        assert house.topic.records == []
        await house.fetcher().run_once()
        await house.clock.advance(timedelta(minutes=11))
    (dead,) = house.topic.records
    assert (dead.topic, dead.key, dead.value) == ("dead", first.key, first.value)
    assert dead.headers[: len(first.headers)] == first.headers, "byte for byte"
    assert dict(dead.headers)["bottombox-reason"] == b"hydrate_failed"
    assert dict(dead.headers)["bottombox-origin-offset"] == b"0"
    listed = 'SELECT topic, partition, "offset", reason, source, dead_topic FROM dead_letters'
    assert await house.rows(listed) == [("surveys", 0, 0, "hydrate_failed", "thin", "dead")]
    assert house.failed == ["hydrate_failed"]
    assert await house.take(first) is None, "the offset comes again"
    assert await house.fetcher().run_once() is False
    assert len(house.platform.asked) == MOST_FAILURES, "and nothing more is fetched for it"
    house.platform.script = [(200, {}, json.dumps(ANSWER).encode())]
    assert await house.take(house.record(NOTICE)) is RecordOutcome.DEFERRED, "sent again, it is taken up anew"
    await house.fetcher().run_once()
    assert house.topic.records[-1].topic == "surveys"


@pytest.mark.parametrize(
    ("status", "headers", "body"),
    [
        (404, {}, b"{}"),
        (401, {}, b"{}"),
        (302, {"Location": "http://127.0.0.1/elsewhere"}, b""),
        (200, {"Content-Encoding": "gzip"}, gzip.compress(b" " * 50_000_000)),
        (200, {}, b"not json"),
        (200, {}, b'{"a": 1, "a": 2}'),
        (200, {}, b"\xff"),
    ],
)
async def test_what_asking_again_would_not_mend_is_set_aside_at_once(
    house: House, status: int, headers: dict[str, str], body: bytes
) -> None:
    house.platform.script = [(status, headers, body)]
    await house.take(house.record(NOTICE))
    await house.fetcher().run_once()
    assert [each.topic for each in house.topic.records] == ["dead"]
    assert len(house.platform.asked) == 1


async def test_a_body_without_end_is_not_read_to_its_end(house: House) -> None:
    house.platform.says(200)
    house.platform.endless = True
    await house.take(house.record(NOTICE))
    await house.fetcher().run_once()
    assert [each.topic for each in house.topic.records] == ["dead"]
    assert house.platform.sent < 20 * 1024 * 1024


@pytest.mark.parametrize("notice", [{"id": "..", "kind": "completed"}, {"id": ".", "kind": "completed"}])
async def test_what_would_lead_to_another_path_is_not_asked_for(house: House, notice: dict[str, Any]) -> None:
    await house.take(house.record(notice))
    await house.fetcher().run_once()
    assert [each.topic for each in house.topic.records] == ["dead"]
    assert house.platform.asked == []


async def test_a_private_address_is_asked_only_if_its_host_is_named(house: House) -> None:
    await house.take(house.record(NOTICE))
    await house.fetcher(hosts=frozenset({"localhost"})).run_once()
    assert [each.topic for each in house.topic.records] == ["dead"]
    assert b"HYDRATE_HOSTS" in (dict(house.topic.records[0].headers)["bottombox-detail"] or b"")
    assert house.platform.asked == []


async def test_without_its_secret_nothing_is_asked(house: House) -> None:
    await house.take(house.record(NOTICE))
    await house.fetcher(secret=None).run_once()
    assert [each.topic for each in house.topic.records] == ["dead"]
    assert house.platform.asked == []


async def test_a_platform_that_says_nothing_is_left_alone_for_now(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(client, "SECONDS", 0.1)
    house.platform.says(200)
    house.platform.answers.clear()
    await house.take(house.record(NOTICE))
    await house.fetcher().run_once()
    house.platform.answers.set()
    assert house.topic.records == []
    assert await house.rows("SELECT state, failures FROM notices") == [("waiting", 1)]


async def test_a_slow_platform_delays_only_itself(house: House) -> None:
    house.platform.answers.clear()
    house.platform.says(200, json.dumps(ANSWER).encode())
    await house.take(house.record(NOTICE))
    async with Platform().open() as other:
        other.says(200, json.dumps(ANSWER).encode())
        quick = House(house.engine, other, house.clock)
        quick.catalogue, quick.offset = Catalogue([source(other.port, "quick")]), house.offset
        await quick.take(quick.record(NOTICE, source="quick"))
        slow = asyncio.create_task(house.fetcher().run_once())
        await quick.fetcher().run_once()
        assert (len(quick.topic.records), slow.done()) == (1, False)
    house.platform.answers.set()
    await slow
    assert len(house.topic.records) == 1


async def test_several_workers_share_the_notices(house: House) -> None:
    house.platform.says(200, json.dumps(ANSWER).encode())
    for number in range(12):
        await house.take(house.record({**NOTICE, "id": f"n{number}"}))
    for _ in range(3):
        await asyncio.gather(*(house.fetcher().run_once() for _ in range(4)))
    assert sorted(path for path, _ in house.platform.asked) == sorted(
        f"/answers/n{number}?full=1" for number in range(12)
    )
    assert len(house.topic.records) == 12


async def test_what_a_dead_worker_held_comes_to_another(house: House) -> None:
    house.platform.says(200, json.dumps(ANSWER).encode())
    await house.take(house.record(NOTICE))
    (held,) = await lease_notices(house.engine, "thin", at_most=4)
    await house.fetcher().run_once()
    assert house.topic.records == []
    await house.clock.advance(timedelta(minutes=2, seconds=1))
    await house.fetcher().run_once()
    assert (len(house.topic.records), held.tries) == (1, 1)


async def test_while_kafka_is_away_the_notice_stays_and_the_platform_is_not_blamed(house: House) -> None:
    house.platform.says(200, json.dumps(ANSWER).encode())
    await house.take(house.record(NOTICE))
    house.topic.is_away = True
    with pytest.raises(Unavailable):
        await house.fetcher().run_once()
    assert await house.rows("SELECT state, failures FROM notices") == [("waiting", 0)]
    house.topic.is_away = False
    await house.clock.advance(timedelta(minutes=3))
    await house.fetcher().run_once()
    assert len(house.topic.records) == 1


async def test_a_notice_is_kept_as_a_notice(house: House) -> None:
    assert isinstance(read_record(house.record(NOTICE), house.catalogue, NOW), Deferred)
    hydrated = read_record(
        house.record({**NOTICE, "answer": ANSWER}, ("bottombox-hydrated", b"1")), house.catalogue, NOW
    )
    assert isinstance(hydrated, Answer)
