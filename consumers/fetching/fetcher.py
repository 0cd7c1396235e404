"""Fetches for one source what its notices tell of, publishes it under the notice's id, or sets the notice aside."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import msgspec
from sqlalchemy.ext.asyncio import AsyncEngine

from alerts.arrival import Address, DeadLettered
from alerts.errors import Unavailable
from alerts.ledger.intake.notices import Notice, end_failed, end_fetched, is_answered, lease_notices, put_off
from consumers.fetching.client import NotEver, NotNow, fetch
from consumers.intake import strict_json
from consumers.intake.cloudevents import CONTENT_TYPE, SOURCE_HEADER
from consumers.intake.dead_letters import DeadLetters, RejectedRecord
from consumers.intake.origin import Origin, origin_of
from consumers.intake.reason import DeadLetterReason, InvalidRecord
from consumers.intake.record import HYDRATED_HEADER, Record, notice_of
from consumers.kafka.producer import OutRecord, Producer
from consumers.sources.expression import read_json
from consumers.sources.hydrate import Hydrate
from consumers.sources.source import Source
from consumers.trace_context import trace_of

AT_ONCE = 4
MOST_FAILURES = 10
"""Seconds between them double from 1; with the platform's own wishes it may take longer."""
LONGEST_WAIT = 600.0


class Fetcher:
    """`run_once` works on what is due for one source. `secret` is the one that its file names, if it is set."""

    def __init__(
        self,
        source: Source,
        secret: str | None,
        *,
        hosts: frozenset[str],
        engine: AsyncEngine,
        producer: Producer,
        dead_letters: DeadLetters,
        failed: Callable[[str], None],
    ) -> None:
        assert source.hydrate is not None
        self.source = source
        self._hydrate: Hydrate = source.hydrate
        self._secret = secret
        self._hosts = hosts
        self._engine = engine
        self._producer = producer
        self._dead_letters = dead_letters
        self._failed = failed

    async def run_once(self) -> bool:
        """Whether there may be more at once. Raises Unavailable; what is leased then comes up again."""
        due = await lease_notices(self._engine, self.source.name, at_most=AT_ONCE)
        done = await asyncio.gather(*(self._work_on(notice) for notice in due), return_exceptions=True)
        for failure in done:
            if isinstance(failure, BaseException):
                raise failure
        return len(due) == AT_ONCE

    async def _work_on(self, notice: Notice) -> None:
        if notice.tries > 1 and await is_answered(self._engine, notice, self.source.event_source):
            await end_fetched(self._engine, notice)  # whoever published it died before this
            return
        try:
            record = await self._fetched(notice)
        except NotNow as why:
            if notice.failures + 1 < MOST_FAILURES:
                await put_off(self._engine, notice, max(why.wait or 0.0, min(LONGEST_WAIT, 2.0**notice.failures)))
            else:
                await self._give_up(notice, f"{why}, {MOST_FAILURES} times")
        except NotEver as why:
            await self._give_up(notice, str(why))
        except InvalidRecord as why:
            await self._give_up(notice, why.detail)
        else:
            await self._producer.send([record])
            await end_fetched(self._engine, notice)

    async def _fetched(self, notice: Notice) -> OutRecord:
        """The notice with the answer in it. Raises NotNow, NotEver, InvalidRecord."""
        event, _ = notice_of(self.source, notice.value, notice.headers)
        auth = self._hydrate.auth
        if auth is not None and not self._secret:
            raise NotEver(f"BOTTOMBOX_SECRET_{auth.secret} is not set")
        headers = {auth.header: f"{auth.prefix}{self._secret}"} if auth is not None else {}
        body = await fetch(self._hydrate.address(event), headers, self._hosts)
        value = msgspec.json.encode({**event, self._hydrate.as_: _json(body)})
        if len(value) > strict_json.MAX_BYTES:
            raise NotEver("notice and answer together have more than 1 MiB")
        return self._record(notice, value)

    def _record(self, notice: Notice, value: bytes) -> OutRecord:
        place = notice.address
        origin = origin_of(notice.headers) or Origin(place.topic, place.partition, place.offset, place.timestamp)
        trace = trace_of(notice.headers)
        headers = (
            (CONTENT_TYPE, b"application/json"),
            (SOURCE_HEADER, self.source.name.encode()),
            (HYDRATED_HEADER, b"1"),
            *(trace.headers if trace is not None else ()),
            *origin.headers(),
        )
        return OutRecord(topic=place.topic, key=notice.key, value=value, headers=headers)

    async def _give_up(self, notice: Notice, detail: str) -> None:
        """The notice as it came becomes a dead letter, acknowledged before the ledger lets go of it."""
        place = notice.address
        why = DeadLettered(place, DeadLetterReason.HYDRATE_FAILED, "hydrate", detail, self.source.name)
        stamp = int(place.timestamp.timestamp() * 1000)
        record = Record(place.topic, place.partition, place.offset, stamp, notice.key, notice.value, notice.headers)
        (kept,) = await self._dead_letters.set_aside([RejectedRecord(record, why)])
        if not isinstance(kept, Address):
            raise Unavailable(f"the dead letter of a notice was not taken: {kept}")
        await end_failed(self._engine, notice, msgspec.structs.replace(why, kept_at=kept))
        self._failed(why.reason)


def _json(body: bytes) -> object:
    try:
        return read_json(body.decode())
    except (InvalidRecord, ValueError):
        raise NotEver("the platform's answer is no strict JSON in UTF-8") from None
