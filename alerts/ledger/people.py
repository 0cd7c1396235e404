"""A customer's own record: found by handle, put right by a person, opted out, and heard of from elsewhere.

Whatever changes a customer locks the customer's row first and the open callback after it (see `alerts.ledger.intake`).
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from datetime import date, datetime
from typing import Any, Literal

from msgspec import Struct
from sqlalchemy import Row, func, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from alerts.callback import Callback, ClosedReason, Moved, State
from alerts.errors import Invalid, NotFound, StaleVersion
from alerts.identity import Handle
from alerts.ledger.audit import write_audit
from alerts.ledger.moves import apply
from alerts.ledger.queue import open_callback_of
from alerts.ledger.tables import alerts, callbacks, customers, responses
from alerts.moves import mend, supersede
from alerts.phone import judge, normalise
from alerts.policy import Policy
from alerts.survey import Customer
from alerts.window import Place, place_of

MENDABLE = ("phone", "time_zone", "language")


class Person(Struct, frozen=True, kw_only=True):
    """A row of `customers`. Personal data: shown in full only where docs/rest.md says so."""

    id: int
    ref: str
    name: str | None
    phone: str | None
    email: str | None
    time_zone: str | None
    country: str | None
    language: str | None
    segment: str | None
    since: date | None
    value: float | None
    number_status: str
    opted_out_at: datetime | None
    mended: tuple[str, ...]

    @property
    def version(self) -> str:
        """Changes with every fact of the customer that is shown; 16 hex digits."""
        facts = tuple(getattr(self, name) for name in self.__struct_fields__ if name != "mended")
        return hashlib.sha256(repr(facts).encode()).hexdigest()[:16]

    @property
    def standing(self) -> Literal["ok", "none", "bad"]:
        """Of the number: ok, none, or bad when it may not be dialled or somebody tried it and it was not theirs."""
        judged = judge(self.phone, self.country).status
        return "bad" if judged == "ok" and self.number_status == "bad" else judged

    def place(self, queue: str, policy: Policy) -> Place:
        facts = Customer(time_zone=self.time_zone, country=self.country)
        return place_of(facts, judge(self.phone, self.country), policy.queue(queue).zone)


PERSON = tuple(customers.c[name] for name in Person.__struct_fields__)


def read_person(row: Row[Any]) -> Person:
    return Person(**{**row._mapping, "mended": tuple(row.mended)})


async def person_by_ref(connection: AsyncConnection, ref: str, *, lock: bool = False) -> Person:
    """Raises NotFound."""
    query = select(*PERSON).where(customers.c.ref == ref)
    row = (await connection.execute(query.with_for_update() if lock else query)).one_or_none()
    if row is None:
        raise NotFound("there is no such customer")
    return read_person(row)


async def people_by_id(connection: AsyncConnection, ids: Sequence[int]) -> dict[int, Person]:
    rows = await connection.execute(select(*PERSON).where(customers.c.id.in_(ids)))
    return {row.id: read_person(row) for row in rows}


async def find_person(connection: AsyncConnection, handles: Sequence[Handle]) -> Person | None:
    """Whom the first handle that is known names; a phone or an e-mail only when it names one customer alone."""
    for handle in handles:
        exact = select(*PERSON).where(customers.c.key == handle.key)
        row = (await connection.execute(exact)).one_or_none() or await _known_by(connection, handle)
        if row is not None:
            return read_person(row)
    return None


async def _known_by(connection: AsyncConnection, handle: Handle) -> Row[Any] | None:
    query = select(*PERSON).limit(2)
    if handle.kind == "interaction":
        rated = select(responses.c.customer_id).where(
            responses.c.interaction_id == handle.value, responses.c.source == handle.scope
        )
        query = query.where(customers.c.id.in_(rated))
    elif handle.kind in ("phone", "email"):
        query = query.where(customers.c[handle.kind] == handle.value)
    else:
        return None
    rows = (await connection.execute(query)).all()
    return rows[0] if len(rows) == 1 else None


async def mend_person(
    connection: AsyncConnection, ref: str, changes: dict[str, str | None], *, version: str, actor: str, policy: Policy
) -> tuple[Person, list[Moved]]:
    """Sets what a person knows better. From then on answers leave it alone. Raises NotFound, StaleVersion, Invalid."""
    person = await person_by_ref(connection, ref, lock=True)
    if person.version != version:
        raise StaleVersion("this customer was changed since you read it; read it again")
    person = await change_person(connection, person, checked_facts(changes, person.country))
    await write_audit(connection, principal=actor, action="mend", customer_id=person.id)
    return person, await mend_open_callback(connection, person, actor=actor, policy=policy)


def checked_facts(changes: dict[str, str | None], country: str | None) -> dict[str, Any]:
    """The columns that `changes` of phone, time_zone and language come to. Raises Invalid; no message has a value."""
    facts: dict[str, Any] = dict(changes)
    if changes.get("phone") is not None:
        facts["phone"] = dialable(changes["phone"] or "", country, "/phone")
    if changes.get("time_zone") is not None:
        place = place_of(Customer(time_zone=changes["time_zone"]), judge(None, None), "UTC")
        if place.guessed:
            raise Invalid("this must be an IANA time zone, like Europe/London", "/time_zone")
    if changes.get("language") is not None:
        facts["language"] = (changes["language"] or "").lower()
    if "phone" in changes:
        facts["number_status"] = "ok"
    return facts


def dialable(number: str, country: str | None, pointer: str) -> str:
    """`number` in E.164. Raises Invalid for what cannot be read, or may not be dialled."""
    phone = normalise(number, country)
    if phone is None or judge(phone, country).status != "ok":
        raise Invalid("this must be a number that can be dialled, in E.164 like +442079460067", pointer)
    return phone


async def change_person(connection: AsyncConnection, person: Person, facts: dict[str, Any]) -> Person:
    """Writes columns of a customer whose row is locked."""
    mended = sorted({*person.mended, *(name for name in MENDABLE if name in facts)})
    changed = update(customers).where(customers.c.id == person.id).values(**facts, mended=mended).returning(*PERSON)
    return read_person((await connection.execute(changed)).one())


async def mend_open_callback(connection: AsyncConnection, person: Person, *, actor: str, policy: Policy) -> list[Moved]:
    """The open callback of a customer whose row is locked learns of the new number, zone or language."""
    callback_id = await open_callback_of(connection, person.id)
    if callback_id is None:
        return []

    def move(callback: Callback, now: datetime) -> Moved:
        return mended(callback, person, actor=actor, now=now, policy=policy)

    return [await apply(connection, callback_id, move)]


def mended(callback: Callback, person: Person, *, actor: str, now: datetime, policy: Policy) -> Moved:
    return mend(
        callback,
        place=person.place(callback.queue, policy),
        number_status=person.standing,
        language=person.language,
        actor=actor,
        now=now,
        policy=policy,
    )


async def opt_out(connection: AsyncConnection, ref: str, *, actor: str, policy: Policy) -> list[Moved]:
    """No more calls: closes a waiting or scheduled callback, flags a leased one. Safe twice. Raises NotFound."""
    person = await person_by_ref(connection, ref, lock=True)
    await write_audit(connection, principal=actor, action="opt_out", customer_id=person.id)
    if person.opted_out_at is None:
        await change_person(connection, person, {"opted_out_at": func.ledger_now()})
    return await _supersede(connection, person.id, ClosedReason.OPTED_OUT, policy)


async def withdraw_opt_out(connection: AsyncConnection, ref: str, *, actor: str) -> None:
    """Later answers count again; what was closed stays closed. Raises NotFound."""
    person = await person_by_ref(connection, ref, lock=True)
    await write_audit(connection, principal=actor, action="opt_out_withdrawn", customer_id=person.id)
    await change_person(connection, person, {"opted_out_at": None})


async def customer_was_here(
    connection: AsyncConnection, handles: Sequence[Handle], at: datetime, *, policy: Policy
) -> list[Moved]:
    """The customer called in, chatted or visited at `at`: what was newer than the answers makes the call needless."""
    person = await find_person(connection, handles)
    if person is None:
        return []
    await person_by_ref(connection, person.ref, lock=True)
    callback_id = await open_callback_of(connection, person.id)
    if callback_id is None or await _last_answer(connection, callback_id) > at:
        return []
    return await _supersede(connection, person.id, ClosedReason.CUSTOMER_CALLED_IN, policy)


async def _last_answer(connection: AsyncConnection, callback_id: str) -> datetime:
    query = (
        select(func.max(responses.c.answered_at))
        .join(alerts, alerts.c.response_id == responses.c.id)
        .where(alerts.c.callback_id == callback_id)
    )
    moment = (await connection.execute(query)).scalar_one()
    assert isinstance(moment, datetime)
    return moment


async def _supersede(
    connection: AsyncConnection, customer_id: int, reason: ClosedReason, policy: Policy
) -> list[Moved]:
    callback_id = await open_callback_of(connection, customer_id)
    if callback_id is None:
        return []
    return [
        await apply(connection, callback_id, lambda callback, now: supersede(callback, reason, now=now, policy=policy))
    ]


async def holds_callback_of(connection: AsyncConnection, ref: str, advisor: str | None) -> bool:
    """Whether `advisor` has a living lease on a callback of this customer."""
    query = (
        select(callbacks.c.id)
        .join(customers, customers.c.id == callbacks.c.customer_id)
        .where(
            customers.c.ref == ref,
            callbacks.c.state == State.LEASED,
            callbacks.c.lease_holder == advisor,
            callbacks.c.lease_expires_at > func.ledger_now(),
        )
    )
    return advisor is not None and (await connection.execute(query)).first() is not None
