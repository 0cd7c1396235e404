"""The same topic, the same job: read, validate, know an event that was there, know its customer, one open callback each, one
transaction, and then the offset. The intake beside peers that do that and no more.
"""

from __future__ import annotations

import asyncio
import signal
import statistics
import subprocess
import tempfile
import time
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from urllib.parse import urlsplit

import asyncpg
from msgspec import Struct

from benchmarks.answers import Sent, survey_answers
from benchmarks.intake import PARTITIONS, Place, ingest
from benchmarks.ledgers import conditions, durable_postgres, make_template
from benchmarks.peers.environment import HERE, PEERS, Peer, environment_of, start
from benchmarks.results import Cell, Findings, Table
from benchmarks.rounds import Round, Values, compared, figure, interleave, kept, ratios, undisturbed
from benchmarks.sending import send_all
from consumers.intake.dead_letters import LARGEST
from tests.parts.kafka import KafkaBroker
from tests.parts.topics import create_topic, unique_name

SCHEMA = HERE / "schema.sql"
LESS = (
    "peers read, validate, and keep the answer, the customer and the open callback; they judge by nothing but the rating, and"
    " know no revision, window, target, history, outbox or account of offsets"
)
EVERY = 0.02  # seconds between looks, as often as at the intake
PATIENCE = 300.0  # seconds for one trial
STOP_SECONDS = 20.0
TAKEN = "SELECT coalesce(max(id), 0) FROM answers"  # numbered without a gap, for none comes twice
COUNTS = "SELECT (SELECT count(*) FROM answers), (SELECT count(*) FROM callbacks), (SELECT count(*) FROM customers)"


class Trial(Struct, frozen=True):
    """What a peer is given: `topic` holds `answers` and nothing else."""

    peer: Peer
    made: Path
    topic: str
    answers: Sequence[Sent]


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
        trials, notes = await _trials(place)
        variants = {each.peer.name: partial(_take, place, each) for each in trials}
        rounds = await interleave({"intake": lambda: ingest(place), **variants}, 2 if quick else 3)
        notes += [kept(rounds), await conditions(postgres)]
    return _findings(undisturbed(rounds), [each.peer for each in trials], len(answers), notes)


async def _trials(place: Place) -> tuple[list[Trial], list[str]]:
    """One for each peer that can be had on this machine, and what must be said of the others."""
    trials, notes = [], []
    for peer in PEERS:
        try:
            made = await asyncio.to_thread(environment_of, peer)
        except (OSError, subprocess.SubprocessError) as error:
            notes.append(f"not measured: {peer.name}, whose environment cannot be made here ({_why(error)})")
            continue
        count = int(place.count * peer.share)
        topic = place.topic
        if count < place.count:
            topic = await create_topic(place.bootstrap, f"for-{peer.name}", PARTITIONS)
            await send_all(place.bootstrap, topic, place.answers[:count])
        trials.append(Trial(peer, made, topic, place.answers[:count]))
    return trials, notes


def _why(error: OSError | subprocess.SubprocessError) -> str:
    """What failed, and not where on this machine."""
    if isinstance(error, subprocess.CalledProcessError):
        return f"{Path(error.cmd[0]).name} ended with {error.returncode}"
    if isinstance(error, OSError) and error.filename is not None:
        return f"{Path(error.filename).name}: {error.strerror}"
    return type(error).__name__


async def _take(place: Place, trial: Trial) -> Values:
    """Answers a second of one process into empty tables, from its first commit that is seen to its last."""
    name = unique_name("peer")
    url = place.postgres.create_database(name)
    ledger = await asyncpg.connect(url)
    try:
        await ledger.execute(SCHEMA.read_text())
        place.postgres.run_sql("CHECKPOINT")
        with tempfile.TemporaryDirectory(prefix="peer-") as work:
            process = start(trial.peer, trial.made, Path(work), _given(place, trial, url))
            try:
                rate = await _watch(ledger, len(trial.answers), process)
            except (TimeoutError, AssertionError) as error:
                raise AssertionError(f"{trial.peer.name}: {(Path(work) / 'log').read_text()[-2000:]}") from error
            finally:
                _stop(process)
        await _check(ledger, trial)
    finally:
        await ledger.close()
        place.postgres.drop_database(name)
    return {trial.peer.name: rate}


def _given(place: Place, trial: Trial, url: str) -> dict[str, str]:
    at = urlsplit(url)
    jdbc = f"jdbc:postgresql://{at.hostname}:{at.port}{at.path}?user={at.username}&password={at.password or ''}"
    return {
        "KAFKA": place.bootstrap,
        "TOPIC": trial.topic,
        "GROUP": unique_name("group"),
        "DATABASE": url,
        "JDBC": f"{jdbc}&reWriteBatchedInserts=true",
    }


async def _watch(ledger: asyncpg.Connection[asyncpg.Record], count: int, process: subprocess.Popen[bytes]) -> float:
    first, began = 0, 0.0
    async with asyncio.timeout(PATIENCE):
        while (done := await ledger.fetchval(TAKEN)) < count:
            assert process.poll() is None, "it ended"
            if done and not first:
                first, began = done, time.perf_counter()
            await asyncio.sleep(EVERY)
    taken = time.perf_counter() - began
    assert 0 < first < count, "all was there at the first look; send more"
    return (count - first) / taken


def _stop(process: subprocess.Popen[bytes]) -> None:
    process.send_signal(signal.SIGTERM)
    try:
        process.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


async def _check(ledger: asyncpg.Connection[asyncpg.Record], trial: Trial) -> None:
    counted = await ledger.fetchrow(COUNTS)
    unhappy = {each.key for each in trial.answers if each.is_bottom}
    expected = (len(trial.answers), len(unhappy), len({each.key for each in trial.answers}))
    assert counted is not None
    assert tuple(counted) == expected, f"{trial.peer.name}: {tuple(counted)}, and not {expected}"


def standing(rounds: Sequence[Round], peer: str, title: str) -> str:
    """A sentence: ahead or behind where every round says so, level where they differ."""
    found = ratios(rounds, "intake", peer)
    place = "ahead of" if found[0] > 1 else "behind" if found[-1] < 1 else "level with"
    middle = statistics.median(found)
    return f"the intake is {place} {title}: {middle:.2f} times its answers a second ({found[0]:.2f} to {found[-1]:.2f})"


def _findings(rounds: Sequence[Round], peers: Sequence[Peer], count: int, notes: Sequence[str]) -> Findings:
    rows: list[tuple[Cell, ...]] = [compared(rounds, "intake, one consumer process", "intake", "intake")]
    rows += [compared(rounds, each.title, each.name, "intake") for each in peers]
    return Findings(
        name="peers",
        tables=[
            Table(
                title="Answers a second on the same job, and the share of the intake (medians and extremes of rounds)",
                columns=("", "median", "lowest", "highest", "x intake", "lowest", "highest"),
                rows=rows,
            )
        ],
        notes=[
            f"{count:,} answers in {PARTITIONS} partitions; the slow one is given {count * PEERS[0].share:,.0f} of them",
            LESS,
            *(standing(rounds, each.name, each.title) for each in peers),
            *notes,
        ],
        figures={f"peers.{each.name}": figure(rounds, "intake", each.name) for each in peers},
    )
