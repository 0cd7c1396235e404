"""What an answer and a claim cost in a ledger of years, beside a small one: while it lies on the disk alone, when what is
used of it is in memory, under a held snapshot, while very many callbacks become ready, and while the worker removes what
is old.

An answer's cost is the transaction that takes in 2,000 of them, in this process, without Kafka and without reading.
The two ledgers take turns, batch by batch, so that whatever disturbs one disturbs the other.
"""

from __future__ import annotations

import asyncio
import random
import shutil
import statistics
import tempfile
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from uuid import UUID

import asyncpg
from msgspec import Struct
from sqlalchemy.ext.asyncio import AsyncEngine

from alerts.arrival import Address, Answer
from alerts.ledger.database import open_engine
from alerts.ledger.intake.batch import ingest_batch
from alerts.policy import shipped_policy
from alerts.survey import Interaction, Respondent, SurveyResponse
from benchmarks.answers import BOTTOM_SHARE, CHANNELS, REPEAT_SHARE, SEED, WORDS
from benchmarks.backlog import open_backlog
from benchmarks.crowd import zone_in_the_morning
from benchmarks.desk import Desk
from benchmarks.goals import Figure
from benchmarks.grown import Size, grow_years, keep_old_records
from benchmarks.ledgers import conditions, durable_postgres, fresh_ledger, make_template
from benchmarks.results import Cell, Findings, Table
from benchmarks.rounds import percentile
from tests.parts.service import Service, environment
from tests.parts.topics import unique_name

BATCH = 2000
CLAIMS = 10  # after each batch, from each ledger
WARMING = 8  # times the batches of a phase, into the grown ledger, until most pages of its indexes are in memory
SMALL = 1_000  # callbacks
NOBODY = "127.0.0.1:9"
GIB_FOR_30_MILLION, GIB_FOR_10_MILLION = 50, 20

PATIENCE = 600.0  # seconds for the worker
UNREADY_LEFT = "SELECT EXISTS (SELECT FROM callbacks WHERE wake_at <= ledger_now())"
RECORDS_LEFT = "SELECT EXISTS (SELECT FROM raw_records)"
NOT_YET = """UPDATE callbacks SET ready = false, wake_at = ledger_now() WHERE id IN (
    SELECT id FROM callbacks WHERE state = 'waiting' AND ready ORDER BY rank_at DESC LIMIT $1)"""


class Side(Struct, frozen=True):
    """One of the two ledgers, and who claims from it."""

    engine: AsyncEngine
    desk: Desk
    known: int  # customers, by number


class Costs(Struct, frozen=True):
    """Microseconds of an answer, batch by batch, and milliseconds of each claim: of the small ledger and of the grown."""

    answers: tuple[list[float], list[float]]
    claims: tuple[list[float], list[float]]


class Sender:
    """Makes batches of answers, each given now; one in ten is from a customer whom the ledger has known for years."""

    def __init__(self) -> None:
        self._dice = random.Random(SEED)
        self._sent = 0
        self._zone = zone_in_the_morning(datetime.now(UTC))

    def batch(self, known: int) -> list[Answer]:
        return [self._answer(known) for _ in range(BATCH)]

    def _answer(self, known: int) -> Answer:
        self._sent += 1
        dice = self._dice
        name = UUID(int=dice.getrandbits(128), version=4).hex
        is_known = known and dice.random() < REPEAT_SHARE
        at = datetime.now(UTC) - timedelta(seconds=1)
        response = SurveyResponse(
            event_source="/benchmarks",
            event_id=name,
            response_id=name,
            source="cloudevents",
            survey_id="post-contact",
            question="overall",
            rating=dice.choice((1, 2)) if dice.random() < BOTTOM_SHARE else dice.choice((3, 4, 5, 5)),
            comment=" ".join(dice.choices(WORDS, k=6)),
            answered_at=at,
            revised_at=at,
            customer=Respondent(
                id=f"grown-{dice.randint(1, known)}" if is_known else name,
                name="Vera Example",
                time_zone=self._zone,
                language="en",
            ),
            interaction=Interaction(id=f"i-{name}", channel=dice.choice(CHANNELS), queue="billing", agent_team="north"),
        )
        return Answer(Address("growth", 0, self._sent, at), response, name.encode(), name.encode())


async def run(quick: bool) -> Findings:
    if quick:
        return await measure(Size(20_000, 5_000, 3_000), 3, ready=1_000, old=2_000)
    size = _size()
    return await measure(size, 25, ready=size.callbacks // 10, old=size.callbacks // 5)


def _size() -> Size:
    """As much as the disk takes."""
    gib = shutil.disk_usage(tempfile.gettempdir()).free / 2**30
    if gib < GIB_FOR_10_MILLION:
        return Size(1_000_000, 300_000, 100_000)
    return Size(30_000_000 if gib >= GIB_FOR_30_MILLION else 10_000_000, 3_000_000, 1_000_000)


async def measure(size: Size, batches: int, *, ready: int, old: int) -> Findings:
    """`ready`: callbacks that become so at once; `old`: raw records to be removed."""
    with durable_postgres() as postgres:
        await make_template(postgres)
        async with fresh_ledger(postgres) as small_url, fresh_ledger(postgres) as url:
            await open_backlog(small_url, SMALL)
            begun = time.perf_counter()
            await grow_years(url, size)
            notes = [await conditions(postgres), f"growing took {time.perf_counter() - begun:.0f} s"]
            async with _side(small_url, 0) as small, _side(url, size.customers) as grown:
                found = await _phases(small, grown, batches, ready, old)
                stored = await grown.desk.other.fetchval("SELECT count(*) FROM responses WHERE topic = 'growth'")
                taken = sum(len(each.answers[1]) for each in found.values()) * BATCH
                warming = (1 + WARMING * batches) * BATCH
                assert stored == taken + warming, f"{stored} answers were stored, {taken} counted, {warming} to warm up"
    notes.append(
        f"{size.answers:,} answers, {size.customers:,} customers, {size.callbacks:,} open callbacks; the small ledger has"
        f" {SMALL:,} callbacks and no other answers; {ready:,} callbacks become ready, {old:,} old raw records go"
    )
    return _findings(found, notes)


async def _phases(small: Side, grown: Side, batches: int, ready: int, old: int) -> dict[str, Costs]:
    """Those with a worker go on until it has done its work, or for as many batches if that is sooner."""
    sender, other = Sender(), grown.desk.other
    await _alternate(sender, small, grown, 1)  # to warm up; not counted
    found = {"cold": await _alternate(sender, small, grown, batches)}
    for _ in range(WARMING * batches):
        await _take(sender, grown)
    found["full"] = await _alternate(sender, small, grown, batches)
    async with _held_snapshot(grown.desk.url):
        found["held"] = await _alternate(sender, small, grown, batches)
    assert await other.execute(NOT_YET, ready) == f"UPDATE {ready}"
    with Service.start("work", _work_environment(grown.desk.url)):
        found["turning"] = await _alternate(sender, small, grown, batches, while_true=UNREADY_LEFT)
        await _until_not(other, UNREADY_LEFT)
    await keep_old_records(other, old)
    with Service.start("work", _work_environment(grown.desk.url)):
        found["removing"] = await _alternate(sender, small, grown, batches, while_true=RECORDS_LEFT)
        await _until_not(other, RECORDS_LEFT)
    return found


async def _alternate(sender: Sender, small: Side, grown: Side, batches: int, *, while_true: str | None = None) -> Costs:
    costs = Costs(([], []), ([], []))
    for _ in range(batches):
        for number, side in enumerate((small, grown)):
            costs.answers[number].append(await _take(sender, side))
            costs.claims[number].extend([await _claim(side.desk) for _ in range(CLAIMS)])
        if while_true is not None and not await grown.desk.other.fetchval(while_true):
            break
    return costs


async def _take(sender: Sender, side: Side) -> float:
    """Microseconds of an answer."""
    batch = sender.batch(side.known)
    start = time.perf_counter()
    await ingest_batch(side.engine, batch, shipped_policy())
    return (time.perf_counter() - start) * 1e6 / BATCH


async def _claim(desk: Desk) -> float:
    milliseconds, found = await desk.claim()
    assert found, "there was nothing to claim"
    return milliseconds


async def _until_not(ledger: asyncpg.Connection[asyncpg.Record], question: str) -> None:
    async with asyncio.timeout(PATIENCE):
        while await ledger.fetchval(question):  # noqa: ASYNC110 - another process is to end this
            await asyncio.sleep(0.2)


@asynccontextmanager
async def _held_snapshot(url: str) -> AsyncIterator[None]:
    """Another session has begun to read, and does not end."""
    holder = await asyncpg.connect(url)
    try:
        async with holder.transaction(isolation="repeatable_read", readonly=True):
            await holder.fetchval("SELECT count(*) FROM queues")  # the first statement takes the snapshot
            yield
    finally:
        await holder.close()


@asynccontextmanager
async def _side(url: str, known: int) -> AsyncIterator[Side]:
    engine = open_engine(url, pool_size=4)
    try:
        async with Desk.open(url) as desk:
            yield Side(engine, desk, known)
    finally:
        await engine.dispose()


def _work_environment(url: str) -> dict[str, str]:
    return environment(database=url, kafka=NOBODY, topics="none", dead_letters="none", group=unique_name("group"))


PHASES = {
    "cold": "from the disk",
    "full": "quietly",
    "held": "under a held snapshot",
    "turning": "while callbacks become ready",
    "removing": "while old records are removed",
}


def _findings(found: dict[str, Costs], notes: list[str]) -> Findings:
    columns = ("", "median", "lowest", "highest", "x small", "lowest", "highest", "p99")
    answers = [row for name, title in PHASES.items() for row in _rows(title, found[name].answers)]
    claims = [row for name, title in PHASES.items() for row in _rows(title, found[name].claims)]
    figures = {f"growth.{name}": _ratio(costs.answers) for name, costs in found.items()}
    figures |= {f"growth.claim {name}": _ratio(costs.claims) for name, costs in found.items()}
    return Findings(
        name="growth",
        tables=[
            Table(
                title=f"Microseconds of an answer, in batches of {BATCH:,} (medians, and extremes of the fifths of the time)",
                columns=columns,
                rows=answers,
            ),
            Table(
                title="Milliseconds of a claim (medians, and extremes of the fifths of the time)",
                columns=columns,
                rows=claims,
            ),
        ],
        notes=notes,
        figures=figures,
    )


def _rows(title: str, sides: tuple[list[float], list[float]]) -> list[tuple[Cell, ...]]:
    """One of the small ledger, and one of the grown one beside it."""
    small, grown = sides
    fifths, beside = [_medians(each) for each in sides], _fifths(sides)
    return [
        (
            f"small ledger, {title}",
            statistics.median(small),
            min(fifths[0]),
            max(fifths[0]),
            1.0,
            1.0,
            1.0,
            percentile(small, 0.99),
        ),
        (
            f"grown ledger, {title}",
            statistics.median(grown),
            min(fifths[1]),
            max(fifths[1]),
            _ratio(sides).median,
            min(beside),
            max(beside),
            percentile(grown, 0.99),
        ),
    ]


def _ratio(sides: tuple[list[float], list[float]]) -> Figure:
    """Grown / small: median / median, and the worst fifth of the time."""
    small, grown = sides
    return Figure(statistics.median(grown) / statistics.median(small), max(_fifths(sides)))


def _fifths(sides: tuple[list[float], list[float]]) -> list[float]:
    """The same ratio of each fifth of the time: rounds, as it were."""
    small, grown = map(_medians, sides)
    return [large / little for large, little in zip(grown, small, strict=True)]


def _medians(values: Sequence[float]) -> list[float]:
    """Of each fifth of the time."""
    step = max(1, len(values) // 5)
    return [statistics.median(values[at : at + step]) for at in range(0, len(values) - step + 1, step)]
