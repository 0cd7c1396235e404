"""How many survey answers a second go from Kafka into the ledger, beside what the database takes of the very same rows,
and beside a loop that only reads the same topic.

The intake is the real one: a `bottombox consume` process, a real Kafka, a PostgreSQL that syncs every commit. The
replay reads the topic again with a new group, so that every record is a duplicate.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from functools import partial

import asyncpg
from aiokafka import AIOKafkaConsumer, TopicPartition
from msgspec import Struct

from benchmarks.answers import Sent, survey_answers
from benchmarks.copied import CONNECTIONS, Batch, copy_in, encoded_batches
from benchmarks.ledgers import conditions, durable_postgres, fresh_ledger, make_template
from benchmarks.results import Findings, Table
from benchmarks.rounds import Values, compared, figure, interleave, kept, median, undisturbed
from benchmarks.sending import send_all
from consumers.intake.dead_letters import LARGEST
from consumers.intake.surveys import BATCH, FETCH_BYTES
from tests.parts.kafka import KafkaBroker
from tests.parts.postgres import PostgresServer
from tests.parts.service import Service, environment
from tests.parts.topics import create_topic, unique_name

PARTITIONS = 6
PATIENCE = 300.0  # seconds for one trial

ACCOUNTED = "SELECT coalesce(sum(next_offset - first_offset), 0)::bigint FROM partitions"
SEEN_AGAIN = "SELECT coalesce(sum(seen_again), 0)::bigint FROM partitions"


class Place(Struct, frozen=True):
    """Where the trials take place; the topic holds `answers` and nothing else."""

    postgres: PostgresServer
    bootstrap: str
    topic: str
    dead: str
    answers: Sequence[Sent]

    @property
    def count(self) -> int:
        return len(self.answers)


async def run(quick: bool) -> Findings:
    answers = survey_answers(6_000 if quick else 60_000)
    with durable_postgres() as postgres, KafkaBroker.start() as kafka:
        await make_template(postgres)
        place = Place(
            postgres,
            kafka.bootstrap,
            await create_topic(kafka.bootstrap, "surveys", PARTITIONS),
            await create_topic(kafka.bootstrap, "dead", max_message_bytes=LARGEST),
            answers,
        )
        await send_all(place.bootstrap, place.topic, answers)
        by_lanes = await _rows_of(place, (1, CONNECTIONS))
        floors = {f"copy_{lanes}": partial(_copy, place, batches) for lanes, batches in by_lanes.items()}
        rounds = await interleave(
            {"floor": lambda: _read_only(place), "intake": lambda: ingest(place, replay=True), **floors},
            2 if quick else 5,
        )
        notes = [kept(rounds), await conditions(postgres)]
    good = undisturbed(rounds)
    bottom = sum(each.is_bottom for each in answers)
    size = sum(len(each.value) for each in answers) / len(answers)
    notes.append(
        f"{len(answers):,} answers of {size:.0f} bytes in {PARTITIONS} partitions, {bottom / len(answers):.1%} bottom box;"
        f" the first batch of the intake is not counted; of the floor everything is"
    )
    notes.append(f"one answer costs the intake {1e6 / median(good, 'intake'):.0f} us of wall time")
    table = Table(
        title="Answers a second, and the share of F_db(3) (medians and extremes of rounds)",
        columns=("", "median", "lowest", "highest", "x F_db(3)", "lowest", "highest"),
        rows=[
            compared(good, "F_db(3): the same rows as binary COPY, 3 connections", "copy_3", "copy_3"),
            compared(good, "F_db(1): one connection", "copy_1", "copy_3"),
            compared(good, "F_kafka: getmany, value, offset, timestamp", "floor", "copy_3"),
            compared(good, "intake, one consumer process", "intake", "copy_3"),
            compared(good, "replay, all duplicates", "replay", "copy_3"),
        ],
    )
    figures = {f"intake.{name}": figure(good, name, "copy_3") for name in ("intake", "replay")}
    return Findings(name="intake", tables=[table], notes=notes, figures=figures)


async def _rows_of(place: Place, lanes: Sequence[int]) -> dict[int, list[list[Batch]]]:
    """What the intake writes, by how many lanes it is to be copied in by."""
    async with fresh_ledger(place.postgres) as url:
        ledger = await asyncpg.connect(url)
        try:
            await _consume(place, url, ledger, ACCOUNTED)
        finally:
            await ledger.close()
        return {count: await encoded_batches(url, count) for count in lanes}


async def _copy(place: Place, batches: Sequence[Sequence[Batch]]) -> Values:
    return {f"copy_{len(batches)}": await copy_in(place.postgres, batches, place.count)}


async def _read_only(place: Place) -> Values:
    """The floor: the same client and settings as the intake's, and nothing done with a record but looking at it."""
    consumer = AIOKafkaConsumer(
        bootstrap_servers=place.bootstrap,
        enable_auto_commit=False,
        isolation_level="read_committed",
        max_partition_fetch_bytes=FETCH_BYTES,
        auto_offset_reset="earliest",
    )
    await consumer.start()
    try:
        start = time.perf_counter()
        consumer.assign([TopicPartition(place.topic, number) for number in range(PARTITIONS)])
        seen, size, last = 0, 0, (0, 0)
        async with asyncio.timeout(PATIENCE):
            while seen < place.count:
                for part in (await consumer.getmany(timeout_ms=500, max_records=BATCH)).values():
                    for record in part:
                        size += len(record.value)
                        last = max(last, (record.timestamp, record.offset))
                    seen += len(part)
        taken = time.perf_counter() - start
    finally:
        await consumer.stop()
    assert (seen, size) == (place.count, sum(len(each.value) for each in place.answers))
    return {"floor": seen / taken}


async def ingest(place: Place, *, replay: bool = False) -> Values:
    """The intake into an empty ledger, and then, where asked for, the replay into the same one."""
    async with fresh_ledger(place.postgres) as url:
        ledger = await asyncpg.connect(url)
        try:
            rates = {"intake": await _consume(place, url, ledger, ACCOUNTED)}
            await _check(place, ledger)
            if replay:
                rates["replay"] = await _consume(place, url, ledger, SEEN_AGAIN)
                await _check(place, ledger)
        finally:
            await ledger.close()
    return rates


async def _consume(place: Place, url: str, ledger: asyncpg.Connection[asyncpg.Record], progress: str) -> float:
    """Answers a second of one consumer process with a new group, from its first committed batch to its last."""
    env = environment(
        database=url,
        kafka=place.bootstrap,
        topics=place.topic,
        dead_letters=place.dead,
        group=unique_name("group"),
    )
    with Service.start("consume", env):
        first, began = 0, 0.0
        async with asyncio.timeout(PATIENCE):
            while (done := await ledger.fetchval(progress)) < place.count:
                if done and not first:
                    first, began = done, time.perf_counter()
                await asyncio.sleep(0.02)
        taken = time.perf_counter() - began
    assert done == place.count, f"{done} records were accounted for, {place.count} were sent"
    assert first < place.count, "the whole topic was one batch; send more"
    return (place.count - first) / taken


async def _check(place: Place, ledger: asyncpg.Connection[asyncpg.Record]) -> None:
    counted = await ledger.fetchrow("SELECT (SELECT count(*) FROM responses), (SELECT count(*) FROM alerts)")
    assert counted is not None
    assert tuple(counted) == (place.count, sum(each.is_bottom for each in place.answers)), tuple(counted)
