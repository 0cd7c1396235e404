"""Each check finds the violation it is for, planted by SQL behind the program's back, and is quiet otherwise."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import asyncpg
import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from alerts.callback import Transition
from alerts.ledger.callbacks.claims import Claimer, claim_next
from alerts.ledger.callbacks.store import store_transitions
from alerts.ledger.checks import auditor as auditing
from alerts.ledger.checks.auditor import Auditor
from alerts.ledger.checks.catalogue import CHECKS
from alerts.ledger.checks.check import Kind
from alerts.ledger.database import ledger_now, open_engine, transaction
from alerts.ledger.intake.batch import ingest_batch
from alerts.policy import shipped_policy
from alerts.result import Result
from alerts.transitions import NewAttempt, attempt
from app.metrics import Metrics
from consumers.duties import worker_duties
from tests.parts.answers import answer
from tests.parts.clock import Clock

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)  # a Monday; the customers are in London
POLICY = shipped_policy()

WAITING = "(SELECT id FROM callbacks WHERE state = 'waiting' ORDER BY opened_at, id LIMIT 1)"
LEASED = "(SELECT id FROM callbacks WHERE state = 'leased' ORDER BY opened_at, id LIMIT 1)"
TRIED = "(SELECT callback_id FROM attempts LIMIT 1)"
LAST = f"(SELECT max(id) FROM history WHERE callback_id = {WAITING})"


def event(of: str, *kinds: str, data: str = "{}", actor: str = "ann") -> str:
    """More history of a callback, that nobody made."""
    rows = ", ".join(f"({of}, ledger_now(), '{kind}', '{actor}', '{data}', '{{}}', 99)" for kind in kinds)
    return f"INSERT INTO history (callback_id, at, kind, actor, data, measured, version) VALUES {rows}"


def change(of: str, what: str) -> str:
    return f"UPDATE callbacks SET {what} WHERE id = {of}"


PLANTED = {
    "claimed_twice": event(LEASED, "claimed", data='{"lease_number": 2}'),
    "lease_number": "UPDATE history SET data = data || '{\"lease_number\": 7}'"
    f" WHERE kind = 'claimed' AND callback_id = {LEASED}",
    "lease_token": change(LEASED, "lease_token = '9.stolen'"),
    "worked_by_another": f"UPDATE history SET actor = 'eve' WHERE kind = 'attempted' AND callback_id = {TRIED}",
    "worked_without_lease": event(WAITING, "opened", "released", "attempted"),
    "history_backwards": f"UPDATE history SET at = at - interval '1 day' WHERE callback_id = {LEASED} AND kind = 'claimed'",
    "in_limbo": change(WAITING, "ready = false, callable_from = NULL, callable_reason = ''"),
    "moved_after_end": event(WAITING, "closed", "released"),
    "moments_out_of_order": change(LEASED, "claimed_at = opened_at - interval '1 hour'"),
    "resolved_twice": event(LEASED, "resolved", "resolved"),
    "target_decided_twice": event(WAITING, "target_met", "target_missed", data='{"target": "contact"}'),
    "promise_decided_twice": event(WAITING, "promise_decided"),
    "two_open_callbacks": "DROP INDEX callbacks_one_open_per_customer; INSERT INTO callbacks"
    " SELECT (jsonb_populate_record(c, jsonb_build_object('id', gen_random_uuid()))).* FROM callbacks AS c"
    f" WHERE id = {WAITING}",
    "answer_without_alert": f"DELETE FROM alerts WHERE callback_id = {WAITING}",
    "attempts_miscounted": change(TRIED, "attempts_count = attempts_count + 1"),
    "outbox_incomplete": f"DELETE FROM outbox WHERE subject = {WAITING}::text",
    "events_misnumbered": f"UPDATE history SET version = version + 1 WHERE id = {LAST}",
    "outbox_out_of_order": f"UPDATE outbox SET data = data || '{{\"version\": 0}}' WHERE subject = {LEASED}::text"
    " AND type LIKE '%claimed'",
    "called_after_opt_out": "UPDATE customers SET opted_out_at = ledger_now() WHERE id ="
    f" (SELECT customer_id FROM callbacks WHERE id = {WAITING})",
    "offsets_unaccounted": "UPDATE partitions SET next_offset = next_offset + 1",
    "due_and_left": change(WAITING, "wake_at = ledger_now() - interval '2 minutes'"),
    "lease_outlived": change(LEASED, "lease_expires_at = ledger_now() - interval '2 minutes'"),
    "ready_outside_window": "UPDATE callbacks SET callable_until = ledger_now() - interval '2 minutes' WHERE ready",
}


@pytest.fixture
async def engine(database_url: str, clock: Clock) -> AsyncIterator[AsyncEngine]:
    """A ledger with callbacks that wait, one that is held and one that was tried."""
    await clock.set(NOON)
    engine = open_engine(database_url)
    await ingest_batch(engine, [answer(f"c{number}", 1, NOON, offset=number) for number in range(6)], POLICY)
    await clock.advance(timedelta(seconds=1))
    async with transaction(engine) as connection:
        moved: list[Transition] = await claim_next(connection, Claimer(advisor="ann"), count=2, policy=POLICY)
        tried, now = moved[0].callback, await ledger_now(connection)
        new = NewAttempt(result=Result.BUSY)
        await store_transitions(
            connection, [attempt(tried, new, token=tried.lease_token or "", now=now, policy=POLICY)]
        )
    yield engine
    await engine.dispose()


async def found(auditor: Auditor) -> set[str]:
    return {each.check.name for each in (await auditor.look()).broken}


async def run_sql(url: str, statements: str) -> None:
    connection = await asyncpg.connect(url)
    try:
        await connection.execute(statements)
    finally:
        await connection.close()


def test_there_is_a_planted_violation_for_every_check() -> None:
    assert set(PLANTED) == {check.name for check in CHECKS}
    assert len(PLANTED) == len(CHECKS)


async def test_a_planted_violation_is_found_and_a_sound_ledger_is_quiet(engine: AsyncEngine) -> None:
    async with engine.connect() as connection:
        for name, statements in PLANTED.items():
            assert (await Auditor(engine).ask(connection)).broken == (), f"before {name}"
            for statement in statements.split("; "):
                await connection.exec_driver_sql(statement)
            audit = await Auditor(engine).ask(connection)
            assert name in {each.check.name for each in audit.broken}
            await connection.rollback()


async def test_who_is_late_by_less_than_a_minute_is_not_late(engine: AsyncEngine, database_url: str) -> None:
    await run_sql(database_url, change(WAITING, "wake_at = ledger_now() - interval '50 seconds'"))
    assert await found(Auditor(engine)) == set()


async def test_the_walk_comes_to_everybody_and_stays_with_whoever_it_found(
    engine: AsyncEngine, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(auditing, "RECENT", 0)
    monkeypatch.setattr(auditing, "WALKED", 2)
    await run_sql(
        database_url,
        "UPDATE callbacks SET version = version + 1 WHERE customer_id ="
        " (SELECT id FROM customers ORDER BY id OFFSET 3 LIMIT 1)",
    )
    auditor = Auditor(engine)
    assert [await found(auditor) for _ in range(3)] == [set(), {"events_misnumbered"}, {"events_misnumbered"}]
    await run_sql(
        database_url,
        "UPDATE callbacks SET version = version - 1 WHERE customer_id ="
        " (SELECT id FROM customers ORDER BY id OFFSET 3 LIMIT 1)",
    )
    assert await found(auditor) == set()
    await run_sql(
        database_url, "UPDATE callbacks SET version = version + 1 WHERE customer_id = (SELECT min(id) FROM customers)"
    )
    assert {"events_misnumbered"} in [await found(auditor) for _ in range(3)]  # it has begun again


async def test_the_duty_shows_what_it_found_as_a_metric_and_names_it_in_the_log(
    engine: AsyncEngine, database_url: str, caplog: pytest.LogCaptureFixture
) -> None:
    metrics = Metrics()
    metrics.prepare(POLICY, [], [])
    page = metrics.registry.page(None)[0].decode()
    assert page.count("bottombox_invariant_violations{") == len(CHECKS)
    assert "bottombox_auditor_last_success_timestamp_seconds 0.0" in page
    await run_sql(database_url, PLANTED["lease_token"])
    duties = worker_duties(
        engine,
        POLICY,
        announce=metrics.callbacks.announce,
        show_queues=metrics.callbacks.queues,
        show_audit=metrics.audit.show,
    )
    with caplog.at_level(logging.ERROR, "consumers.duties"):
        assert not await next(duty.step for duty in duties if duty.name == "the audit")()
    page = metrics.registry.page(None)[0].decode()
    assert 'bottombox_invariant_violations{check="lease_token"} 1.0' in page
    assert 'bottombox_invariant_violations{check="lease_number"} 0.0' in page
    async with transaction(engine) as connection:
        leased = (await connection.execute(text(f"SELECT {LEASED}::text"))).scalar_one()
        now = (await ledger_now(connection)).timestamp()
    assert now - 60 < metrics.audit.last_success._value.get() <= now
    assert (
        f"the ledger breaks I9 (the living token carries the newest lease number): {Kind.CALLBACK} {leased}"
        in caplog.text
    )
